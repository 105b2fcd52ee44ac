#include "dlq_reader.h"

#include "backoff.h"

#include <stdio.h>

#define WAIT_SECONDS 1U
#define RESPONSE_MAX ((size_t)64 << 20)
#define PATIENCE (60 * MICROSECONDS) /* for a service that is away */
#define PAUSE_BASE (200 * MILLISECOND)
#define PAUSE_MAX (5 * MICROSECONDS)
#define ATTEMPT_ID_SIZE 33

static void on_timer(void *user) {
    dlq_reader_pump(user);
}

void dlq_reader_init(struct dlq_reader *r, const struct dlq_platform *platform, const struct dlq_reader_kind *kind) {
    *r = (struct dlq_reader){.platform = platform, .kind = *kind, .batch = SQS_BATCH_MAX};
    timer_init(&r->timer, on_timer, r);
}

static int64_t now_of(const struct dlq_reader *r) {
    return clock_monotonic(r->platform->clock);
}

/* Whether as many were seen as SQS counted, so that an empty answer needs no second look. */
static bool has_seen_all(const struct dlq_reader *r) {
    return r->kind.counted != SQS_COUNT_UNKNOWN && r->kind.counted > 0 && r->seen >= r->kind.counted;
}

static void end(struct dlq_reader *r, const struct call_result *result) {
    r->ended = true;
    timer_stop(r->platform->timers, &r->timer);
    r->kind.ended(r->kind.ctx, result);
}

/* Whether waiting may help. An answer that isn't the service's own is no verdict of the service. */
static bool passes(const struct call_result *result) {
    return (!result->from_service && result->class != CALL_AUTH) || result->class == CALL_RETRY ||
           result->class == CALL_THROTTLED || result->class == CALL_CLOCK;
}

static void note_failure(struct dlq_reader *r, const struct reader_flight *flight, const struct call_result *result) {
    int64_t now = now_of(r);
    if (!r->trouble_since) {
        r->trouble_since = now;
        LOG_EVENT(r->platform->log, LOG_LEVEL_WARNING, "Receiving from the DLQ fails", LOG_C("code", call_word(result)),
                  LOG_I("status", result->status), call_why_field(result));
    }
    /* One message may be the cause: it is too large, or a proxy refuses it. A smaller batch takes fewer others with
     * it. */
    r->batch = flight->asked > 1 ? flight->asked / 2 : 1;
    if (!passes(result) || now - r->trouble_since >= PATIENCE) {
        r->failure = *result;
        r->stopped = true;
        return;
    }
    int64_t pause = PAUSE_BASE + backoff_full_jitter(r->platform->random, r->failures++, PAUSE_BASE, PAUSE_MAX);
    timer_start(r->platform->timers, &r->timer, now + (pause > result->retry_after ? pause : result->retry_after));
}

/* Whether no delete has let further messages appear since this receive began. */
static bool is_final(const struct dlq_reader *r, const struct reader_flight *flight) {
    uint64_t deleted = 0;
    if (!r->kind.is_settled)
        return true;
    return flight->settled && r->kind.is_settled(r->kind.ctx, &deleted) && deleted == flight->deleted;
}

static void take_messages(struct dlq_reader *r, const struct reader_flight *flight, struct sqs_message **messages,
                          size_t count) {
    r->trouble_since = 0;
    r->failures = 0;
    r->batch = r->batch * 2 < SQS_BATCH_MAX ? r->batch * 2 : SQS_BATCH_MAX;
    size_t fresh = 0;
    r->taking = true;
    for (size_t i = 0; i < count; i++)
        fresh += r->kind.took(r->kind.ctx, messages[i]);
    r->taking = false;
    r->seen += fresh;
    if (fresh > 0) {
        r->quiet = false;
        return;
    }
    /* Nothing new came. That is the end where SQS asked all its servers and no other receive was under way, or where
     * as many messages were seen as SQS counted. Known messages that come again are no sign of more: their time was
     * over. */
    r->exhausted = r->under_way == 0 && (flight->waited || has_seen_all(r)) && is_final(r, flight);
    r->quiet = true;
}

static void on_received(void *user, const struct call_result *result, struct sqs_message **messages, size_t count,
                        size_t corrupt) {
    struct reader_flight *flight = user;
    struct dlq_reader *r = flight->reader;
    flight->call = NULL;
    r->under_way--;
    r->asked -= flight->asked;
    if (corrupt > 0)
        LOG_EVENT(r->platform->log, LOG_LEVEL_WARNING,
                  "Messages of the DLQ came damaged and were left: something between here and SQS changes them",
                  LOG_I("messages", corrupt), LOG_C("first", result->message));
    if (result->class == CALL_OK)
        take_messages(r, flight, messages, count);
    else
        note_failure(r, flight, result);
    dlq_reader_pump(r);
}

/* On FIFO: a receive that is retried with its id gives the same messages, and not those behind them. */
static const char *attempt_id(struct dlq_reader *r, char text[static ATTEMPT_ID_SIZE]) {
    if (!r->kind.fifo)
        return NULL;
    unsigned long long a = random_next(r->platform->random), b = random_next(r->platform->random);
    (void)snprintf(text, ATTEMPT_ID_SIZE, "%016llx%016llx", a, b);
    return text;
}

static bool ask(struct dlq_reader *r, unsigned count) {
    struct reader_flight *flight = r->flights;
    while (flight->call)
        flight++;
    char id[ATTEMPT_ID_SIZE];
    bool waits = !has_seen_all(r);
    const struct sqs_receive_request request = {.queue_url = r->kind.queue_url,
                                                .max_messages = count,
                                                .wait_seconds = waits ? WAIT_SECONDS : 0,
                                                .visibility_seconds = r->kind.visibility_seconds,
                                                .max_response = RESPONSE_MAX,
                                                .attempt_id = attempt_id(r, id)};
    const struct call_options options = {.deadline = NEVER};
    const struct sqs_api *sqs = r->platform->sqs;
    *flight = (struct reader_flight){.reader = r, .asked = count, .waited = waits};
    if (r->kind.is_settled)
        flight->settled = r->kind.is_settled(r->kind.ctx, &flight->deleted);
    flight->call = sqs->receive(sqs->ctx, &request, &options, on_received, flight);
    if (!flight->call)
        return false;
    r->under_way++;
    r->asked += count;
    return true;
}

/* How many receives may be open: no more than the messages left need, and one alone to decide whether there are any
 * left. */
static unsigned flights_wanted(const struct dlq_reader *r) {
    if (r->quiet || r->trouble_since)
        return 1;
    if (r->kind.counted == SQS_COUNT_UNKNOWN || r->seen >= r->kind.counted)
        return 1;
    uint64_t batches = (r->kind.counted - r->seen + SQS_BATCH_MAX - 1) / SQS_BATCH_MAX;
    return batches < READER_FLIGHTS ? (unsigned)batches : READER_FLIGHTS;
}

void dlq_reader_pump(struct dlq_reader *r) {
    if (r->ended || r->taking)
        return;
    while (!r->stopped && !r->exhausted && !r->timer.running && r->under_way < flights_wanted(r)) {
        size_t room = r->kind.room(r->kind.ctx);
        if (room <= r->asked)
            break;
        unsigned count = room - r->asked < r->batch ? (unsigned)(room - r->asked) : r->batch;
        if (!ask(r, count)) {
            timer_start(r->platform->timers, &r->timer, now_of(r) + PAUSE_BASE); /* no memory */
            break;
        }
    }
    if (r->under_way == 0 && (r->stopped || r->exhausted))
        end(r, r->failure.class == CALL_OK ? NULL : &r->failure);
}

void dlq_reader_stop(struct dlq_reader *r) {
    r->stopped = true;
    dlq_reader_pump(r);
}

void dlq_reader_done(struct dlq_reader *r) {
    if (!r->platform)
        return;
    for (size_t i = 0; i < READER_FLIGHTS; i++)
        if (r->flights[i].call)
            r->platform->sqs->cancel(r->platform->sqs->ctx, r->flights[i].call);
    timer_stop(r->platform->timers, &r->timer);
    *r = (struct dlq_reader){0};
}
