/* Credentials in JSON documents: from the instance and container metadata services, from processes, from the caches of
 * the AWS tools. Unknown members are skipped. */
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
    const char *object; /* the object that holds the credentials; NULL: they stand in the document itself */
    const char *access_key_id, *secret_access_key, *session_token, *expiration, *account_id;
    const char *code, *message; /* of a failure; they always stand in the document itself */
    const char *version; /* likewise; must be the number 1 */
    bool token_needed, expiration_needed;
    bool expiration_in_milliseconds; /* since 1970, as a number; else ISO 8601 */
};

/* Holds secrets: credentials_document_free() wipes it. */
struct credentials_document {
    struct credentials credentials; /* points into what follows; expires: NEVER if the document doesn't say */
    char access_key_id[ACCESS_KEY_ID_SIZE], secret_access_key[SECRET_ACCESS_KEY_SIZE],
        session_token[SESSION_TOKEN_MAX + 1];
    char expiration[DOCUMENT_TEXT_SIZE], account_id[ACCOUNT_ID_SIZE];
    char code[DOCUMENT_TEXT_SIZE], message[DOCUMENT_TEXT_SIZE], version[DOCUMENT_TEXT_SIZE];
    bool version_is_number;
};

/* Reads a document. If it has a code other than Success, no credentials are looked for, and they are absent. NULL: it
 * is no such document, or there is no memory; ret_why says what is wrong, without quoting any of it. */
MUST_USE struct credentials_document *credentials_document_read(struct span text, const struct document_form *form,
                                                                char ret_why[static DOCUMENT_WHY_SIZE]);
/* NULL is fine. */
void credentials_document_free(struct credentials_document *document);
