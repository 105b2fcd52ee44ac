/* ReceiveMessage: who gets what, and when. */
#include "sim_sqs_private.h"

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
    char handle[48];
    snprintf(handle, sizeof handle, "%zu#%u", m->index, m->handle);
    struct sqs_message *out =
        world_alloc(sizeof *out + strlen(m->id) + strlen(handle) + strlen(m->body) + strlen(m->error_envelope) + 4);
    char *at = (char *)(out + 1);
    at = append(at, m->id, &out->message_id);
    at = append(at, handle, &out->receipt_handle);
    at = append(at, m->body, &out->body);
    if (m->error_envelope[0])
        append(at, m->error_envelope, &out->error_envelope);
    out->sent_at = WORLD_WALL + m->sent_at;
    out->receive_count = m->receive_count;
    return out;
}

static void take(struct sqs_call *call, struct sim_message *m) {
    struct world *w = call->sqs->world;
    m->receive_count++;
    m->handle++;
    m->received_at = w->now;
    bool twice = call->sqs->duplicates && random_below(&w->random, 1000) < call->sqs->duplicates;
    m->visible_at = twice ? w->now : w->now + (int64_t)call->visibility * MICROSECONDS;
    call->queue->received++;
    call->messages[call->count++] = copy_out(m);
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
    uint64_t last[SQS_BATCH_MAX];
    while (call->count < call->max_messages && (m = choose(call))) {
        bool has_it = false;
        for (size_t i = 0; i < call->count; i++)
            has_it = has_it || last[i] == m->index;
        if (has_it)
            break; /* a duplicate is for a later receive */
        last[call->count] = m->index;
        take(call, m);
    }
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
            next = m->visible_at < next ? m->visible_at : next;
        }
    if (next == NEVER)
        timer_stop(&w->timers, &queue->wakes);
    else
        timer_start(&w->timers, &queue->wakes, next > w->now ? next : w->now);
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
