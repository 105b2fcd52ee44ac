/* What an answer means for its call. Here it is read, counted and logged; call.c does what follows. */
#include "client_private.h"
#include "http_date.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define SKEW_MAX (240 * MICROSECONDS) /* if the clock is off by less, that isn't why a signature was refused */

/* The host that was asked last. */
static const char *host_of(const struct call *call) {
    const struct client_origin *target = call->target ? call->target : call->client->target;
    return target->host_line.data + sizeof "Host: " - 1;
}

void call_tell(struct call *call) {
    struct aws_client *c = call->client;
    told_failed(&c->told, c->log, call->operation.name, host_of(call), &call->result, clock_monotonic(&c->clock));
}

void call_account(struct call *call, const struct http_response *response) {
    struct aws_client *c = call->client;
    const struct call_result *result = &call->result;
    static_assert(CALL_CLOCK + 1 == METRICS_CALL_CLASSES && CALL_THROTTLED == METRICS_CLASS_THROTTLED,
                  "each class is counted");
    metrics_request(c->metrics, c->counted_as, result->class);
    if (!c->log || !log_wants(c->log, LOG_LEVEL_DEBUG) || !call->sent_at) {
        return;
    }
    struct span id = response ? response->header[HTTP_REQUEST_ID] : SPAN("");
    LOG_EVENT(c->log, LOG_LEVEL_DEBUG, "A request ended", LOG_C("service", c->signing_name),
              LOG_C("operation", call->operation.name), LOG_I("status", result->status),
              LOG_C("code", result->class == CALL_OK ? "none" : call_word(result)),
              LOG_I("ms", (clock_monotonic(&c->clock) - call->sent_at) / MILLISECOND),
              LOG_S("request_id", id.len ? id : SPAN("none")), LOG_I("attempt", result->attempts));
}

static void log_retry(const struct call *call, int64_t delay) {
    struct log *log = call->client->log;
    if (log && log_wants(log, LOG_LEVEL_DEBUG)) {
        LOG_EVENT(log, LOG_LEVEL_DEBUG, "A request is tried again", LOG_C("operation", call->operation.name),
                  LOG_C("code", call->result.code), LOG_C("reason", call->result.message),
                  LOG_I("status", call->result.status), LOG_I("attempt", call->result.attempts),
                  LOG_I("delay_ms", delay / MILLISECOND));
    }
}

/* If the refusal may come from our clock: learns the service's time from the answer. True: the call is worth another
 * attempt with it. */
static bool correct_clock(struct call *call, const struct http_response *response) {
    struct aws_client *c = call->client;
    int64_t date = 0;
    if (!retry_may_be_clock(call->result.code) || !http_date_parse(response->header[HTTP_DATE], &date)) {
        return false;
    }
    int64_t wall = clock_wall(&c->clock);
    if (llabs(date - (wall + call->skew)) <= SKEW_MAX) {
        return false;
    }
    call->result.class = CALL_CLOCK;
    if (call->clock_corrected) {
        return false;
    }
    call->clock_corrected = true;
    /* Other calls in flight were signed with the old time, too. Only the first of them logs it. */
    if (c->log && llabs(date - (wall + c->stats.clock_skew)) > SKEW_MAX) {
        LOG_EVENT(c->log, LOG_LEVEL_WARNING, "The clock is off: requests are signed with the service's time",
                  LOG_I("seconds", (date - wall) / MICROSECONDS));
    }
    c->stats.clock_skew = date - wall;
    return true;
}

/* If the credentials were refused: makes the provider find new ones. True: the call is worth another attempt with
 * them. */
static bool renew_credentials(struct call *call) {
    if (call->result.class != CALL_AUTH) {
        return false;
    }
    bool first = !call->credentials_refused;
    call->credentials_refused = true;
    credentials_invalidate(call->client->credentials, span_cstr(call->access_key_id));
    return first;
}

static void decode(struct call *call, const struct http_response *response) {
    struct call_result *result = &call->result;
    call->operation.decode(call->user, response->body, result);
    if (result->foreign) {
        char why[CALL_MESSAGE_SIZE + 32];
        (void)snprintf(why, sizeof why, "that isn't the service's: %s", result->message);
        error_foreign(response, host_of(call), why, result);
    }
}

static void note_date(struct aws_client *c, const struct http_response *response) {
    int64_t date = 0;
    if (c->notes_dates && http_date_parse(response->header[HTTP_DATE], &date)) {
        c->stats.dated = true;
        c->stats.date_offset = date + MICROSECONDS / 2 - clock_wall(&c->clock); /* Date has whole seconds only */
    }
}

/* Sets the result from the answer. What follows from it is decided elsewhere. */
static void read_answer(struct call *call, const struct http_response *response) {
    struct aws_client *c = call->client;
    note_date(c, response);
    const struct error_rules rules = {.checks_marks = c->checks_marks, .host = host_of(call)};
    error_read(response, &rules, &c->clock, &call->result);
    if (call->operation.wants_date && !http_date_parse(response->header[HTTP_DATE], &call->result.date)) {
        call->result.date = 0;
    }
    if (call->operation.decode && (call->result.class == CALL_OK || call->result.from_service)) {
        decode(call, response);
    }
    call_account(call, response);
    if (call->result.foreign && response->status < 500 && call->result.class != CALL_THROTTLED) {
        /* Logged even if the next attempt succeeds: such an answer might have passed for a success, or for a
         * refusal. */
        call_tell(call);
    }
}

enum call_next call_answered(struct call *call, const struct http_response *response, int64_t *ret_delay) {
    struct aws_client *c = call->client;
    read_answer(call, response);
    if (call->result.class == CALL_OK) {
        retry_budget_refund(&c->budget, call->retry.paid);
        return CALL_ENDS;
    }
    if (correct_clock(call, response) || renew_credentials(call)) {
        return CALL_ASKS_AGAIN; /* each happens once per call, so they add no load */
    }
    int64_t now = clock_monotonic(&c->clock);
    int64_t left = call->deadline == NEVER ? NEVER : call->deadline - now;
    if (!retry_decide(&c->policy, &c->budget, c->random, &call->retry, &call->result, now - call->began, left,
                      ret_delay)) {
        return CALL_ENDS;
    }
    log_retry(call, *ret_delay);
    return CALL_PAUSES;
}
