/* Makes the view of a queue worker from its parts. */
#pragma once

#include "intake.h"
#include "queue_worker_view.h"

/* The whole view, but for `draining`. */
struct worker_view worker_view_of(const struct applier *applier, const struct intake *intake);
