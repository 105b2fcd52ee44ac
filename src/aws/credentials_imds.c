#include "credentials_remote.h"

#include "credentials_document.h"
#include "credentials_plan.h"
#include "imds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "meta-data/iam/security-credentials/"
#define ROLE_SIZE 128
#define TRIED_SIZE PLAN_TRIED_SIZE

struct imds_source {
    struct imds imds;
    char role[ROLE_SIZE]; /* "": not asked for yet in this fetch */
    bool gave_some;
    char tried[TRIED_SIZE];
    credentials_fetched *done;
    void *user;
};

static const struct document_form form = {
    .access_key_id = "AccessKeyId",
    .secret_access_key = "SecretAccessKey",
    .session_token = "Token",
    .expiration = "Expiration",
    .code = "Code",
    .message = "Message",
    .token_needed = true,
    .expiration_needed = true,
};

/* Until it has given credentials once, a metadata service that fails is only the last of the places without
 * credentials: the sentence names those tried before, too. But one that is there and busy, as when an instance boots,
 * will have them soon. */
static void fail(void *user, enum call_class class, const char *why) {
    struct imds_source *s = user;
    char sentence[TRIED_SIZE + IMDS_WHY_SIZE];
    (void)snprintf(sentence, sizeof sentence, "%s%s", s->gave_some ? "" : s->tried, why);
    const struct credentials_failure failure = {s->gave_some || s->imds.busy ? class : CALL_AUTH, sentence};
    s->done(s->user, NULL, &failure);
}

/* The list of roles has one line: an instance profile has only one role. */
static bool take_role(struct imds_source *s, struct span body) {
    const char *end = body.len ? memchr(body.data, '\n', body.len) : NULL;
    size_t len = end ? (size_t)(end - body.data) : body.len;
    if (!len || len >= sizeof s->role) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        char c = body.data[i];
        bool alphanumeric = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!alphanumeric && (c == '\0' || !strchr("_+=,.@-", c))) {
            return false;
        }
    }
    memcpy(s->role, body.data, len);
    s->role[len] = '\0';
    return true;
}

static void on_role(struct imds_source *s, const struct http_response *response) {
    if (response->status == 404) {
        fail(s, CALL_AUTH, "the instance has no role: attach an instance profile to it");
    } else if (response->status != 200 || !take_role(s, response->body)) {
        char why[128];
        (void)snprintf(why, sizeof why, "the instance metadata service names no role of the instance: status %d",
                       response->status);
        fail(s, CALL_RETRY, why);
    } else {
        char path[sizeof FOLDER + ROLE_SIZE];
        (void)snprintf(path, sizeof path, FOLDER "%s", s->role);
        imds_get(&s->imds, path);
    }
}

static void on_credentials(struct imds_source *s, const struct http_response *response) {
    char why[DOCUMENT_WHY_SIZE] = "", sentence[IMDS_WHY_SIZE];
    struct credentials_document *d =
        response->status == 200 ? credentials_document_read(response->body, &form, why) : NULL;
    if (d && d->credentials.access_key_id.data) {
        s->gave_some = true;
        s->done(s->user, &d->credentials, NULL);
    } else if (d) {
        (void)snprintf(
            sentence, sizeof sentence,
            "the instance metadata service has no credentials for the role %.128s: %.100s (%.200s); look at the role's "
            "trust policy",
            s->role, d->code, d->message);
        fail(s, CALL_RETRY, sentence);
    } else if (response->status != 200) {
        (void)snprintf(sentence, sizeof sentence,
                       "the instance metadata service has no credentials for the role %.128s: status %d", s->role,
                       response->status);
        fail(s, CALL_RETRY, sentence);
    } else {
        (void)snprintf(sentence, sizeof sentence,
                       "the instance metadata service gives a document for the role %.128s that can't be used: %s",
                       s->role, why);
        fail(s, CALL_RETRY, sentence);
    }
    credentials_document_free(d);
}

static void on_document(void *user, const struct http_response *response) {
    struct imds_source *s = user;
    if (s->role[0]) {
        on_credentials(s, response);
    } else {
        on_role(s, response);
    }
}

static void imds_fetch(void *impl, credentials_fetched *done, void *user) {
    struct imds_source *s = impl;
    s->done = done;
    s->user = user;
    s->role[0] = '\0';
    imds_begin(&s->imds);
    imds_get(&s->imds, FOLDER);
}

static void imds_stop(void *impl) {
    struct imds_source *s = impl;
    imds_cancel(&s->imds);
}

static void imds_release(void *impl) {
    struct imds_source *s = impl;
    imds_done(&s->imds);
    free(s);
}

bool credentials_imds_new(const struct imds_options *options, const struct credentials_world *world, const char *tried,
                          struct credentials_source *ret_source) {
    struct imds_source *s = calloc(1, sizeof *s);
    if (!s) {
        return false;
    }
    (void)snprintf(s->tried, sizeof s->tried, "%s", tried);
    imds_init(&s->imds, options, world, on_document, fail, s);
    *ret_source = (struct credentials_source){s, imds_fetch, imds_stop, imds_release};
    return true;
}
