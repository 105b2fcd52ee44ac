/* The signer of one service's calls. From call to call only the date, the target, the token and the body differ. So the
 * canonical request is never put together, but hashed piece by piece. */
#include "sigv4.h"
#include "sigv4_private.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#define TEXT_MAX ((size_t)64 * 1024)
#define SIGNED_HEADERS "content-type;host;x-amz-date;x-amz-target"
#define SIGNED_HEADERS_WITH_TOKEN "content-type;host;x-amz-date;x-amz-security-token;x-amz-target"

struct sigv4_signer {
    /* Fixed. */
    struct digest *digest;
    struct buf head; /* the canonical request up to the date */
    struct buf region, service;
    /* Of the last signature. */
    struct buf string_to_sign;
    char day[SIGV4_DAY_SIZE];
    char secret[SIGV4_SECRET_MAX];
    size_t secret_len;
    bool has_key;
    struct digest_key *key; /* for that day and secret */
};

static bool fill(struct sigv4_signer *s, const struct sigv4_scope *scope, struct span path, struct span content_type,
                 struct span host) {
    struct buf *head = &s->head;
    return buf_append_cstr(head, "POST\n") && sigv4_append_path(path, false, head) &&
           buf_append_cstr(head, "\n\ncontent-type:") && buf_append_span(head, content_type) &&
           buf_append_cstr(head, "\nhost:") && buf_append_span(head, host) && buf_append_cstr(head, "\nx-amz-date:") &&
           buf_append_span(&s->region, scope->region) && buf_append_span(&s->service, scope->service);
}

struct sigv4_signer *sigv4_signer_new(struct digest *digest, const struct sigv4_scope *scope, struct span path,
                                      struct span content_type, struct span host) {
    struct sigv4_signer *s = calloc(1, sizeof *s);
    if (!s) {
        return NULL;
    }
    s->digest = digest;
    buf_init(&s->head, TEXT_MAX);
    buf_init(&s->region, TEXT_MAX);
    buf_init(&s->service, TEXT_MAX);
    buf_init(&s->string_to_sign, TEXT_MAX * 2);
    s->key = digest_key_new(digest);
    if (!s->key || !fill(s, scope, path, content_type, host)) {
        sigv4_signer_free(s);
        return NULL;
    }
    return s;
}

void sigv4_signer_free(struct sigv4_signer *s) {
    if (!s) {
        return;
    }
    buf_free(&s->head);
    buf_free(&s->region);
    buf_free(&s->service);
    buf_free(&s->string_to_sign);
    digest_key_free(s->key);
    OPENSSL_cleanse(s, sizeof *s);
    free(s);
}

/* Makes s->key the key for the date's day and this secret; derives it only when one of the two changes. */
static bool find_key(struct sigv4_signer *s, const struct sigv4_scope *scope, const char *date, struct span secret) {
    if (s->has_key && memcmp(s->day, date, SIGV4_DAY_SIZE) == 0 &&
        span_equal(secret, span_of(s->secret, s->secret_len))) {
        return true;
    }
    s->has_key = false;
    uint8_t key[SHA256_SIZE];
    bool ok = sigv4_key(s->digest, scope, date, secret, key) && digest_key_set(s->key, key);
    OPENSSL_cleanse(key, sizeof key);
    if (!ok) {
        return false;
    }
    memcpy(s->day, date, SIGV4_DAY_SIZE);
    if (secret.len > 0) {
        memcpy(s->secret, secret.data, secret.len);
    }
    s->secret_len = secret.len;
    s->has_key = true;
    return true;
}

static bool hash_request(struct sigv4_signer *s, const struct sigv4_post *post, uint8_t ret_hash[static SHA256_SIZE]) {
    struct digest *d = s->digest;
    uint8_t computed[SHA256_SIZE];
    if (!post->body_sha256 && !digest_sha256(d, post->body, computed)) {
        return false;
    }
    char hex[SHA256_HEX_SIZE + 1];
    hex_encode(post->body_sha256 ? post->body_sha256 : computed, SHA256_SIZE, hex);
    bool token = post->session_token.len > 0;
    bool ok = digest_sha256_begin(d) && digest_sha256_update(d, buf_span(&s->head)) &&
              digest_sha256_update(d, span_of(post->date, SIGV4_DATE_SIZE - 1));
    if (ok && token) {
        ok = digest_sha256_update(d, SPAN("\nx-amz-security-token:")) && digest_sha256_update(d, post->session_token);
    }
    return ok && digest_sha256_update(d, SPAN("\nx-amz-target:")) && digest_sha256_update(d, post->target) &&
           digest_sha256_update(d, token ? SPAN("\n\n" SIGNED_HEADERS_WITH_TOKEN "\n")
                                         : SPAN("\n\n" SIGNED_HEADERS "\n")) &&
           digest_sha256_update(d, span_of(hex, SHA256_HEX_SIZE)) && digest_sha256_end(d, ret_hash);
}

bool sigv4_sign_post(struct sigv4_signer *s, const struct sigv4_post *post, struct buf *out) {
    const struct sigv4_scope scope = {buf_span(&s->region), buf_span(&s->service)};
    uint8_t hash[SHA256_SIZE], mac[SHA256_SIZE];
    if (!find_key(s, &scope, post->date, post->secret_access_key) || !hash_request(s, post, hash)) {
        return false;
    }
    char hex[SHA256_HEX_SIZE + 1];
    hex_encode(hash, sizeof hash, hex);
    struct buf *text = &s->string_to_sign;
    buf_reset(text);
    if (!sigv4_append_string_to_sign(&scope, post->date, hex, text) || !digest_key_hmac(s->key, buf_span(text), mac)) {
        return false;
    }
    hex_encode(mac, sizeof mac, hex);
    bool token = post->session_token.len > 0;
    return sigv4_authorization(&scope, post->date, post->access_key_id,
                               token ? SPAN(SIGNED_HEADERS_WITH_TOKEN) : SPAN(SIGNED_HEADERS), hex, out);
}
