/* What the kernel says of this process. */
#pragma once

#include "metrics.h"

/* Sets memory, CPU time, descriptors and the start; what can't be read is absent. */
void process_figures(struct metrics *m);
