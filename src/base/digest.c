#include "digest.h"

#include "word.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct digest {
    EVP_MD *sha256;
    EVP_MD *md5; /* NULL: the library has none */
    EVP_MD_CTX *ctx;
    EVP_MD_CTX *copy; /* of ctx, to be finished while that goes on */
    EVP_MAC *hmac;
    EVP_MAC_CTX *mac; /* knows its hash; each use gives it a key */
};

#define MD5_SIZE (MD5_HEX_SIZE / 2)

static bool has_keyless_mac(const struct digest *d) {
    char name[] = OSSL_DIGEST_NAME_SHA2_256;
    const OSSL_PARAM params[] = {OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, name, sizeof name - 1), OSSL_PARAM_END};
    return EVP_MAC_CTX_set_params(d->mac, params) == 1;
}

struct digest *digest_new(void) {
    struct digest *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    /* That an algorithm is missing is our result, not an error that a later caller of the library should find in its
     * queue. */
    ERR_set_mark();
    d->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    d->md5 = EVP_MD_fetch(NULL, "MD5", NULL);
    d->ctx = EVP_MD_CTX_new();
    d->copy = EVP_MD_CTX_new();
    d->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    d->mac = d->hmac ? EVP_MAC_CTX_new(d->hmac) : NULL;
    bool ok = d->sha256 && d->ctx && d->copy && d->mac && has_keyless_mac(d);
    ERR_pop_to_mark();
    if (ok)
        return d;
    digest_free(d);
    return NULL;
}

void digest_free(struct digest *d) {
    if (!d)
        return;
    EVP_MAC_CTX_free(d->mac);
    EVP_MAC_free(d->hmac);
    EVP_MD_CTX_free(d->copy);
    EVP_MD_CTX_free(d->ctx);
    EVP_MD_free(d->md5);
    EVP_MD_free(d->sha256);
    free(d);
}

static const unsigned char *bytes_of(struct span s) {
    /* The library takes a NULL key for "the one of before". */
    return (const unsigned char *)(s.data ? s.data : "");
}

bool digest_sha256_begin(struct digest *d) {
    return EVP_DigestInit_ex2(d->ctx, d->sha256, NULL) == 1;
}

bool digest_sha256_update(struct digest *d, struct span data) {
    return EVP_DigestUpdate(d->ctx, bytes_of(data), data.len) == 1;
}

bool digest_sha256_so_far(struct digest *d, uint8_t ret_hash[static SHA256_SIZE]) {
    return EVP_MD_CTX_copy_ex(d->copy, d->ctx) == 1 && EVP_DigestFinal_ex(d->copy, ret_hash, NULL) == 1;
}

bool digest_sha256_end(struct digest *d, uint8_t ret_hash[static SHA256_SIZE]) {
    return EVP_DigestFinal_ex(d->ctx, ret_hash, NULL) == 1;
}

bool digest_sha256(struct digest *d, struct span data, uint8_t ret_hash[static SHA256_SIZE]) {
    return digest_sha256_begin(d) && digest_sha256_update(d, data) && digest_sha256_end(d, ret_hash);
}

bool digest_hmac_sha256(struct digest *d, struct span key, struct span data, uint8_t ret_mac[static SHA256_SIZE]) {
    size_t size = 0;
    return EVP_MAC_init(d->mac, bytes_of(key), key.len, NULL) == 1 &&
           EVP_MAC_update(d->mac, bytes_of(data), data.len) == 1 &&
           EVP_MAC_final(d->mac, ret_mac, &size, SHA256_SIZE) == 1 && size == SHA256_SIZE;
}

#define SHA256_BLOCK 64

struct digest_key {
    struct digest *digest;
    EVP_MD_CTX *inner, *outer; /* each has taken in the one block that the key makes (RFC 2104) */
    bool set;
};

struct digest_key *digest_key_new(struct digest *d) {
    struct digest_key *key = calloc(1, sizeof *key);
    if (!key)
        return NULL;
    key->digest = d;
    key->inner = EVP_MD_CTX_new();
    key->outer = EVP_MD_CTX_new();
    if (key->inner && key->outer)
        return key;
    digest_key_free(key);
    return NULL;
}

void digest_key_free(struct digest_key *key) {
    if (!key)
        return;
    EVP_MD_CTX_free(key->outer);
    EVP_MD_CTX_free(key->inner);
    free(key);
}

static bool begin_with_pad(struct digest *d, EVP_MD_CTX *ctx, const uint8_t bytes[static SHA256_SIZE], uint8_t pad) {
    uint8_t block[SHA256_BLOCK];
    memset(block, pad, sizeof block);
    for (size_t i = 0; i < SHA256_SIZE; i++)
        block[i] ^= bytes[i];
    bool done = EVP_DigestInit_ex2(ctx, d->sha256, NULL) == 1 && EVP_DigestUpdate(ctx, block, sizeof block) == 1;
    OPENSSL_cleanse(block, sizeof block);
    return done;
}

bool digest_key_set(struct digest_key *key, const uint8_t bytes[static SHA256_SIZE]) {
    key->set =
        begin_with_pad(key->digest, key->inner, bytes, 0x36) && begin_with_pad(key->digest, key->outer, bytes, 0x5C);
    return key->set;
}

static bool end_with(struct digest *d, const EVP_MD_CTX *begun, struct span data,
                     uint8_t ret_hash[static SHA256_SIZE]) {
    return EVP_MD_CTX_copy_ex(d->ctx, begun) == 1 && digest_sha256_update(d, data) && digest_sha256_end(d, ret_hash);
}

bool digest_key_hmac(struct digest_key *key, struct span data, uint8_t ret_mac[static SHA256_SIZE]) {
    uint8_t hash[SHA256_SIZE];
    return key->set && end_with(key->digest, key->inner, data, hash) &&
           end_with(key->digest, key->outer, span_of((const char *)hash, sizeof hash), ret_mac);
}

bool digest_has_md5(const struct digest *d) {
    return d->md5 != NULL;
}

bool digest_md5_begin(struct digest *d) {
    return d->md5 && EVP_DigestInit_ex2(d->ctx, d->md5, NULL) == 1;
}

bool digest_md5_update(struct digest *d, struct span data) {
    return EVP_DigestUpdate(d->ctx, bytes_of(data), data.len) == 1;
}

bool digest_md5_end(struct digest *d, char ret_hex[static MD5_HEX_SIZE + 1]) {
    uint8_t hash[MD5_SIZE];
    if (EVP_DigestFinal_ex(d->ctx, hash, NULL) != 1)
        return false;
    hex_encode(hash, sizeof hash, ret_hex);
    return true;
}

bool digest_md5_hex(struct digest *d, struct span data, char ret_hex[static MD5_HEX_SIZE + 1]) {
    return digest_md5_begin(d) && digest_md5_update(d, data) && digest_md5_end(d, ret_hex);
}

uint32_t digest_crc32(struct span data) {
    return (uint32_t)crc32_z(0, bytes_of(data), data.len);
}

/* The hex digits of four bytes: each half of a byte comes into a byte of its own, all of which become digits at once.
 */
static void hex_encode_four(const uint8_t *bytes, char *to) {
    uint32_t four;
    memcpy(&four, bytes, sizeof four);
    uint64_t x = le32toh(four);
    x = (x | x << 16) & UINT64_C(0x0000FFFF0000FFFF);
    x = (x | x << 8) & UINT64_C(0x00FF00FF00FF00FF);
    x = (x >> 4 | x << 8) & EVERY_BYTE(0xF);
    uint64_t letters = (x + EVERY_BYTE(6)) >> 4 & EVERY_BYTE(1);
    word_store(to, x + EVERY_BYTE('0') + letters * ('a' - '0' - 10));
}

void hex_encode(const uint8_t *bytes, size_t len, char *ret_hex) {
    static const char digits[] = "0123456789abcdef";
    size_t i = 0;
    for (; len - i >= 4; i += 4, ret_hex += 8)
        hex_encode_four(bytes + i, ret_hex);
    for (; i < len; i++) {
        *ret_hex++ = digits[bytes[i] >> 4];
        *ret_hex++ = digits[bytes[i] & 0xF];
    }
    *ret_hex = '\0';
}
