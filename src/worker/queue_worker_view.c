#include "queue_worker_view.h"

#include "queue_worker_private.h"
#include "retry.h"

#include <string.h>

/* By the code, where AWS gave one; else by what a command would end with over it. */
static enum metrics_cause cause_of(const char *code, enum exit_code blame) {
    switch (retry_classify(400, code, true)) {
    case CALL_THROTTLED: return METRICS_THROTTLED;
    case CALL_AUTH: return METRICS_NO_CREDENTIALS;
    case CALL_DENIED: return METRICS_DENIED;
    case CALL_CLOCK: return METRICS_CLOCK;
    case CALL_RETRY: return METRICS_UNREACHABLE;
    default: break;
    }
    return blame == EXIT_SETTINGS        ? METRICS_MISSING
           : blame == EXIT_NOT_PERMITTED ? METRICS_NO_CREDENTIALS
           : blame == EXIT_UNREACHABLE   ? METRICS_UNREACHABLE
                                         : METRICS_OTHER;
}

static struct worker_trouble of_breaker(const struct applier *e) {
    const struct breaker *breaker = &e->breaker;
    struct worker_trouble t = {
        .is = breaker->active && breaker->announced, .code = breaker->told, .since = breaker->since};
    bool own = verdict_may_be_its_own(breaker->why.kind) && !breaker->throttled && !breaker->paced;
    t.cause = breaker->throttled || breaker->paced ? METRICS_THROTTLED : cause_of(breaker->told, breaker->blame);
    if (own && (t.cause == METRICS_MISSING || t.cause == METRICS_OTHER))
        t.cause = METRICS_REFUSED;
    t.messages = applier_count(e);
    return t;
}

static struct worker_trouble of_batcher(const struct batcher *b, unsigned messages) {
    const char *code = b->code[0] ? b->code : "no answer";
    return (struct worker_trouble){.is = batcher_in_trouble(b),
                                   .cause = cause_of(b->code, b->blame),
                                   .code = code,
                                   .since = b->trouble_since,
                                   .messages = messages};
}

static struct worker_trouble of_receives(const struct receiver *p) {
    return (struct worker_trouble){
        .is = p->pauses, .cause = cause_of(p->cause, p->blame), .code = p->cause, .since = p->failing_since};
}

static struct worker_trouble of_confirmations(const struct applier *e) {
    return (struct worker_trouble){.is = e->unconfirmed_logged && applier_unconfirmed(e) > 0,
                                   .cause = cause_of("", e->confirm_blame),
                                   .code = "the audit table can't be read",
                                   .since = e->unconfirmed_since,
                                   .messages = applier_unconfirmed(e)};
}

static int64_t oldest_of(const struct queue_worker *w) {
    int64_t oldest = 0;
    for (size_t i = 0; i < MESSAGE_STATES; i++) {
        const struct message *h;
        TAILQ_FOREACH(h, &w->messages[i], in_state) {
            int64_t sent = h->job.sent_at;
            oldest = sent > 0 && (oldest == 0 || sent < oldest) ? sent : oldest;
        }
    }
    return oldest;
}

struct queue_worker_view queue_worker_view(const struct queue_worker *w) {
    static const enum metrics_state states[MESSAGE_STATES] = {[MESSAGE_WAITING] = METRICS_WAITING,
                                                              [MESSAGE_APPLYING] = METRICS_WORKING,
                                                              [MESSAGE_DEAD_LETTERING] = METRICS_DEAD,
                                                              [MESSAGE_DELETING] = METRICS_DONE,
                                                              [MESSAGE_RETURNING] = METRICS_RETURNING};
    struct queue_worker_view view = {.receives = w->receiver.count,
                                     .rate = applier_rate(&w->applier),
                                     .oldest_sent = oldest_of(w),
                                     .draining = w->phase != PHASE_WORKING};
    for (size_t i = 0; i < MESSAGE_STATES; i++)
        view.in_flight[states[i]] += w->message_counts[i];
    view.troubles[METRICS_APPLYING] = of_breaker(&w->applier);
    view.troubles[METRICS_CONFIRMING] = of_confirmations(&w->applier);
    view.troubles[METRICS_RECEIVING] = of_receives(&w->receiver);
    view.troubles[METRICS_DELETING] = of_batcher(&w->removals, w->message_counts[MESSAGE_DELETING]);
    view.troubles[METRICS_EXTENDING] = of_batcher(&w->visibilities, 0);
    view.troubles[METRICS_DEAD_LETTERING] = of_batcher(&w->dead_letters, w->message_counts[MESSAGE_DEAD_LETTERING]);
    return view;
}
