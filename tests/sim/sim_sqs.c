/* The port's functions. */
#include "sim_sqs_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_sqs_init(struct sim_sqs *sqs, struct world *w) {
    struct sim_operation usual = {.latency = 10 * MILLISECOND, .jitter = 5 * MILLISECOND, .default_attempts = 3};
    *sqs = (struct sim_sqs){.world = w,
                            .receive = usual,
                            .remove = usual,
                            .change = usual,
                            .send = usual,
                            .attributes = usual,
                            .url = usual};
}

void sim_sqs_done(struct sim_sqs *sqs) {
    for (size_t i = 0; i < sqs->all_count; i++)
        sim_message_free(sqs->all[i]);
    free(sqs->all);
    for (size_t i = 0; i < sqs->queue_count; i++)
        sim_fifo_done(&sqs->queues[i]);
}

void sim_sqs_set_mode(struct sim_sqs *sqs, enum sim_mode mode) {
    sqs->receive.mode = sqs->remove.mode = sqs->change.mode = sqs->send.mode = sqs->attributes.mode = sqs->url.mode =
        mode;
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
    else if (sim_fifo_too_fast(call->queue, call->action))
        sim_call_fail(r, 400, "RequestThrottled", "slower");
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
    sim_receive_drop(call);
    free(call->attempt_id);
    free(call);
}

static struct sqs_call *new_call(struct sim_sqs *sqs, const char *url, enum sim_sqs_action action, void *user) {
    struct sqs_call *call = world_alloc(sizeof *call);
    call->sqs = sqs;
    call->queue = sim_sqs_queue(sqs, url);
    call->action = action;
    call->user = user;
    return call;
}

static struct call *receive(void *ctx, const struct sqs_receive_request *request, const struct call_options *options,
                            sqs_received *done, void *user) {
    static const struct sim_call_kind kind = {.execute = sim_receive_execute,
                                              .deliver = sim_receive_deliver,
                                              .release = release,
                                              .abandon = sim_receive_abandon};
    struct sim_sqs *sqs = ctx;
    struct sqs_call *call = new_call(sqs, request->queue_url, SIM_RECEIVE, user);
    call->done.received = done;
    call->max_messages = request->max_messages;
    call->visibility = request->visibility_seconds;
    call->wait = call->base.waits_for = (int64_t)request->wait_seconds * MICROSECONDS;
    call->base.silence = request->silence;
    if (request->attempt_id)
        call->attempt_id = world_text(span_cstr(request->attempt_id));
    return sim_call_start(sqs->world, &call->base, &kind, &sqs->receive, options);
}

static struct call *delete_batch(void *ctx, const char *queue_url, const struct span *receipt_handles, size_t count,
                                 const struct call_options *options, sqs_batch_done *done, void *user) {
    static const struct sim_call_kind kind = {
        .execute = sim_delete_execute, .deliver = sim_batch_deliver, .release = release};
    struct sim_sqs *sqs = ctx;
    struct sqs_call *call = new_call(sqs, queue_url, SIM_DELETE, user);
    call->done.batch = done;
    call->count = count;
    for (size_t i = 0; i < count; i++)
        call->handles[i] = world_text(receipt_handles[i]);
    return sim_call_start(sqs->world, &call->base, &kind, &sqs->remove, options);
}

static struct call *change_batch(void *ctx, const char *queue_url, const struct sqs_visibility_entry *entries,
                                 size_t count, const struct call_options *options, sqs_batch_done *done, void *user) {
    static const struct sim_call_kind kind = {
        .execute = sim_change_execute, .deliver = sim_batch_deliver, .release = release};
    struct sim_sqs *sqs = ctx;
    struct sqs_call *call = new_call(sqs, queue_url, SIM_CHANGE, user);
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
    static const struct sim_call_kind kind = {
        .execute = sim_send_execute, .deliver = sim_batch_deliver, .release = release};
    struct sim_sqs *sqs = ctx;
    world_enter();
    struct sqs_call *call = new_call(sqs, queue_url, SIM_SEND, user);
    call->done.batch = done;
    call->count = count;
    for (size_t i = 0; i < count; i++) {
        struct sim_message *m = call->sends[i] = sim_message_new(entries[i].body);
        if (entries[i].body.len > 0 && memchr(entries[i].body.data, '\0', entries[i].body.len))
            sim_message_set(&m->body, SPAN("\x01")); /* no more sendable than NUL, which our texts don't hold */
        sim_message_set(&m->error_type, entries[i].error_type);
        sim_message_set(&m->status_code, entries[i].status_code);
        sim_message_set(&m->error_envelope, entries[i].error_envelope);
        sim_message_set(&m->group_id, entries[i].group_id);
        sim_message_set(&m->deduplication_id, entries[i].deduplication_id);
        sim_message_set(&m->trace_header, entries[i].trace_header);
        sim_message_set_attributes(m, entries[i].attributes, entries[i].attribute_count);
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
    struct sim_queue_counts counts = sim_queue_told(call->queue);
    call->attributes.visible = counts.visible;
    call->attributes.in_flight = counts.in_flight;
    call->attributes.delayed = counts.delayed;
    return SIM_EXECUTED;
}

static void deliver_attributes(struct sim_call *base) {
    struct sqs_call *call = (struct sqs_call *)base;
    call->done.attributes(call->user, &base->result, base->result.class == CALL_OK ? &call->attributes : NULL);
}

static struct call *get_attributes(void *ctx, const char *queue_url, const struct call_options *options,
                                   sqs_attributes_done *done, void *user) {
    static const struct sim_call_kind kind = {
        .execute = execute_attributes, .deliver = deliver_attributes, .release = release};
    struct sim_sqs *sqs = ctx;
    struct sqs_call *call = new_call(sqs, queue_url, SIM_ATTRIBUTES, user);
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

static struct call *get_queue_url(void *ctx, const char *queue_name, const char *owner_account,
                                  const struct call_options *options, sqs_url_done *done, void *user) {
    static const struct sim_call_kind kind = {.execute = execute_url, .deliver = deliver_url, .release = release};
    struct sim_sqs *sqs = ctx;
    struct sqs_call *call = new_call(sqs, "", SIM_URL, user);
    (void)owner_account;
    call->done.url = done;
    snprintf(call->name, sizeof call->name, "%s", queue_name);
    return sim_call_start(sqs->world, &call->base, &kind, &sqs->url, options);
}

static void cancel(void *ctx, struct call *call) {
    (void)ctx;
    sim_call_cancel(call);
}

struct sqs_api sim_sqs_api(struct sim_sqs *sqs) {
    return (struct sqs_api){.ctx = sqs,
                            .receive = receive,
                            .delete_batch = delete_batch,
                            .change_visibility_batch = change_batch,
                            .send_batch = send_batch,
                            .get_attributes = get_attributes,
                            .get_queue_url = get_queue_url,
                            .cancel = cancel};
}
