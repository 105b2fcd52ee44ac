/* The bodies of messages: all bytes are the same but for a number near the end, so that a body costs a copy. */
#pragma once

#include "buf.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_MARK "rec-" /* and RECORD_DIGITS digits: the id of a message's record */
#define RECORD_DIGITS 12
#define BODY_MD5_SIZE 33

struct body_template {
    struct buf text, escaped; /* up to the digits, as it is and as JSON has it */
    EVP_MD_CTX *md5; /* of the text */
};

struct bodies {
    struct body_template valid, invalid;
    EVP_MD_CTX *scratch;
};

/* Bodies of at least size bytes (more where the least body is longer). False: no memory. */
bool bodies_init(struct bodies *b, size_t size, bool audited, bool all_members);
void bodies_free(struct bodies *b);
/* Appends the body of message n, as the contents of a JSON string; its MD5 goes to ret_md5. */
bool bodies_append(struct bodies *b, bool valid, uint64_t n, struct buf *out, char ret_md5[static BODY_MD5_SIZE]);
