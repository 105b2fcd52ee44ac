#include "judge_private.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const int64_t TOKEN_LIFE = 600 * MICROSECONDS;
static const unsigned GIVEN_BACK_FOR_ITSELF = 30; /* seconds: it fails by itself, and has deliveries left */
static const int64_t TRIES_WINDOW = 10 * MICROSECONDS;
static const unsigned TRIES_MAX = 12; /* a probe a second, and the first try of a message that a look at the tables let in */
static const int64_t TWELVE_HOURS = 12 * HOUR;
static const int64_t TROUBLE_FADES = 30 * MICROSECONDS; /* how long a batch that failed may still wait */

void judge_init(struct judge *j, struct world *w, const struct plan *p, struct trace *t) {
    *j = (struct judge){.world = w,
                        .plan = p,
                        .trace = t,
                        .queue = &w->sqs.queues[0],
                        .dlq = &w->sqs.queues[1],
                        .sqs_trouble_at = -HOUR,
                        .change_trouble_at = -HOUR,
                        .delete_trouble_at = -HOUR,
                        .db_out_since = NEVER,
                        .sqs_out_since = NEVER};
    for (unsigned i = 0; i < p->worker_count; i++)
        j->workers[i].plan = &p->workers[i];
    for (unsigned u = 0; u < p->update_count; u++)
        for (unsigned i = 0; i < PLAN_WORKERS_MAX; i++)
            j->updates[u].transacted_at[i] = j->updates[u].tried_at[i] = j->updates[u].answered_at[i] = j->updates[u].confirmed_at[i] =
                j->updates[u].out_at[i] = -1;
    judge_watch_servers(j);
}

void judge_done(struct judge *j) {
    free(j->seen);
}

void judge_broken(struct judge *j, const char *invariant, const char *format, ...) {
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (j->broken++ < 20)
        world_violated(j->world, "%s: %s", invariant, text);
    trace_note(j->trace, j->world->now, TRACE_VIOLATION, NO_WORKER, 0, 0, span_cstr(text));
}

struct seen *judge_seen(struct judge *j, const struct sim_message *m) {
    if (m->index >= j->seen_room) {
        size_t room = m->index < 128 ? 128 : m->index * 2;
        struct seen *more = realloc(j->seen, room * sizeof *more);
        if (!more)
            abort();
        memset(more + j->seen_room, 0, (room - j->seen_room) * sizeof *more);
        j->seen = more;
        j->seen_room = room;
    }
    return &j->seen[m->index];
}

void judge_sent(struct judge *j, const struct sim_message *m, const char *identity) {
    struct seen *s = judge_seen(j, m);
    unsigned update = plan_update_in(j->plan, m->body, strlen(m->body));
    trace_note(j->trace, j->world->now, TRACE_SENT, NO_WORKER, m->index, update, span_cstr(m->id));
    if (update == j->plan->update_count)
        return;
    *s = (struct seen){.judged = true, .update = update, .sent_at = j->world->now, .acked_at = NEVER};
    if (!identity && j->plan->updates[update].wrapped)
        judge_identity(span_cstr(m->body), s->identity);
    else
        snprintf(s->identity, sizeof s->identity, "%s", identity && identity[0] ? identity : m->id);
}

static bool is_acked(const struct seen *s) {
    return s->acked_at != NEVER;
}

bool judge_is_settled(const struct judge *j, const struct seen *s) {
    return j->updates[s->update].commits > 0 || is_acked(s);
}

/* Where an update was under way when the worker's time was over, it may have come about without its knowing. */
static bool sqs_was_well_since(const struct judge *j, int64_t since) {
    return j->sqs_trouble_at + TROUBLE_FADES < since;
}

void judge_started(struct judge *j, unsigned worker) {
    struct judge_worker *w = &j->workers[worker];
    const struct plan_worker *plan = w->plan;
    unsigned life = w->life + 1;
    *w = (struct judge_worker){.life = life, .alive = true, .started_at = j->world->now, .plan = plan};
    w->tries_since = w->last_receive = w->extra_receive = -HOUR;
    w->db_felt = w->sqs_felt = NEVER;
    trace_note(j->trace, j->world->now, TRACE_START, worker, life, 0, SPAN(""));
}

void judge_stopping(struct judge *j, unsigned worker) {
    j->workers[worker].stopping = true;
    j->workers[worker].stopping_at = j->world->now;
}

void judge_ended(struct judge *j, unsigned worker) {
    j->workers[worker].alive = false;
}

/* It was delivered before, and that came to nothing: whose fault was it? (I5) */
static void judge_repeat(struct judge *j, const struct seen *s, const struct sim_message *m, unsigned holder) {
    struct holding *h = (struct holding *)(uintptr_t)&s->holdings[holder];
    const struct judge_worker *w = &j->workers[holder];
    bool lives = w->alive && w->life == h->life;
    int64_t now = j->world->now, held = now - h->received_at;
    if (lives && !h->returned && now < h->told_until)
        return; /* delivered twice by SQS itself */
    if (j->plan->updates[s->update].kind == UPDATE_POISON || h->gone || h->declined ||
        j->change_trouble_at + TROUBLE_FADES >= h->received_at)
        return;
    if (j->plan->fifo && j->delete_trouble_at + TROUBLE_FADES >= h->received_at)
        return; /* it stands behind one that SQS doesn't delete */
    h->costs++;
    h->held += held;
    if (h->costs > 1 + (unsigned)((h->held + MINUTE) / TWELVE_HOURS))
        judge_broken(j, "I5", "message %zu cost life %u of worker %u %u receives, the last held for %.1f s", m->index, h->life, holder, h->costs,
                     (double)held / (double)SECOND);
    if (lives && !h->returned && sqs_was_well_since(j, h->received_at) && held < TWELVE_HOURS - MINUTE)
        judge_broken(j, "lease", "worker %u let the visibility of message %zu run out after %.1f s", holder, m->index,
                     (double)held / (double)SECOND);
}

/* Whether it has a delivery of the update that it neither gave back nor deleted. */
static bool works_on(const struct judge *j, unsigned worker, unsigned update) {
    for (size_t i = 0; i < j->seen_room; i++) {
        const struct seen *s = &j->seen[i];
        const struct holding *h = &s->holdings[worker];
        if (s->judged && s->update == update && h->life == j->workers[worker].life && !h->returned && !h->gone && h->told_until > j->world->now)
            return true;
    }
    return false;
}

void judge_delivered(struct judge *j, unsigned worker, const struct sim_message *m, int64_t until) {
    struct seen *s = judge_seen(j, m);
    j->deliveries++;
    trace_note(j->trace, j->world->now, TRACE_DELIVERED, worker, m->index, m->receive_count, SPAN(""));
    if (!s->judged)
        return;
    const struct holding *last = &s->holdings[s->last_holder];
    if (last->life && !judge_is_settled(j, s))
        judge_repeat(j, s, m, s->last_holder);
    struct holding *h = &s->holdings[worker];
    unsigned life = j->workers[worker].life, costs = h->life == life ? h->costs : 0;
    int64_t spent = h->life == life ? h->held : 0;
    if (!works_on(j, worker, s->update)) /* a second delivery beside it says nothing of the first */
        j->updates[s->update].own[worker] = (struct own_failures){0};
    *h = (struct holding){.life = life, .handle = m->handle, .received_at = j->world->now, .told_until = until, .costs = costs, .held = spent};
    s->last_holder = worker;
}

void judge_call(struct judge *j, unsigned worker, int by) {
    struct judge_worker *w = &j->workers[worker];
    w->open_calls += (unsigned)by;
    if (w->open_calls > 1024)
        judge_broken(j, "I6", "worker %u has %u calls open", worker, w->open_calls);
}

/* Whether it has something that failed in this outage, so that it tries that instead of receiving: not what SQS is about to take back, since a message
 * can't be hidden for longer than twelve hours. */
static bool holds_something(const struct judge *j, unsigned worker) {
    for (size_t i = 0; i < j->seen_room && i < j->world->sqs.all_count; i++) {
        const struct seen *s = &j->seen[i];
        const struct holding *h = &s->holdings[worker];
        if (s->judged && s->last_holder == worker && h->life == j->workers[worker].life && !h->returned && !h->gone &&
            h->told_until > j->world->now && j->world->now - h->received_at < TWELVE_HOURS - MINUTE && !judge_is_settled(j, s) &&
            j->updates[s->update].out_at[worker] >= j->db_out_since && j->updates[s->update].out_at[worker] >= h->received_at)
            return true;
    }
    return false;
}

/* A total outage that a worker felt long enough ago: nothing that it began before is under way any more. */
static bool is_long_since(const struct judge *j, int64_t since, int64_t felt) {
    const int64_t enough = 180 * SECOND;
    return since != NEVER && felt != NEVER && felt >= since && j->world->now - felt > enough;
}

static int64_t feel(int64_t felt, int64_t since, int64_t now, const struct call_result *result) {
    if (result->class == CALL_OK || since == NEVER)
        return NEVER;
    return felt != NEVER && felt >= since ? felt : now;
}

bool judge_receive(struct judge *j, unsigned worker, unsigned max_messages) {
    struct judge_worker *w = &j->workers[worker];
    int64_t now = j->world->now;
    size_t limit = (size_t)64 << 20;
    w->open_receives++;
    w->reserved += max_messages * j->queue->attributes.max_message_size;
    if (w->open_receives > 32)
        judge_broken(j, "I6", "worker %u has %u receives open", worker, w->open_receives);
    if (w->reserved > limit)
        judge_broken(j, "I6", "worker %u may get %zu bytes of bodies at once", worker, w->reserved);
    if (is_long_since(j, j->sqs_out_since, w->sqs_felt) && now - w->last_receive < 200 * MILLISECOND)
        judge_broken(j, "I6", "worker %u receives twice within %lld us while SQS is out", worker, (long long)(now - w->last_receive));
    w->last_receive = now;
    return is_long_since(j, j->db_out_since, w->db_felt) && holds_something(j, worker) && j->change_trouble_at < now - MINUTE;
}

static unsigned record_of(const struct judge *j, unsigned update) {
    const struct plan_update *u = &j->plan->updates[update];
    switch (u->kind) {
    case UPDATE_CHAIN: return PLAN_RECORDS + u->record;
    case UPDATE_NOBODY: return 2 * PLAN_RECORDS + u->record;
    case UPDATE_POISON: return 3 * PLAN_RECORDS + u->record;
    default: return u->record;
    }
}

/* The longest that any of its deliveries to this worker still lasts, as far as the worker knows. */
static int64_t lease_of(const struct judge *j, unsigned worker, unsigned update) {
    int64_t until = -1;
    for (size_t i = 0; i < j->seen_room; i++) {
        const struct seen *s = &j->seen[i];
        const struct holding *h = &s->holdings[worker];
        if (s->judged && s->update == update && h->life == j->workers[worker].life && h->told_until > until)
            until = h->told_until;
    }
    return until;
}

void judge_transact(struct judge *j, unsigned worker, unsigned update) {
    struct judge_worker *w = &j->workers[worker];
    int64_t now = j->world->now;
    w->open_transactions++;
    if (w->open_transactions > w->plan->max_in_flight + 1)
        judge_broken(j, "I6", "worker %u runs %u transactions at once", worker, w->open_transactions);
    if (now - w->tries_since >= TRIES_WINDOW) {
        w->tries_since = now;
        w->tries = 0;
    }
    w->tries++;
    if (is_long_since(j, j->db_out_since, w->db_felt) && w->tries > TRIES_MAX)
        judge_broken(j, "I6", "worker %u tries %u times within %.1f s while DynamoDB is out", worker, w->tries,
                     (double)(now - w->tries_since) / (double)SECOND);
    if (update == j->plan->update_count)
        return;
    if (++w->running[record_of(j, update)] > 1)
        judge_broken(j, "order", "worker %u runs two updates of one record at once", worker);
    if (lease_of(j, worker, update) - now < 2 * SECOND)
        judge_broken(j, "lease", "worker %u starts update %u with %.3f s left", worker, update,
                     (double)(lease_of(j, worker, update) - now) / (double)SECOND);
    j->updates[update].transacted_at[worker] = now;
}

void judge_received(struct judge *j, unsigned worker, const struct call_result *result) {
    struct judge_worker *w = &j->workers[worker];
    w->sqs_felt = feel(w->sqs_felt, j->sqs_out_since, j->world->now, result);
}

void judge_brought(struct judge *j, unsigned worker, int64_t asked_at) {
    struct judge_worker *w = &j->workers[worker];
    if (asked_at - w->extra_receive < 59 * SECOND)
        judge_broken(j, "I5", "worker %u receives messages more than once a minute while DynamoDB is out and it holds some", worker);
    w->extra_receive = asked_at;
}

/* What may be the message's own fault: denied, a 500 of DynamoDB's own, an unknown code. */
static bool is_own(const struct call_result *r) {
    bool unknown = r->class == CALL_PERMANENT && r->from_service && strcmp(r->code, "ResourceNotFoundException") != 0;
    return r->class == CALL_DENIED || (r->from_service && r->status == 500) || unknown;
}

static void note_failure(struct judge *j, unsigned worker, unsigned update, const struct call_result *result) {
    struct own_failures *own = &j->updates[update].own[worker];
    bool audited = j->plan->updates[update].audited;
    if (result->class == CALL_OK)
        j->workers[worker].applied[audited]++;
    if (result->class == CALL_OK || !is_own(result))
        return;
    if (!own->alike || strcmp(own->code, result->code) != 0) {
        *own = (struct own_failures){.applied_then = j->workers[worker].applied[audited]};
        snprintf(own->code, sizeof own->code, "%s", result->code);
    }
    own->alike++;
}

/* A poisoned message that fails once more as it did before: that tells its worker nothing. */
static bool fails_as_ever(const struct judge *j, unsigned worker, unsigned update, const struct call_result *result) {
    if (update >= j->plan->update_count || j->plan->updates[update].kind != UPDATE_POISON || result->class == CALL_OK)
        return false;
    const struct own_failures *own = &j->updates[update].own[worker];
    return own->alike > 0 && strcmp(own->code, result->code) == 0;
}

void judge_transacted(struct judge *j, unsigned worker, unsigned update, const struct call_result *result, bool applied_already) {
    struct judge_worker *w = &j->workers[worker];
    w->open_transactions--;
    if (update == j->plan->update_count)
        return;
    /* A failure of what began before the outage tells nothing of it: its answer may be late. */
    bool failed_in_outage = result && result->class != CALL_OK && j->db_out_since != NEVER &&
                            j->updates[update].transacted_at[worker] >= j->db_out_since && !fails_as_ever(j, worker, update, result);
    if (failed_in_outage)
        j->updates[update].out_at[worker] = j->world->now;
    if (failed_in_outage || (result && result->class == CALL_OK))
        w->db_felt = feel(w->db_felt, j->db_out_since, j->world->now, result);
    w->running[record_of(j, update)]--;
    if (result)
        note_failure(j, worker, update, result);
    if (result && (result->class == CALL_OK || result->from_service))
        j->updates[update].tried_at[worker] = j->updates[update].transacted_at[worker];
    if (result && result->class != CALL_OK && result->from_service && !applied_already) /* what fails has to be confirmed; another delivery of it may succeed meanwhile */
        j->updates[update].answered_at[worker] = j->world->now;
}

void judge_confirmed(struct judge *j, unsigned worker, unsigned update, int64_t began) {
    if (update < j->plan->update_count && began > j->updates[update].confirmed_at[worker])
        j->updates[update].confirmed_at[worker] = began;
}

void judge_deleting(struct judge *j, unsigned worker, const struct sim_message *m) {
    struct seen *s = judge_seen(j, m);
    trace_note(j->trace, j->world->now, TRACE_DELETE, worker, m->index, 0, SPAN(""));
    if (!s->judged)
        return;
    if (!judge_is_settled(j, s))
        judge_broken(j, "I3", "worker %u deletes message %zu: not committed, and no envelope of it acknowledged", worker, m->index);
    s->holdings[worker].gone = true;
}

/* The contract's rule: twice alike in one delivery, and another of its kind succeeded in between. */
static bool failed_by_itself(const struct judge *j, unsigned worker, unsigned update) {
    const struct own_failures *own = &j->updates[update].own[worker];
    return own->alike >= 2 && j->workers[worker].applied[j->plan->updates[update].audited] > own->applied_then;
}

void judge_changed(struct judge *j, unsigned worker, const struct sim_message *m, unsigned handle, unsigned seconds, int64_t sent_at) {
    struct seen *s = judge_seen(j, m);
    struct holding *h = &s->holdings[worker];
    if (!s->judged || h->life != j->workers[worker].life || h->handle != handle)
        return;
    int64_t until = sent_at + (int64_t)seconds * MICROSECONDS;
    const struct judge_worker *w = &j->workers[worker];
    /* A lease is extended with half of it left, to its whole length, or to what is left of the twelve hours. */
    bool half_over = h->told_until - sent_at <= ((int64_t)w->plan->visibility / 2 + 1) * SECOND;
    if (half_over && (seconds == w->plan->visibility || until - h->received_at > TWELVE_HOURS - MINUTE)) {
        h->told_until = until;
        return;
    }
    h->returned = true;
    /* A drain gives back at once; what comes back later was declined before, though the call may have been made since. What was asked for before the
     * drain was declined too, though the answer came in it. */
    bool by_rule = seconds == GIVEN_BACK_FOR_ITSELF ? failed_by_itself(j, worker, s->update) : seconds > 0;
    h->declined = by_rule || (seconds == 0 && (!w->stopping || sent_at < w->stopping_at));
}

static bool is_expected(const struct plan_update *u, struct span error) {
    static const char *const expected[UPDATE_KINDS][2] = {
        [UPDATE_CHAIN] = {"ConditionalCheckFailed", "-"},         [UPDATE_NOBODY] = {"RecordNotFoundError", "-"},
        [UPDATE_FALSE] = {"ConditionalCheckFailed", "-"},         [UPDATE_INVALID] = {"InvalidInputError", "ValidationError"},
        [UPDATE_REUSED] = {"ValidationError", "-"}, [UPDATE_POISON] = {"DatabaseError", "-"},
    };
    for (size_t i = 0; i < 2; i++)
        if (expected[u->kind][i] && span_equal(error, span_cstr(expected[u->kind][i])))
            return true;
    return false;
}

/* Was it applied when the look began that led to this send? */
static bool was_applied(const struct judge *j, unsigned worker, unsigned update) {
    const struct plan_update *p = &j->plan->updates[update];
    const struct update_seen *u = &j->updates[update];
    int64_t look = u->dead_look[worker];
    if (u->commits == 0)
        return false;
    if (p->audited)
        return u->first_commit < look;
    return u->last_commit < look && look - u->last_commit < TOKEN_LIFE - MINUTE; /* what was asked for in time may arrive too late */
}

/* …in the last of MAX_ATTEMPTS deliveries. */
static bool failed_alone(const struct judge *j, unsigned worker, unsigned update) {
    unsigned deliveries = 0;
    for (size_t i = 0; i < j->seen_room && i < j->world->sqs.all_count; i++)
        if (j->seen[i].judged && j->seen[i].update == update && j->world->sqs.all[i]->receive_count > deliveries)
            deliveries = j->world->sqs.all[i]->receive_count;
    return failed_by_itself(j, worker, update) && deliveries >= j->workers[worker].plan->max_attempts;
}

/* When the look began that this send goes by. */
static int64_t look_of(const struct judge *j, unsigned worker, unsigned update) {
    const struct update_seen *u = &j->updates[update];
    if (!j->plan->updates[update].audited)
        return u->tried_at[worker];
    bool confirmed = u->confirmed_at[worker] >= u->answered_at[worker] && u->confirmed_at[worker] >= 0;
    return confirmed ? u->confirmed_at[worker] : j->world->now;
}

void judge_sending_dead(struct judge *j, unsigned worker, unsigned update, struct span error_type) {
    trace_note(j->trace, j->world->now, TRACE_DEAD, worker, update, 0, error_type);
    if (update == j->plan->update_count) {
        judge_broken(j, "I5", "worker %u sends a message that nothing is wrong with to the DLQ, as %.*s", worker, (int)error_type.len,
                     error_type.data);
        return;
    }
    bool alone = span_equal(error_type, SPAN("DatabaseError")) && failed_alone(j, worker, update);
    if (!alone && !is_expected(&j->plan->updates[update], error_type))
        judge_broken(j, "I5", "worker %u sends update %u to the DLQ as %.*s", worker, update, (int)error_type.len, error_type.data);
    struct update_seen *u = &j->updates[update];
    if (u->dead_life[worker] != j->workers[worker].life) {
        u->dead_life[worker] = j->workers[worker].life;
        u->dead_look[worker] = look_of(j, worker, update);
    }
    /* Without an audit record nothing tells a message that fails alone from one that was applied before. */
    if (alone && !j->plan->updates[update].audited)
        return;
    if (!u->in_dlq_before && was_applied(j, worker, update))
        judge_broken(j, "I4", "worker %u sends update %u to the DLQ, which was applied at %.3f", worker, update,
                     (double)u->first_commit / (double)SECOND);
}

void judge_dead_acknowledged(struct judge *j, unsigned worker, unsigned update, const char *identity, int64_t began) {
    if (update == j->plan->update_count)
        return;
    j->updates[update].dead_life[worker] = 0;
    for (size_t i = 0; i < j->seen_room; i++) {
        struct seen *s = &j->seen[i];
        bool same = s->judged && s->update == update && (!identity[0] || !strcmp(identity, s->identity));
        if (same && began >= s->sent_at && !is_acked(s))
            s->acked_at = began;
    }
}
