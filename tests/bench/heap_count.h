/* What our code's blocks take of the heap, counted by wrappers that the linker leads its calls through (--wrap). */
#pragma once

#include <stddef.h>

/* Forgets the peak, and begins a new one at what is held now. */
void heap_count_begin(void);
/* The most that was held at once since then, beyond what was held at its begin. */
size_t heap_count_peak(void);
