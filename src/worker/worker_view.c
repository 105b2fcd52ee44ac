#include "worker_view.h"

#include "retry.h"

#include <string.h>

/* The cause as the metrics tell it: by the code, where AWS gave one that is known; else by the cause. */
static enum metrics_cause shown(const char *code, enum cause cause) {
    static const enum metrics_cause causes[] = {[CAUSE_UNREACHABLE] = METRICS_UNREACHABLE,
                                                [CAUSE_THROTTLED] = METRICS_THROTTLED,
                                                [CAUSE_CREDENTIALS] = METRICS_NO_CREDENTIALS,
                                                [CAUSE_DENIED] = METRICS_DENIED,
                                                [CAUSE_CLOCK] = METRICS_CLOCK,
                                                [CAUSE_MISSING] = METRICS_MISSING,
                                                [CAUSE_CHANGED] = METRICS_MISSING,
                                                [CAUSE_UNFIT] = METRICS_MISSING};
    switch (retry_classify(400, code, true)) {
    case CALL_THROTTLED: return METRICS_THROTTLED;
    case CALL_AUTH: return METRICS_NO_CREDENTIALS;
    case CALL_DENIED: return METRICS_DENIED;
    case CALL_CLOCK: return METRICS_CLOCK;
    case CALL_RETRY: return METRICS_UNREACHABLE;
    default: return causes[cause];
    }
}

static struct worker_trouble of_breaker(const struct applier *e) {
    const struct breaker *breaker = &e->breaker;
    struct worker_trouble t = {
        .is = breaker->trouble.active && breaker->announced, .code = breaker->told, .since = breaker->trouble.since};
    bool own = verdict_may_be_its_own(breaker->kind) && !breaker->throttled && !breaker->paced;
    t.cause = breaker->throttled || breaker->paced ? METRICS_THROTTLED : shown(breaker->told, breaker->trouble.cause);
    if (own && (t.cause == METRICS_MISSING || t.cause == METRICS_OTHER))
        t.cause = METRICS_REFUSED;
    t.messages = applier_count(e);
    return t;
}

static struct worker_trouble of_batcher(const struct batcher *b, unsigned messages) {
    return (struct worker_trouble){.is = batcher_in_trouble(b),
                                   .cause = shown(b->trouble.told, b->trouble.cause),
                                   .code = b->trouble.told,
                                   .since = b->trouble.since,
                                   .messages = messages};
}

static struct worker_trouble of_receives(const struct receiver *p) {
    const struct trouble *t = &p->trouble;
    return (struct worker_trouble){
        .is = p->pauses, .cause = shown(t->code, t->cause), .code = t->code, .since = t->since};
}

static struct worker_trouble of_confirmations(const struct applier *e) {
    return (struct worker_trouble){.is = e->confirming.active && applier_unconfirmed(e) > 0,
                                   .cause = shown("", e->confirming.cause),
                                   .code = "the audit table can't be read",
                                   .since = e->confirming.since,
                                   .messages = applier_unconfirmed(e)};
}

static int64_t oldest_of(const struct messages *all) {
    int64_t oldest = 0;
    for (size_t i = 0; i < MESSAGE_GONE; i++) {
        const struct message *m;
        TAILQ_FOREACH(m, &all->in_state[i], in_state) {
            int64_t sent = m->job.sent_at;
            oldest = sent > 0 && (oldest == 0 || sent < oldest) ? sent : oldest;
        }
    }
    return oldest;
}

struct worker_view worker_view_of(const struct applier *applier, const struct intake *intake) {
    const struct messages *all = &intake->messages;
    static const enum metrics_state states[MESSAGE_STATES] = {[MESSAGE_WAITING] = METRICS_WAITING,
                                                              [MESSAGE_APPLYING] = METRICS_WORKING,
                                                              [MESSAGE_DEAD_LETTERING] = METRICS_DEAD,
                                                              [MESSAGE_DELETING] = METRICS_DONE,
                                                              [MESSAGE_RETURNING] = METRICS_RETURNING};
    struct worker_view view = {
        .receives = intake->receiver.count, .rate = applier_rate(applier), .oldest_sent = oldest_of(all)};
    for (size_t i = 0; i < MESSAGE_GONE; i++)
        view.in_flight[states[i]] += all->counts[i];
    view.troubles[METRICS_APPLYING] = of_breaker(applier);
    view.troubles[METRICS_CONFIRMING] = of_confirmations(applier);
    view.troubles[METRICS_RECEIVING] = of_receives(&intake->receiver);
    view.troubles[METRICS_DELETING] = of_batcher(&all->deletions.batcher, all->counts[MESSAGE_DELETING]);
    view.troubles[METRICS_EXTENDING] = of_batcher(&all->visibilities.batcher, 0);
    view.troubles[METRICS_DEAD_LETTERING] = of_batcher(&all->dead_letters.batcher, all->counts[MESSAGE_DEAD_LETTERING]);
    return view;
}
