#include "run_private.h"

#include <stdlib.h>
#include <string.h>

static const int64_t LONGEST_END = 20 * MINUTE; /* after the last fault, for the last message */
static const uint64_t STEPS_MAX = 3000000; /* of a run that has some 100,000 at most */
static const int64_t RECOVERY = MINUTE;
static const int64_t FEED_INTERVAL = 5 * SECOND;

static void on_message(void *user) {
    const struct part *part = user;
    struct run *r = part->run;
    const struct plan_update *u = &r->plan->updates[r->plan->messages[part->index].update];
    char group[16] = "", deduplication[32] = "";
    if (r->plan->fifo) {
        snprintf(group, sizeof group, "g%u", u->group);
        snprintf(deduplication, sizeof deduplication, "sent-%u", part->index);
    }
    judge_sent(&r->judge, sim_queue_send_fifo(r->judge.queue, u->body, group, deduplication), NULL);
}

static void on_fault(void *user) {
    const struct part *part = user;
    faults_begin(&part->run->faults, part->index);
}

static void on_fault_over(void *user) {
    const struct part *part = user;
    faults_end(&part->run->faults, part->index);
}

/* Whether a fault holds everything back, so that its end must be felt. */
static bool is_outage(enum fault_kind kind) {
    return kind <= FAULT_DB_DENIED || kind == FAULT_TABLE_MISSING || kind == FAULT_NO_CREDENTIALS ||
           kind == FAULT_SQS_OUT || kind == FAULT_RECEIVE || kind == FAULT_ALL_REFUSED || kind == FAULT_FOREIGN;
}

/* A minute after an outage nobody holds any more, where no other fault came between. */
static void on_recovery(void *user) {
    const struct part *part = user;
    struct run *r = part->run;
    const struct plan_fault *fault = &r->plan->faults[part->index];
    int64_t over = fault->at + fault->lasts;
    for (unsigned i = 0; i < r->plan->fault_count; i++) {
        const struct plan_fault *other = &r->plan->faults[i];
        if (i != part->index && !other->left_out && other->at <= over + RECOVERY && other->at + other->lasts > over)
            return;
    }
    for (unsigned i = 0; i < r->plan->worker_count; i++)
        if (r->slots[i].alive && !r->slots[i].stopping && queue_worker_status(r->slots[i].sim.worker).held)
            judge_broken(&r->judge, "recovery", "worker %u still holds a minute after %s", i, fault_name(fault->kind));
}

static void on_event(void *user) {
    const struct part *part = user;
    part->run->armed[part->index] = part->run->plan->events[part->index].steps + 1;
}

static void happen(struct run *r, unsigned i) {
    const struct plan_event *e = &r->plan->events[i];
    bool alone = r->quiet && e->worker > 0 && plan_needs_company(r->plan);
    int64_t restart = alone ? -1 : r->quiet ? 0 : e->restart;
    if (e->kind == EVENT_KILL)
        slot_kill(&r->slots[e->worker], restart);
    else
        slot_stop(&r->slots[e->worker], restart, e->kind == EVENT_STOP_TWICE);
}

void run_feed(struct run *r, bool audited) {
    char body[128], number[32] = "", group[16] = "";
    unsigned fed = judge_feed(&r->judge);
    snprintf(body, sizeof body, "{\"id\":\"f%u\",\"attributes\":{\"n\":%u,\"fed\":\"fed-%u;\"},\"enable_logging\":%s}",
             fed % 50, fed, fed, audited ? "true" : "false");
    if (r->plan->fifo) {
        snprintf(number, sizeof number, "fed-%u", fed);
        snprintf(group, sizeof group, "feed%u", fed % 50);
    }
    judge_sent(&r->judge, sim_queue_send_fifo(r->judge.queue, body, group, number), NULL);
}

static void on_beside(void *user) {
    struct run *r = user;
    /* Of both kinds in no order: workers that take turns see both. */
    run_feed(r, (uint32_t)r->judge.fed_count * 2654435761U >> 20 & 1);
    if (r->world.now + r->plan->feed_every < r->began_at + r->plan->length)
        timer_start(&r->world.timers, &r->beside_timer, r->world.now + r->plan->feed_every);
}

/* Messages that fail by themselves are told by others of their kind that succeed. */
static void on_feed(void *user) {
    struct run *r = user;
    run_feed(r, true);
    run_feed(r, false);
    timer_start(&r->world.timers, &r->feed_timer, r->world.now + FEED_INTERVAL);
}

static bool is_poisoned(const struct plan *p, unsigned update) {
    return p->updates[update].kind == UPDATE_POISON || p->updates[update].kind == UPDATE_REFUSED;
}

/* Whether the update, or one of its record or group behind which it waits, fails by itself or is kept from its end for
 * good. */
static bool may_fill_up(const struct plan *p, unsigned update) {
    if (plan_is_stuck(p, update))
        return true;
    for (unsigned u = 0; u < p->update_count; u++)
        if (is_poisoned(p, u) && plan_waits_for(p, update, u))
            return true;
    return false;
}

/* Whether it waits, for good, for a read or for the DLQ. */
static bool waits_for_good(const struct plan *p, unsigned update) {
    for (unsigned i = 0; i < p->fault_count; i++) {
        const struct plan_fault *f = &p->faults[i];
        bool waits = f->kind == FAULT_PATH_READ || f->kind == FAULT_PATH_DLQ;
        if (waits && f->lasts == FOR_GOOD && plan_concerns(p, f, update))
            return true;
    }
    return false;
}

static unsigned left_of(const struct run *r, bool (*kind)(const struct plan *p, unsigned update)) {
    const struct plan *p = r->plan;
    const struct sim_message *m;
    unsigned count = 0;
    TAILQ_FOREACH(m, &r->judge.queue->messages, link) {
        unsigned update = plan_update_in(p, m->body, strlen(m->body));
        count += update < p->update_count && kind(p, update);
    }
    return count;
}

/* A worker that holds nothing but messages that fail by themselves receives one further message a minute, as the
 * contract has it: a minute for each delivery of such a message to come, and one for the success that tells. Where they
 * take all its places and the one beyond, with what waits behind them, it can't tell them from an outage: it keeps
 * them, and there may be no end. Nor where a quarter of its places waits for the DLQ. */
static void allow_for_poison(struct run *r) {
    unsigned count = left_of(r, may_fill_up);
    r->give_up_at += 2 * MINUTE * r->plan->workers[0].max_attempts * left_of(r, is_poisoned);
    unsigned waiting = left_of(r, waits_for_good);
    for (unsigned i = 0; i < r->plan->worker_count; i++) {
        unsigned most = r->plan->workers[i].max_in_flight, quarter = most / 4 ? most / 4 : 1;
        bool works = i == 0 || !plan_needs_company(r->plan); /* it may stop just now, and begins again */
        r->may_stay = r->may_stay || (works && (count > most || waiting >= quarter));
    }
}

/* Beside a poisoned message one worker must see the others succeed: there is one alone. */
static void on_quiet(void *user) {
    struct run *r = user;
    bool poison = plan_needs_company(r->plan);
    r->quiet = true;
    r->quiet_at = r->world.now;
    trace_note(&r->trace, r->world.now, TRACE_QUIET, NO_WORKER, 0, 0, SPAN(""));
    for (unsigned i = 0; i < r->plan->worker_count; i++) {
        if (i > 0 && poison) {
            r->slots[i].restart = -1;
            timer_stop(&r->world.timers, &r->slots[i].timer);
            slot_stop(&r->slots[i], -1, false);
        } else if (!r->slots[i].alive) {
            slot_start(&r->slots[i]);
        } else {
            r->slots[i].restart = 0;
        }
    }
    allow_for_poison(r);
    if (poison)
        on_feed(r);
}

static void set_part(struct run *r, struct part *part, unsigned index, void (*fire)(void *), int64_t at) {
    part->run = r;
    part->index = index;
    timer_init(&part->timer, fire, part);
    timer_start(&r->world.timers, &part->timer, r->world.now + at);
}

static void set_fault(struct run *r, unsigned i) {
    const struct plan_fault *f = &r->plan->faults[i];
    struct part *part = &r->fault_parts[i];
    set_part(r, part, i, on_fault, f->at);
    timer_init(&part->over, on_fault_over, part);
    if (f->lasts != FOR_GOOD)
        timer_start(&r->world.timers, &part->over, r->world.now + f->at + f->lasts);
    if (f->lasts != FOR_GOOD && is_outage(f->kind) && !plan_needs_company(r->plan))
        set_part(r, &r->recoveries[i], i, on_recovery, f->at + f->lasts + RECOVERY);
}

static void set_parts(struct run *r) {
    const struct plan *p = r->plan;
    for (unsigned i = 0; i < p->message_count; i++)
        if (!p->messages[i].left_out)
            set_part(r, &r->messages[i], i, on_message, p->messages[i].at);
    for (unsigned i = 0; i < p->fault_count; i++)
        if (!p->faults[i].left_out)
            set_fault(r, i);
    for (unsigned i = 0; i < p->event_count; i++)
        if (!p->events[i].left_out)
            set_part(r, &r->events[i], i, on_event, p->events[i].at);
    timer_init(&r->feed_timer, on_feed, r);
    timer_init(&r->beside_timer, on_beside, r);
    r->began_at = r->world.now;
    if (p->feed_every)
        timer_start(&r->world.timers, &r->beside_timer, r->world.now);
    timer_init(&r->quiet_timer, on_quiet, r);
    int64_t length = p->feed_every ? p->length : 0, quiet_at = plan_quiet_at(p);
    quiet_at = r->world.now + (quiet_at > length ? quiet_at : length) + MILLISECOND;
    timer_start(&r->world.timers, &r->quiet_timer, quiet_at);
    r->give_up_at = quiet_at + LONGEST_END;
}

static void step(struct run *r) {
    if (!world_step(&r->world))
        abort();
    if (r->world.steps == STEPS_MAX) {
        judge_broken(&r->judge, "liveness", "there is no end to it");
        r->give_up_at = r->world.now;
        for (unsigned i = 0; i < r->plan->worker_count; i++)
            slot_kill(&r->slots[i], -1);
    }
    slots_review(r);
    for (unsigned i = 0; i < r->plan->event_count; i++)
        if (r->armed[i] && --r->armed[i] == 0)
            happen(r, i);
}

/* Those are over that nothing is wrong with for good. */
static bool is_over(const struct run *r) {
    if (!r->quiet || r->judge.queue->count > PLAN_MESSAGES_MAX)
        return false;
    unsigned left = left_of(r, plan_is_stuck);
    return r->judge.queue->count == left && slots_idle(r, left);
}

/* Everyone is told to stop, and what is still on its way comes about. */
static void wind_up(struct run *r) {
    r->ended = true;
    timer_stop(&r->world.timers, &r->feed_timer);
    for (unsigned i = 0; i < r->plan->worker_count; i++) {
        r->slots[i].restart = -1;
        timer_stop(&r->world.timers, &r->slots[i].timer);
        slot_stop(&r->slots[i], -1, false);
    }
    for (bool alive = true; alive;) {
        alive = false;
        for (unsigned i = 0; i < r->plan->worker_count; i++)
            alive = alive || (r->slots[i].alive && r->slots[i].stop_by != INT64_MAX);
        if (alive)
            step(r);
    }
    while (!LIST_EMPTY(&r->world.calls) && world_step(&r->world))
        ;
    for (unsigned i = 0; i < r->plan->worker_count; i++)
        slot_kill(&r->slots[i], -1);
}

static void put_records(struct run *r) {
    struct sim_table *users = sim_dynamodb_table(&r->world.dynamodb, SIM_TABLE);
    static const char letters[] = "kvp";
    for (unsigned i = 0; i < PLAN_RECORDS; i++)
        for (unsigned k = 0; k < 3; k++) {
            char name[16];
            snprintf(name, sizeof name, "%c%u", letters[k], i);
            sim_table_put(users, name, letters[k] == 'v' ? "version" : "n", "0");
        }
    for (unsigned i = 0; i < 50; i++) {
        char name[16];
        snprintf(name, sizeof name, "f%u", i);
        sim_table_put(users, name, "n", "0");
    }
}

static void on_line(void *user, struct span line) {
    struct run *r = user;
    static const char level[] = "WARNING";
    if (r->trace.out)
        trace_log(&r->trace, line);
    if (memmem(line.data, line.len < 100 ? line.len : 100, level, sizeof level - 1))
        judge_warned(&r->judge, line);
}

static void begin(struct run *r, FILE *trace) {
    const struct plan *p = r->plan;
    trace_init(&r->trace, trace);
    if (p->fifo)
        sim_fifo_world(&r->world, p->seed * 2 + 1);
    else
        sim_usual_world(&r->world, p->seed * 2 + 1);
    r->world.log.level = trace           ? LOG_LEVEL_DEBUG
                         : p->feed_every ? LOG_LEVEL_WARNING
                                         : (enum log_level)(LOG_LEVEL_ERROR + 1);
    r->world.log.sink = on_line;
    r->world.log.sink_ctx = r;
    put_records(r);
    judge_init(&r->judge, &r->world, p, &r->trace);
    faults_init(&r->faults, &r->judge);
    slots_init(r);
}

static void sum_up(struct run *r, struct run_result *result) {
    const struct plan *p = r->plan;
    faults_count(&r->faults);
    for (unsigned i = 0; i < p->fault_count; i++)
        if (r->faults.struck[i]) {
            result->faults_struck += result->struck[p->faults[i].kind] == 0;
            result->struck[p->faults[i].kind] += r->faults.struck[i];
        }
    result->counted = result->ended && plan_may_count(p) && result->faults_struck >= COUNTED_FAULTS;
    for (unsigned u = 0; u < p->update_count; u++)
        result->operated = result->operated || (p->updates[u].counts && r->judge.updates[u].commits > 0);
    result->broken = r->world.violations.len > 0;
    result->violations = result->broken ? world_text(buf_span(&r->world.violations)) : NULL;
    result->deliveries = r->judge.deliveries;
    result->steps = r->world.steps;
    result->hash = r->trace.hash;
}

void run_plan(const struct plan *p, FILE *trace, struct run_result *ret_result) {
    struct run *r = world_alloc(sizeof *r);
    *ret_result = (struct run_result){0};
    r->plan = p;
    begin(r, trace);
    set_parts(r);
    if (p->steady)
        steady_run(r);
    while (!is_over(r) && r->world.now < r->give_up_at)
        step(r);
    ret_result->ended = is_over(r);
    if (!ret_result->ended && !r->may_stay)
        judge_broken(&r->judge, "liveness", "%zu messages are left %.0f s after the last fault", r->judge.queue->count,
                     (double)(r->world.now - r->quiet_at) / (double)SECOND);
    wind_up(r);
    judge_end(&r->judge);
    sum_up(r, ret_result);
    judge_done(&r->judge);
    world_done(&r->world);
    free(r);
}
