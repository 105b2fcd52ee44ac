#include "event_queue.h"

#include "event_message.h"
#include "json_writer.h"
#include "queue_worker_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

static const size_t SCRATCH_MAX = (size_t)16 << 20;
static const unsigned RECORDS_TIME = 10; /* seconds for the audit records of failures, after all else is done */

enum fate { FATE_OPEN, FATE_DONE, FATE_LEFT };

/* A call to the event's queue; we answer it ourselves, from the loop. */
struct event_call {
    LIST_ENTRY(event_call) link;
    struct event_queue *queue;
    struct timer timer;
    sqs_received *received; /* one of these three is set */
    sqs_batch_done *batch_done;
    sqs_attributes_done *attributes_done;
    void *user;
    size_t count; /* messages asked for, or entries */
};

struct event_queue {
    struct platform platform; /* its sqs is `api` */
    struct sqs_api api;
    const struct sqs_api *dlq; /* the real SQS; NULL: there is no DLQ */
    struct discovery_facts facts;
    struct event_queue_options options;
    const struct lambda_event *event;
    event_queue_done *done;
    void *user;

    struct queue_worker *worker;
    struct lambda_records records;
    struct buf scratch;
    size_t given; /* records that the worker was given */
    uint8_t *fates; /* of each record */
    size_t open; /* how many are FATE_OPEN */
    LIST_HEAD(, event_call) calls;
    bool stopping, ended;
    char cause[128];
    struct timer settled_timer, patience_timer, until_timer;
};

static size_t left(const struct event_queue *q) {
    size_t count = 0;
    for (size_t i = 0; i < q->event->record_count; i++) {
        count += q->fates[i] != FATE_DONE;
    }
    return count;
}

static void end(struct event_queue *q) {
    if (q->ended) {
        return;
    }
    q->ended = true;
    size_t count = left(q);
    LOG_EVENT(q->platform.log, count ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG,
              count ? "Records of the event are left: they are delivered again" : "All records of the event are done",
              LOG_I("records", q->event->record_count), LOG_I("left", count),
              LOG_C("cause", q->cause[0] ? q->cause : "their own"));
    q->done(q->user, count, q->cause);
}

/* Time is over: whatever isn't done is left. */
static void give_up(void *user) {
    struct event_queue *q = user;
    struct queue_worker_status status = queue_worker_status(q->worker);
    struct worker_view view = queue_worker_view(q->worker);
    const struct worker_trouble *dlq = &view.troubles[METRICS_DEAD_LETTERING];
    if (status.held && status.cause[0]) {
        (void)snprintf(q->cause, sizeof q->cause, "%s", status.cause);
    } else if (dlq->is) {
        (void)snprintf(q->cause, sizeof q->cause, "it failed, and the DLQ doesn't take it: %s", dlq->code);
    } else if (status.last_failure[0]) {
        (void)snprintf(q->cause, sizeof q->cause, "Timeout; the last failure: %s", status.last_failure);
    } else {
        (void)snprintf(q->cause, sizeof q->cause, "Timeout");
    }
    end(q);
}

static void on_stopped(void *user, struct outcome outcome) {
    (void)outcome;
    end(user);
}

/* Every record has its fate. But audit records of failures may still be on their way. */
static void on_settled(void *user) {
    struct event_queue *q = user;
    if (q->ended || q->stopping) {
        return;
    }
    if (queue_worker_status(q->worker).dead_lettered == 0) {
        end(q);
        return;
    }
    q->stopping = true;
    queue_worker_stop(q->worker);
}

static void settle(struct event_queue *q, struct span handle, enum fate fate) {
    size_t number = 0;
    for (size_t i = 0; i < handle.len; i++) {
        number = number * 10 + (size_t)(handle.data[i] - '0');
    }
    if (number >= q->event->record_count || q->fates[number] != FATE_OPEN) {
        return;
    }
    int64_t now = clock_monotonic(q->platform.clock);
    q->fates[number] = (uint8_t)fate;
    q->open--;
    timer_start(q->platform.timers, &q->patience_timer, now + q->options.patience);
    if (q->open == 0) {
        timer_start(q->platform.timers, &q->settled_timer, now);
    }
}

static void answer_receive(struct event_queue *q, const struct event_call *call) {
    struct sqs_message *messages[SQS_BATCH_MAX];
    struct call_result result = {.class = CALL_OK, .status = 200, .from_service = true};
    bool fifo = q->facts.queue.attributes.fifo;
    size_t count = 0;
    struct lambda_record record;
    while (count < call->count && q->given < q->event->record_count && lambda_records_next(&q->records, &record)) {
        messages[count] = event_message_new(q->event, &record, q->given++, fifo, &q->scratch);
        count += messages[count] != NULL; /* without memory for its message a record is left */
    }
    call->received(call->user, &result, messages, count, 0);
}

static void on_answer(void *user) {
    struct event_call *call = user;
    struct event_queue *q = call->queue;
    const struct call_result result = {.class = CALL_OK, .status = 200, .from_service = true};
    LIST_REMOVE(call, link);
    if (call->received) {
        answer_receive(q, call);
    } else if (call->batch_done) {
        struct sqs_entry_result entries[SQS_BATCH_MAX] = {0};
        for (size_t i = 0; i < call->count; i++) {
            entries[i].ok = true;
        }
        call->batch_done(call->user, &result, entries, call->count);
    } else {
        call->attributes_done(call->user, &result, &q->facts.queue.attributes);
    }
    free(call);
}

static struct call *answer_soon(struct event_queue *q, const struct event_call *like) {
    struct event_call *call = malloc(sizeof *call);
    if (!call) {
        return NULL;
    }
    *call = *like;
    call->queue = q;
    timer_init(&call->timer, on_answer, call);
    timer_start(q->platform.timers, &call->timer, clock_monotonic(q->platform.clock));
    LIST_INSERT_HEAD(&q->calls, call, link);
    return (struct call *)(void *)call;
}

static struct call *receive(void *ctx, const struct sqs_receive_request *request, const struct call_options *options,
                            sqs_received *done, void *user) {
    (void)options;
    return answer_soon(ctx, &(struct event_call){.received = done, .user = user, .count = request->max_messages});
}

static struct call *delete_batch(void *ctx, const char *queue_url, const struct span *receipt_handles, size_t count,
                                 const struct call_options *options, sqs_batch_done *done, void *user) {
    struct event_queue *q = ctx;
    (void)queue_url, (void)options;
    struct call *call = answer_soon(q, &(struct event_call){.batch_done = done, .user = user, .count = count});
    for (size_t i = 0; call && i < count; i++) {
        settle(q, receipt_handles[i], FATE_DONE);
    }
    return call;
}

/* The worker never has to extend a visibility timeout here. So every change is the return of a message. */
static struct call *change_visibility_batch(void *ctx, const char *queue_url,
                                            const struct sqs_visibility_entry *entries, size_t count,
                                            const struct call_options *options, sqs_batch_done *done, void *user) {
    struct event_queue *q = ctx;
    (void)queue_url, (void)options;
    struct call *call = answer_soon(q, &(struct event_call){.batch_done = done, .user = user, .count = count});
    for (size_t i = 0; call && i < count; i++) {
        settle(q, entries[i].receipt_handle, FATE_LEFT);
    }
    return call;
}

/* Goes to the DLQ. A standard queue takes no deduplication id, even if the records have a group. */
static struct call *send_batch(void *ctx, const char *queue_url, const struct sqs_send_entry *entries, size_t count,
                               const struct call_options *options, sqs_batch_done *done, void *user) {
    struct event_queue *q = ctx;
    struct sqs_send_entry sends[SQS_BATCH_MAX];
    for (size_t i = 0; i < count; i++) {
        sends[i] = entries[i];
        if (!q->facts.dlq.attributes.fifo) {
            sends[i].group_id = sends[i].deduplication_id = (struct span){NULL, 0};
        }
    }
    return q->dlq ? q->dlq->send_batch(q->dlq->ctx, queue_url, sends, count, options, done, user) : NULL;
}

static struct call *get_attributes(void *ctx, const char *queue_url, const struct call_options *options,
                                   sqs_attributes_done *done, void *user) {
    (void)queue_url, (void)options;
    return answer_soon(ctx, &(struct event_call){.attributes_done = done, .user = user});
}

/* Never used: the worker has its queue's URL already. */
static struct call *get_queue_url(void *ctx, const char *queue_name, const char *owner_account,
                                  const struct call_options *options, sqs_url_done *done, void *user) {
    (void)ctx, (void)queue_name, (void)owner_account, (void)options, (void)done, (void)user;
    return NULL;
}

static void cancel(void *ctx, struct call *call) {
    struct event_queue *q = ctx;
    struct event_call *own;
    LIST_FOREACH(own, &q->calls, link) {
        if ((struct call *)(void *)own == call) {
            LIST_REMOVE(own, link);
            timer_stop(q->platform.timers, &own->timer);
            free(own);
            return;
        }
    }
    if (q->dlq) {
        q->dlq->cancel(q->dlq->ctx, call);
    }
}

static bool is_fifo(const char *name) {
    size_t len = strlen(name);
    return len > 5 && strcmp(name + len - 5, ".fifo") == 0;
}

/* Describes the queue that the records came from, as far as the worker needs it. */
static void describe_queue(struct event_queue *q) {
    struct queue_facts *queue = &q->facts.queue;
    struct lambda_record first;
    *queue = (struct queue_facts){.url = "event"};
    lambda_records_begin(&q->records, q->event);
    if (lambda_records_next(&q->records, &first)) {
        event_message_origin(q->event, &first, queue->name, sizeof queue->name);
    }
    lambda_records_begin(&q->records, q->event);
    queue->attributes = (struct sqs_queue_attributes){
        .visibility_timeout = SQS_VISIBILITY_MAX,
        .max_message_size = SQS_MESSAGE_SIZE_MAX,
        /* No message is ever delivered again here: for whoever counts deliveries, the first one is the last. */
        .max_receive_count = 1,
        .fifo = (q->event->kind == LAMBDA_SQS && is_fifo(queue->name)) || q->facts.dlq.attributes.fifo,
    };
    q->facts.visibility = SQS_VISIBILITY_MAX;
}

static bool begin(struct event_queue *q, const struct update_context *context) {
    int64_t now = clock_monotonic(q->platform.clock);
    const struct queue_worker_options options = {.max_in_flight = q->options.max_in_flight,
                                                 .max_rate = q->options.max_rate,
                                                 .max_attempts = q->options.max_attempts,
                                                 .shutdown_timeout = RECORDS_TIME,
                                                 .hurries = true};
    q->open = q->event->record_count;
    q->fates = calloc(q->open, 1);
    q->worker = q->fates ? queue_worker_start(&q->platform, &options, &q->facts, context, on_stopped, q) : NULL;
    timer_start(q->platform.timers, &q->patience_timer, now + q->options.patience);
    timer_start(q->platform.timers, &q->until_timer, q->options.until);
    return q->worker != NULL;
}

struct event_queue *event_queue_start(const struct platform *platform, const struct discovery_facts *facts,
                                      const struct update_context *context, const struct event_queue_options *options,
                                      const struct lambda_event *event, event_queue_done *done, void *user) {
    struct event_queue *q = calloc(1, sizeof *q);
    if (!q) {
        return NULL;
    }
    q->api = (struct sqs_api){.ctx = q,
                              .receive = receive,
                              .delete_batch = delete_batch,
                              .change_visibility_batch = change_visibility_batch,
                              .send_batch = send_batch,
                              .get_attributes = get_attributes,
                              .get_queue_url = get_queue_url,
                              .cancel = cancel};
    q->platform = *platform;
    q->dlq = platform->sqs;
    q->platform.sqs = &q->api;
    q->facts = *facts;
    q->options = *options;
    q->event = event;
    q->done = done;
    q->user = user;
    LIST_INIT(&q->calls);
    buf_init(&q->scratch, SCRATCH_MAX);
    timer_init(&q->settled_timer, on_settled, q);
    timer_init(&q->patience_timer, give_up, q);
    timer_init(&q->until_timer, give_up, q);
    describe_queue(q);
    if (!begin(q, context)) {
        event_queue_free(q);
        return NULL;
    }
    return q;
}

bool event_queue_append_left(const struct event_queue *q, struct buf *out) {
    struct lambda_records records;
    struct lambda_record record;
    const char *between = "";
    (void)buf_append_cstr(out, "{\"batchItemFailures\":[");
    lambda_records_begin(&records, q->event);
    for (size_t i = 0; lambda_records_next(&records, &record); i++) {
        if (q->fates[i] != FATE_DONE) {
            (void)buf_printf(out, "%s{\"itemIdentifier\":", between);
            (void)json_append_quoted(out, record.id.raw); /* the id is still escaped as in the event */
            (void)buf_append_char(out, '}');
            between = ",";
        }
    }
    return buf_append_cstr(out, "]}");
}

const char *event_queue_name(const struct event_queue *q) {
    return q->facts.queue.name;
}

void event_queue_free(struct event_queue *q) {
    if (!q) {
        return;
    }
    queue_worker_free(q->worker);
    for (struct event_call *call = LIST_FIRST(&q->calls), *next; call; call = next) {
        next = LIST_NEXT(call, link);
        timer_stop(q->platform.timers, &call->timer);
        free(call);
    }
    timer_stop(q->platform.timers, &q->settled_timer);
    timer_stop(q->platform.timers, &q->patience_timer);
    timer_stop(q->platform.timers, &q->until_timer);
    buf_free(&q->scratch);
    free(q->fates);
    free(q);
}
