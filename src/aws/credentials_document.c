#include "credentials_document.h"

#include "buf.h"
#include "clock.h"
#include "iso8601.h"
#include "json_reader.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32

/* Where a member's value goes. */
struct slot {
    const char *name;
    char *text;
    size_t size;
    bool cut; /* a sentence for people, which may be cut; else it is refused where it is too long */
};

#define SLOTS_MAX 8

static bool store(const struct json_token *token, const struct slot *slot) {
    slot->text[0] = '\0';
    if (token->event == JSON_NULL) {
        return true;
    }
    struct buf out;
    buf_init_lent(&out, slot->text, slot->size, slot->size - 1);
    bool fine = token->event == JSON_STRING ? json_unescape(token->raw, &out) : buf_append_span(&out, token->raw);
    if (fine && memchr(slot->text, '\0', out.len)) {
        fine = false;
    }
    if (!fine) {
        slot->text[0] = '\0';
    }
    return fine || slot->cut;
}

static bool is_scalar(const struct json_token *token) {
    return token->event == JSON_STRING || token->event == JSON_NUMBER || token->event == JSON_NULL;
}

/* The members of the object that the reader is in. inner is asked for the one that holds an object, or is NULL. */
static bool read_object(struct json_reader *r, const struct slot *slots, size_t count, const char *object, const struct slot *inner,
                        size_t inner_count, bool *ret_version_is_number) {
    struct json_token token;
    while (json_next(r, &token) == JSON_NAME) {
        size_t at = 0;
        while (at < count && !(slots[at].name && json_token_is(&token, slots[at].name))) {
            at++;
        }
        bool is_inner = inner && json_token_is(&token, object);
        if (json_next(r, &token) == JSON_FAILED) {
            return false;
        }
        if (is_inner && token.event == JSON_OBJECT_BEGIN) {
            if (!read_object(r, inner, inner_count, NULL, NULL, 0, ret_version_is_number)) {
                return false;
            }
        } else if (at < count && is_scalar(&token)) {
            if (!store(&token, &slots[at])) {
                return false;
            }
            if (at == 0 && ret_version_is_number) {
                *ret_version_is_number = token.event == JSON_NUMBER;
            }
        } else if (!json_skip(r, &token)) {
            return false;
        }
    }
    return token.event == JSON_OBJECT_END;
}

static bool read_document(struct span text, const struct document_form *f, struct credentials_document *d) {
    const struct slot outer[] = {
        {f->version, d->version, sizeof d->version, true},
        {f->code, d->code, sizeof d->code, true},
        {f->message, d->message, sizeof d->message, true},
    };
    const struct slot keys[] = {
        {f->access_key_id, d->access_key_id, sizeof d->access_key_id, false},
        {f->secret_access_key, d->secret_access_key, sizeof d->secret_access_key, false},
        {f->session_token, d->session_token, sizeof d->session_token, false},
        {f->expiration, d->expiration, sizeof d->expiration, false},
        {f->account_id, d->account_id, sizeof d->account_id, false},
    };
    struct slot slots[SLOTS_MAX];
    memcpy(slots, outer, sizeof outer);
    memcpy(slots + ARRAY_LENGTH(outer), keys, sizeof keys);
    size_t count = f->object ? ARRAY_LENGTH(outer) : SLOTS_MAX;
    const struct json_options options = {.max_depth = DEPTH_MAX};
    struct json_reader r;
    struct json_token token;
    json_reader_init(&r, text, &options);
    bool fine = json_next(&r, &token) == JSON_OBJECT_BEGIN &&
                read_object(&r, slots, count, f->object, f->object ? keys : NULL, ARRAY_LENGTH(keys), &d->version_is_number) &&
                json_next(&r, &token) == JSON_END;
    json_reader_done(&r);
    return fine;
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

static bool look_through(const struct document_form *f, struct credentials_document *d, char why[static DOCUMENT_WHY_SIZE]) {
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
        (void)snprintf(why, DOCUMENT_WHY_SIZE, "its %s is no moment like %s", f->expiration,
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
        (void)snprintf(ret_why, DOCUMENT_WHY_SIZE, "it is no JSON object, was cut short, or has values that are too long");
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
