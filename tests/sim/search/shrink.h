/* The smallest part of a plan that still breaks the same promise. */
#pragma once

#include "plan.h"
#include "run.h"

/* Leaves out of p what it can; p's run broke what `violations` begins with. */
void shrink_plan(struct plan *p, const char *violations);
/* The name of what a line of violations broke. */
void shrink_broken(const char *violations, char ret_name[static 16]);
