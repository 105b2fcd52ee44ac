/* Very many messages through one worker: nothing may grow with them. */
#pragma once

#include <stdint.h>

/* Prints its table. Returns the exit code: a failure where memory or descriptors grew after the first hundredth. */
int long_run(uint64_t messages);
