/* How often a duration came, with a relative error below 2 %. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_STEPS ((size_t)64) /* to a doubling */
#define HISTOGRAM_BUCKETS (40 * HISTOGRAM_STEPS)

struct histogram {
    uint64_t count;
    int64_t longest;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, int64_t microseconds);
/* Microseconds that the share (0 to 1) of all stays below; 0 where there are none. */
int64_t histogram_quantile(const struct histogram *h, double share);
