/* SHA-256, HMAC-SHA-256, MD5 and CRC-32. OpenSSL 3's default way looks the algorithm up and allocates at each use,
 * which costs more than hashing a small message; this does neither. */
#pragma once

#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32
#define SHA256_HEX_SIZE 64
#define MD5_HEX_SIZE 32

struct digest;

/* NULL: no memory, or the library has no HMAC of SHA-256. One object serves one thread; its calls don't nest. */
MUST_USE struct digest *digest_new(void);
void digest_free(struct digest *d);

/* SHA-256 in pieces: begin, any number of updates, end. Before the end, so_far gives the hash of all updates until
 * then. False: the library failed. */
MUST_USE bool digest_sha256_begin(struct digest *d);
MUST_USE bool digest_sha256_update(struct digest *d, struct span data);
MUST_USE bool digest_sha256_so_far(struct digest *d, uint8_t ret_hash[static SHA256_SIZE]);
MUST_USE bool digest_sha256_end(struct digest *d, uint8_t ret_hash[static SHA256_SIZE]);
/* The same in one call; and the HMAC under a key. */
MUST_USE bool digest_sha256(struct digest *d, struct span data, uint8_t ret_hash[static SHA256_SIZE]);
MUST_USE bool digest_hmac_sha256(struct digest *d, struct span key, struct span data,
                                 uint8_t ret_mac[static SHA256_SIZE]);

/* HMAC-SHA-256 of many messages under one key: the part that depends on the key alone is hashed once. */
struct digest_key;
/* NULL: no memory. d is borrowed. */
MUST_USE struct digest_key *digest_key_new(struct digest *d);
/* Wipes it. NULL is fine. */
void digest_key_free(struct digest_key *key);
/* Sets the key, in place of any before. False: the library failed, and no key is set. */
MUST_USE bool digest_key_set(struct digest_key *key, const uint8_t bytes[static SHA256_SIZE]);
MUST_USE bool digest_key_hmac(struct digest_key *key, struct span data, uint8_t ret_mac[static SHA256_SIZE]);

/* Lower-case hex MD5, as SQS gives it for a body (RFC 1321; a checksum here, nothing secret). False also where the
 * library has no MD5 (FIPS mode): digest_has_md5() tells. */
bool digest_has_md5(const struct digest *d);
MUST_USE bool digest_md5_hex(struct digest *d, struct span data, char ret_hex[static MD5_HEX_SIZE + 1]);
/* The same in pieces: begin, any number of updates, end. */
MUST_USE bool digest_md5_begin(struct digest *d);
MUST_USE bool digest_md5_update(struct digest *d, struct span data);
MUST_USE bool digest_md5_end(struct digest *d, char ret_hex[static MD5_HEX_SIZE + 1]);

/* CRC-32 (the zlib one), as DynamoDB gives it in X-Amz-Crc32. */
uint32_t digest_crc32(struct span data);
/* Lower-case hex, terminated: 2 * len + 1 bytes. */
void hex_encode(const uint8_t *bytes, size_t len, char *ret_hex);
