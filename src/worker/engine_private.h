/* Between the engine's files. */
#pragma once

#include "engine.h"

#define CONFIRM_REQUEST_MAX 8192

/* engine.c: changes a job's state; the only way to. */
void job_enter(struct job *job, enum job_state state);
void engine_start(struct engine *e, struct job *job, bool is_probe);
/* Ends a job whose verdict stands: out of the engine, its line moves on, the host hears of it. */
void engine_end(struct engine *e, struct job *job, enum job_outcome outcome);

/* engine_verdict.c */
/* Indexes that may have changed refuse the job: the tables are looked at first. */
void engine_look_first(struct engine *e, struct job *job);
void engine_verdict_init(struct engine *e, const struct discovery_facts *facts);
/* What follows from the answer to a job's transaction. */
void engine_answered(struct engine *e, struct job *job, const struct transact_result *result);
/* Lets a job wait in a state: base, and up to base * 2^pauses or cap more. */
void engine_pause(struct engine *e, struct job *job, enum job_state state, int64_t base, int64_t cap);
/* Lets a job wait for its next attempt: longer each time. */
void engine_retry_later(struct engine *e, struct job *job);
/* …for so long. */
void engine_retry_in(struct engine *e, struct job *job, int64_t wait);

/* DynamoDB's validation refused it: a look at the tables tells whether that stands. */
void engine_refused(struct engine *e, struct job *job, const struct verdict *v);

/* engine_suspect.c */
/* VERDICT_BY_ITSELF, VERDICT_REFUSED_VAGUELY: its own fault, where others of its kind succeed meanwhile. */
void engine_failed_by_itself(struct engine *e, struct job *job, const struct verdict *v);
/* The same, but a 500 counts only where it lasts. */
void engine_failed_perhaps_by_itself(struct engine *e, struct job *job, const struct verdict *v,
                                     const struct call_result *result);
/* VERDICT_NO_ANSWER. */
void engine_got_no_answer(struct engine *e, struct job *job, const struct verdict *v);
/* An attempt begins: are others known to succeed? */
void engine_weigh(struct engine *e, struct job *job);
/* One of a kind has succeeded: suspects of that kind get the attempt that tells. */
void engine_wake_suspects(struct engine *e, bool audited);

/* engine_confirm.c */
/* The job has its failure: confirms it where it must be (by_database: it is a verdict of DynamoDB's), and ends the job.
 */
void engine_fail(struct engine *e, struct job *job, bool by_database);
/* Whether its condition was false, and nothing that it gave way to has changed the record. */
bool engine_is_still_false(const struct job *job);
/* Reads the audit record of a job in JOB_CONFIRMING (again). */
void engine_confirm(struct engine *e, struct job *job);

/* Verdicts begin to wait for what can't be read: notes since when, and whose fault. False: they did already, and it is
 * in the log. */
bool engine_cannot_confirm(struct engine *e, enum exit_code blame);
/* One was confirmed: says so where no other waits any more. */
void engine_confirmed(struct engine *e);

/* engine_hold.c */
void hold_init(struct engine *e);
/* Notes why something failed, for the log. */
void hold_note_cause(struct engine *e, const struct verdict *why);
/* A message has failed for the first time. */
void hold_stranger(struct engine *e);
/* Whether an audit record may be read that couldn't be read before: in a hold it takes the place of a probe. */
bool hold_takes_read(struct engine *e);
/* A message came in: where all others fail, it is the one that tells. */
void hold_joined(struct engine *e);
/* Something failed that may fail for everyone. */
void hold_begin(struct engine *e, const struct verdict *why);
/* A job failed or left: does all that is held now fail? Keeps the probe timer going while something waits for it. */
void hold_review(struct engine *e);
/* DynamoDB answered as one that works. */
void hold_end(struct engine *e);
/* A probe was answered, and it still fails. */
void hold_probe_failed(struct engine *e, enum exit_code blame);
/* A look at the tables has ended. */
void hold_looked(struct engine *e, enum look_outcome outcome, const struct call_result *result);
void hold_stop(struct engine *e);
