/* Between the applier's files. */
#pragma once

#include "applier.h"

#define CONFIRM_REQUEST_MAX 8192

/* applier.c: changes a job's state; the only way to. */
void job_enter(struct job *job, enum job_state state);
void applier_start(struct applier *e, struct job *job, bool is_probe);
/* Ends a job whose verdict stands: out of the applier, its line moves on, the host hears of it. */
void applier_end(struct applier *e, struct job *job, enum job_outcome outcome);

/* applier_outcome.c */
/* Indexes that may have changed refuse the job: the tables are looked at first. */
void applier_look_first(struct applier *e, struct job *job);
void applier_outcome_init(struct applier *e, const struct discovery_facts *facts);
/* What follows from the answer to a job's transaction. */
void applier_answered(struct applier *e, struct job *job, const struct transact_result *result);
/* Lets a job wait in a state: base, and up to base * 2^pauses or cap more. */
void applier_pause(struct applier *e, struct job *job, enum job_state state, int64_t base, int64_t cap);
/* Lets a job wait for its next attempt: longer each time. */
void applier_retry_later(struct applier *e, struct job *job);
/* …for so long. */
void applier_retry_in(struct applier *e, struct job *job, int64_t wait);

/* DynamoDB's validation refused it: a look at the tables tells whether that stands. */
void applier_refused(struct applier *e, struct job *job, const struct verdict *v);

/* applier_suspect.c */
/* VERDICT_BY_ITSELF, VERDICT_REFUSED_VAGUELY: its own fault, where others of its kind succeed meanwhile. */
void applier_failed_by_itself(struct applier *e, struct job *job, const struct verdict *v);
/* The same, but a 500 counts only where it lasts. */
void applier_failed_perhaps_by_itself(struct applier *e, struct job *job, const struct verdict *v,
                                      const struct call_result *result);
/* VERDICT_NO_ANSWER. */
void applier_got_no_answer(struct applier *e, struct job *job, const struct verdict *v);
/* An attempt begins: are others known to succeed? */
void applier_weigh(struct applier *e, struct job *job);
/* One of a kind has succeeded: suspects of that kind get the attempt that tells. */
void applier_wake_suspects(struct applier *e, bool audited);

/* applier_confirm.c */
/* The job has its failure: confirms it where it must be (by_database: it is a verdict of DynamoDB's), and ends the job.
 */
void applier_fail(struct applier *e, struct job *job, bool by_database);
/* Whether its condition was false, and nothing that it gave way to has changed the record. */
bool applier_is_still_false(const struct job *job);
/* Reads the audit record of a job in JOB_CONFIRMING (again). */
void applier_confirm(struct applier *e, struct job *job);

/* Verdicts begin to wait for what can't be read: notes since when, and whose fault. False: the log has heard why. */
bool applier_cannot_confirm(struct applier *e, enum cause cause, const char *why);
/* One was confirmed: says so where no other waits any more. */
void applier_confirmed(struct applier *e);

/* applier_breaker.c */
void applier_breaker_init(struct applier *e);
void applier_breaker_stop(struct applier *e);
/* Notes why something failed, for the log. */
void applier_note_cause(struct applier *e, const struct verdict *why);
/* A message has failed for the first time. */
void applier_stranger(struct applier *e);
/* Whether an audit record may be read that couldn't be read before: while the breaker is open it takes the place of a
 * probe. */
bool applier_may_read(struct applier *e);
/* A message came in: where all others fail, it is the one that tells. */
void applier_joined(struct applier *e);
/* Something failed that may fail for everyone. */
void applier_open_breaker(struct applier *e, const struct verdict *why);
/* DynamoDB answered as one that works: what stalled goes on. */
void applier_close_breaker(struct applier *e);
/* A job failed or left: does all that is inside now fail? Keeps probes going while something waits for them. */
void applier_review_breaker(struct applier *e);
/* A probe was answered, and it still fails. */
void applier_probe_failed(struct applier *e, enum cause cause);
/* A look at the tables has ended. */
void applier_looked(struct applier *e, enum look_outcome outcome, const struct call_result *result);
