/* Between the files of the judge. */
#pragma once

#include "judge.h"

#define TWELVE_HOURS (12 * HOUR)

/* judge_commit.c */
void judge_watch_servers(struct judge *j);

/* judge.c */
/* Whether this worker has the message now, as far as it knows: it gave it not back, and its time isn't over. */
bool judge_holds(const struct judge *j, unsigned worker, const struct seen *s);

/* A receive begins. */
void judge_undeleted(struct judge *j, unsigned worker);

/* judge_hold.c */
/* The contract's rule for what is its own fault: twice alike in one delivery, and another of its kind that began after
 * the first was applied. */
bool judge_failed_by_itself(const struct judge *j, unsigned worker, unsigned update);
/* …for what is set aside and given back: twice, in whatever way it could cause. */
bool judge_may_set_aside(const struct judge *j, unsigned worker, unsigned update);
/* Whether anything that the worker did with it has failed since it was delivered there. */
bool judge_has_failed(const struct judge *j, unsigned worker, unsigned update);
/* It failed in doing so twice, and did it with another in between; or what it sent is too large for the way. */
bool judge_does_in_vain(const struct judge *j, unsigned worker, unsigned update, enum judged_doing doing);
