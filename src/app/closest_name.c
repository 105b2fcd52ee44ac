#include "closest_name.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define NAME_MAX_LEN 64
#define FAR 3

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned least(unsigned a, unsigned b) {
    return a < b ? a : b;
}

/* Edit distance with swaps of neighbours as one edit (optimal string alignment). */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len) {
    unsigned rows[3][NAME_MAX_LEN + 1];
    unsigned *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_len; j++) {
        above[j] = (unsigned)j;
        before[j] = 0;
    }
    for (size_t i = 1; i <= a_len; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_len; j++) {
            char x = lower(a[i - 1]), y = lower(b[j - 1]);
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == lower(b[j - 2]) && y == lower(a[i - 2])) {
                row[j] = least(row[j], before[j - 2] + 1);
            }
        }
        unsigned *spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return above[b_len];
}

/* Which characters a name has, whatever their case, in 64 places. */
static uint64_t characters(const char *name) {
    uint64_t set = 0;
    for (; *name; name++) {
        set |= UINT64_C(1) << ((unsigned char)lower(*name) & 63U);
    }
    return set;
}

/* A lower bound of the distance: an edit adds at most one character, and removes at most one. */
static size_t least_distance(uint64_t a, uint64_t b) {
    int more = __builtin_popcountll(a & ~b), less = __builtin_popcountll(b & ~a);
    return (size_t)(more > less ? more : less);
}

/* Whether the first len bytes of both are the same, but for their case. */
static bool begins_alike(const char *a, const char *b, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}

/* Whether each word of given begins one of name's, in their order, and there are two at least: AUDIT_TABLE for
 * AUDIT_LOG_TABLE. */
static bool abbreviates(const char *given, const char *name) {
    unsigned words = 0;
    while (*given) {
        size_t len = strcspn(given, "_"), whole = strcspn(name, "_");
        if (len < 3 || !*name) {
            return false;
        }
        if (len <= whole && begins_alike(given, name, len)) {
            words++;
            given += len + (given[len] == '_');
        }
        name += whole + (name[whole] == '_');
    }
    return words >= 2;
}

const char *closest_name(const char *given, const char *const *names, size_t count) {
    size_t len = strlen(given);
    uint64_t has = characters(given);
    const char *closest = NULL;
    size_t best = FAR;
    for (size_t i = 0; i < count; i++) {
        size_t other = strlen(names[i]);
        size_t apart = len > other ? len - other : other - len; /* the distance is at least this */
        if (len > NAME_MAX_LEN || other > NAME_MAX_LEN || apart >= best ||
            least_distance(has, characters(names[i])) >= best) {
            continue;
        }
        size_t d = distance(given, len, names[i], other);
        if (d < best && d * 3 <= other) {
            best = d;
            closest = names[i];
        }
    }
    for (size_t i = 0; !closest && i < count; i++) {
        closest = abbreviates(given, names[i]) ? names[i] : NULL;
    }
    return closest;
}
