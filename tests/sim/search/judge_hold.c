/* What a worker has heard of DynamoDB: whether it is in a hold, and what it may receive then; whose fault a failure may
 * be. */
#include "judge_private.h"

#include <string.h>

static const int64_t TRIES_WINDOW = 10 * MICROSECONDS;
static const unsigned TRIES_MAX =
    12; /* a probe a second, and the first try of a message that a look at the tables let in */
static const unsigned RECEIVES_MAX = 32;
static const int64_t FIRST_EXTRA = 5 * MICROSECONDS, EXTRA_CAP = 60 * MICROSECONDS;

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

/* What fails before a request is served, or for want of what all need: that is nobody's own fault for certain. */
static bool is_cut_off(const struct call_result *r) {
    bool no_connection = r->status == 0 && !strcmp(r->message, SIM_NO_CONNECTION);
    return no_connection || r->class == CALL_AUTH || r->class == CALL_CLOCK ||
           !strcmp(r->code, "ResourceNotFoundException");
}

/* What may be the message's own fault: denied, a 500 of DynamoDB's own, an unknown code. */
static bool is_own(const struct call_result *r) {
    bool unknown = r->class == CALL_PERMANENT && r->from_service && strcmp(r->code, "ResourceNotFoundException") != 0;
    return r->class == CALL_DENIED || (r->from_service && r->status == 500) || unknown;
}

static bool is_refusal(const struct call_result *r) {
    return !strcmp(r->code, "ValidationException") || !strcmp(r->code, REASON_VALIDATION);
}

/* The contract's rule counts only others that began after the first failure. */
static bool judge_succeeded_since(const struct judge *j, unsigned worker, unsigned update, int64_t since) {
    return j->workers[worker].success_began[j->plan->updates[update].audited] > since;
}

bool judge_failed_by_itself(const struct judge *j, unsigned worker, unsigned update) {
    const struct failures_seen *own = &j->updates[update].own[worker];
    return own->alike >= 2 && judge_succeeded_since(j, worker, update, own->alike_since);
}

bool judge_has_failed(const struct judge *j, unsigned worker, unsigned update) {
    const struct update_seen *u = &j->updates[update];
    bool failed = u->own[worker].failed > 0;
    for (unsigned doing = 0; doing < DOINGS; doing++)
        failed = failed || u->doing[worker][doing].failures > 0;
    return failed;
}

bool judge_may_set_aside(const struct judge *j, unsigned worker, unsigned update) {
    const struct failures_seen *own = &j->updates[update].own[worker];
    if (own->any >= 2 && judge_succeeded_since(j, worker, update, own->any_since))
        return true;
    for (unsigned doing = 0; doing < DOINGS; doing++)
        if (judge_does_in_vain(j, worker, update, doing))
            return true;
    return false;
}

bool judge_does_in_vain(const struct judge *j, unsigned worker, unsigned update, enum judged_doing doing) {
    const struct doing_seen *d = &j->updates[update].doing[worker][doing];
    return d->failures >= 2 && (d->too_large || j->workers[worker].did_at[doing] > d->since);
}

void judge_did(struct judge *j, unsigned worker, unsigned update, enum judged_doing doing, bool ok,
               const struct call_result *result) {
    if (ok)
        j->workers[worker].did_at[doing] = j->world->now;
    if (doing == DOING_SEND_DEAD && update < j->plan->update_count && j->updates[update].letters_open[worker] > 0) {
        j->updates[update].letters_open[worker]--;
        j->updates[update].letter_ended[worker] = j->world->now;
    }
    if (ok || update == j->plan->update_count)
        return;
    struct doing_seen *d = &j->updates[update].doing[worker][doing];
    if (d->failures++ == 0)
        d->since = j->world->now;
    d->too_large = d->too_large || result->status == 413;
}

static void note_own_failure(struct judge *j, unsigned worker, const struct judged_answer *a) {
    struct failures_seen *own = &j->updates[a->update].own[worker];
    int64_t now = j->world->now;
    if (own->any++ == 0)
        own->any_since = now;
    if (is_refusal(a->result)) {
        if (own->refused++ == 0)
            own->refused_since = now;
        else if (j->workers[worker].success_at[a->audited] > own->refused_since)
            own->refused_alone = true;
    }
    if (!is_own(a->result))
        return;
    if (!own->alike || strcmp(own->code, a->result->code) != 0) {
        own->alike = 0;
        own->alike_since = now;
        snprintf(own->code, sizeof own->code, "%s", a->result->code);
    }
    own->alike++;
}

/* A poisoned message that fails once more as it did before: that tells its worker nothing. */
static bool fails_as_ever(const struct judge *j, unsigned worker, const struct judged_answer *a) {
    if (j->plan->updates[a->update].kind != UPDATE_POISON || a->result->class == CALL_OK)
        return false;
    const struct failures_seen *own = &j->updates[a->update].own[worker];
    return own->alike > 0 && strcmp(own->code, a->result->code) == 0;
}

/* How many must fail for a hold: after something has worked one may be alone, and the next is received at once. */
static unsigned least_of_hold(const struct judge_worker *w) {
    return w->working > 1 ? 2 : 1;
}

void judge_described(struct judge *j, unsigned worker) {
    for (size_t i = 0; i < j->seen_room && i < j->world->sqs.all_count; i++)
        if (j->seen[i].judged && judge_holds(j, worker, &j->seen[i]))
            return;
    j->workers[worker].failing = j->workers[worker].extras = 0;
}

/* What the answer tells of DynamoDB. */
static void hear(struct judge *j, unsigned worker, const struct judged_answer *a) {
    struct judge_worker *w = &j->workers[worker];
    int64_t now = j->world->now;
    if (a->result->class == CALL_OK) {
        w->success_at[a->audited] = now;
        if (a->began > w->success_began[a->audited])
            w->success_began[a->audited] = a->began;
    }
    if (a->works) {
        w->working++;
        w->worked_at = now;
        w->heard = w->failing = w->extras = 0;
        w->was_cut_off = NEVER;
    }
    bool cut_off = !a->works && is_cut_off(a->result);
    w->cut_off_since = !cut_off ? NEVER : w->cut_off_since == NEVER ? now : w->cut_off_since;
    if (cut_off && w->was_cut_off == NEVER)
        w->was_cut_off = now;
    if (a->works || a->update == j->plan->update_count)
        return;
    struct update_seen *u = &j->updates[a->update];
    struct failures_seen *own = &u->own[worker];
    /* One that failed before the last success, or was set aside, is known: that it fails again tells nothing new. */
    bool known = (own->failed && own->failed < w->working) || u->set_aside_in[worker] == w->life;
    if (!own->failed)
        own->failed = w->working;
    if (own->heard < w->working && ++w->heard == least_of_hold(w))
        w->failing_at = w->was_cut_off != NEVER ? w->was_cut_off : now;
    own->heard = w->working;
    if (cut_off)
        return;
    w->throttled = u->throttled[worker] = a->result->class == CALL_THROTTLED;
    w->throttled_since |= w->throttled;
    /* What began before that success doesn't show that it fails still, until it fails once more. */
    if (a->began < w->worked_at)
        return;
    u->failed_in[worker] = w->working;
    if (!known && own->failing < w->working) {
        own->failing = w->working;
        w->failing++;
    }
}

void judge_transacted(struct judge *j, unsigned worker, const struct judged_answer *a) {
    struct judge_worker *w = &j->workers[worker];
    const struct call_result *result = a->result;
    int64_t now = j->world->now;
    w->open_transactions--;
    if (result)
        hear(j, worker, a);
    if (a->update == j->plan->update_count)
        return;
    struct update_seen *u = &j->updates[a->update];
    u->open[worker]--;
    /* A failure of what began before the outage tells nothing of it: its answer may be late. */
    bool failed_in_outage = result && result->class != CALL_OK && j->db_out_since != NEVER &&
                            a->began >= j->db_out_since && !fails_as_ever(j, worker, a);
    if (failed_in_outage)
        u->out_at[worker] = now;
    if (failed_in_outage || (result && result->class == CALL_OK))
        w->db_felt = feel(w->db_felt, j->db_out_since, now, result);
    w->running[plan_record(j->plan, a->update)]--;
    if (result && !a->works && !is_cut_off(result))
        note_own_failure(j, worker, a);
    if (result && (result->class == CALL_OK || result->from_service))
        u->tried_at[worker] = a->began;
    /* What fails has to be confirmed; another delivery of it may succeed meanwhile, or be throttled, which leads to no
     * letter. */
    if (result && result->class != CALL_OK && result->class != CALL_THROTTLED && result->from_service &&
        !a->applied_already)
        u->answered_at[worker] = now;
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
        w->throttled_since = w->throttled;
    }
    w->tries++;
    /* Throttles of a few messages may be their records', each of which is tried by itself. Where they turn into another
     * failure, the tries before that are in the count still. */
    unsigned most = w->throttled_since ? 2 * TRIES_MAX : TRIES_MAX;
    if (is_long_since(j, j->db_out_since, w->db_felt) && w->tries > most)
        judge_broken(j, "I6", "worker %u tries %u times within %.1f s while DynamoDB is out", worker, w->tries,
                     (double)(now - w->tries_since) / (double)SECOND);
    if (update == j->plan->update_count)
        return;
    if (++w->running[plan_record(j->plan, update)] > 1)
        judge_broken(j, "order", "worker %u runs two updates of one record at once", worker);
    if (lease_of(j, worker, update) - now < 2 * SECOND)
        judge_broken(j, "lease", "worker %u starts update %u with %.3f s left", worker, update,
                     (double)(lease_of(j, worker, update) - now) / (double)SECOND);
    j->updates[update].transacted_at[worker] = now;
    j->updates[update].open[worker]++;
}

/* Whether one that failed in this hold stands before it: an older one of its record, or of its group. */
static bool stands_behind(const struct judge *j, unsigned worker, const struct seen *s) {
    const struct plan *p = j->plan;
    for (size_t i = 0; i < j->seen_room && i < j->world->sqs.all_count; i++) {
        const struct seen *other = &j->seen[i];
        if (other == s || !other->judged || !judge_holds(j, worker, other) ||
            j->updates[other->update].failed_in[worker] != j->workers[worker].working)
            continue;
        if (plan_record(p, other->update) == plan_record(p, s->update) ||
            (p->fifo && p->updates[other->update].group == p->updates[s->update].group))
            return true;
    }
    return false;
}

/* Whether it holds messages, and all of them failed since DynamoDB last worked, in ways that could be their own. A
 * message that can't be hidden for longer, since its twelve hours are almost over, is none to try. */
static bool all_held_fail(const struct judge *j, unsigned worker) {
    bool some = false;
    for (size_t i = 0; i < j->seen_room && i < j->world->sqs.all_count; i++) {
        const struct seen *s = &j->seen[i];
        bool known_settled = s->judged && judge_is_settled(j, s) && j->updates[s->update].open[worker] == 0;
        if (!s->judged || !judge_holds(j, worker, s) || known_settled ||
            j->world->now - s->holdings[worker].received_at >= TWELVE_HOURS - MINUTE)
            continue;
        const struct update_seen *u = &j->updates[s->update];
        if (u->failed_in[worker] == j->workers[worker].working && !u->throttled[worker])
            some = true;
        else if (u->failed_in[worker] == j->workers[worker].working || !stands_behind(j, worker, s))
            return false;
    }
    return some;
}

struct judged_receive judge_receive(struct judge *j, unsigned worker) {
    struct judge_worker *w = &j->workers[worker];
    int64_t now = j->world->now;
    w->open_receives++;
    if (w->open_receives > RECEIVES_MAX)
        judge_broken(j, "I6", "worker %u has %u receives open", worker, w->open_receives);
    if (is_long_since(j, j->sqs_out_since, w->sqs_felt) && now - w->last_receive < 200 * MILLISECOND)
        judge_broken(j, "I6", "worker %u receives twice within %lld us while SQS is out", worker,
                     (long long)(now - w->last_receive));
    w->last_receive = now;
    judge_undeleted(j, worker);
    bool sure =
        j->plan->later && j->fed_count == 0 && j->change_trouble_at < now - MINUTE && w->stood_until < now - MINUTE;
    bool cut_off = w->cut_off_since != NEVER && now - w->cut_off_since > MINUTE;
    sure = sure && !w->throttled;
    return (struct judged_receive){.in_hold =
                                       sure && (cut_off || w->failing >= least_of_hold(w)) && all_held_fail(j, worker),
                                   .working = w->working};
}

void judge_received(struct judge *j, unsigned worker, const struct call_result *result) {
    struct judge_worker *w = &j->workers[worker];
    w->sqs_felt = feel(w->sqs_felt, j->sqs_out_since, j->world->now, result);
}

void judge_brought(struct judge *j, unsigned worker, const struct judged_receive *receive, int64_t asked_at,
                   size_t count) {
    struct judge_worker *w = &j->workers[worker];
    if (!receive->in_hold || receive->working != w->working)
        return; /* DynamoDB has worked meanwhile */
    if (w->cut_off_since != NEVER && asked_at - w->cut_off_since > MINUTE) {
        judge_broken(j, "I5",
                     "worker %u receives %zu messages while nothing that it sends is served, and it holds some", worker,
                     count);
        return;
    }
    if (w->failing < least_of_hold(w))
        return;
    int64_t wait = w->extras < 4 ? FIRST_EXTRA << w->extras : EXTRA_CAP,
            since = w->extras ? w->extra_at : w->failing_at;
    if (asked_at - since < wait - wait / 10)
        judge_broken(j, "I5", "worker %u asks for message %u of a hold %.3f s after the last", worker, w->extras + 1,
                     (double)(asked_at - since) / (double)SECOND);
    if (count > 1)
        judge_broken(j, "I5", "worker %u receives %zu messages at once in a hold", worker, count);
    w->extras++;
    w->extra_at = asked_at;
}
