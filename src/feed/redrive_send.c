/* The redrive's sends: batches of ten, of a FIFO group one message at a time, at the rate that was asked for. */
#include "redrive_private.h"

#include "backoff.h"

#include <string.h>

#define BATCH_BYTES_MAX ((size_t)1 << 20)
#define SEND_DEADLINE (60 * MICROSECONDS)
#define PATIENCE (60 * MICROSECONDS) /* with one that fails alone, where others get through */
#define PAUSE_BASE (200 * MILLISECOND)
#define PAUSE_MAX (5 * MICROSECONDS)

static const char what[] = "Sending to the queue";

static void on_sent(void *user, const struct call_result *result, const struct sqs_entry_result *entries, size_t count);

static void take_from_ready(struct redrive *r, struct parcel *p) {
    TAILQ_REMOVE(&r->ready, p, link);
    r->ready_count--;
    r->ready_bytes -= p->entry.size;
    if (p->group)
        p->group->busy = true;
}

static void put_back(struct redrive *r, struct parcel *p) {
    TAILQ_INSERT_HEAD(&r->ready, p, link);
    r->ready_count++;
    r->ready_bytes += p->entry.size;
    if (p->group)
        p->group->busy = false;
}

/* Whether the rate has room for one more. */
static bool rate_allows(struct redrive *r) {
    int64_t wait = 0;
    if (!r->options.rate || limiter_take(&r->limiter, redrive_now(r), &wait))
        return true;
    redrive_wake_at(r, redrive_now(r) + wait);
    return false;
}

/* Adds those that wait longest. A solitary one goes alone. One that failed alone has its own pauses, so that others get
 * through meanwhile. */
static void fill(struct redrive *r, struct redrive_flight *flight) {
    size_t most = r->options.max_message_size < BATCH_BYTES_MAX ? r->options.max_message_size : BATCH_BYTES_MAX;
    size_t bytes = 0;
    int64_t now = redrive_now(r);
    struct parcel *p, *next;
    r->batches++;
    for (p = TAILQ_FIRST(&r->ready); p && flight->count < SQS_BATCH_MAX; p = next) {
        next = TAILQ_NEXT(p, link);
        struct parcel_group *group = p->group;
        if (group && (group->busy || group->skipped_in == r->batches))
            continue;
        bool fits = flight->count == 0 || (!p->solitary && bytes + p->entry.size <= most);
        if (!fits || p->retry_at > now) {
            if (p->retry_at > now)
                redrive_wake_at(r, p->retry_at);
            if (group)
                group->skipped_in = r->batches;
            continue;
        }
        if (!rate_allows(r))
            return;
        take_from_ready(r, p);
        flight->parcels[flight->count++] = p;
        /* Before it is sent: it may be back before the answer. */
        if (now < r->early_until)
            key_set_add(&r->early, p->letter->idempotency_key);
        bytes += p->entry.size;
        if (p->solitary)
            return;
    }
}

static bool send(struct redrive *r, struct redrive_flight *flight) {
    struct sqs_send_entry entries[SQS_BATCH_MAX];
    for (size_t i = 0; i < flight->count; i++) {
        entries[i] = flight->parcels[i]->entry.send;
        entries[i].attributes = flight->parcels[i]->entry.attributes;
    }
    const struct sqs_api *sqs = r->platform.sqs;
    const struct call_options options = {.deadline = redrive_now(r) + SEND_DEADLINE};
    flight->redrive = r;
    flight->call = sqs->send_batch(sqs->ctx, r->options.queue_url, entries, flight->count, &options, on_sent, flight);
    return flight->call != NULL;
}

static unsigned flights_allowed(const struct redrive *r) {
    return r->proved && !r->send_trouble.since && !r->delete_trouble.since ? REDRIVE_FLIGHTS : 1;
}

/* Whether a send may begin: until a delete has worked, what was sent is settled first. */
static bool may_send(struct redrive *r) {
    if (r->stopping || TAILQ_EMPTY(&r->ready) || r->sends_under_way >= flights_allowed(r))
        return false;
    if ((!r->proved || r->delete_trouble.since) && (r->deletes_under_way > 0 || !TAILQ_EMPTY(&r->sent)))
        return false;
    if (redrive_now(r) >= r->send_trouble.until)
        return true;
    redrive_wake_at(r, r->send_trouble.until);
    return false;
}

void redrive_pump_sends(struct redrive *r) {
    while (may_send(r)) {
        struct redrive_flight *flight = r->sends;
        while (flight->call)
            flight++;
        *flight = (struct redrive_flight){0};
        fill(r, flight);
        if (flight->count == 0)
            return;
        if (!send(r, flight)) {
            while (flight->count > 0)
                put_back(r, flight->parcels[--flight->count]);
            (void)redrive_note_trouble(r, &r->send_trouble, &(struct call_result){.class = CALL_RETRY}, what);
            return;
        }
        r->sends_under_way++;
    }
}

/* It is on the queue. It has still to be deleted here, for which its handle is enough. */
static void sent(struct redrive *r, struct parcel *p) {
    struct parcel_group *group = p->group;
    r->result.counts.sent++;
    redrive_entry_free(&p->entry);
    letter_free(p->letter);
    sqs_message_free(p->message);
    p->letter = NULL;
    p->message = NULL;
    p->hold->mark = MARK_SENT;
    TAILQ_INSERT_TAIL(&r->sent, p, link);
    if (group) {
        group->busy = false;
        group->moved = true;
    }
}

/* Whether a refusal may pass; all others are the message's own. */
static bool code_passes(const char *code) {
    static const char *const passing[] = {"InternalError",       "InternalFailure",
                                          "InternalServerError", "ServiceUnavailable",
                                          "RequestThrottled",    "ThrottlingException",
                                          "Throttling",          "KmsThrottled",
                                          "OverLimit",           "AWS.SimpleQueueService.RequestThrottled"};
    for (size_t i = 0; i < ARRAY_LENGTH(passing); i++)
        if (strcmp(code, passing[i]) == 0)
            return true;
    return code[0] == '\0';
}

/* It failed alone, in a way that may pass: not for ever, where others get through. True: it is tried again. */
static bool failed_alone(struct redrive *r, struct parcel *p, const char *word) {
    int64_t now = redrive_now(r);
    if (p->failures == 0) {
        p->failing_since = now;
        p->sent_before = p->solitary ? p->sent_before : r->result.counts.sent;
    }
    if (now - p->failing_since >= PATIENCE && r->result.counts.sent > p->sent_before) {
        redrive_refuse(r, p, word);
        return false;
    }
    p->retry_at = now + PAUSE_BASE + backoff_full_jitter(r->platform.random, p->failures++, PAUSE_BASE, PAUSE_MAX);
    put_back(r, p);
    return true;
}

static void settle_entries(struct redrive *r, struct redrive_flight *flight, const struct sqs_entry_result *entries) {
    bool some = false;
    const char *code = "";
    for (size_t i = flight->count; i > 0; i--) {
        struct parcel *p = flight->parcels[i - 1];
        if (entries[i - 1].ok)
            continue;
        code = entries[i - 1].code;
        if (code_passes(code)) {
            some = failed_alone(r, p, code[0] ? code : "no answer to it") || some;
        } else {
            redrive_refuse(r, p, code);
        }
    }
    for (size_t i = 0; i < flight->count; i++) {
        if (!entries[i].ok)
            continue;
        sent(r, flight->parcels[i]);
        r->send_trouble = (struct redrive_trouble){0};
    }
    if (some) {
        struct call_result result = {.class = CALL_THROTTLED};
        memcpy(result.code, code, strlen(code) + 1);
        (void)redrive_note_trouble(r, &r->send_trouble, &result, what);
    }
}

static bool queue_is_missing(const struct call_result *result) {
    return strstr(result->code, "QueueDoesNotExist") || strstr(result->code, "NonExistentQueue");
}

/* Whether one of its messages may be what a call failed for. */
static bool may_be_ones_own(const struct call_result *result) {
    return !result->unsent && result->class != CALL_THROTTLED && result->class != CALL_CLOCK &&
           result->class != CALL_AUTH && !(result->class == CALL_DENIED && result->from_service) &&
           !queue_is_missing(result);
}

static void settle_failure(struct redrive *r, struct redrive_flight *flight, const struct call_result *result) {
    bool own = may_be_ones_own(result), alone = flight->count == 1;
    bool refused = result->class == CALL_PERMANENT && result->from_service, again = !own;
    for (size_t i = flight->count; i > 0; i--) {
        struct parcel *p = flight->parcels[i - 1];
        if (own && !p->solitary && !alone) {
            p->solitary = true;
            p->sent_before = r->result.counts.sent;
        }
        if (own && alone && refused)
            redrive_refuse(r, p, call_word(result));
        else if (own && alone)
            again = failed_alone(r, p, call_word(result));
        else
            put_back(r, p);
    }
    /* What may be one message's own is tried alone before it counts for all. */
    if (again)
        (void)redrive_note_trouble(r, &r->send_trouble, result, what);
}

static void on_sent(void *user, const struct call_result *result, const struct sqs_entry_result *entries,
                    size_t count) {
    struct redrive_flight *flight = user;
    struct redrive *r = flight->redrive;
    flight->call = NULL;
    r->sends_under_way--;
    if (result->class == CALL_OK && count == flight->count)
        settle_entries(r, flight, entries);
    else
        settle_failure(r, flight, result);
    r->host.moved_on(r->host.ctx, &r->result.counts);
    redrive_wake_at(r, redrive_now(r));
}
