#include "backoff.h"

int64_t backoff_full_jitter(struct random *r, unsigned attempt, int64_t base, int64_t cap) {
    if (base <= 0 || cap <= 0)
        return 0;
    int64_t ceiling = attempt < 63 && base <= cap >> attempt ? base * (INT64_C(1) << attempt) : cap;
    return (int64_t)random_below(r, (uint64_t)ceiling + 1);
}
