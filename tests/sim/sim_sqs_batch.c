/* DeleteMessageBatch, ChangeMessageVisibilityBatch, SendMessageBatch. */
#include "sim_sqs_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void refuse_entry(struct sqs_entry_result *r, bool sender_fault, const char *code) {
    *r = (struct sqs_entry_result){.sender_fault = sender_fault};
    snprintf(r->code, sizeof r->code, "%s", code);
}

static bool fails(struct sim_sqs *sqs, uint32_t mask, size_t i, struct sqs_entry_result *r) {
    bool by_chance = sqs->failed_entries && random_below(&sqs->world->random, 1000) < sqs->failed_entries;
    if (!(mask >> i & 1) && !by_chance)
        return false;
    refuse_entry(r, sqs->fail_as_senders && !by_chance, sqs->fail_as_senders && !by_chance ? "InvalidMessageContents" : "InternalError");
    return true;
}

static void delete_one(struct sim_sqs *sqs, const char *handle, struct sqs_entry_result *r) {
    bool newest = false;
    struct sim_message *m = sim_message_of(sqs, handle, &newest);
    r->ok = true; /* whatever it does */
    if (m->deleted)
        return;
    if (!newest) {
        m->queue->stale_deletes++;
        return;
    }
    if (sqs->deleting)
        sqs->deleting(sqs->observer, m);
    TAILQ_REMOVE(&m->queue->messages, m, link);
    m->queue->count--;
    m->queue->deleted++;
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
        if (!fails(sqs, mask, i, &call->results[i]))
            delete_one(sqs, call->handles[i], &call->results[i]);
    return SIM_EXECUTED;
}

static void change_one(struct sim_sqs *sqs, const char *handle, unsigned seconds, struct sqs_entry_result *r) {
    struct world *w = sqs->world;
    bool newest = false;
    struct sim_message *m = sim_message_of(sqs, handle, &newest);
    int64_t until = w->now + (int64_t)seconds * MICROSECONDS;
    if (m->deleted || !newest || m->visible_at <= w->now) {
        refuse_entry(r, true, "MessageNotInflight");
    } else if (until > m->received_at + (int64_t)SQS_VISIBILITY_MAX * MICROSECONDS) {
        refuse_entry(r, true, "InvalidParameterValue");
    } else {
        r->ok = true;
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
        if (!fails(call->sqs, 0, i, &call->results[i]))
            change_one(call->sqs, call->handles[i], call->seconds[i], &call->results[i]);
    sim_queue_serve(call->queue);
    return SIM_EXECUTED;
}

static size_t attribute_size(const char *name, const char *type, const char *value) {
    return value[0] ? strlen(name) + strlen(type) + strlen(value) : 0;
}

static size_t size_of(const struct sim_message *m) {
    return strlen(m->body) + attribute_size("ErrorType", "String", m->error_type) + attribute_size("StatusCode", "Number", m->status_code) +
           attribute_size("ErrorEnvelope", "String", m->error_envelope);
}

/* The client may send the same once more. */
static struct sim_message *copy_of(struct sim_sqs *sqs, const struct sim_message *m) {
    struct sim_message *copy = sim_message_new(sqs, span_cstr(m->body));
    sim_message_set(&copy->error_type, span_cstr(m->error_type));
    sim_message_set(&copy->status_code, span_cstr(m->status_code));
    sim_message_set(&copy->error_envelope, span_cstr(m->error_envelope));
    return copy;
}

enum sim_executed sim_send_execute(struct sim_call *base) {
    struct sqs_call *call = (struct sqs_call *)base;
    struct sim_sqs *sqs = call->sqs;
    size_t bytes = 0, limit = call->queue ? call->queue->attributes.max_message_size : 0;
    base->result = (struct call_result){.status = 200};
    if (sim_queue_refuses(call))
        return SIM_EXECUTED;
    for (size_t i = 0; i < call->count; i++)
        bytes += size_of(call->sends[i]);
    sqs->largest_send_batch = bytes > sqs->largest_send_batch ? bytes : sqs->largest_send_batch;
    if (bytes > SQS_MESSAGE_SIZE_MAX) {
        sim_call_fail(&base->result, 400, "BatchRequestTooLong", "too long");
        return SIM_EXECUTED;
    }
    uint32_t mask = sqs->fail_sends;
    sqs->fail_sends = 0;
    sqs->last_send_count = call->count;
    memset(call->results, 0, sizeof call->results);
    for (size_t i = 0; i < call->count; i++) {
        size_t size = size_of(call->sends[i]);
        sqs->largest_send_entry = size > sqs->largest_send_entry ? size : sqs->largest_send_entry;
        if (fails(sqs, mask, i, &call->results[i]))
            continue;
        if (size > limit) {
            refuse_entry(&call->results[i], true, "InvalidParameterValue");
            continue;
        }
        call->results[i].ok = true;
        struct sim_message *sent = copy_of(sqs, call->sends[i]);
        sim_queue_put(call->queue, sent);
        if (sqs->was_sent)
            sqs->was_sent(sqs->observer, sent);
    }
    return SIM_EXECUTED;
}

void sim_batch_deliver(struct sim_call *base) {
    struct sqs_call *call = (struct sqs_call *)base;
    bool ok = base->result.class == CALL_OK;
    call->done.batch(call->user, &base->result, ok ? call->results : NULL, ok ? call->count : 0);
}
