#include "queue_worker_private.h"
#include "trace_fields.h"

#include <stdlib.h>

/* How much later than others a receive may be answered with older messages, on a queue that has some: what is open
 * longer waits for new ones. */
static const int64_t STRAGGLERS = 100 * MILLISECOND;
static const int64_t SUMMARY_INTERVAL = 60 * MICROSECONDS;
/* Of 1,024 connections, those kept for receives, deletes, visibility changes and the DLQ. */
static const unsigned OTHER_CONNECTIONS = 124, CONNECTIONS_MAX = 1024;

static bool may_start(void *ctx, struct job *job) {
    (void)ctx;
    return lease_allows_start(message_of(job));
}

static bool may_be_overtaken(void *ctx, struct job *job) {
    struct queue_worker *w = ctx;
    int64_t received_at = message_of(job)->received_at;
    return w->phase == PHASE_WORKING && clock_monotonic(w->platform.clock) - received_at < STRAGGLERS &&
           receiver_asked_before(w, received_at);
}

static bool read_again(void *ctx, struct job *job) {
    (void)ctx;
    return message_read_again(message_of(job));
}

static void log_applied(const struct queue_worker *w, const struct message *m, int64_t now) {
    if (!log_wants(w->platform.log, LOG_LEVEL_DEBUG))
        return;
    struct log_field fields[3 + TRACE_FIELDS] = {LOG_S("message_id", m->received->message_id),
                                                 LOG_I("receive_count", m->received->receive_count),
                                                 LOG_I("ms", (now - m->received_at) / MILLISECOND)};
    trace_fields(m->received, fields + 3);
    log_event(w->platform.log, LOG_LEVEL_DEBUG, "A message was applied", fields);
}

static void job_ended(void *ctx, struct job *job, enum job_outcome outcome) {
    struct queue_worker *w = ctx;
    struct message *m = message_of(job);
    int64_t now = clock_monotonic(w->platform.clock);
    parking_served(&w->parking, record_queue_hash(job), now);
    switch (outcome) {
    case JOB_APPLIED:
        w->totals.applied++;
        metrics_applied(w->platform.metrics, job->sent_at > 0 ? clock_wall(w->platform.clock) - job->sent_at : NEVER,
                        now - m->received_at);
        log_applied(w, m, now);
        dead_letters_applied(w, m->update);
        message_delete(m, m->update->audited);
        break;
    case JOB_FAILED: dead_letters_send(m); break;
    case JOB_RETURN:
        LOG_EVENT(w->platform.log, LOG_LEVEL_WARNING, "A message is given back and tried again later",
                  LOG_S("message_id", m->received->message_id), LOG_C("why", job->return_why),
                  LOG_C("failure", job->signature), LOG_I("receive_count", job->receive_count),
                  LOG_I("seconds", job->return_seconds));
        message_return(m, job->return_seconds, job->return_why);
        break;
    case JOB_SET_ASIDE: message_set_aside(m, "applying it", job->signature); break;
    }
}

static void applier_changed(void *ctx) {
    struct queue_worker *w = ctx;
    if (w->applier.breaker.active)
        parking_interrupt(&w->parking);
    receiver_pump(ctx);
    shutdown_applier_changed(ctx);
}

static void on_summary(void *user) {
    struct queue_worker *w = user;
    const struct queue_worker_status *now = &w->totals, *then = &w->summarised;
    bool idle = now->received == then->received && now->applied == then->applied &&
                now->dead_lettered == then->dead_lettered && now->given_back == then->given_back &&
                messages_in_flight(w) == 0;
    if (!idle)
        LOG_EVENT(w->platform.log, LOG_LEVEL_INFO, "Summary", LOG_I("seconds", SUMMARY_INTERVAL / MICROSECONDS),
                  LOG_I("received", now->received - then->received), LOG_I("applied", now->applied - then->applied),
                  LOG_I("dead_lettered", now->dead_lettered - then->dead_lettered),
                  LOG_I("given_back", now->given_back - then->given_back),
                  LOG_I("undeleted", now->undeleted - then->undeleted), LOG_I("held", messages_in_flight(w)),
                  LOG_I("running", w->applier.counts[JOB_RUNNING]),
                  LOG_I("behind_their_group", w->message_counts[MESSAGE_WAITING]),
                  LOG_I("waiting_for_dlq", dead_letters_waiting(w)),
                  LOG_I("waiting_for_delete", deletions_fail(w) ? w->message_counts[MESSAGE_DELETING] : 0));
    w->summarised = *now;
    timer_start(w->platform.timers, &w->summary_timer, clock_monotonic(w->platform.clock) + SUMMARY_INTERVAL);
}

static unsigned running_max(const struct queue_worker_options *options) {
    unsigned connections = CONNECTIONS_MAX - OTHER_CONNECTIONS;
    return options->max_in_flight < connections ? options->max_in_flight : connections;
}

static void init_repeated(struct queue_worker *w) {
    repeated_line_init(&w->repeated.lease_lost, &w->platform,
                       "A message's visibility timeout could not be extended: it is left to its next delivery");
    repeated_line_init(&w->repeated.body_alone, &w->platform,
                       "A failed message is too large for its envelope: the DLQ gets its body alone");
    repeated_line_init(&w->repeated.envelope_refused, &w->platform,
                       "The DLQ refuses a failed message's envelope: it gets its body alone");
    repeated_line_init(&w->repeated.plainer_form, &w->platform, "The DLQ refuses a message; trying a plainer form");
    repeated_line_init(&w->repeated.no_record, &w->platform, "The audit record of a failure could not be written");
}

static void tell_repeated(struct queue_worker *w) {
    repeated_line_done(&w->repeated.lease_lost);
    repeated_line_done(&w->repeated.body_alone);
    repeated_line_done(&w->repeated.envelope_refused);
    repeated_line_done(&w->repeated.plainer_form);
    repeated_line_done(&w->repeated.no_record);
}

struct queue_worker *queue_worker_start(const struct platform *platform, const struct queue_worker_options *options,
                                        const struct discovery_facts *facts, const struct update_context *context,
                                        queue_worker_done *done, void *user) {
    struct queue_worker *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->platform = *platform;
    w->options = *options;
    w->facts = facts;
    w->own_context = *context;
    w->own_context.table = &w->applier.look.table;
    w->context = &w->own_context;
    w->fifo = facts->queue.attributes.fifo;
    w->done = done;
    w->user = user;
    for (size_t i = 0; i < MESSAGE_STATES; i++)
        TAILQ_INIT(&w->messages[i]);
    struct applier_options applier_options = {.max_running = running_max(options),
                                              .max_rate = options->max_rate,
                                              .max_attempts = options->max_attempts,
                                              .can_return = true};
    struct applier_host host = {.may_start = may_start,
                                .may_be_overtaken = may_be_overtaken,
                                .read_again = read_again,
                                .ended = job_ended,
                                .changed = applier_changed,
                                .ctx = w};
    uint64_t seed = random_next(platform->random);
    keyed_queues_init(&w->groups, seed, random_next(platform->random));
    applier_init(&w->applier, &w->platform, w->context, &applier_options, facts, &host);
    parking_init(&w->parking, options->max_in_flight);
    init_repeated(w);
    batcher_init(&w->removals, &w->platform, &deletions_kind, w);
    batcher_init(&w->visibilities, &w->platform, &visibilities_kind, w);
    dead_letters_init(w);
    if (options->hurries) {
        batcher_hurry(&w->removals);
        batcher_hurry(&w->visibilities);
    }
    receiver_init(w);
    queue_end_init(w);
    backlog_init(w);
    shutdown_init(w);
    timer_init(&w->summary_timer, on_summary, w);
    timer_start(w->platform.timers, &w->summary_timer, clock_monotonic(w->platform.clock) + SUMMARY_INTERVAL);
    receiver_pump(w);
    return w;
}

void queue_worker_stop(struct queue_worker *w) {
    if (w->phase == PHASE_WORKING)
        shutdown_begin(w, w->options.until_empty ? EXIT_SOME_FAILED : EXIT_FINE); /* it wasn't seen to be empty */
    else
        shutdown_leave(w);
}

void queue_worker_set_limits(struct queue_worker *w, const struct queue_worker_options *options) {
    w->options.max_in_flight = options->max_in_flight;
    w->options.max_rate = options->max_rate;
    w->options.max_attempts = options->max_attempts;
    w->options.shutdown_timeout = options->shutdown_timeout;
    parking_resize(&w->parking, options->max_in_flight);
    applier_set_limits(&w->applier, running_max(options), options->max_rate, options->max_attempts);
    receiver_pump(w);
}

void queue_worker_free(struct queue_worker *w) {
    if (!w)
        return;
    w->phase = PHASE_ENDED;
    receiver_stop(w);
    queue_end_stop(w);
    backlog_stop(w);
    applier_stop(&w->applier);
    for (size_t i = 0; i < MESSAGE_STATES; i++)
        for (struct message *m; (m = TAILQ_FIRST(&w->messages[i]));) {
            if (m->state == MESSAGE_APPLYING)
                applier_withdraw(&w->applier, &m->job);
            message_free(m);
        }
    batcher_done(&w->removals);
    batcher_done(&w->visibilities);
    dead_letters_done(w);
    applier_done(&w->applier);
    keyed_queues_free(&w->groups);
    timer_stop(w->platform.timers, &w->summary_timer);
    tell_repeated(w);
    shutdown_done(w);
    free(w);
}

struct queue_worker_status queue_worker_status(const struct queue_worker *w) {
    struct queue_worker_status status = w->totals;
    const struct breaker *breaker = &w->applier.breaker;
    bool holds = breaker->active && breaker->announced;
    status.held = holds || w->receiver.pauses;
    status.cause = holds ? breaker->told : w->receiver.pauses ? w->receiver.cause : "";
    status.since = holds ? breaker->since : w->receiver.failing_since;
    status.draining = w->phase != PHASE_WORKING;
    status.in_flight = messages_in_flight(w);
    status.waiting_for_delete = deletions_fail(w) ? w->message_counts[MESSAGE_DELETING] : 0;
    return status;
}
