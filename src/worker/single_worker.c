#include "single_worker.h"

#include "applier.h"
#include "cause.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t RESPONSE_MAX = (size_t)16 << 20;
static const int64_t SILENCE = 5 * MICROSECONDS; /* an attempt that failed after this long counts as silent */

struct single_worker {
    struct job job; /* first member: the applier hands the job back, and we cast it */
    struct platform platform; /* the caller's, with `watched` in place of DynamoDB */
    struct dynamodb_api watched;
    const struct dynamodb_api *dynamodb; /* the real one */
    struct update_context context; /* with the table as the last look found it */
    struct single_worker_options options;
    single_worker_done *done;
    void *user;
    struct update *update;

    /* The call under way, and how the last one failed. */
    transact_done *transacted;
    get_item_done *got_item;
    void *call_user;
    bool calls;
    int64_t called_at; /* monotonic */
    char code[CALL_CODE_SIZE]; /* "": none has failed */

    struct buf response, reason;
    struct single_outcome outcome;
    bool ended;
    struct timer end_timer, review_timer, until_timer;
    struct applier applier; /* last member, as it is large and initialises itself */
};

/* The failure in the contract's words: the exception's name, or what happened to the connection. */
static void note_failure(struct single_worker *w, const struct call_result *result, const char *reason) {
    bool silent = clock_monotonic(w->platform.clock) - w->called_at >= SILENCE;
    const char *code = reason                       ? reason
                       : result->code[0]            ? result->code
                       : result->class == CALL_AUTH ? "NoCredentialsError"
                       : silent                     ? "Timeout"
                                                    : "ConnectionError";
    (void)snprintf(w->code, sizeof w->code, "%s", code);
}

static void on_transacted(void *user, const struct transact_result *result) {
    struct single_worker *w = user;
    const char *reason = NULL;
    w->calls = false;
    for (size_t i = 0; i < result->reason_count; i++) {
        if (!reason && strcmp(result->reasons[i].code, "None") != 0) {
            reason = result->reasons[i].code;
        }
    }
    if (result->call.class != CALL_OK) {
        note_failure(w, &result->call, reason);
    }
    w->transacted(w->call_user, result);
}

static void on_got_item(void *user, const struct call_result *result, bool found, const char *request_hash) {
    struct single_worker *w = user;
    w->calls = false;
    if (result->class != CALL_OK) {
        note_failure(w, result, NULL);
    }
    w->got_item(w->call_user, result, found, request_hash);
}

static void note_call(struct single_worker *w, const struct call *call, void *user) {
    w->call_user = user;
    w->called_at = clock_monotonic(w->platform.clock);
    w->calls = call != NULL;
}

static struct call *transact(void *ctx, struct span body, const struct call_options *options, transact_done *done,
                             void *user) {
    struct single_worker *w = ctx;
    w->transacted = done;
    struct call *call = w->dynamodb->transact(w->dynamodb->ctx, body, options, on_transacted, w);
    note_call(w, call, user);
    return call;
}

static struct call *get_item(void *ctx, struct span body, const struct call_options *options, get_item_done *done,
                             void *user) {
    struct single_worker *w = ctx;
    w->got_item = done;
    struct call *call = w->dynamodb->get_item(w->dynamodb->ctx, body, options, on_got_item, w);
    note_call(w, call, user);
    return call;
}

static struct call *put_item(void *ctx, struct span body, const struct call_options *options, call_done *done,
                             void *user) {
    struct single_worker *w = ctx;
    return w->dynamodb->put_item(w->dynamodb->ctx, body, options, done, user);
}

static struct call *describe_table(void *ctx, const char *table_name, const struct call_options *options,
                                   describe_table_done *done, void *user) {
    struct single_worker *w = ctx;
    return w->dynamodb->describe_table(w->dynamodb->ctx, table_name, options, done, user);
}

static void cancel(void *ctx, struct call *call) {
    struct single_worker *w = ctx;
    w->calls = false;
    w->dynamodb->cancel(w->dynamodb->ctx, call);
}

static void on_end(void *user) {
    struct single_worker *w = user;
    w->done(w->user, &w->outcome);
}

/* Ends with the update's result: its failure, or success where it has none. code: the environment's fault, or "". */
static void end(struct single_worker *w, const char *code) {
    const struct failure *f = &w->update->failure;
    int64_t wall = clock_wall(w->platform.clock);
    bool told = f->type == ERROR_NONE ? update_append_success(w->update, wall, &w->response)
                                      : failure_append_envelope(f, (struct span){NULL, 0}, wall, &w->response);
    bool failed = f->type != ERROR_NONE;
    if (failed && w->job.quotes_dynamodb) {
        (void)buf_append_cstr(&w->reason, "DynamoDB's validation refused it; its sentence is in the answer");
    } else if (failed) {
        failure_append_for_log(f, &w->reason);
    }
    w->ended = true;
    w->outcome = (struct single_outcome){.type = f->type,
                                         .code = code,
                                         .response = told ? buf_span(&w->response) : SPAN(""),
                                         .message = failed ? buf_span(&f->message) : SPAN(""),
                                         .reason = buf_ok(&w->reason) ? buf_span(&w->reason) : SPAN("")};
    timer_stop(w->platform.timers, &w->review_timer);
    timer_stop(w->platform.timers, &w->until_timer);
    timer_start(w->platform.timers, &w->end_timer, clock_monotonic(w->platform.clock));
}

static void end_by_environment(struct single_worker *w, const char *code) {
    if (w->job.state != JOB_OUTSIDE) {
        applier_withdraw(&w->applier, &w->job);
    }
    applier_stop(&w->applier);
    failure_environment(&w->update->failure, span_cstr(code));
    end(w, code);
}

/* Ends early where waiting won't mend the fault: after a probe, or once a failure couldn't be confirmed. */
static void on_review(void *user) {
    struct single_worker *w = user;
    const struct applier *e = &w->applier;
    bool holds = e->breaker.trouble.active && e->breaker.probes > 0 && !cause_may_pass(e->breaker.trouble.cause);
    bool unconfirmed = applier_unconfirmed(e) > 0 && !cause_may_pass(e->confirming.cause);
    if (!w->ended && !w->calls && (holds || unconfirmed)) {
        end_by_environment(w, w->code[0] ? w->code : "ConnectionError");
    }
}

static void on_until(void *user) {
    struct single_worker *w = user;
    bool silent = w->calls && clock_monotonic(w->platform.clock) - w->called_at >= SILENCE;
    if (!w->ended) {
        end_by_environment(w, silent || !w->code[0] ? "Timeout" : w->code);
    }
}

static bool may_start(void *ctx, struct job *job) {
    (void)ctx, (void)job;
    return true;
}

static bool read_again(void *ctx, struct job *job) {
    struct single_worker *w = ctx;
    struct update *again = update_read_again(&w->context, w->update);
    if (again) {
        w->update = job->update = again;
    }
    return again != NULL;
}

static void job_ended(void *ctx, struct job *job, enum job_outcome outcome) {
    struct single_worker *w = ctx;
    (void)job;
    if (outcome == JOB_RETURN && w->options.key_is_the_callers) {
        update_fail_reused_key(w->update);
    } else if (outcome == JOB_RETURN) {
        failure_database(&w->update->failure, SPAN("IdempotentParameterMismatchException"));
    }
    end(w, "");
}

static void applier_changed(void *ctx) {
    struct single_worker *w = ctx;
    if (!w->ended) {
        timer_start(w->platform.timers, &w->review_timer, clock_monotonic(w->platform.clock));
    }
}

/* Without a key of its own, a message sent again counts as another message: a caller who got no answer may do that. */
static void warn_of_repeats(const struct single_worker *w) {
    const struct update *u = w->update;
    if (u->repeats && u->failure.type == ERROR_NONE && !w->options.key_is_the_callers &&
        u->idempotency_key.data == w->options.key.data) {
        log_event(w->platform.log, LOG_LEVEL_WARNING,
                  "A message counts, appends or uses a list's index and has no idempotency_key of its own: sent again, "
                  "it would do so again",
                  NULL);
    }
}

static bool begin(struct single_worker *w) {
    struct update *u = w->update;
    warn_of_repeats(w);
    w->job.update = u;
    w->job.receive_count = 1;
    if (u->failure.type != ERROR_NONE && !u->confirm_refusal && !u->of_index) {
        end(w, "");
        return true;
    }
    if (w->options.until <= clock_monotonic(w->platform.clock)) {
        end_by_environment(w, "Timeout");
        return true;
    }
    if (!applier_add(&w->applier, &w->job)) {
        return false;
    }
    timer_start(w->platform.timers, &w->until_timer, w->options.until);
    applier_turn(&w->applier);
    return true;
}

struct single_worker *single_worker_start(const struct platform *platform, const struct discovery_facts *facts,
                                          const struct update_context *context,
                                          const struct single_worker_options *options, single_worker_done *done,
                                          void *user) {
    struct single_worker *w = malloc(sizeof *w);
    if (!w) {
        return NULL;
    }
    memset(w, 0, offsetof(struct single_worker, applier));
    w->watched = (struct dynamodb_api){w, transact, get_item, put_item, describe_table, cancel, NULL};
    w->dynamodb = platform->dynamodb;
    w->platform = *platform;
    w->platform.dynamodb = &w->watched;
    w->context = *context;
    w->context.table = &w->applier.look.table;
    w->options = *options;
    w->done = done;
    w->user = user;
    buf_init(&w->response, RESPONSE_MAX);
    buf_init(&w->reason, RESPONSE_MAX);
    timer_init(&w->end_timer, on_end, w);
    timer_init(&w->review_timer, on_review, w);
    timer_init(&w->until_timer, on_until, w);
    const struct applier_options applier_options = {.max_running = 1, .max_rate = options->max_rate, .max_attempts = 1};
    const struct applier_host host = {
        .may_start = may_start, .read_again = read_again, .ended = job_ended, .changed = applier_changed, .ctx = w};
    applier_init(&w->applier, &w->platform, &w->context, &applier_options, facts, &host);
    const struct delivery delivery = {
        .body = options->body, .body_space = options->body_space, .message_id = options->key};
    w->update = update_read(&w->context, &delivery);
    if (!w->update || !begin(w)) {
        single_worker_free(w);
        return NULL;
    }
    return w;
}

void single_worker_free(struct single_worker *w) {
    if (!w) {
        return;
    }
    applier_stop(&w->applier);
    if (w->job.state != JOB_OUTSIDE) {
        applier_withdraw(&w->applier, &w->job);
    }
    applier_done(&w->applier);
    timer_stop(w->platform.timers, &w->end_timer);
    timer_stop(w->platform.timers, &w->review_timer);
    timer_stop(w->platform.timers, &w->until_timer);
    update_free(w->update);
    buf_free(&w->response);
    buf_free(&w->reason);
    free(w);
}
