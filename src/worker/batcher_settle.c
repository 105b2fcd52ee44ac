/* What the answers to a batcher's calls mean for each entry, and for the service. */
#include "batcher_private.h"

#include "backoff.h"
#include "batch_fault.h"

#include <stdio.h>
#include <stdlib.h>

static const int64_t ENTRY_RETRY_BASE = 100 * MILLISECOND, ENTRY_RETRY_CAP = 20 * MICROSECONDS;
/* The first wait between two tries of a suspect while others get through: it may have been a passing fault. */
static const int64_t SUSPECT_RETRY = MICROSECONDS, SUSPECT_RETRY_CAP = 30 * MICROSECONDS;
/* After so many tries that SQS failed for it alone, an entry is set aside, or named in the log (for each batcher, at
 * most once in TOLD_EVERY). */
static const unsigned TELLING_TRIES = 6;
static const int64_t TOLD_EVERY = 600 * MICROSECONDS;
/* After so many failed calls an entry goes alone, and after so many failed calls alone it may be set aside. */
static const unsigned COMPANY_FAILURES = 2, LONELY_FAILURES = 2;
/* An entry is at fault where chance would make only one of so many entries fail so often. */
static const double CHANCE = 50;
/* An entry with less time left than this goes alone after its first failure: it has no time for a second one with
 * others. */
static const int64_t COMPANY_TIME = 20 * MICROSECONDS;

/* Why a call failed, in a few words for the log. */
static void write_reason(const struct call_result *result, char ret_reason[static BATCH_REASON_SIZE]) {
    if (result->code[0])
        snprintf(ret_reason, BATCH_REASON_SIZE, "%s", result->code);
    else if (result->class == CALL_OK || result->status == 200)
        snprintf(ret_reason, BATCH_REASON_SIZE, "an answer that is not SQS's");
    else if (result->status)
        snprintf(ret_reason, BATCH_REASON_SIZE, "HTTP status %d", result->status);
    else
        snprintf(ret_reason, BATCH_REASON_SIZE, "no answer");
}

/* It failed alone, for a reason that isn't in the entry itself. */
static void try_again(struct batcher *b, struct batch_entry *entry, const char *code, int64_t now) {
    int64_t wait =
        ENTRY_RETRY_BASE + backoff_full_jitter(b->platform->random, entry->tries++, ENTRY_RETRY_BASE, ENTRY_RETRY_CAP);
    batcher_wait_until(b, entry, now + wait);
    if (entry->tries < TELLING_TRIES)
        return;
    if (now < b->silent_until)
        return;
    b->silent_until = now + TOLD_EVERY;
    char message[BATCH_SENTENCE_SIZE];
    snprintf(message, sizeof message, "%s keeps failing for one entry at least; trying again until it works",
             b->kind.what);
    LOG_EVENT(b->platform->log, LOG_LEVEL_WARNING, message, LOG_C("code", code[0] ? code : "no answer"),
              LOG_I("tries", entry->tries));
}

/* own: this failure is counted in failed_tries. */
static void note_failure(struct batcher *b, struct batch_entry *entry, bool own) {
    if (!batch_entry_failed(entry)) {
        b->retrying++;
        entry->through_then = b->through;
        entry->failed_then = b->failed_tries - own;
        entry->failed_itself = 0;
    }
    entry->failed_itself += own;
}

/* Whether it can hardly be chance that it failed so many times alone, by how others fared since its first failure. */
static bool fails_by_itself(const struct batcher *b, const struct batch_entry *entry, unsigned times) {
    double through = (double)(b->through - entry->through_then);
    double failed = (double)(b->failed_tries - entry->failed_then) - entry->failed_itself;
    double odds = 1, each = (failed + 1 + through) / (failed + 1);
    for (unsigned i = 0; i < times && odds < CHANCE; i++)
        odds *= each;
    return odds >= CHANCE;
}

/* SQS answered for this entry by itself: it failed. */
static void settle_failed_entry(struct batcher *b, struct batch_entry *entry, const char *code, int64_t now) {
    if (batch_fault_names_entry(code)) {
        batcher_end(b, entry, BATCH_REFUSED, code);
        return;
    }
    b->failed_tries += entry->tries == 0;
    note_failure(b, entry, entry->tries == 0);
    entry->solitary = false;
    if (b->kind.sets_aside && entry->tries + 1 >= TELLING_TRIES && fails_by_itself(b, entry, entry->tries + 1))
        batcher_end(b, entry, BATCH_SET_ASIDE, code[0] ? code : "no answer");
    else
        try_again(b, entry, code, now);
}

/* Settles a call that SQS answered entry by entry. */
static void settle_entries(struct batcher *b, struct batch_flight *f, const struct sqs_entry_result *results,
                           int64_t now) {
    for (size_t i = 0; i < f->count; i++)
        if (results[i].ok) {
            b->got_through = now;
            b->through++;
        }
    for (size_t i = 0; i < f->count; i++) {
        struct batch_entry *entry = f->entries[i];
        if (!entry)
            continue;
        entry->flight = NULL;
        if (results[i].ok)
            batcher_end(b, entry, BATCH_DONE, "");
        else
            settle_failed_entry(b, entry, results[i].code, now);
    }
}

/* Lets a suspect go again. Where others get through, it waits ever longer; else it is queued at once, as in trouble all
 * wait for the same moment. */
static void put_suspect(struct batcher *b, struct batch_entry *entry, int64_t began, int64_t now) {
    int64_t wait = SUSPECT_RETRY;
    for (unsigned i = 1; i < entry->lonely && wait < SUSPECT_RETRY_CAP; i++)
        wait *= 2;
    if (b->got_through > began && !b->hurry)
        batcher_wait_until(b, entry, now + (wait < SUSPECT_RETRY_CAP ? wait : SUSPECT_RETRY_CAP));
    else
        batcher_put(b, entry, false);
}

/* A call with this entry failed as a whole, perhaps because of it. counts: this failure is counted in failed_tries. */
static void suspect(struct batcher *b, struct batch_entry *entry, const struct batch_flight *f,
                    const struct call_result *result, bool counts, int64_t now) {
    note_failure(b, entry, counts);
    entry->failures++;
    entry->lonely += f->count == 1;
    entry->solitary = entry->solitary || entry->failures >= COMPANY_FAILURES || entry->expires - now < COMPANY_TIME;
    bool by_itself = entry->lonely >= LONELY_FAILURES && fails_by_itself(b, entry, entry->lonely);
    char reason[BATCH_REASON_SIZE];
    write_reason(result, reason);
    if (by_itself && b->kind.sets_aside)
        batcher_end(b, entry, BATCH_SET_ASIDE, reason);
    else if (by_itself)
        try_again(b, entry, reason, now);
    else
        put_suspect(b, entry, f->began, now);
}

/* Settles a call that failed as a whole. Where the content of one entry, or of all together, may be the reason, each
 * goes alone the next time. */
static void settle_failure(struct batcher *b, struct batch_flight *f, const struct call_result *result, int64_t now) {
    enum batch_fault fault = result->class == CALL_OK ? BATCH_FAULT_PERHAPS : batch_fault_of(result);
    bool too_large = fault == BATCH_FAULT_TOO_LARGE, alone = f->count == 1;
    /* Entries without a bound in bytes are small: none of them can be too large. */
    bool refused = alone && (fault == BATCH_FAULT_OF_ENTRIES || (too_large && b->kind.max_bytes));
    bool perhaps = fault == BATCH_FAULT_PERHAPS || fault == BATCH_FAULT_ON_THE_WAY || (too_large && !b->kind.max_bytes);
    /* One that goes alone once more tells nothing new about the network path. */
    bool counts =
        perhaps && !(alone && f->entries[0] && (f->entries[0]->lonely || !f->suspects) && f->entries[0]->solitary);
    b->failed_tries += counts;
    for (size_t i = 0; i < f->count; i++) {
        struct batch_entry *entry = f->entries[i];
        if (!entry)
            continue;
        entry->flight = NULL;
        if (refused) {
            batcher_end(b, entry, BATCH_REFUSED, result->code[0] ? result->code : "HTTP status 413");
            continue;
        }
        entry->solitary = entry->solitary || (fault != BATCH_FAULT_PASSES && fault != BATCH_FAULT_PERHAPS);
        entry->due = now;
        if (perhaps)
            suspect(b, entry, f, result, counts, now);
        else
            batcher_put(b, entry, false);
    }
    bool service_works = b->got_through > f->began;
    if (perhaps ? !service_works : fault == BATCH_FAULT_PASSES)
        batcher_trouble_enter(b, result, f->suspects, now);
}

/* Whether it answers for the entries. An answer that names none of them isn't SQS's. */
static bool is_answer(const struct batch_flight *f, const struct call_result *result,
                      const struct sqs_entry_result *entries, size_t count) {
    if (result->class != CALL_OK || !entries || count != f->count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (entries[i].ok || entries[i].code[0])
            return true;
    return false;
}

void batcher_answered(void *flight, const struct call_result *result, const struct sqs_entry_result *entries,
                      size_t count) {
    struct batch_flight *f = flight;
    struct batcher *b = f->batcher;
    int64_t now = clock_monotonic(b->platform->clock);
    LIST_REMOVE(f, link);
    b->flight_count--;
    b->suspect_flights -= f->suspects;
    bool answered = is_answer(f, result, entries, count);
    metrics_batch(b->platform->metrics, b->kind.counted_as, !answered, f->count, now - f->began);
    if (answered) {
        batcher_trouble_leave(b, now);
        settle_entries(b, f, entries, now);
    } else {
        settle_failure(b, f, result, now);
    }
    free(f);
    batcher_pump_soon(b);
    b->unreported = true; /* trouble may have begun or ended */
    batcher_report(b);
}
