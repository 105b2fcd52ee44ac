#include "batcher_private.h"

#include "backoff.h"
#include "batch_fault.h"

#include <stdio.h>
#include <stdlib.h>

static const int64_t CALL_DEADLINE = 20 * MICROSECONDS;
static const int64_t ENTRY_RETRY_BASE = 100 * MILLISECOND, ENTRY_RETRY_CAP = 20 * MICROSECONDS;
/* An entry that fails so often by itself is worth a word; of one kind, no more often than this. */
static const unsigned TELLING_TRIES = 6;
static const int64_t TOLD_EVERY = 600 * MICROSECONDS;

struct batch_flight {
    LIST_ENTRY(batch_flight) link;
    struct batcher *batcher;
    struct call *call;
    size_t count;
    struct batch_entry *entries[SQS_BATCH_MAX]; /* NULL: removed meanwhile */
};

static void pump(struct batcher *b);

static void on_timer(void *user) {
    pump(user);
}

void batcher_init(struct batcher *b, const struct worker_ports *ports, const struct batcher_kind *kind, void *ctx) {
    *b = (struct batcher){.ports = ports, .kind = *kind, .ctx = ctx};
    TAILQ_INIT(&b->queue);
    TAILQ_INIT(&b->waiting);
    LIST_INIT(&b->flights);
    timer_init(&b->timer, on_timer, b);
}

static void stop_waiting(struct batcher *b, struct batch_entry *entry) {
    TAILQ_REMOVE(&b->waiting, entry, link);
    entry->waiting = false;
    timer_stop(b->ports->timers, &entry->again);
}

void batcher_done(struct batcher *b) {
    for (struct batch_entry *entry; (entry = TAILQ_FIRST(&b->waiting));)
        stop_waiting(b, entry);
    for (struct batch_flight *f; (f = LIST_FIRST(&b->flights));) {
        LIST_REMOVE(f, link);
        b->ports->sqs->cancel(b->ports->sqs->ctx, f->call);
        free(f);
    }
    TAILQ_INIT(&b->queue);
    b->queued = b->flight_count = 0;
    timer_stop(b->ports->timers, &b->timer);
}

static void take_from_queue(struct batcher *b, struct batch_entry *entry) {
    TAILQ_REMOVE(&b->queue, entry, link);
    entry->queued = false;
    b->queued--;
}

static void put_in_queue(struct batcher *b, struct batch_entry *entry, bool first) {
    if (first)
        TAILQ_INSERT_HEAD(&b->queue, entry, link);
    else
        TAILQ_INSERT_TAIL(&b->queue, entry, link);
    entry->queued = true;
    if (b->queued++ == 0 || entry->expires < b->earliest)
        b->earliest = entry->expires;
}

/* Whoever waited for its turn stands in the queue again. */
static void on_again(void *user) {
    struct batch_entry *entry = user;
    struct batcher *b = entry->batcher;
    stop_waiting(b, entry);
    entry->due = clock_monotonic(b->ports->clock);
    put_in_queue(b, entry, false);
    timer_start(b->ports->timers, &b->timer, entry->due);
}

static void wait_until(struct batcher *b, struct batch_entry *entry, int64_t due) {
    timer_init(&entry->again, on_again, entry);
    entry->batcher = b;
    entry->waiting = true;
    TAILQ_INSERT_TAIL(&b->waiting, entry, link);
    timer_start(b->ports->timers, &entry->again, due < entry->expires ? due : entry->expires);
}

/* Entries whose time is over end here, so that a service that is down doesn't make the queue grow for ever. Only where there may be one:
 * behind calls that take long the queue is as long as what is in flight. */
static void drop_expired(struct batcher *b, int64_t now) {
    struct batch_entry *next;
    if (now < b->earliest)
        return;
    b->earliest = NEVER;
    for (struct batch_entry *entry = TAILQ_FIRST(&b->queue); entry; entry = next) {
        next = TAILQ_NEXT(entry, link);
        if (entry->expires > now) {
            b->earliest = entry->expires < b->earliest ? entry->expires : b->earliest;
            continue;
        }
        take_from_queue(b, entry);
        b->kind.ended(b->ctx, entry, BATCH_EXPIRED, "");
    }
}

/* Moves what fits into one batch from the queue into the flight. */
static void load(struct batcher *b, struct batch_flight *f, int64_t now) {
    size_t bytes = 0;
    unsigned taken = 0; /* back by their owners */
    while (f->count < SQS_BATCH_MAX && taken < SQS_BATCH_MAX) {
        struct batch_entry *entry = TAILQ_FIRST(&b->queue);
        if (!entry || (f->count > 0 && (entry->solitary || f->entries[0]->solitary)))
            return;
        if (f->count > 0 && b->kind.max_bytes && bytes + entry->size > b->kind.max_bytes)
            return;
        enum batch_leave leave = b->kind.leave ? b->kind.leave(b->ctx, entry, f->count > 0) : BATCH_GOES;
        if (leave == BATCH_STAYS)
            return;
        if (leave == BATCH_TAKEN) {
            taken++;
            continue;
        }
        take_from_queue(b, entry);
        bytes += entry->size;
        entry->flight = f;
        entry->slot = f->count;
        entry->sent_at = now;
        f->entries[f->count++] = entry;
    }
}

static void unload(struct batcher *b, struct batch_flight *f) {
    for (size_t i = f->count; i-- > 0;)
        if (f->entries[i]) {
            f->entries[i]->flight = NULL;
            put_in_queue(b, f->entries[i], true);
        }
}

/* Starts one call. False: no memory, or none goes now; the entries are in the queue again. */
static bool fly(struct batcher *b, int64_t now) {
    struct batch_flight *f = calloc(1, sizeof *f);
    if (!f)
        return false;
    f->batcher = b;
    load(b, f, now);
    struct call_options options = {.deadline = now + CALL_DEADLINE, .max_attempts = b->failures ? 1 : 0};
    if (f->count > 0)
        f->call = b->kind.send(b->ctx, f->entries, f->count, &options, f);
    if (!f->call) {
        unload(b, f);
        free(f);
        return false;
    }
    LIST_INSERT_HEAD(&b->flights, f, link);
    b->flight_count++;
    return true;
}

/* Whether the head of the queue goes now: its linger is over, or a whole batch stands behind it. */
static bool is_ready(const struct batcher *b, int64_t now) {
    const struct batch_entry *entry = TAILQ_FIRST(&b->queue);
    if (b->hurry || entry->solitary || entry->due <= now || b->queued >= SQS_BATCH_MAX)
        return true;
    size_t bytes = 0;
    if (b->kind.max_bytes)
        TAILQ_FOREACH(entry, &b->queue, link) {
            bytes += entry->size;
        }
    return bytes > b->kind.max_bytes;
}

static void pump(struct batcher *b) {
    int64_t now = clock_monotonic(b->ports->clock);
    unsigned max_flights = b->failures ? 1 : b->kind.max_flights;
    drop_expired(b, now);
    while (b->queued > 0 && b->flight_count < max_flights && now >= b->not_before && is_ready(b, now))
        if (!fly(b, now)) {
            timer_start(b->ports->timers, &b->timer, now + MICROSECONDS);
            return;
        }
    timer_stop(b->ports->timers, &b->timer);
    if (b->queued > 0 && b->flight_count < max_flights) {
        int64_t next = is_ready(b, now) ? now : TAILQ_FIRST(&b->queue)->due;
        timer_start(b->ports->timers, &b->timer, next > b->not_before ? next : b->not_before);
    }
}

/* Never from inside a caller's own call: the timer does it. */
static void pump_soon(struct batcher *b) {
    timer_start(b->ports->timers, &b->timer, clock_monotonic(b->ports->clock));
}

static void add(struct batcher *b, struct batch_entry *entry, bool first) {
    int64_t now = clock_monotonic(b->ports->clock);
    entry->due = now + b->kind.linger;
    entry->tries = 0;
    if (b->queued + b->flight_count == 0)
        b->trouble_since = now; /* nobody has looked since */
    put_in_queue(b, entry, first);
    if (!b->timer.running || is_ready(b, now))
        pump_soon(b);
}

void batcher_add(struct batcher *b, struct batch_entry *entry) {
    add(b, entry, false);
}

void batcher_add_first(struct batcher *b, struct batch_entry *entry) {
    add(b, entry, true);
}

void batcher_within(struct batcher *b, int64_t linger) {
    struct batch_entry *first = TAILQ_FIRST(&b->queue);
    int64_t due = clock_monotonic(b->ports->clock) + linger;
    if (!first || first->due <= due)
        return;
    first->due = due;
    if (b->timer.running && b->timer.due > due && b->not_before <= due)
        timer_start(b->ports->timers, &b->timer, due);
}

void batcher_remove(struct batcher *b, struct batch_entry *entry) {
    if (entry->queued)
        take_from_queue(b, entry);
    if (entry->waiting)
        stop_waiting(b, entry);
    if (entry->flight) {
        entry->flight->entries[entry->slot] = NULL;
        entry->flight = NULL;
    }
}

void batcher_hurry(struct batcher *b) {
    b->hurry = true;
    for (struct batch_entry *entry; (entry = TAILQ_FIRST(&b->waiting));) {
        stop_waiting(b, entry);
        put_in_queue(b, entry, false);
    }
    batcher_trouble_hurry(b);
    pump_soon(b);
}

/* It failed alone, and not by what it is. */
static void try_again(struct batcher *b, struct batch_entry *entry, const char *code, int64_t now) {
    wait_until(b, entry, now + ENTRY_RETRY_BASE + backoff_full_jitter(b->ports->random, entry->tries++, ENTRY_RETRY_BASE, ENTRY_RETRY_CAP));
    if (entry->tries < TELLING_TRIES || now < b->silent_until)
        return;
    b->silent_until = now + TOLD_EVERY;
    char message[96];
    snprintf(message, sizeof message, "%s keeps failing for one entry at least; trying again until it works", b->kind.what);
    LOG_EVENT(b->ports->log, LOG_LEVEL_WARNING, message, LOG_C("code", code[0] ? code : "no answer"), LOG_I("tries", entry->tries));
}

/* The answer to a call whose entries were all judged one by one. */
static void settle_entries(struct batcher *b, struct batch_flight *f, const struct sqs_entry_result *results, int64_t now) {
    for (size_t i = 0; i < f->count; i++) {
        struct batch_entry *entry = f->entries[i];
        if (!entry)
            continue;
        entry->solitary = false;
        entry->flight = NULL;
        if (results[i].ok)
            b->kind.ended(b->ctx, entry, BATCH_DONE, "");
        else if (batch_fault_names_entry(results[i].code))
            b->kind.ended(b->ctx, entry, BATCH_REFUSED, results[i].code);
        else
            try_again(b, entry, results[i].code, now);
    }
}

/* The call failed as a whole. Where that may be over one entry, or all together, each goes alone the next time. */
static void settle_failure(struct batcher *b, struct batch_flight *f, const struct call_result *result, int64_t now) {
    enum batch_fault fault = batch_fault_of(result);
    bool too_large = fault == BATCH_FAULT_TOO_LARGE, alone = f->count == 1;
    /* What is small in itself can't be what is too large. */
    bool refused = alone && (fault == BATCH_FAULT_OF_ENTRIES || (too_large && b->kind.max_bytes));
    bool trouble = fault == BATCH_FAULT_PASSES || fault == BATCH_FAULT_ON_THE_WAY || (too_large && alone && !refused);
    for (size_t i = 0; i < f->count; i++) {
        struct batch_entry *entry = f->entries[i];
        if (!entry)
            continue;
        entry->flight = NULL;
        if (refused) {
            b->kind.ended(b->ctx, entry, BATCH_REFUSED, result->code[0] ? result->code : "HTTP status 413");
            continue;
        }
        entry->solitary = entry->solitary || fault != BATCH_FAULT_PASSES;
        entry->due = now;
        put_in_queue(b, entry, false);
    }
    if (trouble)
        batcher_trouble_enter(b, result, now);
}

void batcher_answered(void *flight, const struct call_result *result, const struct sqs_entry_result *entries, size_t count) {
    struct batch_flight *f = flight;
    struct batcher *b = f->batcher;
    int64_t now = clock_monotonic(b->ports->clock);
    LIST_REMOVE(f, link);
    b->flight_count--;
    if (result->class == CALL_OK && entries && count == f->count) {
        batcher_trouble_leave(b, now);
        settle_entries(b, f, entries, now);
    } else {
        settle_failure(b, f, result, now);
    }
    free(f);
    pump_soon(b);
}
