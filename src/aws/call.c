/* One signed call, from its start to its one callback: credentials, request, answer, and perhaps the same again.
 * Callers that repeat requests themselves ask for one attempt. */
#include "call.h"
#include "client_private.h"
#include "error.h"

#include <openssl/crypto.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SMALL_ANSWER ((size_t)16 * 1024)
#define LINES_MAX ((size_t)SESSION_TOKEN_MAX + 4096)
#define TARGET_MAX ((size_t)4096)
#define IDLE_CALLS_MAX 512

static void ask(struct call *call);

static void list_push(struct call **list, struct call *call) {
    call->previous = NULL;
    call->next = *list;
    if (*list) {
        (*list)->previous = call;
    }
    *list = call;
}

static void list_remove(struct call **list, struct call *call) {
    if (call->previous) {
        call->previous->next = call->next;
    } else {
        *list = call->next;
    }
    if (call->next) {
        call->next->previous = call->previous;
    }
}

static void free_call(struct call *call) {
    if (call->lines.data) {
        OPENSSL_cleanse(call->lines.data, call->lines.capacity);
    }
    buf_free(&call->lines);
    buf_free(&call->target_line);
    free(call);
}

static struct call *take_call(struct aws_client *c) {
    struct call *call = c->idle;
    if (call) {
        list_remove(&c->idle, call);
        c->idle_count--;
        memset(call, 0, offsetof(struct call, result));
        buf_reset(&call->lines);
        buf_reset(&call->target_line);
    } else {
        call = calloc(1, sizeof *call);
        if (!call) {
            return NULL;
        }
        buf_init(&call->lines, LINES_MAX);
        buf_init(&call->target_line, TARGET_MAX);
    }
    call_result_begin(&call->result, 0);
    call->client = c;
    list_push(&c->in_flight, call);
    c->stats.calls++;
    return call;
}

static void give_back(struct call *call) {
    struct aws_client *c = call->client;
    call->state = CALL_IDLE;
    list_remove(&c->in_flight, call);
    c->stats.calls--;
    if (c->idle_count >= IDLE_CALLS_MAX) {
        free_call(call);
        return;
    }
    list_push(&c->idle, call);
    c->idle_count++;
}

static bool is_over(const struct call *call) {
    return call->state == CALL_IDLE || call->state == CALL_OVER;
}

/* Stops everything that may still call back. */
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
    give_back(call);
}

static void finish(struct call *call, struct span body) {
    disarm(call);
    if (call->result.class == CALL_OK) {
        told_worked(&call->client->told, call->operation.name);
    } else {
        error_advise(&call->result);
        call_tell(call);
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

/* Nothing may be sent any more. After a standstill of the process, other timers and answers come to their turn before
 * the deadline's timer does. */
static bool is_late(const struct call *call) {
    return call->deadline != NEVER && clock_monotonic(&call->client->clock) >= call->deadline;
}

/* A first request that has gone out is over by its own timeout, mostly long before its call has to be. */
static void watch_deadline(struct call *call) {
    bool ends_before = call->state == CALL_SENT && call->result.attempts == 1 &&
                       call->deadline - call->began >= call->operation.attempt_timeout;
    if (call->deadline != NEVER && !ends_before) {
        timer_start(call->client->timers, &call->deadline_timer, call->deadline);
    }
}

/* The result is final. The callback comes from the loop, since we may be inside aws_call(). */
static void end_soon(struct call *call) {
    call->state = CALL_ENDING;
    timer_start(call->client->timers, &call->timer, clock_monotonic(&call->client->clock));
}

/* The call is about to be tried again. */
static void count_retry(const struct call *call) {
    struct aws_client *c = call->client;
    c->stats.retries++;
    metrics_retry(c->metrics, c->counted_as, call->result.class);
}

static void pause_for(struct call *call, int64_t delay) {
    call->state = CALL_PAUSED;
    count_retry(call);
    timer_start(call->client->timers, &call->timer, clock_monotonic(&call->client->clock) + delay);
}

static void on_response(void *user, const struct http_response *response) {
    struct call *call = user;
    call->transfer = NULL;
    int64_t delay = 0;
    enum call_next next = call_answered(call, response, &delay);
    struct span body = response->body;
    if (call->operation.forgets_body && response->storage && body.len > SMALL_ANSWER) {
        buf_free(response->storage); /* what follows may need as much memory again */
        body = SPAN("");
    }
    if (next == CALL_ASKS_AGAIN && is_late(call)) {
        next = CALL_ENDS;
    }
    switch (next) {
    case CALL_ENDS: finish(call, body); return;
    case CALL_ASKS_AGAIN:
        count_retry(call);
        ask(call);
        break;
    case CALL_PAUSES: pause_for(call, delay); break;
    }
    watch_deadline(call);
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
    /* If the source gives the refused keys again, AWS would refuse them again. */
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

static void on_deadline(void *user) {
    struct call *call = user;
    if (call->state != CALL_ENDING) {
        bool cut = call->state == CALL_SENT;
        call->result = (struct call_result){.attempts = call->result.attempts, .unsent = call->result.attempts == 0};
        error_set(&call->result, CALL_RETRY,
                  call->state == CALL_ASKING ? "no credentials before the call's deadline"
                                             : "no answer before the call's deadline");
        if (cut) {
            call_account(call, NULL);
        }
    }
    finish(call, SPAN(""));
}

static void on_timer(void *user) {
    struct call *call = user;
    if (call->state != CALL_PAUSED) {
        finish(call, SPAN(""));
    } else if (is_late(call)) {
        on_deadline(call);
    } else {
        ask(call);
    }
}

struct call *aws_call(struct aws_client *client, const struct aws_operation *operation,
                      const struct call_options *options, aws_call_done *done, void *user) {
    struct call *call = take_call(client);
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
        give_back(call);
        return NULL;
    }
    if (call->deadline <= call->began) {
        error_set(&call->result, CALL_RETRY, "the call's deadline had passed before it began");
        end_soon(call);
        return call;
    }
    ask(call);
    watch_deadline(call);
    return call;
}

void client_calls_free(struct aws_client *c) {
    for (struct call *call = c->in_flight, *next; call; call = next) {
        next = call->next;
        call_cancel(call);
    }
    for (struct call *call = c->idle, *next; call; call = next) {
        next = call->next;
        free_call(call);
    }
}
