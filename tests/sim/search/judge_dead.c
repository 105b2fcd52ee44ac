/* What a worker sends to the DLQ: whether it may. */
#include "judge_private.h"

#include <stdlib.h>
#include <string.h>

static const int64_t TOKEN_LIFE = 600 * MICROSECONDS;
static const int64_t LOOK_LASTS = 5 * MICROSECONDS; /* and no longer, until each try of a send */

void judge_confirmed(struct judge *j, unsigned worker, unsigned update, int64_t began) {
    if (update < j->plan->update_count && began > j->updates[update].confirmed_at[worker])
        j->updates[update].confirmed_at[worker] = began;
}

static bool is_expected(const struct plan_update *u, struct span error) {
    static const char *const expected[UPDATE_KINDS][2] = {
        [UPDATE_CHAIN] = {"ConditionalCheckFailed", "-"}, [UPDATE_NOBODY] = {"RecordNotFoundError", "-"},
        [UPDATE_FALSE] = {"ConditionalCheckFailed", "-"}, [UPDATE_INVALID] = {"InvalidInputError", "ValidationError"},
        [UPDATE_REUSED] = {"ValidationError", "-"},       [UPDATE_POISON] = {"DatabaseError", "-"},
        [UPDATE_REFUSED] = {"ValidationError", "-"},
    };
    for (size_t i = 0; i < 2; i++)
        if (expected[u->kind][i] && span_equal(error, span_cstr(expected[u->kind][i])))
            return true;
    return false;
}

/* Was it applied when the look began that led to this send, or should have? */
static bool was_applied(const struct judge *j, unsigned worker, unsigned update) {
    const struct plan_update *p = &j->plan->updates[update];
    const struct update_seen *u = &j->updates[update];
    int64_t look = u->dead_look[worker];
    if (u->commits == 0)
        return false;
    if (p->audited)
        return u->first_commit < look || u->first_commit < j->world->now - LOOK_LASTS;
    return u->last_commit < look &&
           look - u->last_commit < TOKEN_LIFE - MINUTE; /* what was asked for in time may arrive too late */
}

/* …in the last of MAX_ATTEMPTS deliveries. */
static bool failed_alone(const struct judge *j, unsigned worker, unsigned update) {
    unsigned deliveries = 0;
    for (size_t i = 0; i < j->seen_room && i < j->world->sqs.all_count; i++)
        if (j->seen[i].judged && j->seen[i].update == update && j->world->sqs.all[i]->receive_count > deliveries)
            deliveries = j->world->sqs.all[i]->receive_count;
    return judge_failed_by_itself(j, worker, update) && deliveries >= j->workers[worker].plan->max_attempts;
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
    bool alone = span_equal(error_type, SPAN("DatabaseError")) && failed_alone(j, worker, update);
    bool refused = span_equal(error_type, SPAN("ValidationError")) && j->updates[update].own[worker].refused_alone;
    if (!alone && !refused && !is_expected(&j->plan->updates[update], error_type))
        judge_broken(j, "I5", "worker %u sends update %u to the DLQ as %.*s", worker, update, (int)error_type.len,
                     error_type.data);
    struct update_seen *u = &j->updates[update];
    u->letters_open[worker]++;
    if (u->dead_life[worker] != j->workers[worker].life) {
        u->dead_life[worker] = j->workers[worker].life;
        u->dead_look[worker] = look_of(j, worker, update);
    }
    /* Without an audit record nothing tells a message that fails alone from one that was applied before. */
    if ((alone || refused) && !j->plan->updates[update].audited)
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
        if (same && began >= s->sent_at && s->acked_at == NEVER)
            s->acked_at = began;
    }
}
