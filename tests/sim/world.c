#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

volatile unsigned world_own_memory;

static const size_t LOG_MAX = (size_t)16 << 20;

void *world_alloc(size_t size) {
    world_enter();
    void *memory = calloc(1, size ? size : 1);
    world_leave();
    if (!memory) {
        fputs("no memory for the world\n", stderr);
        abort();
    }
    return memory;
}

char *world_text(struct span text) {
    char *copy = world_alloc(text.len + 1);
    if (text.len)
        memcpy(copy, text.data, text.len);
    return copy;
}

static int64_t monotonic(void *ctx) {
    return ((const struct world *)ctx)->now;
}

static int64_t wall(void *ctx) {
    const struct world *w = ctx;
    return WORLD_WALL + w->now + w->wall_shift;
}

static void on_line(void *ctx, struct span line) {
    struct world *w = ctx;
    world_enter();
    buf_printf(&w->log_text, "%.3f %.*s\n", (double)w->now / (double)MICROSECONDS, (int)line.len, line.data);
    world_leave();
}

void world_init(struct world *w, uint64_t seed) {
    world_enter();
    *w = (struct world){.now = WORLD_BEGINS};
    random_seed(&w->random, seed);
    w->clock = (struct clock){monotonic, wall, w};
    w->log = (struct log){.fd = -1,
                          .level = LOG_LEVEL_INFO,
                          .format = LOG_FORMAT_TEXT,
                          .clock = w->clock,
                          .sink = on_line,
                          .sink_ctx = w};
    buf_init(&w->log_text, LOG_MAX);
    buf_init(&w->violations, LOG_MAX);
    w->digest = digest_new();
    if (!w->digest)
        abort();
    LIST_INIT(&w->calls);
    sim_sqs_init(&w->sqs, w);
    sim_dynamodb_init(&w->dynamodb, w);
    world_leave();
}

void world_done(struct world *w) {
    if (getenv("WORLD_LOG"))
        fprintf(stderr, "%s", w->log_text.data ? w->log_text.data : "");
    sim_calls_end(w);
    sim_sqs_done(&w->sqs);
    sim_dynamodb_done(&w->dynamodb);
    digest_free(w->digest);
    buf_free(&w->log_text);
    buf_free(&w->violations);
}

void world_add_client(struct world *w, struct sim_client *client) {
    if (w->client_count == WORLD_CLIENTS_MAX)
        abort();
    w->clients[w->client_count++] = client;
}

int64_t world_next(const struct world *w) {
    int64_t next = timers_next(&w->timers);
    for (size_t i = 0; i < w->client_count; i++) {
        const struct sim_client *c = w->clients[i];
        int64_t due = timers_next(&c->timers);
        if (due != NEVER && due < c->stands_until)
            due = c->stands_until;
        next = due < next ? due : next;
    }
    return next;
}

bool world_step(struct world *w) {
    int64_t next = world_next(w);
    if (next == NEVER)
        return false;
    if (next > w->now)
        w->now = next;
    w->steps++;
    timers_run(&w->timers, w->now);
    for (size_t i = 0; i < w->client_count; i++)
        if (w->clients[i]->stands_until <= w->now)
            timers_run(&w->clients[i]->timers, w->now);
    return true;
}

void world_run(struct world *w, int64_t microseconds) {
    int64_t until = w->now + microseconds;
    while (world_next(w) <= until)
        world_step(w);
    w->now = until;
}

bool world_run_until(struct world *w, bool (*condition)(void *ctx), void *ctx, int64_t microseconds) {
    int64_t until = w->now + microseconds;
    while (!condition(ctx)) {
        if (world_next(w) > until)
            return false;
        world_step(w);
    }
    return true;
}

unsigned world_logged(const struct world *w, const char *text) {
    unsigned count = 0;
    for (const char *at = w->log_text.data; at && (at = strstr(at, text)); at++)
        count++;
    return count;
}

void world_forget_log(struct world *w) {
    buf_reset(&w->log_text);
}

void world_violated(struct world *w, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    world_enter();
    buf_printf(&w->violations, "%.3f %s\n", (double)w->now / (double)MICROSECONDS, text);
    world_leave();
}
