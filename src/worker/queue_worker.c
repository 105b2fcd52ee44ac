/* The owner of the worker's parts: it starts, stops and frees them, and decides once a turn what follows from a change.
 * Whatever comes from outside (an answer, a timer) goes to one part, which changes its own message or state and reports
 * that. The report leads to a turn; nothing else does. */
#include "queue_worker_private.h"

#include "worker_view.h"

#include <assert.h>
#include <stdlib.h>

/* A receive that was open when a message came may bring older ones for so long. One that is open longer waits for new
 * messages: the queue had no more. */
static const int64_t STRAGGLERS = 100 * MILLISECOND;
static const int64_t SUMMARY_INTERVAL = 60 * MICROSECONDS;
static const int64_t TOLD_AFTER = 4 * MICROSECONDS; /* so that the log says within five seconds what a job waits for */
/* How many of the 1,024 connections are kept for receives, deletes, visibility changes and the DLQ. */
static const unsigned OTHER_CONNECTIONS = 124, CONNECTIONS_MAX = 1024;

/* The turn. */

/* Whether its end is the process's, which the log tells. One that hurries ends with each of Lambda's invocations. */
static bool of_process(const struct queue_worker *w) {
    return !w->options.hurries;
}

static void report_end(void *user) {
    struct queue_worker *w = user;
    const struct message_totals *t = &w->intake.messages.totals;
    LOG_EVENT(w->platform.log, of_process(w) ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "Stopped",
              LOG_I("received", t->received), LOG_I("applied", t->applied), LOG_I("dead_lettered", t->dead_lettered),
              LOG_I("given_back", t->given_back), LOG_I("undeleted", t->undeleted),
              LOG_I("left", messages_in_flight(&w->intake.messages)));
    if (w->options.until_empty && t->dead_lettered > 0)
        LOG_EVENT(w->platform.log, LOG_LEVEL_WARNING, "Messages went to the DLQ", LOG_I("messages", t->dead_lettered),
                  LOG_C("dlq", w->facts->dlq.name));
    w->done(w->user, w->outcome);
}

static void end(struct queue_worker *w) {
    unsigned left = messages_in_flight(&w->intake.messages);
    receiver_stop(&w->intake.receiver);
    if (left > 0)
        LOG_EVENT(w->platform.log, LOG_LEVEL_WARNING,
                  "Messages could not be given back in time: they become visible when their timeout is over",
                  LOG_I("messages", left));
    timer_stop(w->platform.timers, &w->shutdown_timer);
    timer_start(w->platform.timers, &w->end_timer, clock_monotonic(w->platform.clock));
}

/* Takes one step of the shutdown. True: another follows at once. */
static bool shut_down(struct queue_worker *w) {
    struct shutdown_view view = {.now = clock_monotonic(w->platform.clock),
                                 .in_flight = messages_in_flight(&w->intake.messages),
                                 .receives = w->intake.receiver.count,
                                 .records_wait = !failure_audit_is_idle(&w->intake.messages.failure_audit)};
    enum shutdown_step step = shutdown_step(&w->shutdown, &view);
    w->intake.messages.rules.leaves = w->shutdown.phase >= PHASE_LEAVING;
    switch (step) {
    case SHUTDOWN_WAIT: break;
    case SHUTDOWN_RETURN_IDLE: messages_return_rest(&w->intake.messages, false); break;
    case SHUTDOWN_RETURN_ALL:
        receiver_stop(&w->intake.receiver);
        messages_return_rest(&w->intake.messages, true);
        return true;
    case SHUTDOWN_END: end(w); break;
    }
    return false;
}

static void end_step_by_step(struct queue_worker *w) {
    while (shut_down(w))
        continue;
    if (shutdown_is_under_way(&w->shutdown))
        timer_start(w->platform.timers, &w->shutdown_timer, w->shutdown.until);
}

static unsigned running_max(const struct queue_worker_options *options) {
    unsigned connections = CONNECTIONS_MAX - OTHER_CONNECTIONS;
    return options->max_in_flight < connections ? options->max_in_flight : connections;
}

/* Where one message has come, many may follow. While the first one's transaction is under way, others' connections are
 * opened. */
static void open_ahead(struct queue_worker *w) {
    const struct dynamodb_api *db = w->platform.dynamodb;
    unsigned count = w->options.opens_ahead, most = running_max(&w->options), rate = w->options.max_rate;
    if (count == 0 || w->intake.messages.totals.received == 0)
        return;
    w->options.opens_ahead = 0;
    most = rate && rate < most ? rate : most;
    if (db->open_ahead)
        db->open_ahead(db->ctx, count < most ? count : most);
}

static void turn(void *ctx) {
    struct queue_worker *w = ctx;
    struct messages *all = &w->intake.messages;
    assert(!w->in_turn);
    w->in_turn = true;
    all->rules.may_begin = w->shutdown.phase == PHASE_WORKING;
    all->rules.may_try_anew = all->rules.may_begin || w->intake.receiver.count > 0;
    if (w->applier.breaker.trouble.active)
        parking_interrupt(&all->parking);
    do { /* a message that begins may end at once, and make another one next */
        messages_begin_next(all);
        applier_turn(&w->applier);
    } while (all->rules.may_begin && !TAILQ_EMPTY(&all->next));
    if (w->shutdown.phase == PHASE_WORKING) {
        intake_receive(&w->intake);
        open_ahead(w);
    } else {
        end_step_by_step(w);
    }
    messages_free_gone(all);
    w->in_turn = false;
}

/* What the parts ask, and report. */

static bool may_start(void *ctx, struct job *job) {
    (void)ctx;
    return lease_allows_start(&message_of(job)->lease);
}

static bool may_be_overtaken(void *ctx, struct job *job) {
    struct queue_worker *w = ctx;
    int64_t received_at = message_of(job)->lease.received_at;
    return w->shutdown.phase == PHASE_WORKING && clock_monotonic(w->platform.clock) - received_at < STRAGGLERS &&
           receiver_asked_before(&w->intake.receiver, received_at);
}

static bool read_again(void *ctx, struct job *job) {
    (void)ctx;
    return message_read_again(message_of(job));
}

static void job_ended(void *ctx, struct job *job, enum job_outcome outcome) {
    struct queue_worker *w = ctx;
    if (outcome == JOB_APPLIED)
        messages_applied(&w->intake.messages, job->update);
    messages_applier_ended(message_of(job), outcome);
}

static void received(void *ctx) {
    struct queue_worker *w = ctx;
    queue_end_reset(&w->until_empty.end);
}

static void on_summary(void *user) {
    struct queue_worker *w = user;
    const struct message_totals *now = &w->intake.messages.totals, *then = &w->summarised;
    unsigned in_flight = messages_in_flight(&w->intake.messages);
    bool idle = now->received == then->received && now->applied == then->applied &&
                now->dead_lettered == then->dead_lettered && now->given_back == then->given_back && in_flight == 0;
    if (!idle)
        LOG_EVENT(w->platform.log, LOG_LEVEL_INFO, "Summary", LOG_I("seconds", SUMMARY_INTERVAL / MICROSECONDS),
                  LOG_I("received", now->received - then->received), LOG_I("applied", now->applied - then->applied),
                  LOG_I("dead_lettered", now->dead_lettered - then->dead_lettered),
                  LOG_I("given_back", now->given_back - then->given_back),
                  LOG_I("undeleted", now->undeleted - then->undeleted), LOG_I("in_flight", in_flight),
                  LOG_I("running", w->applier.counts[JOB_RUNNING]),
                  LOG_I("behind_their_group", w->intake.messages.counts[MESSAGE_WAITING]),
                  LOG_I("waiting_for_dlq", intake_waiting_for_dlq(&w->intake)),
                  LOG_I("waiting_for_delete", intake_waiting_for_delete(&w->intake)));
    if (!w->applier.breaker.trouble.active) /* else that was said already */
        messages_tell_late(&w->intake.messages);
    w->summarised = *now;
    timer_start(w->platform.timers, &w->summary_timer, clock_monotonic(w->platform.clock) + SUMMARY_INTERVAL);
}

/* The end of the work. */

static void begin_shutdown(struct queue_worker *w, struct outcome outcome) {
    if (w->shutdown.phase != PHASE_WORKING)
        return;
    w->outcome = outcome;
    LOG_EVENT(w->platform.log, of_process(w) ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
              "Stopping: finishing what runs, giving back the rest once no receive is open",
              LOG_I("in_flight", messages_in_flight(&w->intake.messages)),
              LOG_I("running", w->applier.counts[JOB_RUNNING]), LOG_I("open_receives", w->intake.receiver.count));
    until_empty_stop(&w->until_empty);
    applier_stop(&w->applier);
    intake_close(&w->intake);
    shutdown_begin(&w->shutdown, w->options.shutdown_timeout, clock_monotonic(w->platform.clock));
    turn(w);
}

static struct queue_end_view view_of_end(void *ctx) {
    const struct queue_worker *w = ctx;
    unsigned in_flight = messages_in_flight(&w->intake.messages);
    return (struct queue_end_view){.now = clock_monotonic(w->platform.clock),
                                   .patience = (int64_t)w->options.until_empty_seconds * MICROSECONDS,
                                   .in_flight = in_flight,
                                   .last_was_empty = w->intake.receiver.last_was_empty,
                                   .may_be_empty = in_flight == 0 && w->intake.receiver.last_was_empty &&
                                                   !w->intake.receiver.trouble.active,
                                   .only_stubborn = messages_only_stubborn(&w->intake.messages),
                                   .fifo = w->intake.messages.fifo};
}

/* Whether a fault of the environment has lasted since then, which is too long. */
static bool is_lost(void *ctx, int64_t since, struct lost_cause *ret_lost) {
    const struct queue_worker *w = ctx;
    return applier_is_lost(&w->applier, since, ret_lost) || intake_is_lost(&w->intake, since, ret_lost);
}

/* Suspects that failed while something else worked don't open the breaker. So nothing else tells the log what is waited
 * for. */
static void tell_of_suspects(void *ctx) {
    struct queue_worker *w = ctx;
    const struct applier *a = &w->applier;
    int64_t since = applier_suspects_since(a);
    bool now = since <= clock_monotonic(w->platform.clock) - TOLD_AFTER;
    if (now && !w->suspects_told)
        LOG_EVENT(
            w->platform.log, LOG_LEVEL_WARNING,
            "Waiting: what is left fails, and nothing of its kind succeeds that would tell whether it is its own fault",
            LOG_I("messages", a->counts[JOB_STALLED]),
            LOG_C("failure", TAILQ_FIRST(&a->lists[JOB_STALLED])->signature));
    w->suspects_told = since != NEVER && (w->suspects_told || now);
}

static void queue_ended(void *ctx, enum queue_end_verdict how) {
    struct queue_worker *w = ctx;
    if (how == QUEUE_IS_EMPTY)
        begin_shutdown(w, outcome_of(ENDED_WELL));
    else if (messages_settle_stubborn(&w->intake.messages, w->options.max_attempts))
        begin_shutdown(w, outcome_of(ENDED_SOME_FAILED));
    else
        turn(w);
}

static void environment_lost(void *ctx, enum cause cause) {
    begin_shutdown(ctx, outcome_by(cause));
}

/* What others call. */

static void start_applier(struct queue_worker *w) {
    struct applier_options options = {.max_running = running_max(&w->options),
                                      .max_rate = w->options.max_rate,
                                      .max_attempts = w->options.max_attempts,
                                      .can_return = true};
    struct applier_host host = {.may_start = may_start,
                                .may_be_overtaken = may_be_overtaken,
                                .read_again = read_again,
                                .ended = job_ended,
                                .changed = turn,
                                .ctx = w};
    applier_init(&w->applier, &w->platform, &w->context, &options, w->facts, &host);
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
    w->context = *context;
    w->context.table = &w->applier.look.table;
    w->done = done;
    w->user = user;
    const struct intake_host intake_host = {.changed = turn, .received = received, .ctx = w};
    intake_init(&w->intake, &w->platform, facts, &w->context, &w->applier, options->max_in_flight, options->until_empty,
                &intake_host);
    start_applier(w);
    if (options->hurries) {
        batcher_hurry(&w->intake.messages.deletions.batcher);
        batcher_hurry(&w->intake.messages.visibilities.batcher);
    }
    const struct until_empty_host until_empty_host = {.view = view_of_end,
                                                      .is_lost = is_lost,
                                                      .tell = tell_of_suspects,
                                                      .ended = queue_ended,
                                                      .lost = environment_lost,
                                                      .ctx = w};
    if (options->until_empty)
        until_empty_start(&w->until_empty, &w->platform, &facts->queue, &until_empty_host);
    timer_init(&w->shutdown_timer, turn, w);
    timer_init(&w->end_timer, report_end, w);
    timer_init(&w->summary_timer, on_summary, w);
    timer_start(w->platform.timers, &w->summary_timer, clock_monotonic(w->platform.clock) + SUMMARY_INTERVAL);
    turn(w);
    return w;
}

void queue_worker_stop(struct queue_worker *w) {
    if (w->shutdown.phase == PHASE_WORKING) {
        /* With until_empty: the queue wasn't seen to be empty. */
        begin_shutdown(w, outcome_of(w->options.until_empty ? ENDED_SOME_FAILED : ENDED_WELL));
        return;
    }
    shutdown_hasten(&w->shutdown);
    turn(w);
}

void queue_worker_set_limits(struct queue_worker *w, const struct queue_worker_options *options) {
    w->options.max_in_flight = options->max_in_flight;
    w->options.max_rate = options->max_rate;
    w->options.max_attempts = options->max_attempts;
    w->options.shutdown_timeout = options->shutdown_timeout;
    intake_set_limit(&w->intake, options->max_in_flight);
    applier_set_limits(&w->applier, running_max(options), options->max_rate, options->max_attempts);
    turn(w);
}

void queue_worker_free(struct queue_worker *w) {
    if (!w)
        return;
    w->shutdown.phase = PHASE_ENDED;
    until_empty_stop(&w->until_empty);
    applier_stop(&w->applier);
    intake_done(&w->intake);
    applier_done(&w->applier);
    timer_stop(w->platform.timers, &w->summary_timer);
    timer_stop(w->platform.timers, &w->shutdown_timer);
    timer_stop(w->platform.timers, &w->end_timer);
    free(w);
}

struct queue_worker_status queue_worker_status(const struct queue_worker *w) {
    const struct breaker *breaker = &w->applier.breaker;
    const struct message_totals *t = &w->intake.messages.totals;
    bool is_open = breaker->trouble.active && breaker->announced, pauses = w->intake.receiver.pauses;
    return (struct queue_worker_status){.held = is_open || pauses,
                                        .cause = is_open  ? breaker->told
                                                 : pauses ? w->intake.receiver.trouble.code
                                                          : "",
                                        .last_failure = breaker->trouble.code,
                                        .since = is_open ? breaker->trouble.since : w->intake.receiver.trouble.since,
                                        .draining = w->shutdown.phase != PHASE_WORKING,
                                        .in_flight = messages_in_flight(&w->intake.messages),
                                        .waiting_for_delete = intake_waiting_for_delete(&w->intake),
                                        .received = t->received,
                                        .applied = t->applied,
                                        .dead_lettered = t->dead_lettered,
                                        .given_back = t->given_back,
                                        .undeleted = t->undeleted};
}

struct worker_view queue_worker_view(const struct queue_worker *w) {
    struct worker_view view = worker_view_of(&w->applier, &w->intake);
    view.draining = w->shutdown.phase != PHASE_WORKING;
    return view;
}
