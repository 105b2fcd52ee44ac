/* Signature Version 4 in its three stages. */
#include "sigv4.h"
#include "sigv4_private.h"

#include "clock.h"

#include <openssl/crypto.h>

void sigv4_date(int64_t wall, char ret_date[static SIGV4_DATE_SIZE]) {
    char text[ISO8601_SIZE], *to = ret_date; /* not gmtime_r(), which reads the time zone's file */
    clock_iso8601(wall, text);
    for (const char *from = text; *from != '.'; from++) {
        if (*from != '-' && *from != ':') {
            *to++ = *from;
        }
    }
    *to++ = 'Z';
    *to = '\0';
}

bool sigv4_canonical_request(const struct sigv4_request *request, struct buf *out, struct buf *signed_headers) {
    size_t before = signed_headers->len;
    return buf_append_span(out, request->method) && buf_append_char(out, '\n') &&
           sigv4_append_path(request->path, request->keep_path, out) && buf_append_char(out, '\n') &&
           sigv4_append_query(request->query, out) && buf_append_char(out, '\n') &&
           sigv4_append_headers(request->headers, request->header_count, out, signed_headers) &&
           buf_append_char(out, '\n') && buf_append(out, signed_headers->data + before, signed_headers->len - before) &&
           buf_append_char(out, '\n') && buf_append_cstr(out, request->body_hash);
}

/* 20150830/us-east-1/service/aws4_request */
static bool append_scope(const struct sigv4_scope *scope, const char *date, struct buf *out) {
    return buf_append(out, date, SIGV4_DAY_SIZE) && buf_append_between(out, SPAN("/"), scope->region, SPAN("/")) &&
           buf_append_between(out, SPAN(""), scope->service, SPAN("/" SIGV4_TERMINATOR));
}

bool sigv4_append_string_to_sign(const struct sigv4_scope *scope, const char *date, const char *hash_hex,
                                 struct buf *out) {
    return buf_append_between(out, SPAN(SIGV4_ALGORITHM "\n"), span_cstr(date), SPAN("\n")) &&
           append_scope(scope, date, out) && buf_append_between(out, SPAN("\n"), span_cstr(hash_hex), SPAN(""));
}

bool sigv4_string_to_sign(struct digest *digest, const struct sigv4_scope *scope, const char *date,
                          struct span canonical_request, struct buf *out) {
    uint8_t hash[SHA256_SIZE];
    if (!digest_sha256(digest, canonical_request, hash)) {
        return false;
    }
    char hex[SHA256_HEX_SIZE + 1];
    hex_encode(hash, sizeof hash, hex);
    return sigv4_append_string_to_sign(scope, date, hex, out);
}

static struct span bytes(const uint8_t *data) {
    return span_of((const char *)data, SHA256_SIZE);
}

bool sigv4_key(struct digest *digest, const struct sigv4_scope *scope, const char *date, struct span secret_access_key,
               uint8_t ret_key[static SHA256_SIZE]) {
    if (secret_access_key.len > SIGV4_SECRET_MAX) {
        return false;
    }
    char secret[4 + SIGV4_SECRET_MAX] = "AWS4";
    if (secret_access_key.len > 0) {
        memcpy(secret + 4, secret_access_key.data, secret_access_key.len);
    }
    uint8_t day[SHA256_SIZE], region[SHA256_SIZE], service[SHA256_SIZE], key[SHA256_SIZE];
    bool ok =
        digest_hmac_sha256(digest, span_of(secret, 4 + secret_access_key.len), span_of(date, SIGV4_DAY_SIZE), day) &&
        digest_hmac_sha256(digest, bytes(day), scope->region, region) &&
        digest_hmac_sha256(digest, bytes(region), scope->service, service) &&
        digest_hmac_sha256(digest, bytes(service), SPAN(SIGV4_TERMINATOR), key);
    if (ok) {
        memcpy(ret_key, key, SHA256_SIZE);
    }
    OPENSSL_cleanse(secret, sizeof secret);
    OPENSSL_cleanse(day, sizeof day);
    OPENSSL_cleanse(region, sizeof region);
    OPENSSL_cleanse(service, sizeof service);
    OPENSSL_cleanse(key, sizeof key);
    return ok;
}

bool sigv4_signature(struct digest *digest, const uint8_t key[static SHA256_SIZE], struct span string_to_sign,
                     char ret_hex[static SIGV4_SIGNATURE_SIZE]) {
    uint8_t mac[SHA256_SIZE];
    if (!digest_hmac_sha256(digest, bytes(key), string_to_sign, mac)) {
        return false;
    }
    hex_encode(mac, sizeof mac, ret_hex);
    return true;
}

bool sigv4_authorization(const struct sigv4_scope *scope, const char *date, struct span access_key_id,
                         struct span signed_headers, const char *signature, struct buf *out) {
    return buf_append_between(out, SPAN(SIGV4_ALGORITHM " Credential="), access_key_id, SPAN("/")) &&
           append_scope(scope, date, out) &&
           buf_append_between(out, SPAN(", SignedHeaders="), signed_headers, SPAN(", Signature=")) &&
           buf_append_cstr(out, signature);
}
