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

static struct sqs_message *copy_out(const struct sim_message *m) {
    char handle[48], sequence[24];
    snprintf(handle, sizeof handle, "%zu#%u", m->index, m->handle);
    snprintf(sequence, sizeof sequence, "%020" PRIu64, m->sequence);
    struct sqs_message *out =
        world_alloc(sizeof *out + strlen(m->id) + strlen(handle) + strlen(m->body) + strlen(m->error_envelope) + strlen(m->group_id) +
                    sizeof sequence + 6);
    char *at = (char *)(out + 1);
    at = append(at, m->id, &out->message_id);
    at = append(at, handle, &out->receipt_handle);
    at = append(at, m->body, &out->body);
    if (m->error_envelope[0])
        at = append(at, m->error_envelope, &out->error_envelope);
    if (m->group_id[0])
        at = append(at, m->group_id, &out->group_id);
    if (m->sequence)
        append(at, sequence, &out->sequence_number);
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
}

void sim_receive_give(struct sqs_call *call, const struct sim_message *m) {
    call->queue->received++;
    call->given[call->count] = m->index;
    call->messages[call->count++] = copy_out(m);
}

void sim_receive_take(struct sqs_call *call, struct sim_message *m) {
    struct sim_sqs *sqs = call->sqs;
    struct world *w = sqs->world;
    m->receive_count++;
    m->handle++;
    m->received_at = w->now;
    bool twice = !m->group && sqs->duplicates && random_below(&w->random, 1000) < sqs->duplicates;
    m->visible_at = twice ? w->now : w->now + (int64_t)call->visibility * MICROSECONDS;
    sim_receive_give(call, m);
}

/* The oldest visible message, mostly. */
static struct sim_message *choose(struct sqs_call *call) {
    struct sim_sqs *sqs = call->sqs;
    struct sim_message *m, *chosen = NULL;
    bool reorder = sqs->reorders && random_below(&sqs->world->random, 1000) < sqs->reorders;
    size_t skip = reorder ? (size_t)random_below(&sqs->world->random, 50) : 0;
    TAILQ_FOREACH(m, &call->queue->messages, link) {
        if (m->visible_at > sqs->world->now)
            continue;
        chosen = m;
        if (skip-- == 0)
            break;
    }
    return chosen;
}

static bool serve(struct sqs_call *call) {
    struct sim_message *m;
    if (call->queue->attributes.fifo)
        return sim_fifo_serve(call);
    /* A duplicate is for a later receive. */
    while (call->count < call->max_messages && (m = choose(call)) && !sim_receive_has(call, m))
        sim_receive_take(call, m);
    return call->count > 0;
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
    if (sim_queue_refuses(call))
        return SIM_EXECUTED;
    call->wait_until = sqs->world->now + call->wait;
    if (serve(call) || call->wait == 0 || sqs->never_waits)
        return SIM_EXECUTED;
    TAILQ_INSERT_TAIL(&call->queue->waiters, call, waiting);
    if (++sqs->receives_waiting > sqs->most_receives_waiting)
        sqs->most_receives_waiting = sqs->receives_waiting;
    schedule(call->queue);
    return SIM_WAITS;
}

void sim_receive_abandon(struct sim_call *base) {
    struct sqs_call *call = (struct sqs_call *)base;
    stop_waiting(call);
    schedule(call->queue);
}

void sim_receive_deliver(struct sim_call *base) {
    struct sqs_call *call = (struct sqs_call *)base;
    struct sqs_message *messages[SQS_BATCH_MAX];
    size_t count = base->result.class == CALL_OK ? call->count : 0;
    memcpy(messages, call->messages, sizeof messages);
    if (count > 0)
        call->count = 0; /* the receiver's now */
    call->done.received(call->user, &base->result, messages, count, 0);
}
