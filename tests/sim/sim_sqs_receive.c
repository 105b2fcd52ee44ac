/* ReceiveMessage: who gets what, and when. */
#include "sim_sqs_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *append(char *at, const char *text, struct span *ret_span) {
    size_t len = strlen(text);
    memcpy(at, text, len + 1);
    *ret_span = span_of(at, len);
    return at + len + 1;
}

/* All that a message's texts take in an answer, each with its end. */
static size_t size_of_texts(const struct sim_message *m) {
    size_t size =
        strlen(m->id) + strlen(m->body) + strlen(m->error_envelope) + strlen(m->group_id) + strlen(m->trace_header) + 6;
    for (size_t i = 0; i < m->attribute_count; i++)
        size += m->attributes[i].name.len + m->attributes[i].type.len + m->attributes[i].value.len + 3;
    return size;
}

/* ErrorType and StatusCode are attributes as any other for who receives them. */
static char *copy_attributes(const struct sim_message *m, struct message_attribute *to, char *at, size_t *ret_count) {
    size_t count = 0;
    const struct message_attribute ours[] = {{SPAN("ErrorType"), SPAN("String"), span_cstr(m->error_type), false},
                                             {SPAN("StatusCode"), SPAN("Number"), span_cstr(m->status_code), false}};
    for (size_t i = 0; i < 2; i++)
        if (ours[i].value.len > 0)
            to[count++] = ours[i];
    for (size_t i = 0; i < m->attribute_count && count < MESSAGE_ATTRIBUTES_MAX; i++, count++) {
        to[count].binary = m->attributes[i].binary;
        at = append(at, m->attributes[i].name.data, &to[count].name);
        at = append(at, m->attributes[i].type.data, &to[count].type);
        at = append(at, m->attributes[i].value.data, &to[count].value);
    }
    message_attributes_sort(to, count);
    *ret_count = count;
    return at;
}

static struct sqs_message *copy_out(const struct sim_message *m) {
    char handle[48], sequence[24];
    snprintf(handle, sizeof handle, "%zu#%u", m->index, m->handle);
    snprintf(sequence, sizeof sequence, "%020" PRIu64, m->sequence);
    struct message_attribute *attributes;
    struct sqs_message *out = world_alloc(sizeof *out + MESSAGE_ATTRIBUTES_MAX * sizeof *attributes + size_of_texts(m) +
                                          sizeof handle + sizeof sequence);
    attributes = (struct message_attribute *)(void *)(out + 1);
    char *at = copy_attributes(m, attributes, (char *)(attributes + MESSAGE_ATTRIBUTES_MAX), &out->attribute_count);
    out->attributes = attributes;
    at = append(at, m->id, &out->message_id);
    at = append(at, handle, &out->receipt_handle);
    at = append(at, m->body, &out->body);
    if (m->error_envelope[0])
        at = append(at, m->error_envelope, &out->error_envelope);
    if (m->trace_header[0])
        at = append(at, m->trace_header, &out->trace_header);
    if (m->group_id[0])
        at = append(at, m->group_id, &out->group_id);
    if (m->sequence)
        append(at, sequence, &out->sequence_number);
    out->attribute_bytes = out->error_envelope.len + out->trace_header.len;
    for (size_t i = 0; i < out->attribute_count; i++)
        out->attribute_bytes += sizeof *attributes + attributes[i].name.len + attributes[i].value.len;
    out->sent_at = WORLD_WALL + m->sent_at;
    out->receive_count = m->receive_count;
    return out;
}

bool sim_receive_has(const struct sqs_call *call, const struct sim_message *m) {
    for (size_t i = 0; i < call->count; i++)
        if (call->given[i] == m->index)
            return true;
    return false;
}

void sim_receive_drop(struct sqs_call *call) {
    if (call->action == SIM_RECEIVE)
        for (size_t i = 0; i < call->count; i++)
            sqs_message_free(call->messages[i]);
    call->count = 0;
    call->base.answer_bytes = 0;
}

void sim_receive_give(struct sqs_call *call, const struct sim_message *m) {
    call->queue->received++;
    call->base.answer_bytes += strlen(m->body);
    call->given[call->count] = m->index;
    call->messages[call->count++] = copy_out(m);
}

void sim_receive_take(struct sqs_call *call, struct sim_message *m) {
    struct sim_sqs *sqs = call->sqs;
    struct world *w = sqs->world;
    bool grows = sim_happens(w, sqs->counts_grow), twice = !m->group && sim_happens(w, sqs->duplicates);
    sqs->happened.counts_grow += grows;
    sqs->happened.duplicates += twice;
    sim_queue_changes(m->queue);
    m->receive_count += grows ? 2 : 1;
    m->handle++;
    m->received_at = w->now;
    m->visible_at = twice ? w->now : w->now + (int64_t)call->visibility * MICROSECONDS;
    sim_receive_give(call, m);
}

/* The oldest visible message, mostly. */
static struct sim_message *choose(struct sqs_call *call) {
    struct sim_sqs *sqs = call->sqs;
    struct sim_message *m, *next, *chosen = NULL;
    bool reorder = sim_happens(sqs->world, sqs->reorders);
    size_t skip = reorder ? (size_t)random_below(&sqs->world->random, 50) : 0;
    sqs->happened.reorders += reorder;
    for (m = TAILQ_FIRST(&call->queue->messages); m; m = next) {
        next = TAILQ_NEXT(m, link);
        if (m->visible_at > sqs->world->now || sim_message_moves(m))
            continue;
        chosen = m;
        if (skip-- == 0)
            break;
    }
    return chosen;
}

/* How many messages a receive may hand out now. */
static size_t room_of(struct sqs_call *call) {
    struct sim_queue *queue = call->queue;
    struct sim_sqs *sqs = call->sqs;
    size_t room = call->max_messages;
    if (queue->count > queue->in_flight_max) {
        size_t in_flight = sim_queue_count(queue).in_flight,
               left = in_flight < queue->in_flight_max ? queue->in_flight_max - in_flight : 0;
        room = left < room ? left : room;
    }
    if (room > 0 && sim_happens(sqs->world, sqs->short_receives)) {
        sqs->happened.short_receives++;
        room = (size_t)random_below(&sqs->world->random, room) + (call->wait > 0);
    }
    return room;
}

static bool serve(struct sqs_call *call) {
    struct sim_message *m;
    sim_queue_expire(call->queue);
    size_t room = room_of(call);
    if (call->queue->attributes.fifo)
        return sim_fifo_serve(call, room);
    /* A duplicate is for a later receive. */
    while (call->count < room && (m = choose(call)) && !sim_receive_has(call, m))
        sim_receive_take(call, m);
    return call->count > 0;
}

/* Too much is in flight, and the receive doesn't wait: then the answer is written. */
static bool is_over_limit(struct sqs_call *call) {
    const struct sim_queue *queue = call->queue;
    if (queue->attributes.fifo || call->wait > 0 || queue->count < queue->in_flight_max ||
        sim_queue_count(queue).in_flight < queue->in_flight_max)
        return false;
    call->sqs->happened.over_limit++;
    sim_call_fail(&call->base.result, 403, "OverLimit", "too many messages in flight");
    return true;
}

static void stop_waiting(struct sqs_call *call) {
    TAILQ_REMOVE(&call->queue->waiters, call, waiting);
    call->sqs->receives_waiting--;
}

static void schedule(struct sim_queue *queue) {
    struct world *w = queue->sqs->world;
    int64_t next = NEVER;
    struct sqs_call *call;
    struct sim_message *m;
    TAILQ_FOREACH(call, &queue->waiters, waiting) {
        next = call->wait_until < next ? call->wait_until : next;
    }
    if (!TAILQ_EMPTY(&queue->waiters))
        TAILQ_FOREACH(m, &queue->messages, link) {
            if (m->visible_at > w->now && m->visible_at < next) /* what is visible already is for none of them */
                next = m->visible_at;
        }
    if (next == NEVER)
        timer_stop(&w->timers, &queue->wakes);
    else
        timer_start(&w->timers, &queue->wakes, next);
}

void sim_queue_serve(struct sim_queue *queue) {
    struct world *w = queue->sqs->world;
    struct sqs_call *next;
    for (struct sqs_call *call = TAILQ_FIRST(&queue->waiters); call; call = next) {
        next = TAILQ_NEXT(call, waiting);
        if (!serve(call) && w->now < call->wait_until)
            continue;
        stop_waiting(call);
        sim_call_executed(&call->base);
    }
    schedule(queue);
}

enum sim_executed sim_receive_execute(struct sim_call *base) {
    struct sqs_call *call = (struct sqs_call *)base;
    struct sim_sqs *sqs = call->sqs;
    base->result = (struct call_result){.status = 200};
    sim_receive_drop(call); /* of an attempt before, whose answer was lost */
    if (sim_queue_refuses(call) || is_over_limit(call))
        return SIM_EXECUTED;
    call->wait_until = sqs->world->now + call->wait;
    if (sqs->corrupts)
        return SIM_EXECUTED;
    if (serve(call) || call->wait == 0 || sqs->never_waits)
        return SIM_EXECUTED;
    TAILQ_INSERT_TAIL(&call->queue->waiters, call, waiting);
    if (++sqs->receives_waiting > sqs->most_receives_waiting)
        sqs->most_receives_waiting = sqs->receives_waiting;
    schedule(call->queue);
    return SIM_WAITS;
}

bool sim_receive_abandon(struct sim_call *base) {
    struct sqs_call *call = (struct sqs_call *)base;
    if (sim_happens(base->world, call->sqs->ghost_receives)) {
        call->sqs->happened.ghost_receives++;
        return false;
    }
    stop_waiting(call);
    schedule(call->queue);
    return true;
}

void sim_receive_deliver(struct sim_call *base) {
    struct sqs_call *call = (struct sqs_call *)base;
    struct sqs_message *messages[SQS_BATCH_MAX];
    size_t count = base->result.class == CALL_OK ? call->count : 0;
    memcpy(messages, call->messages, sizeof messages);
    if (count > 0)
        call->count = 0; /* the receiver's now */
    call->done.received(call->user, &base->result, messages, count,
                        base->result.class == CALL_OK && call->sqs->corrupts);
}
