/* A box between the worker and SQS that knows one entry: a batch with it never arrives, and is answered by the box, or
 * by nobody. */
#pragma once

#include "worker_world.h"

enum poisoned_answer {
    POISONED_RESET,
    POISONED_SILENT,
    POISONED_503,
    POISONED_413,
    POISONED_403,
    POISONED_FOREIGN,
    POISONED_ANSWERS
};

#define POISONED_CALLS_MAX 4096
#define POISONED_PARTS_MAX 16

struct poisoned_call {
    struct poisoned_path *path;
    struct timer answer;
    sqs_batch_done *done;
    void *user;
    bool open;
};

struct poisoned_path {
    struct sqs_api inner;
    struct world *world;
    enum poisoned_answer answer;
    /* What it knows: a part of what is sent, a message (by its place) of deletes or of visibility changes. */
    const char *sends[POISONED_PARTS_MAX];
    size_t send_count;
    struct sim_message *deletes, *changes;
    unsigned struck, alone; /* calls; of these, those of one entry */
    struct poisoned_call calls[POISONED_CALLS_MAX];
};

static inline struct call_result poisoned_result(enum poisoned_answer answer) {
    static const int statuses[POISONED_ANSWERS] = {
        [POISONED_503] = 503, [POISONED_413] = 413, [POISONED_403] = 403, [POISONED_FOREIGN] = 200};
    struct call_result result = {.class = CALL_RETRY, .attempts = 1};
    if (statuses[answer] && answer != POISONED_FOREIGN)
        sim_call_fail(&result, statuses[answer], "", "HTTP");
    result.status = statuses[answer];
    return result;
}

static inline void poisoned_answers(void *user) {
    struct poisoned_call *c = user;
    struct call_result result = poisoned_result(c->path->answer);
    c->open = false;
    c->done(c->user, &result, NULL, 0);
}

static inline struct call *poisoned_strike(struct poisoned_path *p, size_t count, const struct call_options *options,
                                           sqs_batch_done *done, void *user) {
    assert_true(p->struck < POISONED_CALLS_MAX);
    struct poisoned_call *c = &p->calls[p->struck++];
    p->alone += count == 1;
    *c = (struct poisoned_call){.path = p, .done = done, .user = user, .open = true};
    int64_t at = p->world->now + (p->answer == POISONED_SILENT ? 10 * SECOND : 15 * MILLISECOND);
    timer_init(&c->answer, poisoned_answers, c);
    timer_start(&p->world->timers, &c->answer, at < options->deadline ? at : options->deadline);
    return (struct call *)(void *)c;
}

static inline struct call *poisoned_receive(void *ctx, const struct sqs_receive_request *request,
                                            const struct call_options *options, sqs_received *done, void *user) {
    struct poisoned_path *p = ctx;
    return p->inner.receive(p->inner.ctx, request, options, done, user);
}

static inline bool poisoned_handle(const struct sim_message *m, struct span handle) {
    char text[32];
    snprintf(text, sizeof text, "%zu#", m ? m->index : 0);
    return m && handle.len > strlen(text) && !memcmp(handle.data, text, strlen(text));
}

static inline struct call *poisoned_delete(void *ctx, const char *queue_url, const struct span *handles, size_t count,
                                           const struct call_options *options, sqs_batch_done *done, void *user) {
    struct poisoned_path *p = ctx;
    for (size_t i = 0; i < count; i++)
        if (poisoned_handle(p->deletes, handles[i]))
            return poisoned_strike(p, count, options, done, user);
    return p->inner.delete_batch(p->inner.ctx, queue_url, handles, count, options, done, user);
}

static inline struct call *poisoned_change(void *ctx, const char *queue_url, const struct sqs_visibility_entry *entries,
                                           size_t count, const struct call_options *options, sqs_batch_done *done,
                                           void *user) {
    struct poisoned_path *p = ctx;
    for (size_t i = 0; i < count; i++)
        if (poisoned_handle(p->changes, entries[i].receipt_handle))
            return poisoned_strike(p, count, options, done, user);
    return p->inner.change_visibility_batch(p->inner.ctx, queue_url, entries, count, options, done, user);
}

static inline struct call *poisoned_send(void *ctx, const char *queue_url, const struct sqs_send_entry *entries,
                                         size_t count, const struct call_options *options, sqs_batch_done *done,
                                         void *user) {
    struct poisoned_path *p = ctx;
    for (size_t i = 0; i < count; i++)
        for (size_t part = 0; part < p->send_count; part++)
            if (memmem(entries[i].body.data, entries[i].body.len, p->sends[part], strlen(p->sends[part])))
                return poisoned_strike(p, count, options, done, user);
    return p->inner.send_batch(p->inner.ctx, queue_url, entries, count, options, done, user);
}

static inline struct call *poisoned_attributes(void *ctx, const char *queue_url, const struct call_options *options,
                                               sqs_attributes_done *done, void *user) {
    struct poisoned_path *p = ctx;
    return p->inner.get_attributes(p->inner.ctx, queue_url, options, done, user);
}

static inline void poisoned_cancel(void *ctx, struct call *call) {
    struct poisoned_path *p = ctx;
    struct poisoned_call *c = (struct poisoned_call *)(void *)call;
    if (c < p->calls || c >= p->calls + POISONED_CALLS_MAX) {
        p->inner.cancel(p->inner.ctx, call);
        return;
    }
    timer_stop(&p->world->timers, &c->answer);
    c->open = false;
}

/* Puts it between a worker that hasn't begun and SQS. */
static inline void poisoned_path_init(struct poisoned_path *p, struct scene *s, enum poisoned_answer answer) {
    *p = (struct poisoned_path){.inner = s->worker.sqs, .world = &s->world, .answer = answer};
    s->worker.sqs.ctx = p;
    s->worker.sqs.receive = poisoned_receive;
    s->worker.sqs.delete_batch = poisoned_delete;
    s->worker.sqs.change_visibility_batch = poisoned_change;
    s->worker.sqs.send_batch = poisoned_send;
    s->worker.sqs.get_attributes = poisoned_attributes;
    s->worker.sqs.cancel = poisoned_cancel;
}
