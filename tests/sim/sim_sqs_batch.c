/* DeleteMessageBatch, ChangeMessageVisibilityBatch, and what all batches share. */
#include "sim_sqs_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_entry_refused(struct sqs_entry_result *r, const char *code) {
    *r = (struct sqs_entry_result){0};
    snprintf(r->code, sizeof r->code, "%s", code);
}

bool sim_entry_fails(struct sim_sqs *sqs, uint32_t mask, size_t i, struct sqs_entry_result *r) {
    if (sim_happens(sqs->world, sqs->failed_entries)) {
        sqs->happened.failed_entries++;
        sim_entry_refused(r, "InternalError");
    } else if (sim_happens(sqs->world, sqs->refused_entries)) {
        sqs->happened.refused_entries++;
        sim_entry_refused(r, "InvalidParameterValue");
    } else if (mask >> i & 1) {
        sim_entry_refused(r, sqs->fail_as_senders ? "InvalidMessageContents" : "InternalError");
    } else {
        return false;
    }
    return true;
}

/* FIFO queues refuse every handle whose time is over, standard ones may, and take a replaced one without using it. */
static bool is_refused_as_expired(struct sim_queue *queue, const struct sim_message *m, bool newest) {
    struct sim_sqs *sqs = queue->sqs;
    bool over = m->visible_at <= sqs->world->now;
    if (queue->attributes.fifo)
        return over || !newest;
    bool refused = over && newest && sim_happens(sqs->world, sqs->expired_handles);
    sqs->happened.expired_handles += refused;
    return refused;
}

static void delete_one(struct sim_queue *queue, const char *handle, struct sqs_entry_result *r) {
    struct sim_sqs *sqs = queue->sqs;
    bool newest = false;
    struct sim_message *m = sim_message_of(queue, handle, &newest);
    if (!m) {
        sim_entry_refused(r, "ReceiptHandleIsInvalid");
        return;
    }
    r->ok = true;
    if (m->deleted || m->expired)
        return;
    if (is_refused_as_expired(queue, m, newest)) {
        sim_entry_refused(r, "InvalidParameterValue"); /* "The receipt handle has expired" */
        return;
    }
    if (!newest || m->queue != queue) {
        queue->stale_deletes++;
        return;
    }
    if (!queue->attributes.fifo && sim_happens(sqs->world, sqs->ignored_deletes)) {
        sqs->happened.ignored_deletes++;
        return;
    }
    if (sqs->deleting)
        sqs->deleting(sqs->observer, m);
    sim_queue_remove(m);
    queue->deleted++;
    m->deleted = true;
}

enum sim_executed sim_delete_execute(struct sim_call *base) {
    struct sqs_call *call = (struct sqs_call *)base;
    struct sim_sqs *sqs = call->sqs;
    base->result = (struct call_result){.status = 200};
    if (sim_queue_refuses(call))
        return SIM_EXECUTED;
    uint32_t mask = sqs->fail_deletes;
    sqs->fail_deletes = 0;
    sqs->last_delete_count = call->count;
    memset(call->results, 0, sizeof call->results);
    for (size_t i = 0; i < call->count; i++)
        if (!sim_entry_fails(sqs, mask, i, &call->results[i]))
            delete_one(call->queue, call->handles[i], &call->results[i]);
    /* The next of a group may be free, or there is room in flight. */
    if (call->queue->attributes.fifo || call->queue->count + call->count > call->queue->in_flight_max)
        sim_queue_serve(call->queue);
    return SIM_EXECUTED;
}

static void change_one(struct sim_queue *queue, const char *handle, unsigned seconds, struct sqs_entry_result *r) {
    struct world *w = queue->sqs->world;
    bool newest = false;
    struct sim_message *m = sim_message_of(queue, handle, &newest);
    int64_t until = w->now + (int64_t)seconds * MICROSECONDS;
    if (!m) {
        sim_entry_refused(r, "ReceiptHandleIsInvalid");
    } else if (m->deleted || m->expired || m->queue != queue || !newest || m->visible_at <= w->now) {
        sim_entry_refused(r, "MessageNotInflight");
    } else if (until > m->received_at + (int64_t)SQS_VISIBILITY_MAX * MICROSECONDS) {
        sim_entry_refused(r, "InvalidParameterValue");
    } else {
        r->ok = true;
        sim_queue_changes(queue);
        m->visible_at = until;
        m->visibility_changes++;
    }
}

enum sim_executed sim_change_execute(struct sim_call *base) {
    struct sqs_call *call = (struct sqs_call *)base;
    base->result = (struct call_result){.status = 200};
    if (sim_queue_refuses(call))
        return SIM_EXECUTED;
    memset(call->results, 0, sizeof call->results);
    for (size_t i = 0; i < call->count; i++)
        if (!sim_entry_fails(call->sqs, 0, i, &call->results[i]))
            change_one(call->queue, call->handles[i], call->seconds[i], &call->results[i]);
    sim_queue_serve(call->queue);
    return SIM_EXECUTED;
}

void sim_batch_deliver(struct sim_call *base) {
    struct sqs_call *call = (struct sqs_call *)base;
    bool ok = base->result.class == CALL_OK;
    call->done.batch(call->user, &base->result, ok ? call->results : NULL, ok ? call->count : 0);
}
