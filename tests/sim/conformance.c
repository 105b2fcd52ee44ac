/* Plays scripts against the simulated services: conformance FILE…. Prints one JSON object: for each script the outcomes
 * of its steps, as tests/system/test_sim_conformance.py, which plays the same against real servers, spells them. */
#include "sim_action.h"
#include "sim_client.h"
#include "sim_dynamodb_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t PATIENCE = 60 * MICROSECONDS;

struct player {
    struct world world;
    struct sim_queue *queue, *dlq, *missing;
    struct json_object *handles; /* symbol → receipt handle: "a@1" is what the first receive of a body "a" gave */
    struct json_object *ids; /* MessageId → the body it was first sent with */
    struct json_object *received; /* body → how many handles it had */
    struct json_object *actions; /* name → action of a transaction */
};

static struct json_object *member(struct json_object *object, const char *name) {
    return sim_member(object, name);
}

static const char *text(struct json_object *object, const char *name, const char *otherwise) {
    struct json_object *value = member(object, name);
    return value ? json_object_get_string(value) : otherwise;
}

static unsigned number(struct json_object *object, const char *name, unsigned otherwise) {
    struct json_object *value = member(object, name);
    return value ? (unsigned)json_object_get_int(value) : otherwise;
}

static void append(struct json_object *list, const char *string) {
    json_object_array_add(list, json_object_new_string(string));
}

static struct sim_queue *queue_of(struct player *p, struct json_object *step) {
    const char *name = text(step, "queue", "queue");
    return !strcmp(name, "dlq") ? p->dlq : !strcmp(name, "missing") ? p->missing : p->queue;
}

/* A batch of which nothing is asked but what became of its entries. */
static struct json_object *entries_outcome(const struct sim_batch *b) {
    if (b->result.class != CALL_OK)
        return json_object_new_string(b->result.code);
    struct json_object *outcome = json_object_new_array();
    for (size_t i = 0; i < b->count; i++)
        append(outcome, b->entries[i].ok ? "ok" : "refused");
    return outcome;
}

static struct json_object *play_send(struct player *p, struct json_object *step) {
    struct sqs_send_entry entries[SQS_BATCH_MAX] = {0};
    struct json_object *list = member(step, "entries");
    size_t count = json_object_array_length(list);
    for (size_t i = 0; i < count && i < SQS_BATCH_MAX; i++) {
        struct json_object *e = json_object_array_get_idx(list, i);
        entries[i] = (struct sqs_send_entry){.body = span_cstr(text(e, "body", "")),
                                             .group_id = span_cstr(text(e, "group", "")),
                                             .deduplication_id = span_cstr(text(e, "dedup", ""))};
    }
    struct sim_batch b = sim_client_send(queue_of(p, step), entries, count);
    struct json_object *outcome = entries_outcome(&b);
    for (size_t i = 0; i < b.count; i++) {
        char known[200];
        const char *id = p->world.sqs.last_sent[i], *body = json_object_get_string(member(p->ids, id));
        if (!b.entries[i].ok)
            continue;
        snprintf(known, sizeof known, "as %s", body ? body : "");
        if (body)
            json_object_array_put_idx(outcome, i, json_object_new_string(known));
        else
            json_object_object_add(p->ids, id,
                                   json_object_new_string(text(json_object_array_get_idx(list, i), "body", "")));
    }
    return outcome;
}

/* The symbol of a handle, an old one or a new one. */
static void name_handle(struct player *p, const char *body, const char *handle, char *ret_symbol, size_t size) {
    json_object_object_foreach(p->handles, symbol, value) {
        if (!strcmp(json_object_get_string(value), handle)) {
            snprintf(ret_symbol, size, "%s", symbol);
            return;
        }
    }
    int count = json_object_get_int(member(p->received, body)) + 1;
    json_object_object_add(p->received, body, json_object_new_int(count));
    snprintf(ret_symbol, size, "%s@%d", body, count);
    json_object_object_add(p->handles, ret_symbol, json_object_new_string(handle));
}

static int by_text(const void *a, const void *b) {
    struct json_object *const *x = a, *const *y = b;
    return strcmp(json_object_get_string(*x), json_object_get_string(*y));
}

static struct json_object *play_receive(struct player *p, struct json_object *step) {
    struct sim_queue *queue = queue_of(p, step);
    struct sim_received r = sim_client_receive(queue, number(step, "max", 10), number(step, "visibility", 30),
                                               number(step, "wait", 0), text(step, "attempt", NULL));
    if (r.result.class != CALL_OK)
        return json_object_new_string(r.result.code);
    struct json_object *outcome = json_object_new_array();
    for (size_t i = 0; i < r.count; i++) {
        const struct sqs_message *m = r.messages[i];
        char symbol[200], line[300], *body = world_text(m->body), *handle = world_text(m->receipt_handle),
                                     *group = world_text(m->group_id);
        name_handle(p, body, handle, symbol, sizeof symbol);
        snprintf(line, sizeof line, "%s count %u%s%s", symbol, m->receive_count, group[0] ? " group " : "", group);
        append(outcome, line);
        free(body);
        free(handle);
        free(group);
    }
    if (!queue->attributes.fifo)
        json_object_array_sort(outcome, by_text);
    sim_received_free(&r);
    return outcome;
}

/* A symbol's handle; what is no symbol is taken as a handle. */
static const char *handle_of(const struct player *p, struct json_object *symbol) {
    struct json_object *handle = member(p->handles, json_object_get_string(symbol));
    return json_object_get_string(handle ? handle : symbol);
}

static struct json_object *play_delete(struct player *p, struct json_object *step) {
    struct json_object *list = member(step, "handles");
    struct span handles[SQS_BATCH_MAX];
    size_t count = json_object_array_length(list);
    for (size_t i = 0; i < count && i < SQS_BATCH_MAX; i++)
        handles[i] = span_cstr(handle_of(p, json_object_array_get_idx(list, i)));
    struct sim_batch b = sim_client_delete(queue_of(p, step), handles, count);
    return entries_outcome(&b);
}

static struct json_object *play_change(struct player *p, struct json_object *step) {
    struct json_object *list = member(step, "entries");
    struct sqs_visibility_entry entries[SQS_BATCH_MAX];
    size_t count = json_object_array_length(list);
    for (size_t i = 0; i < count && i < SQS_BATCH_MAX; i++) {
        struct json_object *e = json_object_array_get_idx(list, i);
        entries[i] =
            (struct sqs_visibility_entry){span_cstr(handle_of(p, member(e, "handle"))), number(e, "seconds", 0)};
    }
    struct sim_batch b = sim_client_change(queue_of(p, step), entries, count);
    return entries_outcome(&b);
}

static struct json_object *play_counts(struct player *p, struct json_object *step) {
    struct sqs_queue_attributes a = sim_client_attributes(queue_of(p, step));
    char line[100];
    snprintf(line, sizeof line, "%u visible, %u in flight, %u delayed", (unsigned)a.visible, (unsigned)a.in_flight,
             (unsigned)a.delayed);
    return json_object_new_string(line);
}

/* Until so many messages are visible. */
static struct json_object *play_await(struct player *p, struct json_object *step) {
    struct sim_queue *queue = queue_of(p, step);
    int64_t until = p->world.now + PATIENCE;
    while (sim_queue_visible(queue) != number(step, "visible", 0) && p->world.now < until)
        world_run(&p->world, 100 * MILLISECOND);
    return json_object_new_string(sim_queue_visible(queue) == number(step, "visible", 0) ? "ok" : "never");
}

/* Tables. */

/* Actions stand in a step by their name, or as they are. */
static struct json_object *transaction_of(const struct player *p, struct json_object *step) {
    struct json_object *request = json_object_new_object(), *items = json_object_new_array(),
                       *list = member(step, "actions");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *action = json_object_array_get_idx(list, i);
        if (json_object_is_type(action, json_type_string))
            action = member(p->actions, json_object_get_string(action));
        json_object_array_add(items, json_object_get(action));
    }
    json_object_object_add(request, "TransactItems", items);
    if (member(step, "token"))
        json_object_object_add(request, "ClientRequestToken", json_object_get(member(step, "token")));
    return request;
}

static struct json_object *play_transact(struct player *p, struct json_object *step) {
    struct json_object *request = transaction_of(p, step);
    struct transact_result r = sim_client_transact(&p->world.dynamodb, sim_json_text(request));
    json_object_put(request);
    if (r.reason_count == 0)
        return json_object_new_string(r.call.class == CALL_OK ? "ok" : r.call.code);
    struct json_object *outcome = json_object_new_array();
    for (size_t i = 0; i < r.reason_count; i++) {
        const struct cancellation_reason *reason = &r.reasons[i];
        char line[300];
        snprintf(line, sizeof line, "%s%s%s%s", reason->code, reason->has_item ? " with item" : "",
                 reason->has_request_hash ? " " : "", reason->has_request_hash ? reason->request_hash : "");
        append(outcome, line);
    }
    return outcome;
}

static struct json_object *play_get(struct player *p, struct json_object *step) {
    struct sim_got got = sim_client_get_item(&p->world.dynamodb, sim_json_text(member(step, "request")));
    char line[300];
    snprintf(line, sizeof line, "item%s%s", got.hash[0] ? " " : "", got.hash);
    return json_object_new_string(got.result.class != CALL_OK ? got.result.code : got.found ? line : "none");
}

static struct json_object *play_put(struct player *p, struct json_object *step) {
    struct call_result r = sim_client_put_item(&p->world.dynamodb, sim_json_text(member(step, "request")));
    return json_object_new_string(r.class == CALL_OK ? "ok" : r.code);
}

/* All that a table holds, by the text of the keys. */
static struct json_object *play_items(struct player *p, struct json_object *step) {
    return json_tokener_parse(
        sim_json_text(sim_dynamodb_table(&p->world.dynamodb, text(step, "table", ""))->items)); /* as it is now */
}

/* Scripts. */

static void begin(struct player *p, struct json_object *script, struct json_object *actions) {
    struct json_object *queue = member(script, "queue");
    bool fifo = json_object_get_boolean(member(queue, "fifo"));
    *p = (struct player){.actions = actions};
    world_init(&p->world, 1);
    struct sim_sqs *sqs = &p->world.sqs;
    p->dlq = fifo ? sim_sqs_add_fifo_queue(sqs, "dlq.fifo") : sim_sqs_add_queue(sqs, "dlq");
    p->queue = fifo ? sim_sqs_add_fifo_queue(sqs, "queue.fifo") : sim_sqs_add_queue(sqs, "queue");
    p->missing = sim_sqs_add_queue(sqs, "missing");
    p->missing->exists = false;
    p->queue->content_based_deduplication = json_object_get_boolean(member(queue, "content_based_deduplication"));
    p->queue->delay = number(queue, "delay", 0);
    if ((p->queue->attributes.max_receive_count = number(queue, "max_receive_count", 0)))
        memcpy(p->queue->attributes.dead_letter_target_arn, p->dlq->attributes.arn, sizeof p->dlq->attributes.arn);
    sim_dynamodb_add_table(&p->world.dynamodb, "users", "id");
    sim_dynamodb_add_table(&p->world.dynamodb, "audit_logs", "log_id");
    struct sim_table *numbered = sim_dynamodb_add_table(&p->world.dynamodb, "numbered", "id");
    numbered->shape.partition.type = KEY_NUMBER;
    snprintf(numbered->shape.sort.name, sizeof numbered->shape.sort.name, "part");
    numbered->shape.sort.type = KEY_STRING;
    p->handles = json_object_new_object();
    p->ids = json_object_new_object();
    p->received = json_object_new_object();
}

static void end(struct player *p) {
    json_object_put(p->handles);
    json_object_put(p->ids);
    json_object_put(p->received);
    world_done(&p->world);
}

static struct json_object *play_step(struct player *p, struct json_object *step) {
    static const struct {
        const char *name;
        struct json_object *(*play)(struct player *p, struct json_object *step);
    } operations[] = {{"send", play_send},         {"receive", play_receive}, {"delete", play_delete},
                      {"change", play_change},     {"counts", play_counts},   {"await", play_await},
                      {"transact", play_transact}, {"get", play_get},         {"put", play_put},
                      {"items", play_items}};
    for (size_t i = 0; i < ARRAY_LENGTH(operations); i++)
        if (!strcmp(operations[i].name, text(step, "do", "")))
            return operations[i].play(p, step);
    fprintf(stderr, "no such operation: %s\n", sim_json_text(step));
    exit(2);
}

static void play_file(struct json_object *file, struct json_object *outcomes) {
    json_object_object_foreach(member(file, "scripts"), name, script) {
        struct json_object *steps = member(script, "steps"), *list = json_object_new_array();
        struct player p;
        begin(&p, script, member(file, "actions"));
        for (size_t i = 0; i < json_object_array_length(steps); i++)
            json_object_array_add(list, play_step(&p, json_object_array_get_idx(steps, i)));
        json_object_object_add(outcomes, name, list);
        end(&p);
    }
}

int main(int argc, char **argv) {
    struct json_object *outcomes = json_object_new_object();
    for (int i = 1; i < argc; i++) {
        struct json_object *file = json_object_from_file(argv[i]);
        if (!file) {
            fprintf(stderr, "%s can't be read\n", argv[i]);
            return 2;
        }
        play_file(file, outcomes);
        json_object_put(file);
    }
    puts(sim_json_text(outcomes));
    json_object_put(outcomes);
    return 0;
}
