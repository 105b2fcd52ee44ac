#include "invariants.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct json_object *member(struct json_object *object, const char *name) {
    struct json_object *value = NULL;
    if (json_object_is_type(object, json_type_object))
        json_object_object_get_ex(object, name, &value);
    return value;
}

void invariants_log_id(struct world *w, const char *key, char ret_log_id[static 65]) {
    uint8_t hash[SHA256_SIZE];
    if (!digest_sha256_begin(w->digest) || !digest_sha256_update(w->digest, span_of(SIM_TABLE, sizeof SIM_TABLE)) ||
        !digest_sha256_update(w->digest, span_cstr(key)) || !digest_sha256_end(w->digest, hash))
        abort();
    hex_encode(hash, sizeof hash, ret_log_id);
}

static struct json_object *source_of(struct json_object *envelope) {
    return member(member(envelope, "details"), "source");
}

void invariants_key(const struct sim_message *m, char *ret_key, size_t size) {
    struct json_object *body = json_tokener_parse(m->body);
    struct json_object *envelope = json_tokener_parse(m->error_envelope);
    struct json_object *own = member(body, "idempotency_key");
    struct json_object *source = member(source_of(body), "idempotency_key");
    struct json_object *beside = member(source_of(envelope), "idempotency_key");
    struct json_object *found = own ? own : source ? source : beside;
    snprintf(ret_key, size, "%s", found ? json_object_get_string(found) : m->id);
    json_object_put(body);
    json_object_put(envelope);
}

static int count_of(struct json_object *counts, const char *name) {
    return json_object_get_int(member(counts, name));
}

int invariants_dead(const struct invariants *v, const char *key) {
    return count_of(v->dead, key);
}

static bool is_applied(struct world *w, const char *key) {
    char log_id[65];
    invariants_log_id(w, key, log_id);
    return sim_dynamodb_commits(&w->dynamodb, log_id) > 0;
}

static bool is_settled(struct invariants *v, const struct sim_message *m) {
    char key[300];
    invariants_key(m, key, sizeof key);
    return is_applied(v->world, key) || invariants_dead(v, key) > 0 || count_of(v->dead_bodies, m->body) > 0;
}

static void on_deleting(void *ctx, struct sim_message *m) {
    struct invariants *v = ctx;
    if (m->queue == v->queue && !is_settled(v, m))
        world_violated(v->world, "message %s was deleted, neither applied nor in the DLQ", m->id);
}

static void on_sent(void *ctx, struct sim_message *m) {
    struct invariants *v = ctx;
    char key[300];
    if (m->queue != v->dlq)
        return;
    struct json_object *body = json_tokener_parse(m->body), *envelope = json_tokener_parse(m->error_envelope);
    bool bare = !source_of(body) && !source_of(envelope);
    invariants_key(m, key, sizeof key);
    if (bare)
        json_object_object_add(v->dead_bodies, m->body, json_object_new_int(count_of(v->dead_bodies, m->body) + 1));
    else
        json_object_object_add(v->dead, key, json_object_new_int(invariants_dead(v, key) + 1));
    bool by_database = !strcmp(m->error_type, "ConditionalCheckFailed") ||
                       !strcmp(m->error_type, "RecordNotFoundError") || !strcmp(m->error_type, "DatabaseError");
    if (!bare && by_database && is_applied(v->world, key))
        world_violated(v->world, "key %s was applied, and went to the DLQ with %s", key, m->error_type);
    json_object_put(body);
    json_object_put(envelope);
}

void invariants_init(struct invariants *v, struct world *w) {
    *v = (struct invariants){.world = w, .queue = &w->sqs.queues[0], .dlq = &w->sqs.queues[1]};
    v->dead = json_object_new_object();
    v->dead_bodies = json_object_new_object();
    w->sqs.deleting = on_deleting;
    w->sqs.was_sent = on_sent;
    w->sqs.observer = v;
}

static size_t success_records(const struct world *w) {
    const struct sim_table *audit = NULL;
    size_t count = 0;
    for (size_t i = 0; i < w->dynamodb.table_count; i++)
        if (!strcmp(w->dynamodb.tables[i].shape.name, SIM_AUDIT_TABLE))
            audit = &w->dynamodb.tables[i];
    if (!audit)
        return 0;
    json_object_object_foreach(audit->items, key, item) {
        (void)key;
        count += !strcmp(json_object_get_string(member(member(item, "status"), "S")), "success");
    }
    return count;
}

void invariants_check(struct invariants *v) {
    struct world *w = v->world;
    for (size_t i = 0; i < w->sqs.all_count; i++) {
        const struct sim_message *m = w->sqs.all[i];
        if (m->queue == v->queue && m->deleted && !is_settled(v, m))
            world_violated(w, "message %s is nowhere", m->id);
    }
    json_object_object_foreach(w->dynamodb.commits, log_id, count) {
        if (json_object_get_int(count) > 1 && !v->unaudited)
            world_violated(w, "log_id %s was applied %d times", log_id, json_object_get_int(count));
    }
    if (!v->unaudited && success_records(w) != (size_t)json_object_object_length(w->dynamodb.commits))
        world_violated(w, "%zu success records of %d commits", success_records(w),
                       json_object_object_length(w->dynamodb.commits));
}

void invariants_done(struct invariants *v) {
    json_object_put(v->dead);
    json_object_put(v->dead_bodies);
}
