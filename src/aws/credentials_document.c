#include "credentials_document.h"

#include "clock.h"
#include "iso8601.h"
#include "json_slots.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTER 3 /* the first members in the list: they always stand in the document itself, not in object */

static bool read_document(struct span text, const struct document_form *f, struct credentials_document *d) {
    const struct json_slot all[] = {
        {f->version, d->version, sizeof d->version, true, &d->version_is_number},
        {f->code, d->code, sizeof d->code, true, NULL},
        {f->message, d->message, sizeof d->message, true, NULL},
        {f->access_key_id, d->access_key_id, sizeof d->access_key_id, false, NULL},
        {f->secret_access_key, d->secret_access_key, sizeof d->secret_access_key, false, NULL},
        {f->session_token, d->session_token, sizeof d->session_token, false, NULL},
        {f->expiration, d->expiration, sizeof d->expiration, false, NULL},
        {f->account_id, d->account_id, sizeof d->account_id, false, NULL},
    };
    const struct json_slots document = {all, f->object ? OUTER : ARRAY_LENGTH(all)};
    const struct json_slots inner = {all + OUTER, ARRAY_LENGTH(all) - OUTER};
    return json_slots_read(text, &document, f->object, &inner);
}

static bool read_expiration(const struct document_form *f, const char *text, int64_t *ret_expires) {
    if (!f->expiration_in_milliseconds) {
        return iso8601_parse(span_cstr(text), ret_expires);
    }
    size_t digits = strspn(text, "0123456789");
    if (!digits || digits > 15 || text[digits]) {
        return false;
    }
    *ret_expires = (int64_t)strtoll(text, NULL, 10) * MILLISECOND;
    return true;
}

static bool missing(const char *name, char why[static DOCUMENT_WHY_SIZE]) {
    (void)snprintf(why, DOCUMENT_WHY_SIZE, "it has no %s", name);
    return false;
}

static bool look_through(const struct document_form *f, struct credentials_document *d,
                         char why[static DOCUMENT_WHY_SIZE]) {
    if (d->code[0] && strcmp(d->code, "Success") != 0) {
        return true;
    }
    if (f->version && (!d->version_is_number || strcmp(d->version, "1") != 0)) {
        (void)snprintf(why, DOCUMENT_WHY_SIZE, "its %s is not the number 1", f->version);
        return false;
    }
    if (!d->access_key_id[0]) {
        return missing(f->access_key_id, why);
    }
    if (!d->secret_access_key[0]) {
        return missing(f->secret_access_key, why);
    }
    if (f->token_needed && !d->session_token[0]) {
        return missing(f->session_token, why);
    }
    if (f->expiration_needed && !d->expiration[0]) {
        return missing(f->expiration, why);
    }
    d->credentials = (struct credentials){
        .access_key_id = span_cstr(d->access_key_id),
        .secret_access_key = span_cstr(d->secret_access_key),
        .session_token = span_cstr(d->session_token),
        .account_id = span_cstr(d->account_id),
        .expires = NEVER,
    };
    if (d->expiration[0] && !read_expiration(f, d->expiration, &d->credentials.expires)) {
        (void)snprintf(why, DOCUMENT_WHY_SIZE, "its %s is not a time like %s", f->expiration,
                       f->expiration_in_milliseconds ? "1704677672000" : "2024-01-08T01:34:32Z");
        return false;
    }
    return true;
}

struct credentials_document *credentials_document_read(struct span text, const struct document_form *form,
                                                       char ret_why[static DOCUMENT_WHY_SIZE]) {
    struct credentials_document *d = calloc(1, sizeof *d);
    if (!d) {
        (void)snprintf(ret_why, DOCUMENT_WHY_SIZE, "there is no memory for it");
        return NULL;
    }
    bool fine = read_document(text, form, d);
    if (!fine) {
        (void)snprintf(ret_why, DOCUMENT_WHY_SIZE,
                       "it is no JSON object, was cut short, or has values that are too long");
    }
    if (!fine || !look_through(form, d, ret_why)) {
        credentials_document_free(d);
        return NULL;
    }
    return d;
}

void credentials_document_free(struct credentials_document *document) {
    if (document) {
        OPENSSL_cleanse(document, sizeof *document);
    }
    free(document);
}
