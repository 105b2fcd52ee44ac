/* Lets the k-th call fail that our code makes of those that can: allocations, and the functions of the system and the
 * libraries that are wrapped here (by the linker's --wrap: what libcurl, OpenSSL or libev call inside stays as it is).
 *
 * A program calls begin and end around what it tries. Or the environment drives a whole program, from its first call
 * on: TORTURE_FAIL=k   the k-th call fails TORTURE_FORK=n   at every call a child goes on in which it has failed, while
 * the parent waits and goes on in which it has not: one run shows every k. For programs without sockets and threads.
 *   TORTURE_LIST=n   nothing fails; the numbers of the calls are listed
 *   TORTURE_TEST=name  only this test of a unit test's is run: with TORTURE_FAIL=k, what a fork at its k-th call did
 * where calls from one and the same stack are tried or listed n times at most (0: every time): loops call thousands of
 * times. TORTURE_DEPTH says how many of the innermost frames make two stacks differ (default: 24). How it went is told
 * on the standard error at the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From now on calls are counted, and the at-th one (from 1) fails; 0: none does. */
void failing_calls_begin(uint64_t at);
/* Calls aren't counted and don't fail any more. Returns how many were counted. */
uint64_t failing_calls_end(void);
/* Whether one failed since begin. */
bool failing_calls_failed(void);
/* A unit test's next test begins, of this name (not copied). */
void failing_calls_test(const char *name);
/* Allocations that live, of all that our code made since the start of the process. */
int64_t failing_calls_live(void);

/* For the wrappers: whether this call is the one that fails. */
bool failing_call(const char *name);
