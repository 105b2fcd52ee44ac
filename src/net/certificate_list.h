/* The certificates of a file. They stay undecoded; only each one's subject is located, which is enough to find an
 * issuer. OpenSSL takes an eighth of a millisecond to decode one, and a system's file has some 140. Pure. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIKE_ANY 0 /* could be the same as any other name: it must be compared in full */

struct certificate_entry {
    size_t at, len; /* in the list's bytes */
    uint64_t likeness; /* of its subject */
    bool taken; /* the owner's */
};

struct certificate_list { /* zeroed: none */
    struct buf bytes; /* DER, one after the other */
    struct certificate_entry *entries;
    size_t count;
};

/* False: there is no memory, or the text has no certificates, or something besides them (keys, revocations, trust
 * settings, unreadable parts). OpenSSL is to judge such a file. */
MUST_USE bool certificate_list_read(struct span text, struct certificate_list *ret_list);
struct span certificate_list_bytes(const struct certificate_list *list, size_t index);
/* Takes a zeroed one. */
void certificate_list_free(struct certificate_list *list);
/* A number that is the same for all names (DER) that OpenSSL takes for equal, whatever their kind of string, their case
 * and their white space. */
uint64_t certificate_name_likeness(struct span name);
/* Whether two names with these likenesses could be the same. */
static inline bool certificate_names_alike(uint64_t a, uint64_t b) {
    return a == b || a == LIKE_ANY || b == LIKE_ANY;
}
