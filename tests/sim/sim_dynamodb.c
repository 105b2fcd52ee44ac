/* The tables, and the port's functions; transactions are in sim_transaction.c. */
#include "sim_dynamodb_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_dynamodb_init(struct sim_dynamodb *db, struct world *w) {
    struct sim_operation usual = {.latency = 10 * MILLISECOND, .jitter = 5 * MILLISECOND, .default_attempts = 4};
    *db = (struct sim_dynamodb){.world = w, .transact = usual, .get_item = usual, .put_item = usual, .describe = usual};
    db->tokens = json_object_new_object();
    db->commits = json_object_new_object();
    db->running = json_object_new_object();
    buf_init(&db->applied, (size_t)1 << 20);
}

void sim_dynamodb_done(struct sim_dynamodb *db) {
    for (size_t i = 0; i < db->table_count; i++)
        json_object_put(db->tables[i].items);
    json_object_put(db->tokens);
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

static struct dynamodb_call *new_call(struct sim_dynamodb *db, struct span body) {
    struct dynamodb_call *call = world_alloc(sizeof *call);
    call->db = db;
    call->body = world_text(body);
    call->body_len = body.len;
    return call;
}

static void release(struct sim_call *base) {
    struct dynamodb_call *call = (struct dynamodb_call *)base;
    if (call->counted)
        sim_transaction_ended(call);
    if (call->request)
        json_object_put(call->request);
    free(call->body);
    free(call);
}

static enum sim_executed execute_get(struct sim_call *base) {
    struct dynamodb_call *call = (struct dynamodb_call *)base;
    struct json_object *request = json_tokener_parse(call->body), *name = NULL, *key = NULL, *item = NULL;
    base->result = (struct call_result){.status = 200};
    json_object_object_get_ex(request, "TableName", &name);
    json_object_object_get_ex(request, "Key", &key);
    struct sim_table *table = sim_dynamodb_table(call->db, json_object_get_string(name));
    if (!table || !table->exists)
        sim_call_fail(&base->result, 400, "ResourceNotFoundException", "Requested resource not found");
    else if (json_object_object_get_ex(table->items, sim_json_text(key), &item))
        call->found = true;
    sim_request_hash(item, call->hash);
    json_object_put(request);
    return SIM_EXECUTED;
}

static void deliver_get(struct sim_call *base) {
    struct dynamodb_call *call = (struct dynamodb_call *)base;
    bool found = call->found && base->result.class == CALL_OK;
    call->done.get(call->user, &base->result, found, found && call->hash[0] ? call->hash : NULL);
}

static enum sim_executed execute_put(struct sim_call *base) {
    struct dynamodb_call *call = (struct dynamodb_call *)base;
    struct json_object *request = json_tokener_parse(call->body), *name = NULL, *item = NULL, *id = NULL, *key = json_object_new_object();
    base->result = (struct call_result){.status = 200};
    json_object_object_get_ex(request, "TableName", &name);
    json_object_object_get_ex(request, "Item", &item);
    struct sim_table *table = sim_dynamodb_table(call->db, json_object_get_string(name));
    json_object_object_get_ex(item, "log_id", &id);
    json_object_object_add(key, "log_id", json_object_get(id));
    if (table)
        json_object_object_add(table->items, sim_json_text(key), json_object_get(item));
    call->db->records_put++;
    json_object_put(key);
    json_object_put(request);
    return SIM_EXECUTED;
}

static void deliver_put(struct sim_call *base) {
    struct dynamodb_call *call = (struct dynamodb_call *)base;
    call->done.put(call->user, &base->result);
}

static enum sim_executed execute_describe(struct sim_call *base) {
    struct dynamodb_call *call = (struct dynamodb_call *)base;
    const struct sim_table *table = sim_dynamodb_table(call->db, call->body);
    base->result = (struct call_result){.status = 200};
    if (!table || !table->exists) {
        sim_call_fail(&base->result, 400, "ResourceNotFoundException", "Requested resource not found");
        return SIM_EXECUTED;
    }
    call->shape = table->shape;
    call->active = table->active;
    return SIM_EXECUTED;
}

static void deliver_describe(struct sim_call *base) {
    struct dynamodb_call *call = (struct dynamodb_call *)base;
    bool ok = base->result.class == CALL_OK;
    call->done.describe(call->user, &base->result, ok ? &call->shape : NULL, ok && call->active);
}

static struct call *transact(void *ctx, struct span body, const struct call_options *options, transact_done *done, void *user) {
    static const struct sim_call_kind kind = {.execute = sim_transaction_execute, .deliver = sim_transaction_deliver, .release = release};
    struct sim_dynamodb *db = ctx;
    world_enter();
    struct dynamodb_call *call = new_call(db, body);
    call->done.transact = done;
    call->user = user;
    sim_transaction_begun(call);
    struct call *started = sim_call_start(db->world, &call->base, &kind, &db->transact, options);
    world_leave();
    return started;
}

static struct call *get_item(void *ctx, struct span body, const struct call_options *options, get_item_done *done, void *user) {
    static const struct sim_call_kind kind = {.execute = execute_get, .deliver = deliver_get, .release = release};
    struct sim_dynamodb *db = ctx;
    struct dynamodb_call *call = new_call(db, body);
    call->done.get = done;
    call->user = user;
    return sim_call_start(db->world, &call->base, &kind, &db->get_item, options);
}

static struct call *put_item(void *ctx, struct span body, const struct call_options *options, call_done *done, void *user) {
    static const struct sim_call_kind kind = {.execute = execute_put, .deliver = deliver_put, .release = release};
    struct sim_dynamodb *db = ctx;
    struct dynamodb_call *call = new_call(db, body);
    call->done.put = done;
    call->user = user;
    return sim_call_start(db->world, &call->base, &kind, &db->put_item, options);
}

static struct call *describe_table(void *ctx, const char *table_name, const struct call_options *options, describe_table_done *done,
                                   void *user) {
    static const struct sim_call_kind kind = {.execute = execute_describe, .deliver = deliver_describe, .release = release};
    struct sim_dynamodb *db = ctx;
    struct dynamodb_call *call = new_call(db, span_cstr(table_name));
    call->done.describe = done;
    call->user = user;
    return sim_call_start(db->world, &call->base, &kind, &db->describe, options);
}

static void cancel(void *ctx, struct call *call) {
    (void)ctx;
    sim_call_cancel(call);
}

struct dynamodb_port sim_dynamodb_port(struct sim_dynamodb *db) {
    return (struct dynamodb_port){.ctx = db,
                                  .transact = transact,
                                  .get_item = get_item,
                                  .put_item = put_item,
                                  .describe_table = describe_table,
                                  .cancel = cancel};
}
