/* Between the applier's files. */
#pragma once

#include "applier.h"

#define CONFIRM_REQUEST_MAX 8192

/* applier.c: changes a job's state; nothing else does. */
void job_enter(struct job *job, enum job_state state);
void applier_start(struct applier *e, struct job *job, bool is_probe);
/* Ends a job whose verdict stands: out of the applier, its line moves on, the host hears of it. */
void applier_end(struct applier *e, struct job *job, enum job_outcome outcome);

/* applier_outcome.c */
/* The job was refused, by DynamoDB or by our own check of an index's key. A look at the tables tells whether that
 * stands. */
void applier_look_first(struct applier *e, struct job *job);
void applier_outcome_init(struct applier *e, const struct discovery_facts *facts);
/* What follows from the answer to a job's transaction. */
void applier_answered(struct applier *e, struct job *job, const struct transact_result *result);
/* Lets a job wait in a state: for base, and at random for up to base * 2^pauses more (at most cap). */
void applier_pause(struct applier *e, struct job *job, enum job_state state, int64_t base, int64_t cap);
/* Lets a job wait for its next attempt: longer each time. */
void applier_retry_later(struct applier *e, struct job *job);
/* Lets a job wait for its next attempt: for exactly `wait` microseconds. */
void applier_retry_in(struct applier *e, struct job *job, int64_t wait);

/* DynamoDB's validation refused the job: notes the failure, and looks at the tables. */
void applier_refused(struct applier *e, struct job *job, const struct verdict *v);

/* applier_suspect.c */
/* For VERDICT_BY_ITSELF and VERDICT_REFUSED_VAGUELY: the job's own fault, where others of its kind succeed. */
void applier_failed_by_itself(struct applier *e, struct job *job, const struct verdict *v);
/* For VERDICT_BY_ITSELF: the same, but among successes a 500 counts only where it lasts. */
void applier_failed_perhaps_by_itself(struct applier *e, struct job *job, const struct verdict *v,
                                      const struct call_result *result);
/* For VERDICT_NO_ANSWER. */
void applier_got_no_answer(struct applier *e, struct job *job, const struct verdict *v);
/* An attempt of a suspect begins. Where others are known to succeed, its failures are weighed from here on. */
void applier_weigh(struct applier *e, struct job *job);
/* A transaction of this kind has succeeded: suspects of the same kind get the attempt that tells. */
void applier_wake_suspects(struct applier *e, bool audited);

/* applier_confirm.c */
/* The job has failed: ends it, after confirming the failure where DynamoDB found it (by_database). */
void applier_fail(struct applier *e, struct job *job, bool by_database);
/* Whether its condition was false, and no update that it gave way to has changed the record since. */
bool applier_is_still_false(const struct job *job);
/* Reads the audit record of a job in JOB_CONFIRMING (again). */
void applier_confirm(struct applier *e, struct job *job);

/* A verdict has to wait, as something can't be read: notes since when and why. True: the log is to hear of it now. */
bool applier_cannot_confirm(struct applier *e, enum cause cause, const char *why);
/* A verdict was confirmed. Where none waits any more, the log hears that it works again. */
void applier_confirmed(struct applier *e);

/* applier_breaker.c */
void applier_breaker_init(struct applier *e);
void applier_breaker_stop(struct applier *e);
/* Notes why a transaction failed; the log hears of a changed cause. */
void applier_note_cause(struct applier *e, const struct verdict *why);
/* A message has failed that hadn't failed before. */
void applier_stranger(struct applier *e);
/* Whether an audit record may be read that couldn't be read before: while the breaker is open it takes the place of a
 * probe. */
bool applier_may_read(struct applier *e);
/* A message came in. Where all others fail, its answer tells whether DynamoDB works. */
void applier_joined(struct applier *e);
/* Something failed that may fail for everyone. */
void applier_open_breaker(struct applier *e, const struct verdict *why);
/* DynamoDB answered as one that works: stalled jobs go on, but for suspects. */
void applier_close_breaker(struct applier *e);
/* A job has failed or left. Opens the breaker where all jobs inside fail now, and keeps probes going while jobs wait
 * for them. */
void applier_review_breaker(struct applier *e);
/* A probe was answered: DynamoDB still fails. */
void applier_probe_failed(struct applier *e, enum cause cause);
/* A look at the tables has ended. */
void applier_looked(struct applier *e, enum look_outcome outcome, const struct call_result *result);
