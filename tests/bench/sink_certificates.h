/* Certificates made on the spot for 127.0.0.1 and localhost. */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>

#define CHAIN_LENGTH 3

struct certificates {
    X509 *served[CHAIN_LENGTH]; /* the server's own first, each signed by the next; NULL: no more */
    X509 *trusted; /* what signed the last */
    EVP_PKEY *key; /* of the first */
};

/* One with an elliptic curve's key, which is its own authority. False: it failed; to be freed all the same. */
bool certificates_make_one(struct certificates *c);
/* Three with RSA keys, as large as those that AWS serves, under an authority that isn't among them. False likewise. */
bool certificates_make_chain(struct certificates *c);
void certificates_free(struct certificates *c);
