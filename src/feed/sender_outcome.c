#include "sender_private.h"

#include "backoff.h"
#include "batch_fault.h"

#include <stdio.h>
#include <string.h>

#define RETRY_BASE (200 * MILLISECOND)
#define RETRY_CAP (5 * MICROSECONDS)
#define FAILURES_TOGETHER 2 /* failures in a batch, after which a row goes alone */

static void refuse(struct sender *s, struct sender_row *row, const char *why) {
    s->host.refused(s->host.user, row, why);
    sender_forget(s, row);
}

static void refuse_by_code(struct sender *s, struct sender_row *row, const char *code) {
    char why[CALL_CODE_SIZE + 64];
    (void)snprintf(why, sizeof why, "SQS refuses the message: %s", code);
    refuse(s, row, why);
}

static void note_failure(struct sender *s, struct sender_row *row) {
    if (row->failures++ == 0) {
        row->sent_then = s->sent;
    }
}

static void send_again(struct sender *s, struct sender_row *row, int64_t at) {
    row->not_before = at;
    TAILQ_INSERT_TAIL(&s->again, row, link);
}

/* It fails while others get through. It is tried for as long as a service that is away would be. */
static void fail_alone(struct sender *s, struct sender_row *row, const char *what, int64_t now) {
    char why[CALL_CODE_SIZE + 96];
    if (!row->alone_since) {
        row->alone_since = now;
    }
    row->alone = true;
    if (now - row->alone_since < s->options.patience) {
        send_again(s, row,
                   now + RETRY_BASE + backoff_full_jitter(s->options.random, row->failures, RETRY_BASE, RETRY_CAP));
        return;
    }
    (void)snprintf(why, sizeof why, "The message doesn't get through, while others do: %s", what);
    refuse(s, row, why);
}

static void end_trouble(struct sender *s) {
    if (s->failures > 0) {
        log_event(s->options.log, LOG_LEVEL_INFO, "Sending works again", NULL);
    }
    s->failures = 0;
    s->window += s->window < SENDER_FLIGHTS_MAX;
}

void sender_answered(struct sender *s, struct sender_row *const *rows, const struct sqs_entry_result *entries,
                     size_t count) {
    int64_t now = clock_monotonic(s->options.clock);
    end_trouble(s);
    for (size_t i = 0; i < count; i++) {
        struct sender_row *row = rows[i];
        if (entries[i].ok) {
            s->sent++;
            s->host.sent(s->host.user, row);
            sender_forget(s, row);
        } else if (batch_fault_names_entry(entries[i].code)) {
            refuse_by_code(s, row, entries[i].code);
        } else {
            note_failure(s, row);
            fail_alone(s, row, entries[i].code[0] ? entries[i].code : "the answer doesn't name it", now);
        }
    }
}

static bool is_no_queue(const struct call_result *result) {
    return result->from_service &&
           (strstr(result->code, "NonExistentQueue") != NULL || strstr(result->code, "QueueDoesNotExist") != NULL);
}

static void give_up(struct sender *s, enum sender_fault fault, const struct call_result *result) {
    if (!s->stopped) {
        s->stopped = true;
        s->host.failed(s->host.user, fault, result);
    }
}

/* Nothing gets through: all wait, and one call at a time tries. */
static void meet_trouble(struct sender *s, const struct call_result *result, int64_t now) {
    const char *why = result->from_service || result->foreign ? call_word(result) : result->message;
    if (s->failures++ == 0) {
        s->trouble_since = now;
        LOG_EVENT(s->options.log, LOG_LEVEL_WARNING, "Sending fails; it is tried again",
                  LOG_C("why", why[0] ? why : "no answer"), LOG_I("status", result->status));
    }
    s->window = s->window > 1 ? s->window / 2 : 1;
    s->not_before = now + RETRY_BASE + backoff_full_jitter(s->options.random, s->failures - 1, RETRY_BASE, RETRY_CAP);
    if (now - s->trouble_since >= s->options.patience) {
        give_up(s, result->class == CALL_AUTH ? SENDER_DENIED : SENDER_UNREACHABLE, result);
    }
}

/* The batch as a whole failed, perhaps over one of its rows. */
static void split_up(struct sender *s, struct sender_row *const *rows, size_t count, bool at_once, int64_t now) {
    for (size_t i = 0; i < count; i++) {
        note_failure(s, rows[i]);
        rows[i]->alone = rows[i]->alone || at_once || rows[i]->failures >= FAILURES_TOGETHER;
        send_again(s, rows[i], now);
    }
}

static void failed_alone(struct sender *s, struct sender_row *row, enum batch_fault fault,
                         const struct call_result *result, int64_t now) {
    note_failure(s, row);
    if (fault == BATCH_FAULT_OF_ENTRIES) {
        refuse_by_code(s, row, result->code);
    } else if (fault != BATCH_FAULT_PASSES && s->sent > row->sent_then) {
        fail_alone(s, row, call_word(result), now);
    } else {
        send_again(s, row, now);
        meet_trouble(s, result, now);
    }
}

void sender_failed(struct sender *s, struct sender_row *const *rows, size_t count, const struct call_result *result) {
    int64_t now = clock_monotonic(s->options.clock);
    enum batch_fault fault = batch_fault_of(result);
    bool is_denied = result->class == CALL_DENIED && result->from_service;
    if (is_denied || is_no_queue(result)) {
        split_up(s, rows, count, false, now);
        give_up(s, is_denied ? SENDER_DENIED : SENDER_NO_QUEUE, result);
        return;
    }
    if (count == 1) {
        failed_alone(s, rows[0], fault, result, now);
        return;
    }
    bool is_of_rows = fault != BATCH_FAULT_PASSES && fault != BATCH_FAULT_PERHAPS;
    split_up(s, rows, count, is_of_rows, now);
    if (!is_of_rows) {
        meet_trouble(s, result, now);
    }
}

void sender_not_started(struct sender *s, struct sender_row *const *rows, size_t count) {
    const struct call_result result = {.class = CALL_RETRY, .unsent = true, .message = "there is no memory"};
    int64_t now = clock_monotonic(s->options.clock);
    split_up(s, rows, count, false, now);
    meet_trouble(s, &result, now);
}
