/* How long to wait before another try: "full jitter", uniform in [0, min(cap, base * 2^attempt)]
 * (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015). */
#pragma once

#include "random.h"

#include <stdint.h>

/* attempt counts from 0; base and cap in microseconds. */
int64_t backoff_full_jitter(struct random *r, unsigned attempt, int64_t base, int64_t cap);
