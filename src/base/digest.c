/* OpenSSL 3 deprecates all but EVP_Digest*() for SHA-256. But that allocates and frees a context for each hash. A
 * message takes eight hashes, and this cost a tenth of its CPU. The older functions keep the context in place, and run
 * the same code for each processor. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "digest.h"

#include "block.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct digest {
    SHA256_CTX sha256;
    EVP_MD *md5; /* NULL: the library has none */
    EVP_MD_CTX *md5_ctx;
    EVP_MAC *hmac;
    EVP_MAC_CTX *mac; /* set to SHA-256; each use sets a key */
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
    /* A missing algorithm is a result that we return. No later caller is to find it in OpenSSL's error queue. */
    ERR_set_mark();
    d->md5 = EVP_MD_fetch(NULL, "MD5", NULL);
    d->md5_ctx = EVP_MD_CTX_new();
    d->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    d->mac = d->hmac ? EVP_MAC_CTX_new(d->hmac) : NULL;
    bool ok = d->md5_ctx && d->mac && has_keyless_mac(d);
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
    EVP_MD_CTX_free(d->md5_ctx);
    EVP_MD_free(d->md5);
    OPENSSL_cleanse(&d->sha256, sizeof d->sha256);
    free(d);
}

static const unsigned char *bytes_of(struct span s) {
    /* OpenSSL takes a NULL key to mean "the same key as before". */
    return (const unsigned char *)(s.data ? s.data : "");
}

bool digest_sha256_begin(struct digest *d) {
    return SHA256_Init(&d->sha256) == 1;
}

bool digest_sha256_update(struct digest *d, struct span data) {
    return SHA256_Update(&d->sha256, bytes_of(data), data.len) == 1;
}

bool digest_sha256_so_far(struct digest *d, uint8_t ret_hash[static SHA256_SIZE]) {
    SHA256_CTX copy = d->sha256;
    return SHA256_Final(ret_hash, &copy) == 1;
}

bool digest_sha256_end(struct digest *d, uint8_t ret_hash[static SHA256_SIZE]) {
    return SHA256_Final(ret_hash, &d->sha256) == 1;
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

struct digest_key {
    struct digest *digest;
    SHA256_CTX inner, outer; /* each has taken in the key's padded block (RFC 2104) */
    bool set;
};

struct digest_key *digest_key_new(struct digest *d) {
    struct digest_key *key = calloc(1, sizeof *key);
    if (key)
        key->digest = d;
    return key;
}

void digest_key_free(struct digest_key *key) {
    if (!key)
        return;
    OPENSSL_cleanse(key, sizeof *key);
    free(key);
}

static bool begin_with_pad(SHA256_CTX *ctx, const uint8_t bytes[static SHA256_SIZE], uint8_t pad) {
    uint8_t padded[SHA256_CBLOCK];
    memset(padded, pad, sizeof padded);
    for (size_t i = 0; i < SHA256_SIZE; i++)
        padded[i] ^= bytes[i];
    bool done = SHA256_Init(ctx) == 1 && SHA256_Update(ctx, padded, sizeof padded) == 1;
    OPENSSL_cleanse(padded, sizeof padded);
    return done;
}

bool digest_key_set(struct digest_key *key, const uint8_t bytes[static SHA256_SIZE]) {
    key->set = begin_with_pad(&key->inner, bytes, 0x36) && begin_with_pad(&key->outer, bytes, 0x5C);
    return key->set;
}

static bool end_with(struct digest *d, const SHA256_CTX *begun, struct span data,
                     uint8_t ret_hash[static SHA256_SIZE]) {
    d->sha256 = *begun;
    return digest_sha256_update(d, data) && digest_sha256_end(d, ret_hash);
}

bool digest_key_hmac(struct digest_key *key, struct span data, uint8_t ret_mac[static SHA256_SIZE]) {
    uint8_t hash[SHA256_SIZE];
    return key->set && end_with(key->digest, &key->inner, data, hash) &&
           end_with(key->digest, &key->outer, span_of((const char *)hash, sizeof hash), ret_mac);
}

bool digest_has_md5(const struct digest *d) {
    return d->md5 != NULL;
}

bool digest_md5_begin(struct digest *d) {
    return d->md5 && EVP_DigestInit_ex2(d->md5_ctx, d->md5, NULL) == 1;
}

bool digest_md5_update(struct digest *d, struct span data) {
    return EVP_DigestUpdate(d->md5_ctx, bytes_of(data), data.len) == 1;
}

bool digest_md5_end(struct digest *d, char ret_hex[static MD5_HEX_SIZE + 1]) {
    uint8_t hash[MD5_SIZE];
    if (EVP_DigestFinal_ex(d->md5_ctx, hash, NULL) != 1)
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

static block hex_digits(block halves) {
    return halves + '0' + ((block)(halves > 9) & ('a' - '0' - 10));
}

/* Writes the hex digits of sixteen bytes. */
static void hex_encode_block(const uint8_t *bytes, char *to) {
    block all = block_load((const char *)bytes);
    block high = hex_digits(all / 16), low = hex_digits(all & 0xF);
    block first = __builtin_shufflevector(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    block second = __builtin_shufflevector(high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    block_store(to, first);
    block_store(to + BLOCK_SIZE, second);
}

void hex_encode(const uint8_t *bytes, size_t len, char *ret_hex) {
    static const char digits[] = "0123456789abcdef";
    size_t i = 0;
    for (; len - i >= BLOCK_SIZE; i += BLOCK_SIZE, ret_hex += 2 * BLOCK_SIZE)
        hex_encode_block(bytes + i, ret_hex);
    for (; i < len; i++) {
        *ret_hex++ = digits[bytes[i] >> 4];
        *ret_hex++ = digits[bytes[i] & 0xF];
    }
    *ret_hex = '\0';
}
