/* Randomness, passed in: seeded by the kernel in the daemon, by a number in tests. For jitter and hash seeds; not for
 * secrets. */
#pragma once

#include "compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state[4]; /* xoshiro256** (Blackman and Vigna, 2018) */
};

/* One seed, one sequence. */
void random_seed(struct random *r, uint64_t seed);
/* Seeds from getrandom(2). False: the kernel has none to give. */
MUST_USE bool random_seed_from_system(struct random *r);
/* The next 64 bits of the sequence. */
uint64_t random_next(struct random *r);
/* Uniform in [0, bound); bound 0 gives 0. */
uint64_t random_below(struct random *r, uint64_t bound);
