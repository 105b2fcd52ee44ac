#include "credentials_local.h"

#include "cli_cache.h"
#include "credentials_document.h"
#include "iso8601.h"
#include "json_slots.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT (5 * MICROSECONDS)
#define ATTEMPTS 3
#define TOKEN_SIZE 8192
#define TOKEN_LINE "x-amz-sso_bearer_token: "
#define WHY_SIZE 768

struct sso {
    char path[CLI_CACHE_PATH_SIZE];
    char url[2048];
    char account_id[ACCOUNT_ID_SIZE];
    char login[PLAN_PROFILE_SIZE + 64]; /* the command to type */
    const struct credentials_world *world;
    struct metadata_request request;
    char token_line[sizeof TOKEN_LINE + TOKEN_SIZE];
    const char *headers[1];
    credentials_fetched *done;
    void *user;
};

static const struct document_form form = {
    .object = "roleCredentials",
    .access_key_id = "accessKeyId",
    .secret_access_key = "secretAccessKey",
    .session_token = "sessionToken",
    .expiration = "expiration",
    .token_needed = true,
    .expiration_needed = true,
    .expiration_in_milliseconds = true,
};

static void fail(struct sso *s, enum call_class class, const char *what, bool login_helps) {
    char why[WHY_SIZE];
    (void)snprintf(why, sizeof why, "SSO: %.400s%s%s", what, login_helps ? ": type " : "", login_helps ? s->login : "");
    s->done(s->user, NULL, &(struct credentials_failure){class, why});
}

static void on_response(void *user, const struct http_response *response) {
    struct sso *s = user;
    char reason[DOCUMENT_WHY_SIZE], what[512];
    OPENSSL_cleanse(s->token_line, sizeof s->token_line);
    if (response->error != HTTP_FINE) {
        (void)snprintf(what, sizeof what, "the access portal (%.150s) can't be reached: %.200s", s->url,
                       response->message);
        fail(s, CALL_RETRY, what, false);
        return;
    }
    if (response->status == 401) {
        fail(s, CALL_AUTH, "the session has expired or was ended (status 401)", true);
        return;
    }
    if (response->status != 200) {
        bool final = response->status >= 400 && response->status < 500 && response->status != 429;
        (void)snprintf(what, sizeof what, "the access portal answers with status %d%s", response->status,
                       final ? ": look at sso_account_id and sso_role_name, and at who may have that role" : "");
        fail(s, final ? CALL_AUTH : CALL_RETRY, what, false);
        return;
    }
    struct credentials_document *d = credentials_document_read(response->body, &form, reason);
    if (!d) {
        (void)snprintf(what, sizeof what, "the access portal gives a document that can't be used: %s", reason);
        fail(s, CALL_RETRY, what, false);
        return;
    }
    d->credentials.account_id = span_cstr(s->account_id);
    s->done(s->user, &d->credentials, NULL);
    credentials_document_free(d);
}

/* Puts the last login's token into the header line. False: ret_why says why it can't be used. */
static bool take_token(struct sso *s, struct span text, const char **ret_why) {
    char token[TOKEN_SIZE] = "", expiration[DOCUMENT_TEXT_SIZE] = "";
    const struct json_slot slots[] = {{"accessToken", token, sizeof token, false, NULL},
                                      {"expiresAt", expiration, sizeof expiration, false, NULL}};
    int64_t expires = 0;
    *ret_why = NULL;
    if (!json_slots_read(text, &(struct json_slots){slots, ARRAY_LENGTH(slots)}, NULL, NULL) || !token[0] ||
        !iso8601_parse(span_cstr(expiration), &expires) || token[strcspn(token, " \r\n\t")]) {
        *ret_why = "the cache of the last login holds no token, or not when it expires";
    } else if (expires <= clock_wall(&s->world->clock)) {
        *ret_why = "the session has expired";
    } else {
        (void)snprintf(s->token_line, sizeof s->token_line, TOKEN_LINE "%s", token);
    }
    OPENSSL_cleanse(token, sizeof token);
    return !*ret_why;
}

static bool read_token(struct sso *s) {
    struct buf text;
    char why[TOKEN_WHY_SIZE];
    const char *fault = NULL;
    buf_init(&text, CLI_CACHE_FILE_MAX);
    bool is_there = small_file_read(s->path, &text, why), fine = is_there && take_token(s, buf_span(&text), &fault);
    buf_wipe(&text);
    if (!is_there) {
        fail(s, CALL_AUTH, why, true);
    } else if (!fine) {
        fail(s, CALL_AUTH, fault, true);
    }
    return fine;
}

static void sso_fetch(void *impl, credentials_fetched *done, void *user) {
    struct sso *s = impl;
    s->done = done;
    s->user = user;
    if (!read_token(s)) {
        return;
    }
    s->headers[0] = s->token_line;
    const struct http_request request = {
        .method = HTTP_GET,
        .url = s->url,
        .headers = s->headers,
        .header_count = 1,
        .timeout = TIMEOUT,
        .connect_timeout = TIMEOUT,
    };
    metadata_request_start(&s->request, s->world, &request, ATTEMPTS, on_response, s);
}

static void sso_cancel(void *impl) {
    struct sso *s = impl;
    metadata_request_cancel(&s->request);
}

static void sso_release(void *impl) {
    struct sso *s = impl;
    sso_cancel(s);
    OPENSSL_cleanse(s->token_line, sizeof s->token_line);
    free(s);
}

/* Whether s has only characters that can stand in a URL's query, some of them encoded. */
static bool is_plain(struct span s) {
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        bool alphanumeric = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!alphanumeric && (c == '\0' || !strchr("-._~+=,@", c))) {
            return false;
        }
    }
    return s.len > 0 && s.len < 128;
}

/* Writes "+", "=" and the like in role names as %2B, %3D. */
static void append_encoded(struct span s, char *text, size_t size) {
    for (size_t i = 0; i < s.len; i++) {
        size_t len = strlen(text);
        if (strchr("+=,@", s.data[i])) {
            (void)snprintf(text + len, size - len, "%%%02X", (unsigned char)s.data[i]);
        } else {
            (void)snprintf(text + len, size - len, "%c", s.data[i]);
        }
    }
}

bool credentials_sso_new(const struct credentials_plan *plan, const struct environment *environment, const char *portal,
                         const struct credentials_world *world, struct credentials_source *ret_source,
                         char ret_why[static SETTING_WHY_SIZE]) {
    struct span account = plan->sso.account_id, role = plan->sso.role_name, session = plan->sso.session;
    struct sso *s = calloc(1, sizeof *s);
    if (s && (!is_plain(account) || account.len >= sizeof s->account_id || !is_plain(role))) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE,
                       "profile %.200s: sso_account_id or sso_role_name has characters that are not allowed in it",
                       plan->profile);
        free(s);
        return false;
    }
    if (!s || !cli_cache_path(environment, NULL, "sso/cache", EVP_sha1(), session.data ? session : plan->sso.start_url,
                              s->path)) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE,
                       "the cache of `aws sso login` can't be found: HOME is not set, or there is no memory");
        free(s);
        return false;
    }
    (void)snprintf(s->url, sizeof s->url, "%s%sfederation/credentials?role_name=", portal,
                   portal[0] && portal[strlen(portal) - 1] == '/' ? "" : "/");
    append_encoded(role, s->url, sizeof s->url);
    (void)snprintf(s->url + strlen(s->url), sizeof s->url - strlen(s->url), "&account_id=%.*s", (int)account.len,
                   account.data);
    memcpy(s->account_id, account.data, account.len);
    (void)snprintf(s->login, sizeof s->login, "aws sso login --profile %.250s", plan->profile);
    s->world = world;
    *ret_source = (struct credentials_source){s, sso_fetch, sso_cancel, sso_release};
    return true;
}
