/* The certificates of a file, undecoded but for where each one's subject stands, which is all that is needed to find
 * an issuer: to decode one takes OpenSSL an eighth of a millisecond, and a system's file has some 140. Pure. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIKE_ANY 0 /* a name that must be looked at, whatever the other one is */

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

/* False: the text is not certificates and nothing else (keys, revocations, trust settings, what can't be read or is
 * there not at all), which OpenSSL is to judge; or there is no memory. */
MUST_USE bool certificate_list_read(struct span text, struct certificate_list *ret_list);
struct span certificate_list_bytes(const struct certificate_list *list, size_t index);
/* Takes a zeroed one. */
void certificate_list_free(struct certificate_list *list);
/* What names (DER) that OpenSSL takes for the same have in common, whatever kind of string they are written in, in
 * which case, and with how much white space. */
uint64_t certificate_name_likeness(struct span name);
/* Whether names of these two could be the same. */
static inline bool certificate_names_alike(uint64_t a, uint64_t b) {
    return a == b || a == LIKE_ANY || b == LIKE_ANY;
}
