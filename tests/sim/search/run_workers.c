/* The workers' lives: they start, are told to stop, are killed, and start again. */
#include "run_private.h"

static const int64_t LEAST_TIME =
    2300 * MILLISECOND; /* the last receives and giving back take some, where the setting gives none */

static void on_start(void *user) {
    slot_start(user);
}

void slots_init(struct run *r) {
    for (unsigned i = 0; i < r->plan->worker_count; i++) {
        struct slot *s = &r->slots[i];
        const struct plan_worker *p = &r->plan->workers[i];
        *s = (struct slot){.run = r, .index = i, .restart = -1};
        sim_worker_init(&s->sim, &r->world);
        s->sim.client = &s->client;
        world_add_client(&r->world, &s->client);
        s->watch = (struct watch){.judge = &r->judge,
                                  .worker = i,
                                  .client = &s->client,
                                  .sqs = s->sim.sqs,
                                  .dynamodb = s->sim.dynamodb,
                                  .struck = &r->faults.seen};
        s->sim.sqs = watch_sqs(&s->watch);
        s->sim.dynamodb = watch_dynamodb(&s->watch);
        s->sim.facts.visibility = p->visibility;
        s->sim.options = (struct queue_worker_options){.max_in_flight = p->max_in_flight,
                                                       .max_rate = p->max_rate,
                                                       .max_attempts = p->max_attempts,
                                                       .shutdown_timeout = p->shutdown_timeout};
        timer_init(&s->timer, on_start, s);
        timer_start(&r->world.timers, &s->timer, r->world.now + p->start);
    }
}

void slot_start(struct slot *s) {
    if (s->alive)
        return;
    timer_stop(&s->run->world.timers, &s->timer);
    judge_started(&s->run->judge, s->index);
    s->alive = true;
    s->stopping = false;
    if (!sim_worker_start(&s->sim))
        judge_broken(&s->run->judge, "liveness", "worker %u can't start", s->index);
}

static void bury(struct slot *s) {
    struct run *r = s->run;
    sim_worker_kill(&s->sim);
    s->alive = s->stopping = false;
    s->client.stands_until = 0;
    judge_ended(&r->judge, s->index);
    if (s->restart >= 0 && !r->ended)
        timer_start(&r->world.timers, &s->timer, r->world.now + (r->quiet ? 0 : s->restart));
}

void slot_kill(struct slot *s, int64_t restart) {
    struct run *r = s->run;
    if (!s->alive)
        return;
    trace_note(&r->trace, r->world.now, TRACE_KILL, s->index, 0, 0, SPAN(""));
    s->restart = restart;
    bury(s);
}

void slot_stop(struct slot *s, int64_t restart, bool twice) {
    struct run *r = s->run;
    if (!s->alive || s->stopping)
        return;
    if (s->client.stands_until > r->world.now) {
        slot_kill(s, restart); /* it can't be told */
        return;
    }
    trace_note(&r->trace, r->world.now, TRACE_STOP, s->index, twice, 0, SPAN(""));
    s->restart = restart;
    s->stopping = true;
    judge_stopping(&r->judge, s->index);
    int64_t time = (int64_t)s->sim.options.shutdown_timeout * SECOND;
    s->stop_by = r->world.now + (time > LEAST_TIME ? time : LEAST_TIME) + MILLISECOND;
    sim_worker_stop(&s->sim);
    if (twice)
        sim_worker_stop(&s->sim);
}

void slots_review(struct run *r) {
    for (unsigned i = 0; i < r->plan->worker_count; i++) {
        struct slot *s = &r->slots[i];
        if (!s->alive)
            continue;
        struct queue_worker_status status = queue_worker_status(s->sim.worker);
        /* One above it may be received in a hold, to tell whose fault it is. */
        if (status.in_flight > r->plan->workers[i].max_in_flight + 1)
            judge_broken(&r->judge, "I6", "worker %u holds %u messages", i, status.in_flight);
        int64_t after_standing =
            s->client.stands_until + (int64_t)s->sim.options.shutdown_timeout * SECOND + LEAST_TIME;
        if (s->client.stands_until && s->stop_by < after_standing && s->stop_by != INT64_MAX)
            s->stop_by = after_standing;
        if (s->stopping && !s->sim.ended && r->world.now > s->stop_by) {
            judge_broken(&r->judge, "drain", "worker %u has not ended %.3f s after its time", i,
                         (double)(r->world.now - s->stop_by) / (double)SECOND);
            s->stop_by = INT64_MAX;
        }
        if (!s->sim.ended)
            continue;
        trace_note(&r->trace, r->world.now, TRACE_ENDED, i, s->sim.outcome.ending, 0, SPAN(""));
        if (!outcome_is_well(s->sim.outcome) || !s->stopping)
            judge_broken(&r->judge, "drain", "worker %u has ended with %d", i, (int)s->sim.outcome.ending);
        judge_drained(&r->judge, i);
        bury(s);
    }
}

bool slots_idle(const struct run *r, unsigned left) {
    for (unsigned i = 0; i < r->plan->worker_count; i++)
        if (r->slots[i].alive && (r->slots[i].stopping || queue_worker_status(r->slots[i].sim.worker).in_flight > left))
            return false;
    return true;
}
