#include "sink_histogram.h"

static size_t bucket_of(uint64_t value) {
    if (value < HISTOGRAM_STEPS)
        return (size_t)value;
    unsigned top = 63U - (unsigned)__builtin_clzll(value); /* at least 6 */
    size_t bucket = (top - 5) * HISTOGRAM_STEPS + (size_t)(value >> (top - 6)) - HISTOGRAM_STEPS;
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The least value that is in no bucket up to this one. */
static int64_t end_of(size_t bucket) {
    if (bucket < HISTOGRAM_STEPS)
        return (int64_t)bucket + 1;
    size_t doubling = bucket / HISTOGRAM_STEPS - 1;
    return (int64_t)((bucket % HISTOGRAM_STEPS + HISTOGRAM_STEPS + 1) << doubling);
}

void histogram_add(struct histogram *h, int64_t microseconds) {
    int64_t value = microseconds > 0 ? microseconds : 0;
    h->buckets[bucket_of((uint64_t)value)]++;
    h->count++;
    if (value > h->longest)
        h->longest = value;
}

int64_t histogram_quantile(const struct histogram *h, double share) {
    double wanted = share * (double)h->count, seen = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS && h->count; i++) {
        seen += (double)h->buckets[i];
        if (seen >= wanted && h->buckets[i])
            return end_of(i) < h->longest ? end_of(i) : h->longest;
    }
    return 0;
}
