#include "message_letters.h"

#include "trace_fields.h"

#include <assert.h>

static const unsigned NO_MEMORY_DELAY = 10; /* seconds */
static const int64_t CONFIRMED_LASTS = 3 * MICROSECONDS;

/* Whether its failure has to be confirmed again: another delivery has applied it since it was last confirmed, or so
 * much time has passed that one may have. */
static bool is_stale(const struct message *m, int64_t now) {
    return m->job.confirmed_at && (m->applied_meanwhile || now - m->job.confirmed_at > CONFIRMED_LASTS);
}

/* A stale failure is confirmed first: then its letter comes here once more, or the message turns out to be applied and
 * is deleted. While the DLQ is in trouble, a stale one stays behind where the batch has others already: no more need a
 * read than are tried. */
enum batch_leave message_letter_leaves(struct letter *letter, bool others_go) {
    struct message *m = container_of(letter, struct message, letter);
    struct messages *all = m->all;
    if (!is_stale(m, clock_monotonic(all->platform->clock)))
        return BATCH_GOES;
    if (others_go && batcher_in_trouble(&all->dead_letters.batcher))
        return BATCH_STAYS;
    if (!m->update->audited && !all->rules.may_try_anew)
        message_return(m, 0, "The worker stops, and tries nothing anew");
    else
        message_enter(m, MESSAGE_APPLYING, "Its failure is confirmed once more");
    return BATCH_TAKEN;
}

static void log_failed(const struct message *m, const char *what) {
    const struct failure *f = &m->update->failure;
    char sentence[2048]; /* only a field's path could be long */
    struct buf text = {.data = sentence, .capacity = sizeof sentence, .max = sizeof sentence - 1};
    failure_append_for_log(f, &text);
    struct span reason = m->job.quotes_dynamodb
                             ? SPAN("DynamoDB's validation refused it; its sentence is in the envelope")
                             : buf_span(&text);
    struct log_field fields[4 + TRACE_FIELDS] = {LOG_S("message_id", m->received->message_id),
                                                 LOG_C("error", error_type_name(f->type)), LOG_S("reason", reason),
                                                 LOG_I("receive_count", m->received->receive_count)};
    trace_fields(m->received, fields + 4);
    log_event(m->all->platform->log, LOG_LEVEL_INFO, what, fields);
}

static void letter_delivered(struct message *m) {
    struct messages *all = m->all;
    message_got_through(m);
    all->totals.dead_lettered++;
    static_assert(ERROR_DATABASE == METRICS_ERRORS, "each type is counted");
    metrics_dead_lettered(all->platform->metrics, m->update->failure.type, clock_wall(all->platform->clock));
    log_failed(m, "A message went to the DLQ");
    failure_audit_put(&all->failure_audit, m->update, m->received->message_id);
    message_enter(m, MESSAGE_DELETING, "It is in the DLQ");
}

void message_letter_ended(struct letter *letter, enum letter_end end, const char *code) {
    struct message *m = container_of(letter, struct message, letter);
    switch (end) {
    case LETTER_DELIVERED: letter_delivered(m); break;
    case LETTER_SET_ASIDE: message_set_aside(m, "sending it to the DLQ", code); break;
    case LETTER_REFUSED: message_set_aside(m, "sending it to the DLQ: it refuses every form", code); break;
    case LETTER_WITHOUT_MEMORY: message_return(m, NO_MEMORY_DELAY, "There is no memory for its envelope"); break;
    case LETTER_EXPIRED:
        if (m->all->rules.leaves)
            message_return(m, 0, "The worker stops");
        else
            message_enter(m, MESSAGE_LOST, "Its visibility timeout is over");
        break;
    }
}

void message_fail(struct message *m, const char *why) {
    if (m->all->facts->dlq.url[0]) {
        message_enter(m, MESSAGE_DEAD_LETTERING, why);
        return;
    }
    /* Whoever delivered it has its own way to treat what fails. */
    log_failed(m, "A message failed for good, and is returned, for there is no DLQ_URL");
    message_return(m, 0, "It failed for good, and there is no DLQ");
}
