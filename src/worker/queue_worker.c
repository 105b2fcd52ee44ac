#include "queue_worker_private.h"

#include <stdlib.h>

/* How much later than others a receive may be answered with older messages, on a queue that has some: what is open
 * longer waits for new ones. */
static const int64_t STRAGGLERS = 100 * MILLISECOND;
static const int64_t SUMMARY_INTERVAL = 60 * MICROSECONDS;
/* Of 1,024 connections, those kept for receives, deletes, visibility changes and the DLQ. */
static const unsigned OTHER_CONNECTIONS = 124, CONNECTIONS_MAX = 1024;

static bool may_start(void *ctx, struct job *job) {
    (void)ctx;
    return lease_allows_start(held_of(job));
}

static bool may_be_overtaken(void *ctx, struct job *job) {
    struct queue_worker *w = ctx;
    int64_t received_at = held_of(job)->received_at;
    return w->phase == PHASE_WORKING && clock_monotonic(w->ports.clock) - received_at < STRAGGLERS &&
           poller_asked_before(w, received_at);
}

static bool read_again(void *ctx, struct job *job) {
    (void)ctx;
    return held_read_again(held_of(job));
}

static void job_ended(void *ctx, struct job *job, enum job_outcome outcome) {
    struct queue_worker *w = ctx;
    struct held *h = held_of(job);
    int64_t now = clock_monotonic(w->ports.clock);
    parking_served(&w->parking, record_lines_hash(job), now);
    switch (outcome) {
    case JOB_APPLIED:
        w->totals.applied++;
        metrics_applied(w->ports.metrics, job->sent_at > 0 ? clock_wall(w->ports.clock) - job->sent_at : NEVER,
                        now - h->received_at);
        dlq_applied(w, h->update);
        held_delete(h, h->update->audited);
        break;
    case JOB_FAILED: dlq_send(h); break;
    case JOB_GIVE_BACK:
        LOG_EVENT(w->ports.log, LOG_LEVEL_WARNING, "A message is given back and tried again later",
                  LOG_S("message_id", h->message->message_id), LOG_C("why", job->give_back_why),
                  LOG_C("failure", job->signature), LOG_I("receive_count", job->receive_count),
                  LOG_I("seconds", job->give_back_seconds));
        held_give_back(h, job->give_back_seconds, job->give_back_why);
        break;
    case JOB_SET_ASIDE: held_set_aside(h, "applying it", job->signature); break;
    }
}

static void engine_changed(void *ctx) {
    struct queue_worker *w = ctx;
    if (w->engine.hold.active)
        parking_interrupt(&w->parking);
    poller_pump(ctx);
    drain_engine_changed(ctx);
}

static void on_summary(void *user) {
    struct queue_worker *w = user;
    const struct queue_worker_status *now = &w->totals, *then = &w->summarised;
    bool idle = now->received == then->received && now->applied == then->applied &&
                now->dead_lettered == then->dead_lettered && now->given_back == then->given_back && held_count(w) == 0;
    if (!idle)
        LOG_EVENT(w->ports.log, LOG_LEVEL_INFO, "Summary", LOG_I("seconds", SUMMARY_INTERVAL / MICROSECONDS),
                  LOG_I("received", now->received - then->received), LOG_I("applied", now->applied - then->applied),
                  LOG_I("dead_lettered", now->dead_lettered - then->dead_lettered),
                  LOG_I("given_back", now->given_back - then->given_back),
                  LOG_I("undeleted", now->undeleted - then->undeleted), LOG_I("held", held_count(w)),
                  LOG_I("running", w->engine.counts[JOB_RUNNING]),
                  LOG_I("behind_their_group", w->held_counts[HELD_BEHIND]), LOG_I("waiting_for_dlq", dlq_waiting(w)),
                  LOG_I("waiting_for_delete", held_deletes_fail(w) ? w->held_counts[HELD_DELETING] : 0));
    w->summarised = *now;
    timer_start(w->ports.timers, &w->summary_timer, clock_monotonic(w->ports.clock) + SUMMARY_INTERVAL);
}

static unsigned running_max(const struct queue_worker_options *options) {
    unsigned connections = CONNECTIONS_MAX - OTHER_CONNECTIONS;
    return options->max_in_flight < connections ? options->max_in_flight : connections;
}

static void init_repeated(struct queue_worker *w) {
    repeated_line_init(&w->repeated.lease_lost, &w->ports,
                       "A message's visibility timeout could not be extended: it is left to its next delivery");
    repeated_line_init(&w->repeated.body_alone, &w->ports,
                       "A failed message is too large for its envelope: the DLQ gets its body alone");
    repeated_line_init(&w->repeated.envelope_refused, &w->ports,
                       "The DLQ refuses a failed message's envelope: it gets its body alone");
    repeated_line_init(&w->repeated.plainer_form, &w->ports, "The DLQ refuses a message; trying a plainer form");
    repeated_line_init(&w->repeated.no_record, &w->ports, "The audit record of a failure could not be written");
}

static void tell_repeated(struct queue_worker *w) {
    repeated_line_done(&w->repeated.lease_lost);
    repeated_line_done(&w->repeated.body_alone);
    repeated_line_done(&w->repeated.envelope_refused);
    repeated_line_done(&w->repeated.plainer_form);
    repeated_line_done(&w->repeated.no_record);
}

struct queue_worker *queue_worker_start(const struct worker_ports *ports, const struct queue_worker_options *options,
                                        const struct discovery_facts *facts, const struct update_context *context,
                                        queue_worker_done *done, void *user) {
    struct queue_worker *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->ports = *ports;
    w->options = *options;
    w->facts = facts;
    w->own_context = *context;
    w->own_context.table = &w->engine.look.table;
    w->context = &w->own_context;
    w->fifo = facts->queue.attributes.fifo;
    w->done = done;
    w->user = user;
    for (size_t i = 0; i < HELD_STATES; i++)
        TAILQ_INIT(&w->held[i]);
    struct engine_options engine_options = {.max_running = running_max(options),
                                            .max_rate = options->max_rate,
                                            .max_attempts = options->max_attempts,
                                            .can_give_back = true};
    struct engine_host host = {.may_start = may_start,
                               .may_be_overtaken = may_be_overtaken,
                               .read_again = read_again,
                               .ended = job_ended,
                               .changed = engine_changed,
                               .ctx = w};
    uint64_t seed = random_next(ports->random);
    lines_init(&w->groups, seed, random_next(ports->random));
    engine_init(&w->engine, &w->ports, w->context, &engine_options, facts, &host);
    parking_init(&w->parking, options->max_in_flight);
    init_repeated(w);
    batcher_init(&w->removals, &w->ports, &held_removals, w);
    batcher_init(&w->visibilities, &w->ports, &held_visibilities, w);
    dlq_init(w);
    poller_init(w);
    until_empty_init(w);
    forecast_init(w);
    drain_init(w);
    timer_init(&w->summary_timer, on_summary, w);
    timer_start(w->ports.timers, &w->summary_timer, clock_monotonic(w->ports.clock) + SUMMARY_INTERVAL);
    poller_pump(w);
    return w;
}

void queue_worker_stop(struct queue_worker *w) {
    if (w->phase == PHASE_WORKING)
        drain_begin(w, w->options.until_empty ? EXIT_SOME_FAILED : EXIT_FINE); /* it wasn't seen to be empty */
    else
        drain_leave(w);
}

void queue_worker_set_limits(struct queue_worker *w, const struct queue_worker_options *options) {
    w->options.max_in_flight = options->max_in_flight;
    w->options.max_rate = options->max_rate;
    w->options.max_attempts = options->max_attempts;
    w->options.shutdown_timeout = options->shutdown_timeout;
    parking_resize(&w->parking, options->max_in_flight);
    engine_set_limits(&w->engine, running_max(options), options->max_rate, options->max_attempts);
    poller_pump(w);
}

void queue_worker_free(struct queue_worker *w) {
    if (!w)
        return;
    w->phase = PHASE_ENDED;
    poller_stop(w);
    until_empty_stop(w);
    forecast_stop(w);
    engine_stop(&w->engine);
    for (size_t i = 0; i < HELD_STATES; i++)
        for (struct held *h; (h = TAILQ_FIRST(&w->held[i]));) {
            if (h->state == HELD_WORKING)
                engine_withdraw(&w->engine, &h->job);
            held_free(h);
        }
    batcher_done(&w->removals);
    batcher_done(&w->visibilities);
    dlq_done(w);
    engine_done(&w->engine);
    lines_free(&w->groups);
    timer_stop(w->ports.timers, &w->summary_timer);
    tell_repeated(w);
    drain_done(w);
    free(w);
}

struct queue_worker_status queue_worker_status(const struct queue_worker *w) {
    struct queue_worker_status status = w->totals;
    const struct hold *hold = &w->engine.hold;
    bool holds = hold->active && hold->announced;
    status.held = holds || w->poller.pauses;
    status.cause = holds ? hold->told : w->poller.pauses ? w->poller.cause : "";
    status.since = holds ? hold->since : w->poller.failing_since;
    status.draining = w->phase != PHASE_WORKING;
    status.in_flight = held_count(w);
    status.waiting_for_delete = held_deletes_fail(w) ? w->held_counts[HELD_DELETING] : 0;
    return status;
}
