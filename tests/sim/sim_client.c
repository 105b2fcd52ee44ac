#include "sim_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct call_options patient = {.deadline = NEVER, .max_attempts = 1};

/* Steps until the answer has come. */
static void await(struct world *w, const struct call *call, const bool *done) {
    while (call && !*done && world_step(w))
        ;
    if (!*done)
        abort(); /* every call is answered */
}

struct receiving {
    struct sim_received answer;
    bool done;
};

static void on_received(void *user, const struct call_result *result, struct sqs_message **messages, size_t count,
                        size_t corrupt) {
    struct receiving *r = user;
    (void)corrupt;
    r->answer.result = *result;
    r->answer.count = count;
    if (count > 0)
        memcpy(r->answer.messages, messages, count * sizeof(struct sqs_message *));
    r->done = true;
}

struct sim_received sim_client_receive(struct sim_queue *queue, unsigned max_messages, unsigned visibility,
                                       unsigned wait, const char *attempt_id) {
    struct sqs_api port = sim_sqs_api(queue->sqs);
    struct sqs_receive_request request = {.queue_url = queue->url,
                                          .max_messages = max_messages,
                                          .wait_seconds = wait,
                                          .visibility_seconds = visibility,
                                          .attempt_id = attempt_id};
    struct receiving r = {0};
    await(queue->sqs->world, port.receive(port.ctx, &request, &patient, on_received, &r), &r.done);
    return r.answer;
}

void sim_received_free(struct sim_received *r) {
    for (size_t i = 0; i < r->count; i++)
        sqs_message_free(r->messages[i]);
    r->count = 0;
}

struct batch {
    struct sim_batch answer;
    bool done;
};

static void on_batch(void *user, const struct call_result *result, const struct sqs_entry_result *entries,
                     size_t count) {
    struct batch *b = user;
    b->answer.result = *result;
    b->answer.count = count;
    if (count > 0)
        memcpy(b->answer.entries, entries, count * sizeof *entries);
    b->done = true;
}

struct sim_batch sim_client_delete(struct sim_queue *queue, const struct span *handles, size_t count) {
    struct sqs_api port = sim_sqs_api(queue->sqs);
    struct batch b = {0};
    await(queue->sqs->world, port.delete_batch(port.ctx, queue->url, handles, count, &patient, on_batch, &b), &b.done);
    return b.answer;
}

struct sim_batch sim_client_change(struct sim_queue *queue, const struct sqs_visibility_entry *entries, size_t count) {
    struct sqs_api port = sim_sqs_api(queue->sqs);
    struct batch b = {0};
    await(queue->sqs->world, port.change_visibility_batch(port.ctx, queue->url, entries, count, &patient, on_batch, &b),
          &b.done);
    return b.answer;
}

struct sim_batch sim_client_send(struct sim_queue *queue, const struct sqs_send_entry *entries, size_t count) {
    struct sqs_api port = sim_sqs_api(queue->sqs);
    struct batch b = {0};
    await(queue->sqs->world, port.send_batch(port.ctx, queue->url, entries, count, &patient, on_batch, &b), &b.done);
    return b.answer;
}

struct counting {
    struct sqs_queue_attributes answer;
    bool done;
};

static void on_attributes(void *user, const struct call_result *result, const struct sqs_queue_attributes *attributes) {
    struct counting *c = user;
    if (result->class == CALL_OK)
        c->answer = *attributes;
    c->done = true;
}

struct sqs_queue_attributes sim_client_attributes(struct sim_queue *queue) {
    struct sqs_api port = sim_sqs_api(queue->sqs);
    struct counting c = {0};
    await(queue->sqs->world, port.get_attributes(port.ctx, queue->url, &patient, on_attributes, &c), &c.done);
    return c.answer;
}

struct transacting {
    struct transact_result answer;
    bool done;
};

static void on_transacted(void *user, const struct transact_result *result) {
    struct transacting *t = user;
    t->answer = *result;
    t->done = true;
}

struct transact_result sim_client_transact(struct sim_dynamodb *db, const char *body) {
    struct dynamodb_api port = sim_dynamodb_api(db);
    struct transacting t = {0};
    await(db->world, port.transact(port.ctx, span_cstr(body), &patient, on_transacted, &t), &t.done);
    return t.answer;
}

struct getting {
    struct sim_got answer;
    bool done;
};

static void on_got(void *user, const struct call_result *result, bool found, const char *request_hash) {
    struct getting *g = user;
    g->answer.result = *result;
    g->answer.found = found;
    snprintf(g->answer.hash, sizeof g->answer.hash, "%s", request_hash ? request_hash : "");
    g->done = true;
}

struct sim_got sim_client_get_item(struct sim_dynamodb *db, const char *body) {
    struct dynamodb_api port = sim_dynamodb_api(db);
    struct getting g = {0};
    await(db->world, port.get_item(port.ctx, span_cstr(body), &patient, on_got, &g), &g.done);
    return g.answer;
}

struct putting {
    struct call_result answer;
    bool done;
};

static void on_put(void *user, const struct call_result *result) {
    struct putting *p = user;
    p->answer = *result;
    p->done = true;
}

struct call_result sim_client_put_item(struct sim_dynamodb *db, const char *body) {
    struct dynamodb_api port = sim_dynamodb_api(db);
    struct putting p = {0};
    await(db->world, port.put_item(port.ctx, span_cstr(body), &patient, on_put, &p), &p.done);
    return p.answer;
}
