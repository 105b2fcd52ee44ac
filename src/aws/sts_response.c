#include "sts_response.h"

#include "buf.h"
#include "clock.h"
#include "iso8601.h"
#include "xml_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARN_SIZE 1024

struct element {
    const char *parent, *name;
    char *text;
    size_t size;
    bool cut; /* a sentence for people, which may be cut */
};

static bool store(struct span raw, const struct element *e) {
    struct buf out;
    buf_init_lent(&out, e->text, e->size, e->size - 1);
    bool fine = xml_unescape(raw, &out) && !memchr(e->text, '\0', out.len);
    if (!fine && !e->cut) {
        e->text[0] = '\0';
    }
    return fine || e->cut;
}

static bool read_elements(struct span text, const struct element *elements, size_t count) {
    struct xml_reader r;
    struct span value;
    xml_reader_init(&r, text);
    for (;;) {
        switch (xml_next(&r, &value)) {
        case XML_FAILED: return false;
        case XML_OVER: return true;
        case XML_TEXT: break;
        default: continue;
        }
        for (size_t i = 0; i < count; i++) {
            if (span_is(xml_open(&r, 0), elements[i].name) && span_is(xml_open(&r, 1), elements[i].parent) &&
                !store(value, &elements[i])) {
                return false;
            }
        }
    }
}

/* arn:aws:sts::123456789012:assumed-role/… */
static void take_account(const char *arn, char ret_account[static ACCOUNT_ID_SIZE]) {
    const char *at = arn;
    for (int colons = 0; colons < 4 && at; colons++) {
        at = strchr(at, ':');
        at = at ? at + 1 : NULL;
    }
    size_t len = at ? strcspn(at, ":") : 0;
    if (at && at[len] == ':' && len < ACCOUNT_ID_SIZE) {
        memcpy(ret_account, at, len);
        ret_account[len] = '\0';
    }
}

static bool look_through(struct credentials_document *d, char why[static DOCUMENT_WHY_SIZE]) {
    int64_t expires = 0;
    if (d->code[0]) {
        return true;
    }
    if (!d->access_key_id[0] || !d->secret_access_key[0] || !d->session_token[0]) {
        (void)snprintf(why, DOCUMENT_WHY_SIZE, "it has neither whole credentials nor an error");
        return false;
    }
    if (!iso8601_parse(span_cstr(d->expiration), &expires)) {
        (void)snprintf(why, DOCUMENT_WHY_SIZE, "its Expiration is not a time like 2024-01-08T01:34:32Z");
        return false;
    }
    d->credentials = (struct credentials){
        .access_key_id = span_cstr(d->access_key_id),
        .secret_access_key = span_cstr(d->secret_access_key),
        .session_token = span_cstr(d->session_token),
        .account_id = span_cstr(d->account_id),
        .expires = expires,
    };
    return true;
}

struct credentials_document *sts_response_read(struct span text, char ret_why[static DOCUMENT_WHY_SIZE]) {
    struct credentials_document *d = calloc(1, sizeof *d);
    if (!d) {
        (void)snprintf(ret_why, DOCUMENT_WHY_SIZE, "there is no memory for it");
        return NULL;
    }
    char arn[ARN_SIZE] = "";
    const struct element elements[] = {
        {"Credentials", "AccessKeyId", d->access_key_id, sizeof d->access_key_id, false},
        {"Credentials", "SecretAccessKey", d->secret_access_key, sizeof d->secret_access_key, false},
        {"Credentials", "SessionToken", d->session_token, sizeof d->session_token, false},
        {"Credentials", "Expiration", d->expiration, sizeof d->expiration, false},
        {"AssumedRoleUser", "Arn", arn, sizeof arn, true},
        {"Error", "Code", d->code, sizeof d->code, true},
        {"Error", "Message", d->message, sizeof d->message, true},
    };
    bool fine = read_elements(text, elements, ARRAY_LENGTH(elements));
    if (!fine) {
        (void)snprintf(ret_why, DOCUMENT_WHY_SIZE, "it is no XML, was cut short, or has values that are too long");
    }
    take_account(arn, d->account_id);
    if (!fine || !look_through(d, ret_why)) {
        credentials_document_free(d);
        return NULL;
    }
    return d;
}
