/* Attributes: most make the compiler check what the doc comments promise. */
#pragma once

#include <stddef.h>

/* The result must be looked at: an ignored failure is a bug. */
#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(at, first) __attribute__((format(printf, at, first)))

/* For the rare part of a function that is called for every string: inlined, its locals would take registers and stack
 * from the usual case. */
#define OUT_OF_LINE __attribute__((noinline))
/* For the opposite: a few instructions for every string, wherever they stand. */
#define ALWAYS_INLINE __attribute__((always_inline))

#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* The struct that holds this member. */
#define container_of(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))
