#include "letter_holds.h"

#include "siphash.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS_LEAST 64
#define EXTENSIONS_MAX 4
#define RETURNS_MAX 8
#define RETURNED_WITHIN (10 * MICROSECONDS)
#define RETRY_PAUSE (500 * MILLISECOND)
#define CALL_DEADLINE (5 * MICROSECONDS)
/* How much of the time is left when it is extended: a batch may be late, or wait behind others. */
#define EXTENDED_BEFORE (HOLDS_VISIBILITY * MICROSECONDS / 2)

/* A batch under way. Messages that are extended stay in their list, and may be gone when the answer comes. */
struct hold_flight {
    LIST_ENTRY(hold_flight) link;
    struct holds *holds;
    struct call *call;
    struct hold_list entries; /* that are given back */
};

static void extend(struct holds *h);
static void pump_returns(struct holds *h);

static int64_t now_of(const struct holds *h) {
    return clock_monotonic(h->platform->clock);
}

static void on_timer(void *user) {
    extend(user);
}

static void on_retry(void *user) {
    pump_returns(user);
}

void holds_init(struct holds *h, const struct dlq_platform *platform, const char *queue_url, void (*changed)(void *ctx),
                void *ctx) {
    *h = (struct holds){.platform = platform, .queue_url = queue_url, .changed = changed, .ctx = ctx};
    TAILQ_INIT(&h->held);
    TAILQ_INIT(&h->returning);
    LIST_INIT(&h->flights);
    h->seed[0] = random_next(platform->random);
    h->seed[1] = random_next(platform->random);
    timer_init(&h->timer, on_timer, h);
    timer_init(&h->retry, on_retry, h);
}

static struct hold_bucket *bucket_of(const struct holds *h, struct span id) {
    struct siphash hash;
    siphash_begin(&hash, h->seed);
    siphash_update(&hash, id);
    return &h->buckets[siphash_end(&hash) & (h->bucket_count - 1)];
}

/* False: no memory, and all is as it was. */
static bool grow(struct holds *h) {
    size_t wanted = h->bucket_count ? h->bucket_count * 2 : BUCKETS_LEAST;
    struct hold_bucket *buckets = calloc(wanted, sizeof *buckets), *before = h->buckets;
    if (!buckets)
        return false;
    h->buckets = buckets;
    h->bucket_count = wanted;
    struct hold *hold;
    TAILQ_FOREACH(hold, &h->held, link) {
        LIST_INSERT_HEAD(bucket_of(h, hold_id(hold)), hold, in_bucket);
    }
    free(before);
    return true;
}

static void wait_for_first(struct holds *h) {
    const struct hold *first = TAILQ_FIRST(&h->held);
    /* With as many calls under way as there may be, the next answer goes on. */
    if (first && !h->ends && h->extensions < EXTENSIONS_MAX)
        timer_start(h->platform->timers, &h->timer, first->expires - EXTENDED_BEFORE);
    else
        timer_stop(h->platform->timers, &h->timer);
}

static bool set_handle(struct hold *hold, struct span handle) {
    char *copy = malloc(handle.len + 1);
    if (!copy)
        return false;
    memcpy(copy, handle.data, handle.len);
    copy[handle.len] = '\0';
    free(hold->handle);
    hold->handle = copy;
    hold->handle_len = handle.len;
    return true;
}

static void hold_free(struct hold *hold) {
    free(hold->handle);
    free(hold);
}

struct hold *holds_add(struct holds *h, struct span message_id, struct span receipt_handle) {
    if (h->count >= h->bucket_count && !grow(h) && !h->bucket_count)
        return NULL;
    struct hold *hold = malloc(sizeof *hold + message_id.len);
    if (!hold)
        return NULL;
    *hold = (struct hold){.id_len = message_id.len, .expires = now_of(h) + HOLDS_VISIBILITY * MICROSECONDS};
    memcpy(hold->id, message_id.data, message_id.len);
    if (!set_handle(hold, receipt_handle)) {
        hold_free(hold);
        return NULL;
    }
    LIST_INSERT_HEAD(bucket_of(h, message_id), hold, in_bucket);
    TAILQ_INSERT_TAIL(&h->held, hold, link);
    h->count++;
    if (!h->timer.running)
        wait_for_first(h);
    return hold;
}

struct hold *holds_find(const struct holds *h, struct span message_id) {
    struct hold *hold;
    if (!h->bucket_count)
        return NULL;
    LIST_FOREACH(hold, bucket_of(h, message_id), in_bucket) {
        if (span_equal(hold_id(hold), message_id))
            return hold;
    }
    return NULL;
}

static void put_last(struct holds *h, struct hold *hold) {
    TAILQ_REMOVE(&h->held, hold, link);
    hold->expires = now_of(h) + HOLDS_VISIBILITY * MICROSECONDS;
    TAILQ_INSERT_TAIL(&h->held, hold, link);
}

bool holds_renew(struct holds *h, struct hold *hold, struct span receipt_handle) {
    put_last(h, hold);
    return set_handle(hold, receipt_handle);
}

static void take_out(struct holds *h, struct hold *hold) {
    LIST_REMOVE(hold, in_bucket);
    TAILQ_REMOVE(&h->held, hold, link);
    h->count--;
}

void holds_forget(struct holds *h, struct hold *hold) {
    take_out(h, hold);
    hold_free(hold);
}

static struct hold_flight *flight_new(struct holds *h) {
    struct hold_flight *flight = calloc(1, sizeof *flight);
    if (flight) {
        flight->holds = h;
        TAILQ_INIT(&flight->entries);
        LIST_INSERT_HEAD(&h->flights, flight, link);
    }
    return flight;
}

static void list_free(struct hold_list *list) {
    for (struct hold *hold; (hold = TAILQ_FIRST(list));) {
        TAILQ_REMOVE(list, hold, link);
        hold_free(hold);
    }
}

static void flight_free(struct hold_flight *flight) {
    LIST_REMOVE(flight, link);
    list_free(&flight->entries);
    free(flight);
}

static struct call *change(struct hold_flight *flight, struct hold *const *entries, size_t count, unsigned seconds,
                           sqs_batch_done *done) {
    const struct holds *h = flight->holds;
    struct sqs_visibility_entry changes[SQS_BATCH_MAX];
    for (size_t i = 0; i < count; i++)
        changes[i] = (struct sqs_visibility_entry){hold_handle(entries[i]), seconds};
    const struct call_options options = {.deadline = now_of(h) + CALL_DEADLINE};
    const struct sqs_api *sqs = h->platform->sqs;
    return sqs->change_visibility_batch(sqs->ctx, h->queue_url, changes, count, &options, done, flight);
}

/* The answer doesn't matter: one that wasn't extended comes back to us, or to others, and we know it by its id. */
static void on_extended(void *user, const struct call_result *result, const struct sqs_entry_result *entries,
                        size_t count) {
    (void)result;
    (void)entries;
    (void)count;
    struct hold_flight *flight = user;
    struct holds *h = flight->holds;
    flight_free(flight);
    h->extensions--;
    extend(h);
}

static void extend(struct holds *h) {
    while (h->extensions < EXTENSIONS_MAX && !h->ends) {
        struct hold *entries[SQS_BATCH_MAX], *hold = TAILQ_FIRST(&h->held);
        size_t count = 0;
        for (; hold && count < SQS_BATCH_MAX && hold->expires - EXTENDED_BEFORE <= now_of(h);
             hold = TAILQ_NEXT(hold, link))
            entries[count++] = hold;
        struct hold_flight *flight = count ? flight_new(h) : NULL;
        for (size_t i = 0; i < count; i++)
            put_last(h, entries[i]);
        if (!flight)
            break;
        flight->call = change(flight, entries, count, HOLDS_VISIBILITY, on_extended);
        if (!flight->call) {
            flight_free(flight);
            break;
        }
        h->extensions++;
    }
    wait_for_first(h);
}

static void lose(struct holds *h, struct hold_list *entries, const struct call_result *result) {
    struct hold *hold;
    TAILQ_FOREACH(hold, entries, link) {
        h->lost++;
    }
    if (result)
        h->failure = *result;
}

static void on_returned(void *user, const struct call_result *result, const struct sqs_entry_result *entries,
                        size_t count) {
    struct hold_flight *flight = user;
    struct holds *h = flight->holds;
    h->returns--;
    /* An entry that is refused was deleted, or visible, before: nothing is left to be given back. */
    (void)entries;
    (void)count;
    bool passes = result->class == CALL_RETRY || result->class == CALL_THROTTLED;
    if (result->class != CALL_OK && passes && h->ends && now_of(h) < h->give_up_at) {
        TAILQ_CONCAT(&h->returning, &flight->entries, link);
        timer_start(h->platform->timers, &h->retry, now_of(h) + RETRY_PAUSE);
    } else if (result->class != CALL_OK) {
        lose(h, &flight->entries, result);
    }
    flight_free(flight);
    pump_returns(h);
    h->changed(h->ctx);
}

static void pump_returns(struct holds *h) {
    while (h->returns < RETURNS_MAX && !h->retry.running && !TAILQ_EMPTY(&h->returning)) {
        struct hold *entries[SQS_BATCH_MAX], *hold;
        size_t count = 0;
        struct hold_flight *flight = flight_new(h);
        if (!flight)
            break;
        while (count < SQS_BATCH_MAX && (hold = TAILQ_FIRST(&h->returning))) {
            TAILQ_REMOVE(&h->returning, hold, link);
            TAILQ_INSERT_TAIL(&flight->entries, hold, link);
            entries[count++] = hold;
        }
        flight->call = change(flight, entries, count, 0, on_returned);
        if (!flight->call) {
            TAILQ_CONCAT(&h->returning, &flight->entries, link);
            flight_free(flight);
            timer_start(h->platform->timers, &h->retry, now_of(h) + RETRY_PAUSE); /* no memory */
            break;
        }
        h->returns++;
    }
}

void holds_return(struct holds *h, struct hold *hold) {
    take_out(h, hold);
    TAILQ_INSERT_TAIL(&h->returning, hold, link);
    pump_returns(h);
}

void holds_return_all(struct holds *h) {
    h->ends = true;
    h->give_up_at = now_of(h) + RETURNED_WITHIN;
    timer_stop(h->platform->timers, &h->timer);
    TAILQ_CONCAT(&h->returning, &h->held, link);
    free(h->buckets);
    h->buckets = NULL;
    h->bucket_count = h->count = 0;
    pump_returns(h);
}

bool holds_are_returned(const struct holds *h) {
    return TAILQ_EMPTY(&h->returning) && h->returns == 0;
}

void holds_free(struct holds *h) {
    const struct sqs_api *sqs = h->platform ? h->platform->sqs : NULL;
    if (!sqs)
        return;
    for (struct hold_flight *flight = LIST_FIRST(&h->flights), *next; flight; flight = next) {
        next = LIST_NEXT(flight, link);
        sqs->cancel(sqs->ctx, flight->call);
        flight_free(flight);
    }
    timer_stop(h->platform->timers, &h->timer);
    timer_stop(h->platform->timers, &h->retry);
    list_free(&h->held);
    list_free(&h->returning);
    free(h->buckets);
    *h = (struct holds){0};
}
