/* Memory that runs out: for executables that are linked with failing_memory. */
#pragma once

#include <stdbool.h>

/* The number of the layers' allocation that fails, from 1; 0: none does. */
extern unsigned long sim_memory_fail_at;
/* All that follow it fail too. */
extern bool sim_memory_all_after;
/* Allocations since it was set to 0. */
extern unsigned long sim_memory_count;
