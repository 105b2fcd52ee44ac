/* When the redrive goes on, and when it gives up. */
#include "redrive_private.h"

#include "backoff.h"

#define PATIENCE (60 * MICROSECONDS) /* for a service that is away */
#define PAUSE_BASE (200 * MILLISECOND)
#define PAUSE_MAX (5 * MICROSECONDS)

void redrive_wake_at(struct redrive *r, int64_t moment) {
    if (!r->wake.running || r->wake.due > moment)
        timer_start(r->platform.timers, &r->wake, moment);
}

void redrive_give_up(struct redrive *r, const struct call_result *result, const char *what) {
    if (result && !r->result.failure) {
        r->failure = *result;
        r->result.failure = &r->failure;
        r->result.failed_at = what;
    }
    r->stopping = true;
    dlq_reader_stop(&r->reader);
}

/* Whether waiting may help. An answer that isn't the service's own is no verdict of the service. */
static bool passes(const struct call_result *result) {
    return (!result->from_service && result->class != CALL_AUTH) || result->class == CALL_RETRY ||
           result->class == CALL_THROTTLED || result->class == CALL_CLOCK;
}

bool redrive_note_trouble(struct redrive *r, struct redrive_trouble *trouble, const struct call_result *result,
                          const char *what) {
    int64_t now = redrive_now(r);
    if (!trouble->since) {
        trouble->since = now;
        LOG_EVENT(r->platform.log, LOG_LEVEL_WARNING, "Moving messages fails", LOG_C("doing", what),
                  LOG_C("code", call_word(result)), LOG_I("status", result->status), call_why_field(result));
    }
    if (!passes(result) || now - trouble->since >= PATIENCE) {
        redrive_give_up(r, result, what);
        return false;
    }
    int64_t pause = PAUSE_BASE + backoff_full_jitter(r->platform.random, trouble->failures++, PAUSE_BASE, PAUSE_MAX);
    trouble->until = now + (pause > result->retry_after ? pause : result->retry_after);
    return true;
}
