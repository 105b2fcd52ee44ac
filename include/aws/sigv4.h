/* AWS Signature Version 4 (AWS General Reference, "Create a signed AWS API request"): its three stages, and a fast way
 * for the one form of request that the JSON services take. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "digest.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIGV4_DATE_SIZE sizeof "20150830T123600Z"
#define SIGV4_SIGNATURE_SIZE (SHA256_HEX_SIZE + 1)
#define SIGV4_HEADERS_MAX 32
#define SIGV4_PARAMETERS_MAX 64 /* of a query */
#define SIGV4_SECRET_MAX 256 /* bytes of a secret access key */

/* The moment as x-amz-date has it: 20150830T123600Z. Its first eight characters are the day of the scope. */
void sigv4_date(int64_t wall, char ret_date[static SIGV4_DATE_SIZE]);

/* Who signs, and for what. Borrowed. */
struct sigv4_scope {
    struct span region;
    struct span service;
};

struct sigv4_header {
    struct span name; /* in any case; one name may come more than once */
    struct span value;
};

struct sigv4_request {
    struct span method;
    struct span path; /* as it stands in the request line, without the query; "" is "/" */
    struct span query; /* without "?" */
    const struct sigv4_header *headers; /* all are signed, but those that proxies change; at most SIGV4_HEADERS_MAX */
    size_t header_count;
    char body_hash[SHA256_HEX_SIZE + 1]; /* lower-case hex SHA-256 of the body */
    bool keep_path; /* don't resolve "." and ".." and repeated slashes */
};

/* Stage 1. Appends the canonical request, and to signed_headers the list of names. False: a buffer has failed, there is
 * no memory, or there are too many headers or parameters. */
MUST_USE bool sigv4_canonical_request(const struct sigv4_request *request, struct buf *out, struct buf *signed_headers);
/* Stage 2. Appends the string to sign. */
MUST_USE bool sigv4_string_to_sign(struct digest *digest, const struct sigv4_scope *scope, const char *date,
                                   struct span canonical_request, struct buf *out);
/* Stage 3. The signing key of one day, then the signature, then the Authorization header's value. */
MUST_USE bool sigv4_key(struct digest *digest, const struct sigv4_scope *scope, const char *date,
                        struct span secret_access_key, uint8_t ret_key[static SHA256_SIZE]);
MUST_USE bool sigv4_signature(struct digest *digest, const uint8_t key[static SHA256_SIZE], struct span string_to_sign,
                              char ret_hex[static SIGV4_SIGNATURE_SIZE]);
bool sigv4_authorization(const struct sigv4_scope *scope, const char *date, struct span access_key_id,
                         struct span signed_headers, const char *signature, struct buf *out);

/* The signer of one service at one endpoint: POST, one path, and the headers content-type, host, x-amz-date,
 * x-amz-target and perhaps x-amz-security-token. It keeps the day's key; after its first signatures it allocates
 * nothing. */
struct sigv4_signer;

/* The spans are copied, digest is borrowed. host: as in the Host header, without the scheme's default port. NULL: no
 * memory. */
MUST_USE struct sigv4_signer *sigv4_signer_new(struct digest *digest, const struct sigv4_scope *scope, struct span path,
                                               struct span content_type, struct span host);
/* Wipes the key. NULL is fine. */
void sigv4_signer_free(struct sigv4_signer *signer);

struct sigv4_post {
    const char *date; /* sigv4_date() */
    struct span target;
    struct span access_key_id, secret_access_key;
    struct span session_token; /* absent or empty: none */
    struct span body;
    const uint8_t *body_sha256; /* of the body, where it is known; else NULL */
};
/* Appends the Authorization header's value to out. */
MUST_USE bool sigv4_sign_post(struct sigv4_signer *signer, const struct sigv4_post *post, struct buf *out);
