/* Queues, messages, and the port's functions. */
#include "sim_sqs_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_sqs_init(struct sim_sqs *sqs, struct world *w) {
    struct sim_operation usual = {.latency = 10 * MILLISECOND, .jitter = 5 * MILLISECOND, .default_attempts = 3};
    *sqs = (struct sim_sqs){.world = w, .receive = usual, .remove = usual, .change = usual, .send = usual, .attributes = usual, .url = usual};
}

void sim_message_free(struct sim_message *m) {
    if (!m)
        return;
    free(m->body);
    free(m->error_type);
    free(m->status_code);
    free(m->error_envelope);
    free(m);
}

void sim_sqs_done(struct sim_sqs *sqs) {
    for (size_t i = 0; i < sqs->all_count; i++)
        sim_message_free(sqs->all[i]);
    free(sqs->all);
}

static void on_wakes(void *user) {
    world_enter();
    sim_queue_serve(user);
    world_leave();
}

struct sim_queue *sim_sqs_add_queue(struct sim_sqs *sqs, const char *name) {
    if (sqs->queue_count == SIM_QUEUES_MAX)
        abort();
    struct sim_queue *q = &sqs->queues[sqs->queue_count++];
    *q = (struct sim_queue){.sqs = sqs, .name = name, .exists = true};
    snprintf(q->url, sizeof q->url, "http://sqs.test/123456789012/%s", name);
    q->attributes = (struct sqs_queue_attributes){
        .visibility_timeout = SQS_DEFAULT_VISIBILITY, .retention = 345600, .max_message_size = SQS_MESSAGE_SIZE_MAX};
    snprintf(q->attributes.arn, sizeof q->attributes.arn, "arn:aws:sqs:eu-central-1:123456789012:%s", name);
    TAILQ_INIT(&q->messages);
    TAILQ_INIT(&q->waiters);
    timer_init(&q->wakes, on_wakes, q);
    return q;
}

struct sim_queue *sim_sqs_queue(struct sim_sqs *sqs, const char *url) {
    for (size_t i = 0; i < sqs->queue_count; i++)
        if (sqs->queues[i].exists && !strcmp(sqs->queues[i].url, url))
            return &sqs->queues[i];
    return NULL;
}

struct sim_message *sim_message_new(struct sim_sqs *sqs, struct span body) {
    (void)sqs;
    struct sim_message *m = world_alloc(sizeof *m);
    m->body = world_text(body);
    m->error_type = world_text(SPAN(""));
    m->status_code = world_text(SPAN(""));
    m->error_envelope = world_text(SPAN(""));
    return m;
}

void sim_message_set(char **text, struct span by) {
    free(*text);
    *text = world_text(by);
}

void sim_queue_put(struct sim_queue *queue, struct sim_message *m) {
    struct sim_sqs *sqs = queue->sqs;
    if (sqs->all_count == sqs->all_room) {
        sqs->all_room = sqs->all_room ? 2 * sqs->all_room : 64;
        sqs->all = realloc(sqs->all, sqs->all_room * sizeof(struct sim_message *));
        if (!sqs->all)
            abort();
    }
    m->index = sqs->all_count;
    sqs->all[sqs->all_count++] = m;
    m->queue = queue;
    m->sent_at = m->visible_at = sqs->world->now;
    snprintf(m->id, sizeof m->id, "00000000-0000-4000-8000-%012zx", m->index);
    TAILQ_INSERT_TAIL(&queue->messages, m, link);
    queue->count++;
    queue->sent++;
    if (!TAILQ_EMPTY(&queue->waiters))
        timer_start(&sqs->world->timers, &queue->wakes, sqs->world->now);
}

struct sim_message *sim_queue_send(struct sim_queue *queue, const char *body) {
    world_enter();
    struct sim_message *m = sim_message_new(queue->sqs, span_cstr(body));
    sim_queue_put(queue, m);
    world_leave();
    return m;
}

void sim_queue_expose(struct sim_message *m) {
    m->visible_at = m->queue->sqs->world->now;
    sim_queue_serve(m->queue);
}

size_t sim_queue_visible(const struct sim_queue *queue) {
    size_t count = 0;
    const struct sim_message *m;
    TAILQ_FOREACH(m, &queue->messages, link) {
        count += m->visible_at <= queue->sqs->world->now;
    }
    return count;
}

void sim_sqs_set_mode(struct sim_sqs *sqs, enum sim_mode mode) {
    sqs->receive.mode = sqs->remove.mode = sqs->change.mode = sqs->send.mode = sqs->attributes.mode = sqs->url.mode = mode;
}

struct sim_message *sim_message_of(struct sim_sqs *sqs, const char *handle, bool *ret_newest) {
    char *end = NULL;
    size_t index = strtoull(handle, &end, 10);
    if (index >= sqs->all_count || *end != '#')
        abort();
    *ret_newest = strtoul(end + 1, NULL, 10) == sqs->all[index]->handle;
    return sqs->all[index];
}

bool sim_queue_refuses(struct sqs_call *call) {
    struct call_result *r = &call->base.result;
    if (!call->queue)
        sim_call_fail(r, 400, "QueueDoesNotExist", "The specified queue does not exist.");
    else if (call->queue->mode == SIM_DENIED)
        sim_call_fail(r, 403, "AccessDenied", "no");
    else if (call->queue->mode == SIM_THROTTLED)
        sim_call_fail(r, 400, "RequestThrottled", "slower");
    else if (call->queue->mode != SIM_UP)
        sim_call_fail(r, 500, "InternalError", "broken");
    else
        return false;
    return true;
}

static void release(struct sim_call *base) {
    struct sqs_call *call = (struct sqs_call *)base;
    for (size_t i = 0; i < SQS_BATCH_MAX; i++) {
        free(call->handles[i]);
        sim_message_free(call->sends[i]);
    }
    for (size_t i = 0; i < call->count && i < SQS_BATCH_MAX; i++)
        sqs_message_free(call->messages[i]);
    free(call);
}

static struct sqs_call *new_call(struct sim_sqs *sqs, const char *url, void *user) {
    struct sqs_call *call = world_alloc(sizeof *call);
    call->sqs = sqs;
    call->queue = sim_sqs_queue(sqs, url);
    call->user = user;
    return call;
}

static struct call *receive(void *ctx, const struct sqs_receive_request *request, const struct call_options *options, sqs_received *done,
                            void *user) {
    static const struct sim_call_kind kind = {
        .execute = sim_receive_execute, .deliver = sim_receive_deliver, .release = release, .abandon = sim_receive_abandon};
    struct sim_sqs *sqs = ctx;
    struct sqs_call *call = new_call(sqs, request->queue_url, user);
    call->done.received = done;
    call->max_messages = request->max_messages;
    call->visibility = request->visibility_seconds;
    call->wait = (int64_t)request->wait_seconds * MICROSECONDS;
    return sim_call_start(sqs->world, &call->base, &kind, &sqs->receive, options);
}

static struct call *delete_batch(void *ctx, const char *queue_url, const struct span *receipt_handles, size_t count,
                                 const struct call_options *options, sqs_batch_done *done, void *user) {
    static const struct sim_call_kind kind = {.execute = sim_delete_execute, .deliver = sim_batch_deliver, .release = release};
    struct sim_sqs *sqs = ctx;
    struct sqs_call *call = new_call(sqs, queue_url, user);
    call->done.batch = done;
    call->count = count;
    for (size_t i = 0; i < count; i++)
        call->handles[i] = world_text(receipt_handles[i]);
    return sim_call_start(sqs->world, &call->base, &kind, &sqs->remove, options);
}

static struct call *change_batch(void *ctx, const char *queue_url, const struct sqs_visibility_entry *entries, size_t count,
                                 const struct call_options *options, sqs_batch_done *done, void *user) {
    static const struct sim_call_kind kind = {.execute = sim_change_execute, .deliver = sim_batch_deliver, .release = release};
    struct sim_sqs *sqs = ctx;
    struct sqs_call *call = new_call(sqs, queue_url, user);
    call->done.batch = done;
    call->count = count;
    for (size_t i = 0; i < count; i++) {
        call->handles[i] = world_text(entries[i].receipt_handle);
        call->seconds[i] = entries[i].visibility_seconds;
    }
    return sim_call_start(sqs->world, &call->base, &kind, &sqs->change, options);
}

static struct call *send_batch(void *ctx, const char *queue_url, const struct sqs_send_entry *entries, size_t count,
                               const struct call_options *options, sqs_batch_done *done, void *user) {
    static const struct sim_call_kind kind = {.execute = sim_send_execute, .deliver = sim_batch_deliver, .release = release};
    struct sim_sqs *sqs = ctx;
    world_enter();
    struct sqs_call *call = new_call(sqs, queue_url, user);
    call->done.batch = done;
    call->count = count;
    for (size_t i = 0; i < count; i++) {
        struct sim_message *m = call->sends[i] = sim_message_new(sqs, entries[i].body);
        sim_message_set(&m->error_type, entries[i].error_type);
        sim_message_set(&m->status_code, entries[i].status_code);
        sim_message_set(&m->error_envelope, entries[i].error_envelope);
    }
    struct call *started = sim_call_start(sqs->world, &call->base, &kind, &sqs->send, options);
    world_leave();
    return started;
}

static enum sim_executed execute_attributes(struct sim_call *base) {
    struct sqs_call *call = (struct sqs_call *)base;
    base->result = (struct call_result){.status = 200};
    if (sim_queue_refuses(call))
        return SIM_EXECUTED;
    call->attributes = call->queue->attributes;
    call->attributes.visible = sim_queue_visible(call->queue);
    call->attributes.in_flight = call->queue->count - call->attributes.visible;
    return SIM_EXECUTED;
}

static void deliver_attributes(struct sim_call *base) {
    struct sqs_call *call = (struct sqs_call *)base;
    call->done.attributes(call->user, &base->result, base->result.class == CALL_OK ? &call->attributes : NULL);
}

static struct call *get_attributes(void *ctx, const char *queue_url, const struct call_options *options, sqs_attributes_done *done,
                                   void *user) {
    static const struct sim_call_kind kind = {.execute = execute_attributes, .deliver = deliver_attributes, .release = release};
    struct sim_sqs *sqs = ctx;
    struct sqs_call *call = new_call(sqs, queue_url, user);
    call->done.attributes = done;
    return sim_call_start(sqs->world, &call->base, &kind, &sqs->attributes, options);
}

static enum sim_executed execute_url(struct sim_call *base) {
    struct sqs_call *call = (struct sqs_call *)base;
    base->result = (struct call_result){.status = 200};
    for (size_t i = 0; i < call->sqs->queue_count; i++)
        if (call->sqs->queues[i].exists && !strcmp(call->sqs->queues[i].name, call->name)) {
            call->queue = &call->sqs->queues[i];
            return SIM_EXECUTED;
        }
    sim_call_fail(&base->result, 400, "QueueDoesNotExist", "The specified queue does not exist.");
    return SIM_EXECUTED;
}

static void deliver_url(struct sim_call *base) {
    struct sqs_call *call = (struct sqs_call *)base;
    call->done.url(call->user, &base->result, base->result.class == CALL_OK ? call->queue->url : NULL);
}

static struct call *get_queue_url(void *ctx, const char *queue_name, const char *owner_account, const struct call_options *options,
                                  sqs_url_done *done, void *user) {
    static const struct sim_call_kind kind = {.execute = execute_url, .deliver = deliver_url, .release = release};
    struct sim_sqs *sqs = ctx;
    struct sqs_call *call = new_call(sqs, "", user);
    (void)owner_account;
    call->done.url = done;
    snprintf(call->name, sizeof call->name, "%s", queue_name);
    return sim_call_start(sqs->world, &call->base, &kind, &sqs->url, options);
}

static void cancel(void *ctx, struct call *call) {
    (void)ctx;
    sim_call_cancel(call);
}

struct sqs_port sim_sqs_port(struct sim_sqs *sqs) {
    return (struct sqs_port){.ctx = sqs,
                             .receive = receive,
                             .delete_batch = delete_batch,
                             .change_visibility_batch = change_batch,
                             .send_batch = send_batch,
                             .get_attributes = get_attributes,
                             .get_queue_url = get_queue_url,
                             .cancel = cancel};
}
