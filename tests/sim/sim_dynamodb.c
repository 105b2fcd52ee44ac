/* The tables, the port, and DescribeTable. */
#include "sim_dynamodb_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_dynamodb_init(struct sim_dynamodb *db, struct world *w) {
    struct sim_operation usual = {.latency = 10 * MILLISECOND, .jitter = 5 * MILLISECOND, .default_attempts = 4};
    *db = (struct sim_dynamodb){.world = w, .transact = usual, .get_item = usual, .put_item = usual, .describe = usual};
    db->tokens = json_object_new_object();
    db->running_tokens = json_object_new_object();
    db->locks = json_object_new_object();
    db->commits = json_object_new_object();
    db->running = json_object_new_object();
    buf_init(&db->applied, (size_t)1 << 20);
}

void sim_dynamodb_done(struct sim_dynamodb *db) {
    for (size_t i = 0; i < db->table_count; i++) {
        json_object_put(db->tables[i].items);
        sim_capacity_done(&db->tables[i]);
    }
    json_object_put(db->tokens);
    json_object_put(db->running_tokens);
    json_object_put(db->locks);
    json_object_put(db->commits);
    json_object_put(db->running);
    buf_free(&db->applied);
}

struct sim_table *sim_dynamodb_add_table(struct sim_dynamodb *db, const char *name, const char *key) {
    if (db->table_count == SIM_TABLES_MAX)
        abort();
    struct sim_table *t = &db->tables[db->table_count++];
    *t = (struct sim_table){.exists = true, .active = true, .items = json_object_new_object()};
    snprintf(t->shape.name, sizeof t->shape.name, "%s", name);
    snprintf(t->shape.partition.name, sizeof t->shape.partition.name, "%s", key);
    t->shape.partition.type = KEY_STRING;
    t->shape.attribute_count = 1;
    t->shape.attributes[0] = t->shape.partition;
    return t;
}

struct sim_table *sim_dynamodb_table(struct sim_dynamodb *db, const char *name) {
    for (size_t i = 0; i < db->table_count; i++)
        if (!strcmp(db->tables[i].shape.name, name))
            return &db->tables[i];
    return NULL;
}

void sim_table_set_index(struct sim_table *table, const char *attribute, enum key_type type, bool present) {
    struct table_shape *s = &table->shape;
    size_t i = 1; /* the first is the table's own key */
    while (i < s->attribute_count && strcmp(s->attributes[i].name, attribute) != 0)
        i++;
    if (present == (i < s->attribute_count))
        return;
    if (!present) {
        s->attributes[i] = s->attributes[--s->attribute_count];
        return;
    }
    if (s->attribute_count == ARRAY_LENGTH(s->attributes))
        abort();
    struct key_attribute *added = &s->attributes[s->attribute_count++];
    *added = (struct key_attribute){.type = type};
    snprintf(added->name, sizeof added->name, "%s", attribute);
}

/* {"id":{"S":"…"}}, as json-c prints it. */
static void key_text(const struct sim_table *table, const char *key, char *ret_text, size_t size) {
    snprintf(ret_text, size, "{\"%s\":{\"S\":\"%s\"}}", table->shape.partition.name, key);
}

void sim_table_put(struct sim_table *table, const char *key, const char *number_name, const char *number) {
    char text[512];
    key_text(table, key, text, sizeof text);
    struct json_object *item = json_tokener_parse(text), *value = json_object_new_object();
    json_object_object_add(value, "N", json_object_new_string(number));
    json_object_object_add(item, number_name, value);
    json_object_object_add(table->items, text, item);
}

const char *sim_table_get(const struct sim_table *table, const char *key, const char *attribute) {
    char text[512];
    struct json_object *item = NULL, *value = NULL;
    key_text(table, key, text, sizeof text);
    if (!json_object_object_get_ex(table->items, text, &item) || !json_object_object_get_ex(item, attribute, &value))
        return "";
    json_object_object_foreach(value, type, inner) {
        (void)type;
        return json_object_get_string(inner);
    }
    return "";
}

size_t sim_table_count(const struct sim_table *table) {
    return (size_t)json_object_object_length(table->items);
}

void sim_dynamodb_set_mode(struct sim_dynamodb *db, enum sim_mode mode) {
    db->transact.mode = db->get_item.mode = db->put_item.mode = db->describe.mode = mode;
}

int sim_dynamodb_commits(const struct sim_dynamodb *db, const char *log_id) {
    char key[SIM_TOKEN_SIZE];
    struct json_object *count = NULL;
    snprintf(key, sizeof key, "%.36s", log_id);
    return json_object_object_get_ex(db->commits, key, &count) ? json_object_get_int(count) : 0;
}

struct dynamodb_call *sim_dynamodb_call_new(struct sim_dynamodb *db, struct span body) {
    struct dynamodb_call *call = world_alloc(sizeof *call);
    call->db = db;
    call->body = world_text(body);
    call->body_len = body.len;
    return call;
}

void sim_dynamodb_call_release(struct sim_call *base) {
    struct dynamodb_call *call = (struct dynamodb_call *)base;
    json_object_put(call->request);
    free(call->body);
    free(call);
}

static enum sim_executed execute_describe(struct sim_call *base) {
    struct dynamodb_call *call = (struct dynamodb_call *)base;
    const struct sim_table *table = sim_dynamodb_table(call->db, call->body);
    base->result = (struct call_result){.status = 200};
    if (call->db->denied_table && !strcmp(call->body, call->db->denied_table)) {
        sim_call_fail(&base->result, 400, "AccessDeniedException", "not authorized");
        return SIM_EXECUTED;
    }
    if (!table || !table->exists) {
        sim_call_fail(&base->result, 400, "ResourceNotFoundException", "Requested resource not found");
        return SIM_EXECUTED;
    }
    call->shape = table->described ? *table->described : table->shape;
    call->active = table->active;
    return SIM_EXECUTED;
}

static void deliver_describe(struct sim_call *base) {
    struct dynamodb_call *call = (struct dynamodb_call *)base;
    bool ok = base->result.class == CALL_OK;
    call->done.describe(call->user, &base->result, ok ? &call->shape : NULL, ok && call->active);
}

static struct call *describe_table(void *ctx, const char *table_name, const struct call_options *options,
                                   describe_table_done *done, void *user) {
    static const struct sim_call_kind kind = {
        .execute = execute_describe, .deliver = deliver_describe, .release = sim_dynamodb_call_release};
    struct sim_dynamodb *db = ctx;
    struct dynamodb_call *call = sim_dynamodb_call_new(db, span_cstr(table_name));
    call->done.describe = done;
    call->user = user;
    return sim_call_start(db->world, &call->base, &kind, &db->describe, options);
}

static void cancel(void *ctx, struct call *call) {
    (void)ctx;
    sim_call_cancel(call);
}

struct dynamodb_api sim_dynamodb_api(struct sim_dynamodb *db) {
    return (struct dynamodb_api){.ctx = db,
                                 .transact = sim_transact,
                                 .get_item = sim_get_item,
                                 .put_item = sim_put_item,
                                 .describe_table = describe_table,
                                 .cancel = cancel};
}
