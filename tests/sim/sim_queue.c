/* Queues and the messages on them. */
#include "sim_sqs_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t IN_FLIGHT_MAX = 120000;

static void free_attributes(struct sim_message *m) {
    for (size_t i = 0; i < m->attribute_count; i++) {
        free((char *)(uintptr_t)m->attributes[i].name.data);
        free((char *)(uintptr_t)m->attributes[i].type.data);
        free((char *)(uintptr_t)m->attributes[i].value.data);
    }
    m->attribute_count = 0;
}

void sim_message_set_attributes(struct sim_message *m, const struct message_attribute *attributes, size_t count) {
    world_enter();
    free_attributes(m);
    for (size_t i = 0; i < count && i < MESSAGE_ATTRIBUTES_MAX; i++) {
        const struct message_attribute *a = &attributes[i];
        m->attributes[m->attribute_count++] = (struct message_attribute){{world_text(a->name), a->name.len},
                                                                         {world_text(a->type), a->type.len},
                                                                         {world_text(a->value), a->value.len},
                                                                         a->binary};
    }
    world_leave();
}

void sim_message_free(struct sim_message *m) {
    if (!m)
        return;
    free_attributes(m);
    free(m->trace_header);
    free(m->body);
    free(m->error_type);
    free(m->status_code);
    free(m->error_envelope);
    free(m->group_id);
    free(m->deduplication_id);
    free(m);
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
    q->in_flight_max = IN_FLIGHT_MAX;
    TAILQ_INIT(&q->messages);
    TAILQ_INIT(&q->waiters);
    timer_init(&q->wakes, on_wakes, q);
    sim_fifo_init(q);
    return q;
}

struct sim_queue *sim_sqs_add_fifo_queue(struct sim_sqs *sqs, const char *name) {
    world_enter();
    struct sim_queue *q = sim_sqs_add_queue(sqs, name);
    q->attributes.fifo = true;
    world_leave();
    return q;
}

struct sim_queue *sim_sqs_queue(struct sim_sqs *sqs, const char *url) {
    for (size_t i = 0; i < sqs->queue_count; i++)
        if (sqs->queues[i].exists && !strcmp(sqs->queues[i].url, url))
            return &sqs->queues[i];
    return NULL;
}

struct sim_message *sim_message_new(struct span body) {
    struct sim_message *m = world_alloc(sizeof *m);
    m->body = world_text(body);
    m->error_type = world_text(SPAN(""));
    m->status_code = world_text(SPAN(""));
    m->error_envelope = world_text(SPAN(""));
    m->group_id = world_text(SPAN(""));
    m->deduplication_id = world_text(SPAN(""));
    m->trace_header = world_text(SPAN(""));
    return m;
}

struct sim_message *sim_message_copy(const struct sim_message *m) {
    struct sim_message *copy = sim_message_new(span_cstr(m->body));
    sim_message_set(&copy->error_type, span_cstr(m->error_type));
    sim_message_set(&copy->status_code, span_cstr(m->status_code));
    sim_message_set(&copy->error_envelope, span_cstr(m->error_envelope));
    sim_message_set(&copy->group_id, span_cstr(m->group_id));
    sim_message_set(&copy->deduplication_id, span_cstr(m->deduplication_id));
    sim_message_set(&copy->trace_header, span_cstr(m->trace_header));
    sim_message_set_attributes(copy, m->attributes, m->attribute_count);
    return copy;
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
    m->sent_at = sqs->world->now;
    snprintf(m->id, sizeof m->id, "00000000-0000-4000-8000-%012zx", m->index);
    queue->sent++;
    sim_queue_enter(queue, m);
}

void sim_queue_enter(struct sim_queue *queue, struct sim_message *m) {
    struct world *w = queue->sqs->world;
    sim_queue_changes(queue);
    m->queue = queue;
    m->visible_at = w->now + (int64_t)queue->delay * MICROSECONDS;
    m->group = NULL;
    m->sequence = 0;
    if (queue->attributes.fifo)
        sim_fifo_enter(queue, m);
    if (m->sent_at < queue->none_older)
        queue->none_older = m->sent_at;
    TAILQ_INSERT_TAIL(&queue->messages, m, link);
    queue->count++;
    if (!TAILQ_EMPTY(&queue->waiters))
        timer_start(&w->timers, &queue->wakes, w->now);
}

struct sim_message *sim_queue_offer(struct sim_queue *queue, struct sim_message *m, const char **ret_code) {
    *ret_code = queue->attributes.fifo ? sim_fifo_refuses(queue, m) : NULL;
    struct sim_message *first = queue->attributes.fifo && !*ret_code ? sim_fifo_first(queue, m) : NULL;
    if (*ret_code || first) {
        sim_message_free(m);
        return first;
    }
    sim_queue_put(queue, m);
    if (queue->attributes.fifo)
        sim_fifo_remember(queue, m);
    return m;
}

struct sim_message *sim_queue_send_fifo(struct sim_queue *queue, const char *body, const char *group_id,
                                        const char *deduplication_id) {
    const char *code = NULL;
    world_enter();
    struct sim_message *m = sim_message_new(span_cstr(body));
    sim_message_set(&m->group_id, span_cstr(group_id));
    sim_message_set(&m->deduplication_id, span_cstr(deduplication_id));
    m = sim_queue_offer(queue, m, &code);
    world_leave();
    if (!m)
        abort(); /* the test's own mistake */
    return m;
}

struct sim_message *sim_queue_send(struct sim_queue *queue, const char *body) {
    return sim_queue_send_fifo(queue, body, "", "");
}

void sim_queue_expose(struct sim_message *m) {
    m->visible_at = m->queue->sqs->world->now;
    sim_queue_serve(m->queue);
}

struct sim_queue_counts sim_queue_count(const struct sim_queue *queue) {
    struct sim_queue_counts counts = {0};
    const struct sim_message *m;
    TAILQ_FOREACH(m, &queue->messages, link) {
        if (m->visible_at <= queue->sqs->world->now)
            counts.visible++;
        else if (m->handle > 0)
            counts.in_flight++;
        else
            counts.delayed++;
    }
    return counts;
}

void sim_queue_changes(struct sim_queue *queue) {
    int64_t now = queue->sqs->world->now;
    if (queue->count_lag == 0 || now - queue->counted_at < queue->count_lag)
        return;
    queue->counted_at = now;
    queue->counted = sim_queue_count(queue);
}

struct sim_queue_counts sim_queue_told(struct sim_queue *queue) {
    sim_queue_expire(queue);
    sim_queue_changes(queue);
    return queue->count_lag ? queue->counted : sim_queue_count(queue);
}

struct sim_message *sim_message_of(struct sim_queue *queue, const char *handle, bool *ret_newest) {
    struct sim_sqs *sqs = queue->sqs;
    char *end = NULL;
    size_t index = strtoull(handle, &end, 10);
    if (end == handle || index >= sqs->all_count || *end != '#') {
        sqs->bad_handles++;
        return NULL;
    }
    *ret_newest = strtoul(end + 1, NULL, 10) == sqs->all[index]->handle;
    return sqs->all[index];
}
