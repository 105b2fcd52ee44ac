#include "judge_private.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Seconds that a message is given back for which fails by itself, and has deliveries left: longer each time. */
static const unsigned SET_ASIDE_LEAST = 30, SET_ASIDE_MOST = 900;
static const int64_t TROUBLE_FADES = 30 * MICROSECONDS; /* how long a batch that failed may still wait */
static const int64_t GIVING_BACK = 60 * MILLISECOND; /* from the decision to the request */

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
            j->updates[u].transacted_at[i] = j->updates[u].tried_at[i] = j->updates[u].answered_at[i] =
                j->updates[u].confirmed_at[i] = j->updates[u].out_at[i] = -1;
    judge_watch_servers(j);
}

void judge_done(struct judge *j) {
    free(j->seen);
    free(j->fed);
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
    w->tries_since = w->last_receive = -HOUR;
    w->success_began[0] = w->success_began[1] = w->success_at[0] = w->success_at[1] = -1;
    w->stood_until = w->deletes_answered_at = -HOUR;
    for (unsigned doing = 0; doing < DOINGS; doing++)
        w->did_at[doing] = -1;
    w->working = 1;
    for (unsigned u = 0; u < j->plan->update_count; u++)
        j->updates[u].letters_open[worker] = j->updates[u].open[worker] = 0;
    w->db_felt = w->sqs_felt = w->cut_off_since = w->was_cut_off = NEVER;
    trace_note(j->trace, j->world->now, TRACE_START, worker, life, 0, SPAN(""));
}

void judge_stopping(struct judge *j, unsigned worker) {
    j->workers[worker].stopping = true;
    j->workers[worker].stopping_at = j->world->now;
}

void judge_ended(struct judge *j, unsigned worker) {
    j->workers[worker].alive = false;
}

void judge_stands(struct judge *j, unsigned worker, int64_t until) {
    trace_note(j->trace, j->world->now, TRACE_STANDS, worker, 0, (uint64_t)((until - j->world->now) / MILLISECOND),
               SPAN(""));
    j->workers[worker].stood_until = until;
}

bool judge_holds(const struct judge *j, unsigned worker, const struct seen *s) {
    const struct holding *h = &s->holdings[worker];
    const struct judge_worker *w = &j->workers[worker];
    return w->alive && s->last_holder == worker && h->life == w->life && !h->returned && !h->gone &&
           h->told_until > j->world->now;
}

/* Whether a worker that lives, and had the message, let its visibility run out though it could extend it. */
static bool let_run_out(const struct judge *j, unsigned holder, const struct holding *h) {
    const struct judge_worker *w = &j->workers[holder];
    return w->alive && w->life == h->life && (!h->returned || h->abandoned) &&
           w->stood_until + SECOND < h->received_at && j->change_trouble_at + TROUBLE_FADES < h->received_at &&
           j->world->now - h->received_at < TWELVE_HOURS - MINUTE;
}

/* It was delivered before, and that came to nothing: whose fault was it? (I5) */
static void judge_repeat(struct judge *j, const struct seen *s, const struct sim_message *m, unsigned holder) {
    struct holding *h = (struct holding *)(uintptr_t)&s->holdings[holder];
    const struct judge_worker *w = &j->workers[holder];
    int64_t now = j->world->now, held = now - h->received_at;
    /* What it received then may have lain there. */
    bool stood = w->life == h->life && w->stood_until + SECOND >= h->received_at;
    enum update_kind kind = j->plan->updates[s->update].kind;
    if (kind == UPDATE_POISON || kind == UPDATE_REFUSED || h->gone || h->declined || stood ||
        j->change_trouble_at + TROUBLE_FADES >= h->received_at)
        return;
    if (j->plan->fifo && j->delete_trouble_at + TROUBLE_FADES >= h->received_at)
        return; /* it stands behind one that SQS doesn't delete */
    h->costs++;
    h->held += held;
    if (h->costs > 1 + (unsigned)((h->held + MINUTE) / TWELVE_HOURS))
        judge_broken(j, "I5", "message %zu cost life %u of worker %u %u receives, the last held for %.1f s", m->index,
                     h->life, holder, h->costs, (double)held / (double)SECOND);
    if (sqs_was_well_since(j, h->received_at) && let_run_out(j, holder, h))
        judge_broken(j, "lease", "worker %u let the visibility of message %zu run out after %.1f s", holder, m->index,
                     (double)held / (double)SECOND);
}

/* It was done with, and its worker knew so, but couldn't delete it: then it keeps its lease (fault 34). */
static void judge_undeleted_repeat(struct judge *j, const struct seen *s, const struct sim_message *m,
                                   unsigned holder) {
    const struct holding *h = &s->holdings[holder];
    if (j->plan->later && h->undeleted && let_run_out(j, holder, h))
        judge_broken(j, "lease", "message %zu is received again, %.1f s after worker %u could not delete it", m->index,
                     (double)(j->world->now - h->received_at) / (double)SECOND, holder);
}

/* Whether it has a delivery of the update that it neither gave back nor deleted. */
static bool works_on(const struct judge *j, unsigned worker, unsigned update) {
    for (size_t i = 0; i < j->seen_room; i++) {
        const struct seen *s = &j->seen[i];
        const struct holding *h = &s->holdings[worker];
        if (s->judged && s->update == update && h->life == j->workers[worker].life && !h->returned && !h->gone &&
            h->told_until > j->world->now)
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
    /* SQS itself may deliver twice what a worker has: that says nothing. */
    bool twice = judge_holds(j, s->last_holder, s) || (last->undeleted && last->told_until > j->world->now);
    if (last->life && !twice && judge_is_settled(j, s))
        judge_undeleted_repeat(j, s, m, s->last_holder);
    else if (last->life && !twice)
        judge_repeat(j, s, m, s->last_holder);
    struct holding *h = &s->holdings[worker];
    unsigned life = j->workers[worker].life, costs = h->life == life ? h->costs : 0;
    int64_t spent = h->life == life ? h->held : 0;
    if (!works_on(j, worker, s->update)) { /* a second delivery beside it says nothing of the first */
        j->updates[s->update].own[worker] = (struct failures_seen){0};
        memset(j->updates[s->update].doing[worker], 0, sizeof j->updates[s->update].doing[worker]);
    }
    *h = (struct holding){.life = life,
                          .handle = m->handle,
                          .received_at = j->world->now,
                          .told_until = until,
                          .costs = costs,
                          .held = spent};
    s->last_holder = worker;
}

void judge_call(struct judge *j, unsigned worker, int by) {
    struct judge_worker *w = &j->workers[worker];
    w->open_calls += (unsigned)by;
    if (w->open_calls > 1024)
        judge_broken(j, "I6", "worker %u has %u calls open", worker, w->open_calls);
}

void judge_deleting(struct judge *j, unsigned worker, const struct sim_message *m) {
    struct seen *s = judge_seen(j, m);
    trace_note(j->trace, j->world->now, TRACE_DELETE, worker, m->index, 0, SPAN(""));
    if (!s->judged)
        return;
    if (!judge_is_settled(j, s))
        judge_broken(j, "I3", "worker %u deletes message %zu: not committed, and no envelope of it acknowledged",
                     worker, m->index);
    s->holdings[worker].gone = true;
}

void judge_deletes_answered(struct judge *j, unsigned worker) {
    j->workers[worker].deletes_answered_at = j->world->now;
}

void judge_deleted(struct judge *j, unsigned worker, const struct sim_message *m, unsigned handle, bool ok,
                   const struct call_result *result) {
    struct seen *s = judge_seen(j, m);
    struct holding *h = &s->holdings[worker];
    judge_did(j, worker, s->judged ? s->update : j->plan->update_count, DOING_DELETE, ok, result);
    if (!s->judged || h->life != j->workers[worker].life || h->handle != handle)
        return;
    h->undeleted = !ok;
    h->undeleted_at = j->world->now;
    h->undeleted_itself = !ok && j->workers[worker].deletes_answered_at == j->world->now;
}

void judge_warned(struct judge *j, struct span line) {
    static const char mark[] = "00000000-0000-4000-8000-";
    const char *at = memmem(line.data, line.len, mark, sizeof mark - 1);
    if (!at || (size_t)(line.data + line.len - at) < sizeof mark - 1 + 12)
        return;
    char digits[13];
    snprintf(digits, sizeof digits, "%.12s", at + sizeof mark - 1);
    size_t index = strtoull(digits, NULL, 16);
    for (unsigned i = 0; index < j->seen_room && i < j->plan->worker_count; i++)
        j->seen[index].named_in[i] = j->workers[i].life;
}

/* What is set aside is named to whoever reads the log. */
static void judge_named(struct judge *j, unsigned worker, const struct seen *s, unsigned seconds) {
    if (j->plan->feed_every && s->named_in[worker] != j->workers[worker].life)
        judge_broken(j, "named", "worker %u sets update %u aside for %u s, and no warning names it", worker, s->update,
                     seconds);
}

/* No more is received once a quarter of what may be in flight is done with and can't be deleted (fault 34). */
void judge_undeleted(struct judge *j, unsigned worker) {
    const struct judge_worker *w = &j->workers[worker];
    unsigned count = 0, quarter = w->plan->max_in_flight / 4;
    for (size_t i = 0; i < j->seen_room; i++) {
        const struct holding *h = &j->seen[i].holdings[worker];
        /* An answer is heard of entry by entry, and what is given back for it is asked for a little later. Where others
         * could be deleted since, deletes work; so they do where SQS has answered since, unless it failed by itself. */
        int64_t worked_at = w->did_at[DOING_DELETE];
        if (!h->undeleted_itself && w->deletes_answered_at > worked_at)
            worked_at = w->deletes_answered_at;
        bool known = h->undeleted && h->undeleted_at + GIVING_BACK < j->world->now && worked_at <= h->undeleted_at;
        bool has = j->seen[i].judged && h->life == w->life && !h->returned && !h->asked_back;
        count += known && has && h->told_until > j->world->now;
    }
    if (j->plan->later && count > (quarter ? quarter : 1))
        judge_broken(j, "I6", "worker %u receives, though %u messages are done with and not deleted", worker, count);
}

void judge_changing(struct judge *j, unsigned worker, const struct sim_message *m, unsigned handle, unsigned seconds) {
    struct holding *h = &judge_seen(j, m)->holdings[worker];
    if (h->life == j->workers[worker].life && h->handle == handle && seconds != j->workers[worker].plan->visibility)
        h->asked_back = true;
}

void judge_changed(struct judge *j, unsigned worker, const struct sim_message *m, unsigned handle, unsigned seconds,
                   int64_t sent_at) {
    struct seen *s = judge_seen(j, m);
    struct holding *h = &s->holdings[worker];
    if (!s->judged || h->life != j->workers[worker].life || h->handle != handle)
        return;
    int64_t until = sent_at + (int64_t)seconds * MICROSECONDS;
    const struct judge_worker *w = &j->workers[worker];
    /* A lease is extended with half of it left, to its whole length, or to what is left of the twelve hours. */
    bool half_over = h->told_until - sent_at <= ((int64_t)w->plan->visibility / 2 + 1) * SECOND;
    if (half_over && (seconds == w->plan->visibility || until - h->received_at > TWELVE_HOURS - MINUTE)) {
        /* Of what can't be deleted the worker has let go by then, where the answer comes in the last second. */
        if (!h->undeleted || h->told_until - j->world->now > SECOND)
            h->told_until = until;
        return;
    }
    h->returned = true;
    /* A drain gives back at once; what comes back later was declined before, though the call may have been made since.
     * What was asked for before the drain was declined too, though the answer came in it; and what is asked for as it
     * begins, with a receive open: the drain itself waits for that one, but hurries what was to be asked for. */
    bool set_aside = false;
    for (unsigned delay = SET_ASIDE_LEAST; delay / 2 < SET_ASIDE_MOST; delay *= 2)
        set_aside = set_aside || seconds == (delay < SET_ASIDE_MOST ? delay : SET_ASIDE_MOST);
    /* What never failed here isn't set aside: it stands behind others of its record, for as long as that takes. */
    set_aside = set_aside && judge_has_failed(j, worker, s->update);
    bool by_rule = set_aside ? judge_may_set_aside(j, worker, s->update) : seconds > 0;
    if (set_aside && by_rule) {
        j->updates[s->update].set_aside_in[worker] = w->life;
        judge_named(j, worker, s, seconds);
    }
    h->abandoned = h->undeleted && !w->stopping && !judge_does_in_vain(j, worker, s->update, DOING_DELETE);
    bool hurried = w->stopping && sent_at == w->stopping_at && w->open_receives > 0;
    h->declined = by_rule || (seconds == 0 && (!w->stopping || sent_at < w->stopping_at || hurried));
}

unsigned judge_update_of_log_id(const struct judge *j, struct span body) {
    for (unsigned u = 0; u < j->plan->update_count; u++)
        if (j->updates[u].asked_log_id[0] && memmem(body.data, body.len, j->updates[u].asked_log_id, 64))
            return u;
    return j->plan->update_count;
}
