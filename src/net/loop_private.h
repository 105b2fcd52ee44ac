/* What the rest of the net layer needs from the loop. */
#pragma once

#include "loop.h"

struct ev_loop;

/* libev's loop, for watchers that must not allocate. */
struct ev_loop *loop_ev(struct loop *loop);
