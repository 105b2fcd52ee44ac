/* What the parts of a queue worker show to the outside. */
#pragma once

#include "intake.h"
#include "queue_worker_view.h"

/* All of it but whether the worker drains. */
struct worker_view worker_view_of(const struct applier *applier, const struct intake *intake);
