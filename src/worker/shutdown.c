/* The end of a worker: what runs is finished within its time, the rest is given back. */
#include "queue_worker_private.h"

/* Of the shutdown time, kept for giving back what could not be finished: at most this, at most a quarter. */
static const int64_t LEAVE_MAX = 2 * MICROSECONDS;
static const int64_t LEAVE_LEAST = MICROSECONDS; /* also where there is no time at all */
/* That receives get to end by themselves, from the drain's beginning: as long as they wait while messages are in
 * flight, and the way there and back. */
static const int64_t LAST_RECEIVES = 1300 * MILLISECOND;

static int64_t shutdown_time(const struct queue_worker *w) {
    return (int64_t)w->options.shutdown_timeout * MICROSECONDS;
}

static int64_t leave_time(const struct queue_worker *w) {
    int64_t quarter = shutdown_time(w) / 4, most = quarter < LEAVE_MAX ? quarter : LEAVE_MAX;
    return most > LEAVE_LEAST ? most : LEAVE_LEAST;
}

/* What is left of it for what runs: half of it at least. */
static int64_t work_time(const struct queue_worker *w) {
    int64_t half = shutdown_time(w) / 2, rest = shutdown_time(w) - leave_time(w);
    return rest > half ? rest : half;
}

static void report_end(void *user) {
    struct queue_worker *w = user;
    LOG_EVENT(w->platform.log, LOG_LEVEL_INFO, "Stopped", LOG_I("received", w->totals.received),
              LOG_I("applied", w->totals.applied), LOG_I("dead_lettered", w->totals.dead_lettered),
              LOG_I("given_back", w->totals.given_back), LOG_I("undeleted", w->totals.undeleted),
              LOG_I("left", messages_in_flight(w)));
    queue_end_report(w);
    w->done(w->user, w->exit_code);
}

static void end(struct queue_worker *w) {
    if (w->phase == PHASE_ENDED)
        return;
    w->phase = PHASE_ENDED;
    receiver_stop(w);
    if (messages_in_flight(w) > 0)
        LOG_EVENT(w->platform.log, LOG_LEVEL_WARNING,
                  "Messages could not be given back in time: they become visible when their timeout is over",
                  LOG_I("messages", messages_in_flight(w)));
    timer_start(w->platform.timers, &w->end_timer, clock_monotonic(w->platform.clock));
}

/* Gives back what is in the applier; all: also what runs. */
static void give_back_work(struct queue_worker *w, bool all) {
    struct message *next;
    for (struct message *m; (m = TAILQ_LAST(&w->messages[MESSAGE_WAITING], message_list));)
        message_return(m, 0, "The worker stops");
    for (struct message *m = TAILQ_FIRST(&w->messages[MESSAGE_APPLYING]); m; m = next) {
        next = TAILQ_NEXT(m, in_state);
        bool decides = m->job.state == JOB_LOOKING || m->job.state == JOB_CONFIRMING;
        bool runs = m->job.state == JOB_RUNNING || (decides && m->job.pauses == 0);
        if (runs && !all)
            continue;
        applier_withdraw(&w->applier, &m->job);
        message_return(m, 0, "The worker stops");
    }
}

/* The last of it: what could not be finished is given back, and the time for that runs. */
static void leave_now(struct queue_worker *w) {
    w->leaving_now = true;
    receiver_stop(w);
    give_back_work(w, true);
    struct message *next;
    for (struct message *m = TAILQ_FIRST(&w->messages[MESSAGE_DEAD_LETTERING]); m; m = next) {
        next = TAILQ_NEXT(m, in_state);
        if (m->sending.flight) {
            m->sending.expires =
                clock_monotonic(w->platform.clock); /* acknowledged in time, it is deleted; else it isn't sent again */
            continue;
        }
        dead_letters_forget(m);
        message_return(m, 0, "The worker stops");
    }
    timer_start(w->platform.timers, &w->drain_timer, clock_monotonic(w->platform.clock) + leave_time(w));
    shutdown_review(w);
}

static void on_drain_timer(void *user) {
    struct queue_worker *w = user;
    if (w->phase == PHASE_DRAINING)
        shutdown_leave(w);
    else if (!w->leaving_now)
        leave_now(w);
    else
        end(w);
}

void shutdown_init(struct queue_worker *w) {
    timer_init(&w->drain_timer, on_drain_timer, w);
    timer_init(&w->end_timer, report_end, w);
}

void shutdown_applier_changed(struct queue_worker *w) {
    /* What is given back while a receive is open goes to that receive. */
    if (w->receiver.count == 0 && w->phase == PHASE_DRAINING)
        give_back_work(w, false);
    if (w->receiver.count == 0 && w->phase == PHASE_LEAVING && !w->leaving_now)
        leave_now(w);
    else
        shutdown_review(w);
}

static void hurry(struct queue_worker *w) {
    batcher_hurry(&w->removals);
    batcher_hurry(&w->visibilities);
    batcher_hurry(&w->dead_letters);
}

void shutdown_begin(struct queue_worker *w, enum exit_code code) {
    if (w->phase != PHASE_WORKING)
        return;
    int64_t now = clock_monotonic(w->platform.clock), time = work_time(w);
    w->phase = PHASE_DRAINING;
    w->drain_began = now;
    w->exit_code = code;
    LOG_EVENT(w->platform.log, LOG_LEVEL_INFO,
              "Stopping: finishing what runs, giving back the rest once no receive is open",
              LOG_I("held", messages_in_flight(w)), LOG_I("running", w->applier.counts[JOB_RUNNING]),
              LOG_I("open_receives", w->receiver.count));
    queue_end_stop(w);
    backlog_stop(w);
    applier_stop(&w->applier);
    hurry(w);
    timer_start(w->platform.timers, &w->drain_timer, now + time);
    if (time == 0)
        shutdown_leave(w);
    else
        shutdown_applier_changed(w);
}

void shutdown_leave(struct queue_worker *w) {
    if (w->phase >= PHASE_LEAVING)
        return;
    w->phase = PHASE_LEAVING;
    timer_start(w->platform.timers, &w->drain_timer, w->drain_began + LAST_RECEIVES);
    shutdown_applier_changed(w);
}

void shutdown_review(struct queue_worker *w) {
    if (w->phase != PHASE_DRAINING && w->phase != PHASE_LEAVING)
        return;
    if (messages_in_flight(w) == 0 && w->receiver.count == 0 && (LIST_EMPTY(&w->records) || w->phase == PHASE_LEAVING))
        end(w);
}

void shutdown_done(struct queue_worker *w) {
    timer_stop(w->platform.timers, &w->drain_timer);
    timer_stop(w->platform.timers, &w->end_timer);
}
