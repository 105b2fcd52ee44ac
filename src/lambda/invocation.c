#include "invocation.h"

#include "base64.h"
#include "event_queue.h"
#include "failure.h"
#include "lambda_answer.h"
#include "lambda_event.h"
#include "single_worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t PATIENCE = 10 * MICROSECONDS; /* how long to wait while the environment fails */
static const size_t BODY_MAX = (size_t)32 << 20, ANSWER_MAX = (size_t)64 << 20;
static const size_t KEY_MAX = 256;

#define NO_MEMORY SPAN("{\"errorMessage\":\"There is no memory for the answer\",\"errorType\":\"Runtime.OutOfMemory\"}")

struct invocation {
    const struct lambda_options *options;
    const char *request_id;
    int64_t until, began; /* monotonic; began: when work on the current message began */
    invocation_done *done;
    void *user;

    struct lambda_event event;
    struct buf body, key; /* decoded from the event */
    struct single_worker *single;
    struct event_queue *queue;
    struct lambda_records records; /* taken one by one if there is no DLQ */
    struct timer end_timer, next_timer;
    bool started; /* invocation_start() has returned: whatever ends it comes from the loop */
    char sentence[224]; /* why the records of a queue are left */
    struct buf text;
    struct invocation_answer answer;
};

static void on_end(void *user) {
    struct invocation *i = user;
    i->done(i->user, &i->answer);
}

/* Last thing that its caller does: this reports the end, unless it comes before invocation_start() has returned. */
static void end(struct invocation *i, const char *error_type) {
    i->answer.body = buf_span(&i->text);
    i->answer.error_type = error_type;
    if (!buf_ok(&i->text)) {
        i->answer = (struct invocation_answer){NO_MEMORY, "Runtime.OutOfMemory", SPAN("")};
    }
    const struct platform *platform = i->options->platform;
    if (i->started) {
        on_end(i);
    } else {
        timer_start(platform->timers, &i->end_timer, clock_monotonic(platform->clock));
    }
}

/* reason: the message for the log; it must live as long as the invocation. */
static void end_in_error(struct invocation *i, const char *type, struct span message, struct span reason) {
    buf_reset(&i->text);
    (void)lambda_append_error(span_cstr(type), message, &i->text);
    i->answer.reason = reason;
    end(i, type);
}

/* The response to a direct invocation, or to an HTTP request. */
static void respond(struct invocation *i, enum error_type type, struct span response) {
    if (response.len == 0) {
        buf_fail(&i->text, BUF_NO_MEMORY);
    } else if (i->event.kind == LAMBDA_HTTP) {
        (void)lambda_append_http(type == ERROR_NONE ? 200 : error_type_status(type), response, &i->text);
    } else {
        (void)buf_append_span(&i->text, response);
    }
    end(i, NULL);
}

/* Counts one message in the metrics, as the queue worker does for records. */
static void count(struct invocation *i, enum error_type type) {
    const struct platform *platform = i->options->platform;
    metrics_received(platform->metrics);
    if (type == ERROR_NONE) {
        metrics_applied(platform->metrics, NEVER, clock_monotonic(platform->clock) - i->began);
    } else {
        metrics_dead_lettered(platform->metrics, type, clock_wall(platform->clock));
    }
}

static void on_single(void *user, const struct single_outcome *outcome) {
    struct invocation *i = user;
    count(i, outcome->type);
    bool waits = i->event.kind == LAMBDA_DIRECT || i->event.kind == LAMBDA_HTTP;
    if (waits && outcome->code[0]) {
        /* The caller is told, but nobody who looks after the function. */
        LOG_EVENT(i->options->platform->log, LOG_LEVEL_WARNING,
                  "The environment fails a message: its caller gets a 500, and whether it was applied isn't known",
                  LOG_C("code", outcome->code));
    }
    if (waits) {
        respond(i, outcome->type, outcome->response);
    } else if (outcome->type != ERROR_NONE) {
        end_in_error(i, error_type_name(outcome->type), outcome->message, outcome->reason);
    } else {
        timer_start(i->options->platform->timers, &i->next_timer, clock_monotonic(i->options->platform->clock));
    }
}

static bool begin_single(struct invocation *i, struct span body, char *body_space, struct span key, bool callers) {
    const struct lambda_options *o = i->options;
    i->began = clock_monotonic(o->platform->clock);
    int64_t patience = i->began + PATIENCE;
    const struct single_worker_options options = {.body = body,
                                                  .body_space = body_space,
                                                  .key = key,
                                                  .key_is_the_callers = callers,
                                                  .until = patience < i->until ? patience : i->until,
                                                  .max_rate = o->max_rate};
    i->single = single_worker_start(o->platform, o->facts, o->context, &options, on_single, i);
    return i->single != NULL;
}

/* The event as a message. */
static bool begin_whole(struct invocation *i, struct buf *event) {
    return begin_single(i, buf_span(event), event->data, span_cstr(i->request_id), false);
}

/* For a request that can't even be read as a message. */
static bool refuse(struct invocation *i, struct failure *f) {
    struct buf envelope;
    count(i, f->type);
    buf_init(&envelope, BODY_MAX);
    bool told = failure_append_envelope(f, (struct span){NULL, 0}, clock_wall(i->options->platform->clock), &envelope);
    respond(i, f->type, told ? buf_span(&envelope) : SPAN(""));
    buf_free(&envelope);
    failure_free(f);
    return true;
}

static bool refuse_key(struct invocation *i) {
    struct failure f;
    failure_init(&f);
    failure_validation(&f, SPAN("idempotency_key"), "the header Idempotency-Key may have 1 to %zu bytes, and has %zu",
                       KEY_MAX, i->key.len);
    return refuse(i, &f);
}

/* The offset of the first byte that isn't base64. */
static size_t stray_at(struct span text) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t at = 0;
    while (at < text.len && memchr(alphabet, text.data[at], sizeof alphabet - 1)) {
        at++;
    }
    return at;
}

static bool refuse_body(struct invocation *i, const char *sentence, size_t position) {
    struct failure f;
    failure_init(&f);
    failure_set(&f, ERROR_INVALID_INPUT, "%s", sentence);
    (void)buf_printf(&f.details, "\"position\":%zu", position);
    return refuse(i, &f);
}

static bool decode(const struct json_token *token, struct buf *out) {
    return token->event != JSON_STRING || json_unescape(token->raw, out);
}

static bool begin_http(struct invocation *i) {
    const struct lambda_event *event = &i->event;
    bool has_key = event->key.event == JSON_STRING;
    if (!decode(&event->key, &i->key) || !decode(&event->body, &i->body)) {
        return false;
    }
    if (has_key && (i->key.len == 0 || i->key.len > KEY_MAX)) {
        return refuse_key(i);
    }
    bool is_text = event->body.event == JSON_STRING;
    if (!is_text && event->body.event != JSON_FAILED && event->body.event != JSON_NULL) {
        return refuse_body(i, "The event's body is no string: a proxy integration hands on the request's body as one",
                           0);
    }
    if (event->is_base64 && !base64_valid(buf_span(&i->body))) {
        return refuse_body(i, "The body isn't base64, though the event says so (isBase64Encoded)",
                           stray_at(buf_span(&i->body)));
    }
    if (event->is_base64) {
        struct buf text = i->body;
        buf_init(&i->body, BODY_MAX);
        bool decoded = base64_decode(buf_span(&text), &i->body);
        buf_free(&text);
        if (!decoded) {
            return false;
        }
    }
    struct span key = has_key ? buf_span(&i->key) : span_cstr(i->request_id);
    return begin_single(i, buf_span(&i->body), i->body.data, key, has_key);
}

/* Without a DLQ, the sender must be told if its event fails. So records are worked on one after the other, until one
 * fails. */
static bool begin_next_record(struct invocation *i) {
    struct lambda_record record;
    single_worker_free(i->single);
    i->single = NULL;
    buf_reset(&i->key);
    if (!lambda_records_next(&i->records, &record)) {
        (void)buf_append_cstr(&i->text, "null");
        end(i, NULL);
        return true;
    }
    return decode(&record.id, &i->key) && begin_single(i, record.whole, NULL, buf_span(&i->key), false);
}

static void on_next(void *user) {
    struct invocation *i = user;
    if (!begin_next_record(i)) {
        const struct span why = SPAN("There is no memory for the event");
        end_in_error(i, "Runtime.OutOfMemory", why, why);
    }
}

static void on_queue(void *user, size_t left, const char *cause) {
    struct invocation *i = user;
    const struct platform *platform = i->options->platform;
    for (size_t n = 0; n < left; n++) {
        metrics_dead_lettered(platform->metrics, ERROR_DATABASE, clock_wall(platform->clock));
    }
    if (i->event.kind == LAMBDA_SQS) {
        (void)event_queue_append_left(i->queue, &i->text);
        end(i, NULL);
    } else if (left > 0) {
        (void)snprintf(i->sentence, sizeof i->sentence,
                       "The event is neither known to be applied nor to be in the DLQ: %s",
                       cause[0] ? cause : "it fails by itself, while others succeed");
        end_in_error(i, "DatabaseError", span_cstr(i->sentence), span_cstr(i->sentence));
    } else {
        (void)buf_append_cstr(&i->text, "null");
        end(i, NULL);
    }
}

static bool begin_queue(struct invocation *i) {
    const struct lambda_options *o = i->options;
    const struct event_queue_options options = {.max_in_flight = o->max_in_flight,
                                                .max_rate = o->max_rate,
                                                .max_attempts = o->max_attempts,
                                                .until = i->until,
                                                .patience = PATIENCE};
    i->queue = event_queue_start(o->platform, o->facts, o->context, &options, &i->event, on_queue, i);
    return i->queue != NULL;
}

static bool begin(struct invocation *i, struct buf *event) {
    lambda_event_read(buf_span(event), &i->event);
    switch (i->event.kind) {
    case LAMBDA_DIRECT: return begin_whole(i, event);
    case LAMBDA_HTTP:
        /* Of a broken one the message's reader says where it is. */
        return i->event.broken ? begin_whole(i, event) : begin_http(i);
    case LAMBDA_SQS: return begin_queue(i);
    case LAMBDA_SNS:
    case LAMBDA_EVENTBRIDGE:
        if (i->options->platform->sqs) {
            return begin_queue(i);
        }
        lambda_records_begin(&i->records, &i->event);
        return begin_next_record(i);
    case LAMBDA_UNFIT: break;
    }
    end_in_error(i, "InvalidInputError", span_cstr(i->event.problem), span_cstr(i->event.problem));
    return true;
}

struct invocation *invocation_start(const struct lambda_options *options, const char *request_id, struct buf *event,
                                    int64_t until, invocation_done *done, void *user) {
    struct invocation *i = calloc(1, sizeof *i);
    if (!i) {
        return NULL;
    }
    i->options = options;
    i->request_id = request_id;
    i->until = until;
    i->done = done;
    i->user = user;
    buf_init(&i->body, BODY_MAX);
    buf_init(&i->key, BODY_MAX);
    buf_init(&i->text, ANSWER_MAX);
    timer_init(&i->end_timer, on_end, i);
    timer_init(&i->next_timer, on_next, i);
    if (!begin(i, event)) {
        invocation_free(i);
        return NULL;
    }
    i->started = true;
    return i;
}

const char *invocation_queue(const struct invocation *i) {
    return i->queue && i->event.kind == LAMBDA_SQS ? event_queue_name(i->queue) : "";
}

const struct invocation_answer *invocation_answer_briefly(struct invocation *i) {
    buf_reset(&i->text);
    (void)lambda_append_error(SPAN("Function.ResponseSizeTooLarge"),
                              SPAN("The event was worked on, and the answer is larger than Lambda takes"), &i->text);
    i->answer = (struct invocation_answer){buf_span(&i->text), "Function.ResponseSizeTooLarge", SPAN("")};
    return &i->answer;
}

void invocation_free(struct invocation *i) {
    if (!i) {
        return;
    }
    timer_stop(i->options->platform->timers, &i->end_timer);
    timer_stop(i->options->platform->timers, &i->next_timer);
    single_worker_free(i->single);
    event_queue_free(i->queue);
    buf_free(&i->body);
    buf_free(&i->key);
    buf_free(&i->text);
    free(i);
}
