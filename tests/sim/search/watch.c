#include "watch.h"

#include <stdlib.h>

struct watched *watched_new(struct watch *w, void *user) {
    struct watched *c = world_alloc(sizeof *c);
    c->watch = w;
    c->user = user;
    c->began = w->judge->world->now;
    c->life = w->judge->workers[w->worker].life;
    judge_call(w->judge, w->worker, 1);
    w->judge->world->client = w->client;
    return c;
}

struct call *watched_started(struct watched *c, struct call *call) {
    c->call = call;
    c->watch->judge->world->client = NULL;
    if (call)
        return (struct call *)c;
    watched_end(c);
    free(c);
    return NULL;
}

void watched_end(struct watched *c) {
    struct judge *j = c->watch->judge;
    judge_call(j, c->watch->worker, -1);
    if (c->ended)
        c->ended(c);
}

void watched_cancel(struct watched *c, void (*cancel)(void *ctx, struct call *call), void *ctx) {
    struct judge *j = c->watch->judge;
    trace_note(j->trace, j->world->now, TRACE_CANCELLED, c->watch->worker, c->update, c->count, SPAN(""));
    cancel(ctx, c->call);
    watched_end(c);
    free(c);
}

bool watched_handle(struct span handle, size_t *ret_index, unsigned *ret_number) {
    char text[48], *end = NULL;
    snprintf(text, sizeof text, "%.*s", (int)handle.len, handle.data);
    *ret_index = strtoull(text, &end, 10);
    if (*end != '#')
        return false;
    *ret_number = (unsigned)strtoul(end + 1, NULL, 10);
    return true;
}
