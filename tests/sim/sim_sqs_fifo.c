/* What FIFO queues have beyond the others: groups, deduplication of sends, receives that are asked for again, and their
 * rate. Amazon SQS Developer Guide, "FIFO queue and message identifiers", "FIFO queue delivery logic", "Exactly-once
 * processing". */
#include "sim_sqs_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t REMEMBERED = 300 * MICROSECONDS; /* deduplication ids, and receives by their attempt's id */
static const uint64_t FIRST_SEQUENCE = UINT64_C(18000000000000000000), SEQUENCE_STEP = 256;

/* A receive that had an attempt id, and what it handed out. */
struct sim_attempt {
    TAILQ_ENTRY(sim_attempt) link;
    char *id;
    int64_t at;
    size_t count;
    struct {
        struct sim_message *message;
        unsigned handle, visibility_changes;
    } given[SQS_BATCH_MAX];
};

void sim_fifo_init(struct sim_queue *queue) {
    queue->last_sequence = FIRST_SEQUENCE;
    queue->recent = json_object_new_object();
    LIST_INIT(&queue->groups);
    TAILQ_INIT(&queue->attempts);
}

static void forget_attempt(struct sim_queue *queue, struct sim_attempt *attempt) {
    TAILQ_REMOVE(&queue->attempts, attempt, link);
    free(attempt->id);
    free(attempt);
}

void sim_fifo_done(struct sim_queue *queue) {
    struct sim_group *next;
    for (struct sim_group *g = LIST_FIRST(&queue->groups); g; g = next) {
        next = LIST_NEXT(g, link);
        free(g->id);
        free(g);
    }
    struct sim_attempt *following;
    for (struct sim_attempt *a = TAILQ_FIRST(&queue->attempts); a; a = following) {
        following = TAILQ_NEXT(a, link);
        free(a->id);
        free(a);
    }
    json_object_put(queue->recent);
}

static struct sim_group *group_of(struct sim_queue *queue, const char *id) {
    struct sim_group *g;
    LIST_FOREACH(g, &queue->groups, link) {
        if (!strcmp(g->id, id))
            return g;
    }
    g = world_alloc(sizeof *g);
    g->id = world_text(span_cstr(id));
    LIST_INSERT_HEAD(&queue->groups, g, link);
    return g;
}

void sim_fifo_enter(struct sim_queue *queue, struct sim_message *m) {
    m->group = group_of(queue, m->group_id);
    m->sequence = queue->last_sequence += SEQUENCE_STEP;
}

const char *sim_fifo_refuses(struct sim_queue *queue, struct sim_message *m) {
    if (!m->group_id[0])
        return "MissingParameter";
    if (m->deduplication_id[0])
        return NULL;
    if (!queue->content_based_deduplication)
        return "InvalidParameterValue";
    uint8_t hash[SHA256_SIZE];
    char text[2 * SHA256_SIZE + 1];
    if (!digest_sha256(queue->sqs->world->digest, span_cstr(m->body), hash))
        abort();
    hex_encode(hash, sizeof hash, text);
    sim_message_set(&m->deduplication_id, span_cstr(text));
    return NULL;
}

static int64_t number(struct json_object *object, const char *name) {
    struct json_object *value = NULL;
    json_object_object_get_ex(object, name, &value);
    return json_object_get_int64(value);
}

struct sim_message *sim_fifo_first(struct sim_queue *queue, const struct sim_message *m) {
    struct sim_sqs *sqs = queue->sqs;
    struct json_object *before = NULL;
    if (!json_object_object_get_ex(queue->recent, m->deduplication_id, &before) ||
        sqs->world->now - number(before, "at") >= REMEMBERED)
        return NULL;
    queue->duplicate_sends++;
    return sqs->all[number(before, "index")];
}

void sim_fifo_remember(struct sim_queue *queue, const struct sim_message *m) {
    struct json_object *entry = json_object_new_object();
    json_object_object_add(entry, "index", json_object_new_int64((int64_t)m->index));
    json_object_object_add(entry, "at", json_object_new_int64(queue->sqs->world->now));
    json_object_object_add(queue->recent, m->deduplication_id, entry);
}

/* Whether what an attempt handed out is as it was left: nothing deleted, given up, extended, or received by another. */
static bool is_untouched(const struct sim_queue *queue, const struct sim_attempt *attempt) {
    for (size_t i = 0; i < attempt->count; i++) {
        const struct sim_message *m = attempt->given[i].message;
        if (m->deleted || m->expired || m->queue != queue || m->visible_at <= queue->sqs->world->now ||
            m->handle != attempt->given[i].handle || m->visibility_changes != attempt->given[i].visibility_changes)
            return false;
    }
    return true;
}

static bool repeats(struct sqs_call *call) {
    struct sim_queue *queue = call->queue;
    struct world *w = queue->sqs->world;
    struct sim_attempt *attempt, *next;
    for (attempt = TAILQ_FIRST(&queue->attempts); attempt; attempt = next) {
        next = TAILQ_NEXT(attempt, link);
        bool same = call->attempt_id && !strcmp(attempt->id, call->attempt_id);
        if (w->now - attempt->at >= REMEMBERED || (same && !is_untouched(queue, attempt))) {
            forget_attempt(queue, attempt);
        } else if (same) {
            for (size_t i = 0; i < attempt->count; i++) {
                struct sim_message *m = attempt->given[i].message;
                m->visible_at = w->now + (int64_t)call->visibility * MICROSECONDS;
                m->receive_count += queue->sqs->repeats_count;
                sim_receive_give(call, m);
            }
            queue->repeated_receives++;
            return true;
        }
    }
    return false;
}

static void remember_attempt(struct sqs_call *call) {
    if (!call->attempt_id || call->count == 0)
        return;
    struct sim_attempt *attempt = world_alloc(sizeof *attempt);
    attempt->id = world_text(span_cstr(call->attempt_id));
    attempt->at = call->sqs->world->now;
    attempt->count = call->count;
    for (size_t i = 0; i < call->count; i++) {
        struct sim_message *m = call->sqs->all[call->given[i]];
        attempt->given[i].message = m;
        attempt->given[i].handle = m->handle;
        attempt->given[i].visibility_changes = m->visibility_changes;
    }
    TAILQ_INSERT_TAIL(&call->queue->attempts, attempt, link);
}

/* The available message after so many others; the last where there are fewer. */
static struct sim_message *available(struct sqs_call *call, size_t skip, const struct sim_group *preferred) {
    struct sim_message *m, *next, *found = NULL;
    for (m = TAILQ_FIRST(&call->queue->messages); m; m = next) {
        next = TAILQ_NEXT(m, link);
        if (m->group->blocked_in == call->queue->receives || sim_receive_has(call, m) || sim_message_moves(m))
            continue;
        if (m->group == preferred)
            return m;
        if (!found || skip > 0) {
            skip -= found != NULL;
            found = m;
        }
    }
    return found;
}

bool sim_fifo_serve(struct sqs_call *call, size_t max) {
    struct sim_queue *queue = call->queue;
    struct sim_sqs *sqs = queue->sqs;
    struct sim_message *m;
    if (repeats(call))
        return true;
    queue->receives++;
    TAILQ_FOREACH(m, &queue->messages, link) {
        if (m->visible_at > sqs->world->now)
            m->group->blocked_in = queue->receives;
    }
    const struct sim_group *group = NULL;
    if (sim_happens(sqs->world, sqs->reorders)) {
        sqs->happened.reorders++;
        m = available(call, (size_t)random_below(&sqs->world->random, 50), NULL);
        group = m ? m->group : NULL;
    }
    while (call->count < max && (m = available(call, 0, group))) {
        group = m->group;
        sim_receive_take(call, m);
    }
    remember_attempt(call);
    return call->count > 0;
}

bool sim_fifo_too_fast(struct sim_queue *queue, enum sim_sqs_action action) {
    struct sim_rate *rate = &queue->rates[action];
    int64_t second = queue->sqs->world->now / MICROSECONDS;
    if (!queue->calls_per_second)
        return false;
    if (rate->second != second)
        *rate = (struct sim_rate){.second = second};
    return ++rate->calls > queue->calls_per_second;
}
