/* One signed call, from its start to its one callback: credentials, request, answer, and perhaps the same again.
 * Whoever repeats its requests itself asks for one attempt. */
#include "call.h"
#include "client_private.h"
#include "error.h"
#include "http_date.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALL_ANSWER ((size_t)16 * 1024)
#define SKEW_MAX (240 * MICROSECONDS) /* a clock that is off by less is not why a signature was refused */

static void ask(struct call *call);

static bool is_over(const struct call *call) {
    return call->state == CALL_IDLE || call->state == CALL_OVER;
}

/* Ends all that may call back. */
static void disarm(struct call *call) {
    struct aws_client *c = call->client;
    timer_stop(c->timers, &call->timer);
    timer_stop(c->timers, &call->deadline_timer);
    if (call->state == CALL_ASKING) {
        credentials_cancel(c->credentials, &call->wait);
    }
    if (call->transfer) {
        c->http.cancel(c->http.ctx, call->transfer);
        call->transfer = NULL;
    }
}

static void release(struct call *call) {
    if (call->operation.release) {
        call->operation.release(call->user);
    }
    client_give_back(call);
}

/* That was asked last. */
static const char *host_of(const struct call *call) {
    const struct client_origin *target = call->target ? call->target : call->client->target;
    return target->host_line.data + sizeof "Host: " - 1;
}

static void tell(struct call *call) {
    struct aws_client *c = call->client;
    told_failed(&c->told, c->log, call->operation.name, host_of(call), &call->result, clock_monotonic(&c->clock));
}

static void finish(struct call *call, struct span body) {
    disarm(call);
    if (call->result.class == CALL_OK) {
        told_worked(&call->client->told, call->operation.name);
    } else {
        error_advise(&call->result);
        tell(call);
    }
    call->state = CALL_OVER;
    call->done(call->user, &call->result, body);
    release(call);
}

void call_cancel(struct call *call) {
    if (!call || is_over(call)) {
        return;
    }
    disarm(call);
    call->state = CALL_OVER;
    release(call);
}

bool call_is_answered(const struct call *call) {
    const struct http_api *http = &call->client->http;
    return call->transfer && http->is_answered && http->is_answered(http->ctx, call->transfer);
}

/* The result stands; the callback comes from the loop, since we may be inside aws_call(). */
static void end_soon(struct call *call) {
    call->state = CALL_ENDING;
    timer_start(call->client->timers, &call->timer, clock_monotonic(&call->client->clock));
}

static void pause_for(struct call *call, int64_t delay) {
    call->state = CALL_PAUSED;
    call->client->stats.retries++;
    timer_start(call->client->timers, &call->timer, clock_monotonic(&call->client->clock) + delay);
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

/* Where the refusal comes of our clock: learns the service's time from the answer. True: the call is worth another try
 * with it. */
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
    /* Other calls that are under way were signed with the old time too: the first of them says it. */
    if (c->log && llabs(date - (wall + c->stats.clock_skew)) > SKEW_MAX) {
        LOG_EVENT(c->log, LOG_LEVEL_WARNING, "The clock is off: requests are signed with the service's time",
                  LOG_I("seconds", (date - wall) / MICROSECONDS));
    }
    c->stats.clock_skew = date - wall;
    return true;
}

/* Where the credentials were refused: has the provider find new ones. True: the call is worth another try with them. */
static bool renew_credentials(struct call *call) {
    if (call->result.class != CALL_AUTH) {
        return false;
    }
    bool first = !call->credentials_refused;
    call->credentials_refused = true;
    credentials_invalidate(call->client->credentials, span_cstr(call->access_key_id));
    return first;
}

/* An answer is in: the end, or another try. */
static void settle(struct call *call, const struct http_response *response) {
    struct aws_client *c = call->client;
    if (call->result.class == CALL_OK) {
        retry_budget_refund(&c->budget, call->retry.paid);
        finish(call, response->body);
        return;
    }
    if (correct_clock(call, response) || renew_credentials(call)) {
        /* Nothing is waited for: these happen once in a call, and are no load. */
        c->stats.retries++;
        ask(call);
        return;
    }
    int64_t now = clock_monotonic(&c->clock), delay = 0;
    int64_t left = call->deadline == NEVER ? NEVER : call->deadline - now;
    if (!retry_decide(&c->policy, &c->budget, c->random, &call->retry, &call->result, now - call->began, left,
                      &delay)) {
        finish(call, response->body);
        return;
    }
    log_retry(call, delay);
    pause_for(call, delay);
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

/* An attempt is over. response: NULL where the call's own deadline cut it. */
static void account(struct call *call, const struct http_response *response) {
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

static void note_date(struct aws_client *c, const struct http_response *response) {
    int64_t date = 0;
    if (c->notes_dates && http_date_parse(response->header[HTTP_DATE], &date)) {
        c->stats.dated = true;
        c->stats.date_offset = date + MICROSECONDS / 2 - clock_wall(&c->clock); /* it has whole seconds */
    }
}

static void on_response(void *user, const struct http_response *response) {
    struct call *call = user;
    struct aws_client *c = call->client;
    call->transfer = NULL;
    note_date(c, response);
    const struct error_rules rules = {.checks_marks = c->checks_marks, .host = host_of(call)};
    error_read(response, &rules, clock_wall(&c->clock), &call->result);
    if (call->operation.wants_date && !http_date_parse(response->header[HTTP_DATE], &call->result.date)) {
        call->result.date = 0;
    }
    if (call->operation.decode && (call->result.class == CALL_OK || call->result.from_service)) {
        decode(call, response);
    }
    account(call, response);
    if (call->result.foreign && response->status < 500 && call->result.class != CALL_THROTTLED) {
        tell(call); /* whether the next attempt helps or not: it might have passed for a success, or for a verdict */
    }
    if (call->operation.forgets_body && response->storage && response->body.len > SMALL_ANSWER) {
        /* What follows may need as much again. */
        struct http_response rest = *response;
        buf_free(response->storage);
        rest.body = SPAN("");
        settle(call, &rest);
        return;
    }
    settle(call, response);
}

static void on_credentials(void *user, const struct credentials *credentials,
                           const struct credentials_failure *failure) {
    struct call *call = user;
    if (!credentials) {
        call->result = (struct call_result){.attempts = call->result.attempts, .unsent = true};
        error_set(&call->result, failure->class, failure->message);
        end_soon(call);
        return;
    }
    /* The same again would be refused again. */
    bool refused_before = call->result.class == CALL_AUTH && call->credentials_refused &&
                          span_is(credentials->access_key_id, call->access_key_id);
    if (refused_before || !attempt_send(call, credentials, on_response)) {
        end_soon(call);
        return;
    }
    call->state = CALL_SENT;
}

static void ask(struct call *call) {
    call->state = CALL_ASKING;
    call->wait = (struct credentials_wait){.ready = on_credentials, .user = call};
    credentials_get(call->client->credentials, &call->wait);
}

static void on_timer(void *user) {
    struct call *call = user;
    if (call->state == CALL_PAUSED) {
        ask(call);
    } else {
        finish(call, SPAN(""));
    }
}

static void on_deadline(void *user) {
    struct call *call = user;
    if (call->state != CALL_ENDING) {
        bool cut = call->state == CALL_SENT;
        call->result = (struct call_result){.attempts = call->result.attempts, .unsent = call->result.attempts == 0};
        error_set(&call->result, CALL_RETRY,
                  call->state == CALL_ASKING ? "no credentials before the call's deadline"
                                             : "no answer before the call's deadline");
        if (cut) {
            account(call, NULL);
        }
    }
    finish(call, SPAN(""));
}

struct call *aws_call(struct aws_client *client, const struct aws_operation *operation,
                      const struct call_options *options, aws_call_done *done, void *user) {
    struct call *call = client_take_call(client);
    if (!call) {
        return NULL;
    }
    call->operation = *operation;
    call->deadline = options ? options->deadline : NEVER;
    call->body_sha256 = options ? options->body_sha256 : NULL;
    call->retry.max_attempts = options && options->max_attempts ? options->max_attempts : client->policy.max_attempts;
    call->began = clock_monotonic(&client->clock);
    call->done = done;
    call->user = user;
    timer_init(&call->timer, on_timer, call);
    timer_init(&call->deadline_timer, on_deadline, call);
    if (!buf_append_cstr(&call->target_line, "X-Amz-Target: ") ||
        !buf_append_span(&call->target_line, buf_span(&client->target_prefix)) ||
        !buf_append_cstr(&call->target_line, operation->name)) {
        client_give_back(call);
        return NULL;
    }
    if (call->deadline <= call->began) {
        error_set(&call->result, CALL_RETRY, "the call's deadline had passed before it began");
        end_soon(call);
        return call;
    }
    if (call->deadline != NEVER) {
        timer_start(client->timers, &call->deadline_timer, call->deadline);
    }
    ask(call);
    return call;
}
