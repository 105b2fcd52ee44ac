/* Credentials as JSON documents have them: of the instance and container metadata services, of processes, of the caches
 * of the AWS tools. Members that aren't looked for are skipped. */
#pragma once

#include "compiler.h"
#include "credentials.h"
#include "span.h"

#include <stdbool.h>
#include <stdint.h>

#define DOCUMENT_TEXT_SIZE 256
#define DOCUMENT_WHY_SIZE 256

/* The names of members; NULL: there is no such member. */
struct document_form {
    const char *object; /* that the credentials are in; NULL: they stand in the document itself */
    const char *access_key_id, *secret_access_key, *session_token, *expiration, *account_id;
    const char *code, *message; /* of a failure; they stand in the document itself */
    const char *version; /* likewise; must be the number 1 */
    bool token_needed, expiration_needed;
    bool expiration_in_milliseconds; /* since 1970, as a number; else ISO 8601 */
};

/* It holds secrets: credentials_document_free() wipes it. */
struct credentials_document {
    struct credentials credentials; /* points into what follows; expires: NEVER where the document doesn't say */
    char access_key_id[ACCESS_KEY_ID_SIZE], secret_access_key[SECRET_ACCESS_KEY_SIZE],
        session_token[SESSION_TOKEN_MAX + 1];
    char expiration[DOCUMENT_TEXT_SIZE], account_id[ACCOUNT_ID_SIZE];
    char code[DOCUMENT_TEXT_SIZE], message[DOCUMENT_TEXT_SIZE], version[DOCUMENT_TEXT_SIZE];
    bool version_is_number;
};

/* Reads a document. Where it has a code other than Success, it is not looked at for credentials, and they are absent.
 * NULL: it is no such document, or there is no memory; ret_why says what is wrong, and quotes nothing of it. */
MUST_USE struct credentials_document *credentials_document_read(struct span text, const struct document_form *form,
                                                                char ret_why[static DOCUMENT_WHY_SIZE]);
/* NULL is fine. */
void credentials_document_free(struct credentials_document *document);
