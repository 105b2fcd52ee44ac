/* Nothing waits for what something is wrong with: messages that are sent all along beside it are applied in seconds.
 * And what was wrong and is no longer comes to its end as soon as the contract has it. */
#include "judge_private.h"

#include <stdlib.h>
#include <string.h>

/* What may come before a healthy message in the worst order: all that something is wrong with, one after the other,
 * while nothing has been applied since: the first further message is received after 5 s, then at doubling intervals.
 * Each may be silent for 10 s. And some seconds to work. */
static const int64_t FIRST_EXTRA = 5 * MICROSECONDS, SILENCE = 10 * MICROSECONDS, WORK = 7 * MICROSECONDS;
/* A refusal that isn't the message's own is tried again after others' success, which its group waits for, and others of
 * it may be refused. */
static const int64_t REFUSED_AT_MOST = 30 * MICROSECONDS;
/* A message that is set aside comes again after 15 minutes at most, each time for a few attempts. */
static const int64_t HEALS_WITHIN = 16 * MINUTE + 30 * MICROSECONDS;
/* A batch to the DLQ with silence in it: two attempts and pauses between, then each entry by itself; and the read that
 * confirms before. */
static const int64_t DEAD_WITHIN = 120 * MICROSECONDS;

unsigned judge_feed(struct judge *j) {
    if (j->fed_count == j->fed_room) {
        size_t room = j->fed_room ? 2 * j->fed_room : 256;
        struct fed *more = realloc(j->fed, room * sizeof *more);
        if (!more)
            abort();
        j->fed = more;
        j->fed_room = room;
    }
    j->fed[j->fed_count] = (struct fed){.sent_at = j->world->now, .applied_at = NEVER};
    return (unsigned)j->fed_count++;
}

void judge_fed_applied(struct judge *j, struct span body) {
    const char *at = memmem(body.data, body.len, "fed-", 4);
    size_t number = at ? strtoul(at + 4, NULL, 10) : SIZE_MAX;
    if (number < j->fed_count && j->fed[number].applied_at == NEVER)
        j->fed[number].applied_at = j->world->now;
}

static bool has_fault(const struct plan *p, enum fault_kind kind) {
    for (unsigned i = 0; i < p->fault_count; i++)
        if (!p->faults[i].left_out && p->faults[i].kind == kind)
            return true;
    return false;
}

static bool has_silence(const struct plan *p) {
    for (unsigned i = 0; i < p->fault_count; i++) {
        const struct plan_fault *f = &p->faults[i];
        if (!f->left_out && f->kind >= FAULT_PATH_TRANSACT && f->kind <= FAULT_PATH_RECEIVE &&
            plan_path(f) == SIM_PATH_SILENT)
            return true;
    }
    return false;
}

static unsigned wrong_ones(const struct judge *j) {
    const struct plan *p = j->plan;
    unsigned count = 0;
    for (unsigned m = 0; m < p->message_count; m++) {
        bool wrong = false;
        for (unsigned i = 0; i < p->fault_count; i++)
            wrong = wrong || plan_concerns(p, &p->faults[i], p->messages[m].update);
        count += wrong && !p->messages[m].left_out;
    }
    return count;
}

/* How long a healthy message may wait. A receive that is stopped takes what it brought with it for a visibility, and so
 * may the next few, each of half as many. */
static int64_t patience(const struct judge *j) {
    const struct plan *p = j->plan;
    int64_t most = has_fault(p, FAULT_SOME_REFUSED) ? REFUSED_AT_MOST : WORK, extra = FIRST_EXTRA;
    for (unsigned left = wrong_ones(j); left > 0; left--) {
        most += extra + (has_silence(p) ? SILENCE : 0);
        extra = 2 * extra < MINUTE ? 2 * extra : MINUTE;
    }
    if (has_fault(p, FAULT_PATH_RECEIVE))
        for (unsigned i = 0; i < p->worker_count; i++)
            most += 6 * (int64_t)p->workers[i].visibility * SECOND + (has_silence(p) ? MINUTE : 0);
    return most;
}

void judge_fed_dead(struct judge *j, unsigned worker, struct span body, struct span error_type) {
    if (!has_fault(j->plan, FAULT_SOME_REFUSED) || !span_equal(error_type, SPAN("ValidationError"))) {
        judge_broken(j, "I5", "worker %u sends a message that nothing is wrong with to the DLQ, as %.*s", worker,
                     (int)error_type.len, error_type.data);
        return;
    }
    judge_fed_applied(j, body); /* it was refused twice, and others were not */
}

static void judge_fed(struct judge *j) {
    int64_t worst = 0, most = patience(j);
    size_t which = 0, late = 0;
    for (size_t i = 0; i < j->fed_count; i++) {
        const struct fed *f = &j->fed[i];
        int64_t waited = (f->applied_at == NEVER ? j->world->now : f->applied_at) - f->sent_at;
        late += waited > most;
        if (waited > worst) {
            worst = waited;
            which = i;
        }
    }
    if (late > 0)
        judge_broken(j, "liveness",
                     "%zu of %zu healthy messages waited for more than %.0f s beside others; number %zu, sent at %.3f, "
                     "for %.1f s%s",
                     late, j->fed_count, (double)most / (double)SECOND, which,
                     (double)j->fed[which].sent_at / (double)SECOND, (double)worst / (double)SECOND,
                     j->fed[which].applied_at == NEVER ? ", and isn't applied" : "");
}

/* From when on nothing is wrong with an update any more, nor with one that it may wait behind; 0: nothing ever was. */
static int64_t healed_at(const struct judge *j, unsigned update) {
    const struct plan *p = j->plan;
    int64_t at = 0;
    for (unsigned i = 0; i < p->fault_count; i++)
        for (unsigned u = 0; u < p->update_count; u++) {
            const struct plan_fault *f = &p->faults[i];
            int64_t over = f->lasts == FOR_GOOD ? FOR_GOOD : WORLD_BEGINS + f->at + f->lasts;
            if (plan_concerns(p, f, u) && plan_waits_for(p, update, u) && over > at)
                at = over;
        }
    return at;
}

static void judge_update(struct judge *j, const struct seen *s) {
    int64_t healed = healed_at(j, s->update), from = healed > s->sent_at ? healed : s->sent_at;
    int64_t most = healed > 0 ? HEALS_WITHIN : DEAD_WITHIN;
    const struct update_seen *u = &j->updates[s->update];
    int64_t end = u->commits ? u->first_commit : s->acked_at != NEVER ? s->acked_at : j->world->now;
    if (healed == FOR_GOOD)
        return;
    if (healed == 0)
        most += patience(j);
    if (j->plan->updates[s->update].kind ==
        UPDATE_REFUSED) /* others of its kind must come to this worker, and be applied */
        most += 16 * j->plan->feed_every;
    if (end - from > most)
        judge_broken(j, "liveness", "update %u came to its end %.1f s after %s", s->update,
                     (double)(end - from) / (double)SECOND, healed > s->sent_at ? "it was healed" : "it was sent");
}

void judge_beside(struct judge *j) {
    judge_fed(j);
    for (size_t i = 0; i < j->world->sqs.all_count && i < j->seen_room; i++)
        if (j->seen[i].judged)
            judge_update(j, &j->seen[i]);
}
