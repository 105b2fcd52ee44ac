#include "batcher_private.h"

#include <stdlib.h>

static const int64_t CALL_DEADLINE = 20 * MICROSECONDS, CALL_LEAST = MICROSECONDS;
/* In trouble, how many calls of entries that aren't suspect may be in flight: a silent call keeps the next one waiting
 * for a moment only. */
static const unsigned FIRST_FLIGHTS = 4;

static void pump(struct batcher *b);

static void on_timer(void *user) {
    pump(user);
}

void batcher_init(struct batcher *b, const struct platform *platform, const struct batcher_kind *kind, void *ctx) {
    *b = (struct batcher){.platform = platform, .kind = *kind, .ctx = ctx};
    b->got_through = INT64_MIN;
    TAILQ_INIT(&b->queue);
    TAILQ_INIT(&b->suspects);
    TAILQ_INIT(&b->waiting);
    LIST_INIT(&b->flights);
    timer_init(&b->timer, on_timer, b);
}

static void stop_waiting(struct batcher *b, struct batch_entry *entry) {
    TAILQ_REMOVE(&b->waiting, entry, link);
    entry->waiting = false;
    timer_stop(b->platform->timers, &entry->again);
}

void batcher_done(struct batcher *b) {
    for (struct batch_entry *entry; (entry = TAILQ_FIRST(&b->waiting));)
        stop_waiting(b, entry);
    for (struct batch_flight *f; (f = LIST_FIRST(&b->flights));) {
        LIST_REMOVE(f, link);
        b->platform->sqs->cancel(b->platform->sqs->ctx, f->call);
        free(f);
    }
    TAILQ_INIT(&b->queue);
    TAILQ_INIT(&b->suspects);
    b->queued = b->suspected = 0;
    b->flight_count = b->suspect_flights = 0;
    timer_stop(b->platform->timers, &b->timer);
}

static void take_from_queue(struct batcher *b, struct batch_entry *entry) {
    TAILQ_REMOVE(entry->suspect ? &b->suspects : &b->queue, entry, link);
    entry->queued = false;
    if (entry->suspect)
        b->suspected--;
    else
        b->queued--;
}

void batcher_put(struct batcher *b, struct batch_entry *entry, bool first) {
    bool were_empty = b->queued + b->suspected == 0;
    entry->suspect = entry->failures > 0;
    struct batch_queue *queue = entry->suspect ? &b->suspects : &b->queue;
    if (first)
        TAILQ_INSERT_HEAD(queue, entry, link);
    else
        TAILQ_INSERT_TAIL(queue, entry, link);
    entry->queued = true;
    if (entry->suspect)
        b->suspected++;
    else
        b->queued++;
    if (were_empty || entry->expires < b->earliest)
        b->earliest = entry->expires;
}

/* An entry has waited for its time: it goes into its queue again. */
static void on_again(void *user) {
    struct batch_entry *entry = user;
    struct batcher *b = entry->batcher;
    stop_waiting(b, entry);
    entry->due = clock_monotonic(b->platform->clock);
    batcher_put(b, entry, false);
    timer_start(b->platform->timers, &b->timer, entry->due);
}

void batcher_wait_until(struct batcher *b, struct batch_entry *entry, int64_t due) {
    timer_init(&entry->again, on_again, entry);
    entry->batcher = b;
    entry->waiting = true;
    TAILQ_INSERT_TAIL(&b->waiting, entry, link);
    timer_start(b->platform->timers, &entry->again, due < entry->expires ? due : entry->expires);
}

void batcher_end(struct batcher *b, struct batch_entry *entry, enum batch_end end, const char *code) {
    b->retrying -= batch_entry_failed(entry);
    entry->solitary = false;
    entry->tries = entry->failures = entry->lonely = 0;
    b->unreported = true;
    b->kind.ended(b->ctx, entry, end, code);
}

void batcher_report(struct batcher *b) {
    bool tells = b->unreported && b->kind.changed;
    b->unreported = false;
    if (tells)
        b->kind.changed(b->kind.changed_ctx);
}

/* Ends entries that have expired, so that the queue doesn't grow for ever while the service is down. drop_expired()
 * scans only where one may have expired: the queue may be long. */
static void drop_expired_of(struct batcher *b, struct batch_queue *queue, int64_t now) {
    struct batch_entry *next;
    for (struct batch_entry *entry = TAILQ_FIRST(queue); entry; entry = next) {
        next = TAILQ_NEXT(entry, link);
        if (entry->expires > now) {
            b->earliest = entry->expires < b->earliest ? entry->expires : b->earliest;
            continue;
        }
        take_from_queue(b, entry);
        batcher_end(b, entry, BATCH_EXPIRED, "");
    }
}

static void drop_expired(struct batcher *b, int64_t now) {
    if (now < b->earliest)
        return;
    b->earliest = NEVER;
    drop_expired_of(b, &b->queue, now);
    drop_expired_of(b, &b->suspects, now);
}

/* Whether an entry may go into one batch with those that are in it. */
static bool is_company(const struct batcher *b, const struct batch_flight *f, size_t bytes,
                       const struct batch_entry *entry) {
    if (f->count == 0)
        return true;
    if (entry->solitary || f->entries[0]->solitary)
        return false;
    return !b->kind.max_bytes || bytes + entry->size <= b->kind.max_bytes;
}

/* Moves what fits into one batch from its queue into the flight. */
static void load(struct batcher *b, struct batch_flight *f, int64_t now) {
    size_t bytes = 0;
    unsigned taken = 0; /* entries that their owners have taken back */
    const struct batch_queue *queue = f->suspects ? &b->suspects : &b->queue;
    while (f->count < SQS_BATCH_MAX && taken < SQS_BATCH_MAX) {
        struct batch_entry *entry = TAILQ_FIRST(queue);
        if (!entry || (f->suspects && entry->due > now) || !is_company(b, f, bytes, entry))
            return;
        /* In trouble, of the entries that go alone, only one is asked about at a time. */
        if (f->suspects && b->failures && entry->lonely && taken)
            return;
        enum batch_leave leave = b->kind.leave ? b->kind.leave(b->ctx, entry, f->count > 0) : BATCH_GOES;
        if (leave == BATCH_STAYS)
            return;
        if (leave == BATCH_TAKEN) {
            b->unreported = true;
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
            batcher_put(b, f->entries[i], true);
        }
}

static int64_t deadline_of(const struct batcher *b, const struct batch_flight *f, int64_t now) {
    int64_t time = CALL_DEADLINE;
    for (size_t i = 0; b->kind.halves_time && i < f->count; i++) {
        int64_t half = (f->entries[i]->expires - now) / 2;
        time = half < time ? half : time;
    }
    return now + (time > CALL_LEAST ? time : CALL_LEAST);
}

/* Starts one call, of suspects or of other entries. False: no memory, or no entry goes now; the entries are in their
 * queue again. */
static bool fly(struct batcher *b, bool suspects, int64_t now) {
    struct batch_flight *f = calloc(1, sizeof *f);
    if (!f)
        return false;
    f->batcher = b;
    f->suspects = suspects;
    f->began = now;
    load(b, f, now);
    struct call_options options = {.deadline = deadline_of(b, f, now), .max_attempts = b->failures || suspects ? 1 : 0};
    if (f->count > 0)
        f->call = b->kind.send(b->ctx, f->entries, f->count, &options, f);
    if (!f->call) {
        unload(b, f);
        free(f);
        return false;
    }
    LIST_INSERT_HEAD(&b->flights, f, link);
    b->flight_count++;
    b->suspect_flights += suspects;
    return true;
}

/* Whether the head of the queue goes now: it has waited long enough, or its batch is full. */
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

/* Whether a call of entries that aren't suspect may begin, apart from when. */
static bool has_flight(const struct batcher *b) {
    unsigned flights = b->flight_count - b->suspect_flights;
    unsigned most = b->failures && b->kind.max_flights > FIRST_FLIGHTS ? FIRST_FLIGHTS : b->kind.max_flights;
    return b->queued > 0 && flights < most;
}

/* The same for suspects. In trouble, those of one batch go side by side the first time that each goes alone. Later one
 * call tells as much as many. */
static bool has_suspect_flight(const struct batcher *b) {
    if (b->suspected == 0)
        return false;
    const struct batch_entry *first = TAILQ_FIRST(&b->suspects);
    unsigned in_trouble = first->solitary && first->lonely == 0 ? SQS_BATCH_MAX : 1;
    return b->suspect_flights < (b->failures ? in_trouble : b->kind.max_flights);
}

/* When the next call of entries that aren't suspect may begin. NEVER: there are none, or a call has to end first. */
static int64_t next_call(const struct batcher *b, int64_t now) {
    if (!has_flight(b))
        return NEVER;
    int64_t next = is_ready(b, now) ? now : TAILQ_FIRST(&b->queue)->due;
    return next > b->first_not_before ? next : b->first_not_before;
}

static int64_t next_suspect_call(const struct batcher *b) {
    if (!has_suspect_flight(b))
        return NEVER;
    int64_t due = TAILQ_FIRST(&b->suspects)->due;
    return due > b->not_before ? due : b->not_before;
}

static void pump(struct batcher *b) {
    int64_t now = clock_monotonic(b->platform->clock);
    bool starts = true;
    drop_expired(b, now);
    while (starts && next_call(b, now) <= now) {
        starts = fly(b, false, now);
        if (b->failures)
            b->first_not_before = now + batcher_trouble_step();
    }
    while (starts && next_suspect_call(b) <= now)
        starts = fly(b, true, now);
    int64_t first = next_call(b, now), suspect = next_suspect_call(b), next = first < suspect ? first : suspect;
    if (!starts)
        next = now + MICROSECONDS;
    if (next == NEVER)
        timer_stop(b->platform->timers, &b->timer);
    else
        timer_start(b->platform->timers, &b->timer, next > now ? next : now);
    batcher_report(b);
}

static void pump_at(struct batcher *b, int64_t now) {
    if (!b->timer.running || b->timer.due > now)
        timer_start(b->platform->timers, &b->timer, now);
}

/* Sends from the timer, never from inside a caller's own call. */
void batcher_pump_soon(struct batcher *b) {
    pump_at(b, clock_monotonic(b->platform->clock));
}

static void add(struct batcher *b, struct batch_entry *entry, bool first) {
    int64_t now = clock_monotonic(b->platform->clock);
    entry->due = now + b->kind.linger;
    if (entry->failures) /* its owner had taken it back for a moment */
        entry->due = now;
    b->retrying += batch_entry_failed(entry);
    if (b->queued + b->suspected + b->flight_count == 0)
        b->trouble.since = now; /* while there was nothing to send, nobody saw whether the trouble went on */
    batcher_put(b, entry, first);
    if (!b->timer.running || entry->suspect || is_ready(b, now))
        pump_at(b, now);
}

void batcher_add(struct batcher *b, struct batch_entry *entry) {
    add(b, entry, false);
}

void batcher_add_first(struct batcher *b, struct batch_entry *entry) {
    add(b, entry, true);
}

void batcher_within(struct batcher *b, int64_t linger) {
    struct batch_entry *first = TAILQ_FIRST(&b->queue);
    int64_t due = clock_monotonic(b->platform->clock) + linger;
    if (!first || first->due <= due)
        return;
    first->due = due;
    if (b->timer.running && b->timer.due > due && b->first_not_before <= due)
        timer_start(b->platform->timers, &b->timer, due);
}

void batcher_remove(struct batcher *b, struct batch_entry *entry) {
    if (batch_entry_busy(entry))
        b->retrying -= batch_entry_failed(entry);
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
        entry->due = clock_monotonic(b->platform->clock);
        batcher_put(b, entry, false);
    }
    batcher_trouble_hurry(b);
    batcher_pump_soon(b);
}
