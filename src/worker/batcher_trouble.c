#include "batcher_private.h"

#include "backoff.h"
#include "verdict.h"

#include <stdio.h>
#include <string.h>

static const int64_t RETRY_BASE = 500 * MILLISECOND, RETRY_CAP = 20 * MICROSECONDS;

/* The wait for the next call in trouble, where there is little time: at most a second. */
static int64_t hurried_wait(const struct batcher *b) {
    return RETRY_BASE + backoff_full_jitter(b->platform->random, 0, RETRY_BASE, RETRY_BASE);
}

void batcher_trouble_hurry(struct batcher *b) {
    if (!b->failures)
        return;
    int64_t latest = clock_monotonic(b->platform->clock) + hurried_wait(b);
    b->not_before = b->not_before < latest ? b->not_before : latest;
    b->first_not_before = b->first_not_before < latest ? b->first_not_before : latest;
}

int64_t batcher_trouble_step(void) {
    return RETRY_BASE;
}

static int64_t trouble_wait(const struct batcher *b, const struct call_result *result, unsigned failures) {
    if (b->hurry)
        return hurried_wait(b);
    int64_t wait = RETRY_BASE + backoff_full_jitter(b->platform->random, failures, RETRY_BASE, RETRY_CAP);
    int64_t asked = heeded_wait(result);
    return wait > asked ? wait : asked;
}

/* Why a call failed, for the log. One that went well fails here where its answer didn't name the entries. */
static const char *word_of(const struct call_result *result) {
    return result->class == CALL_OK ? "the answer names no entry as SQS does" : call_word(result);
}

/* Where access is denied, the log has the service's own sentence: it names who was denied what on which resource. Where
 * nothing came back, it has what happened to the connection. */
static void log_trouble(const struct batcher *b, const struct call_result *result, bool begins) {
    char message[BATCH_SENTENCE_SIZE];
    snprintf(message, sizeof message,
             begins ? "%s fails; trying again until it works" : "%s fails for another reason now", b->kind.what);
    bool says = result->class == CALL_DENIED && result->from_service && result->message[0];
    LOG_EVENT(b->platform->log, LOG_LEVEL_WARNING, message, LOG_C("code", word_of(result)),
              LOG_I("status", result->status), LOG_I("entries", b->queued + b->suspected),
              says ? LOG_C("says", result->message) : call_why_field(result));
}

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

void batcher_trouble_enter(struct batcher *b, const struct call_result *result, bool suspects, int64_t now) {
    /* A failed call of suspects doesn't keep the other entries waiting: one of these may show that the service works. A
     * wait that the service asks for holds for both. */
    int64_t asked = b->hurry ? 0 : heeded_wait(result), least = asked > RETRY_BASE ? asked : RETRY_BASE;
    if (suspects) {
        b->not_before = now + trouble_wait(b, result, b->failures);
        b->first_not_before = later(b->first_not_before, now + asked);
    } else {
        b->first_not_before = now + trouble_wait(b, result, b->first_failures++);
        b->not_before = later(b->not_before, b->hurry ? b->first_not_before : now + least);
    }
    b->failures++;
    bool begins = trouble_note_call(&b->trouble, now, result);
    if (trouble_tell(&b->trouble, now, word_of(result)))
        log_trouble(b, result, begins);
}

void batcher_trouble_leave(struct batcher *b, int64_t now) {
    if (!trouble_end(&b->trouble))
        return;
    b->failures = b->first_failures = 0;
    b->not_before = b->first_not_before = now;
    char message[BATCH_SENTENCE_SIZE];
    snprintf(message, sizeof message, "%s works again", b->kind.what);
    LOG_EVENT(b->platform->log, LOG_LEVEL_INFO, message, LOG_I("seconds", (now - b->trouble.since) / MICROSECONDS));
}
