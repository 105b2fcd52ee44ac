#include "random.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>

static uint64_t rotate_left(uint64_t x, unsigned by) {
    return x << by | x >> (64 - by);
}

/* SplitMix64, with which the authors of xoshiro seed it: the four words must not resemble each other. */
static uint64_t split_mix(uint64_t *state) {
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void random_seed(struct random *r, uint64_t seed) {
    for (size_t i = 0; i < 4; i++)
        r->state[i] = split_mix(&seed);
}

bool random_seed_from_system(struct random *r) {
    uint64_t state[4];
    ssize_t n = 0;
    /* getrandom() gives so few bytes whole or not at all. */
    do
        n = getrandom(state, sizeof state, 0);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof state)
        return false;
    /* All zeros is the one state that the generator never leaves. */
    if (!(state[0] | state[1] | state[2] | state[3]))
        state[0] = 1;
    memcpy(r->state, state, sizeof state);
    return true;
}

uint64_t random_next(struct random *r) {
    uint64_t *s = r->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t random_below(struct random *r, uint64_t bound) {
    if (bound == 0)
        return 0;
    /* Numbers below 2^64 mod bound are thrown away: with them some remainders would be likelier than others. */
    uint64_t least = (UINT64_MAX - bound + 1) % bound;
    uint64_t x = random_next(r);
    while (x < least)
        x = random_next(r);
    return x % bound;
}
