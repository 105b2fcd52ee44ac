/* What the tests of the simulated queues share. */
#pragma once

#include "sim_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECOND MICROSECONDS

/* The bodies of what one receive hands out, a space between them. */
static inline void expect_received(struct sim_queue *q, unsigned max, unsigned visibility, const char *attempt_id,
                                   const char *bodies) {
    struct sim_received r = sim_client_receive(q, max, visibility, 0, attempt_id);
    char text[200] = "";
    for (size_t i = 0; i < r.count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.*s", i ? " " : "", (int)r.messages[i]->body.len,
                 r.messages[i]->body.data);
    sim_received_free(&r);
    assert_string_equal(text, bodies);
}

static inline void handle_of(const struct sim_message *m, char *ret_text, size_t size) {
    snprintf(ret_text, size, "%zu#%u", m->index, m->handle);
}

static inline struct sqs_entry_result delete_with(struct sim_queue *q, const char *handle) {
    struct span span = span_cstr(handle);
    struct sim_batch b = sim_client_delete(q, &span, 1);
    assert_int_equal(b.count, 1);
    return b.entries[0];
}

static inline bool delete (struct sim_message *m) {
    char handle[48];
    handle_of(m, handle, sizeof handle);
    return delete_with(m->queue, handle).ok;
}
