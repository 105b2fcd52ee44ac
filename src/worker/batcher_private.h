/* A batcher whose calls fail as a whole: when the next one may begin, and what the log hears of it. */
#pragma once

#include "batcher.h"

/* A call has failed. */
void batcher_trouble_enter(struct batcher *b, const struct call_result *result, int64_t now);
/* One has got through. */
void batcher_trouble_leave(struct batcher *b, int64_t now);
/* The hurry has begun: the wait under way is cut short. */
void batcher_trouble_hurry(struct batcher *b);
