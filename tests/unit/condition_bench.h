/* Parses one condition in an environment given as JSON (json_terms.h), and compares what comes of it. */
#pragma once

#include "../tools/json_terms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ROOM ((size_t)1 << 20)

struct bench {
    struct json_terms terms;
    struct condition_environment environment;
    struct condition *condition; /* NULL where it was refused */
    struct failure failure;
    enum condition_status status;
};

/* terms: {"names": {…}, "values": {…}} or NULL. */
static inline void bench_parse(struct bench *b, struct span text, const char *terms) {
    json_terms_init(&b->terms);
    if (terms)
        assert_true(json_terms_read(&b->terms, span_cstr(terms)));
    b->environment = terms_environment(&b->terms);
    b->condition = NULL;
    failure_init(&b->failure);
    /* A copy of its own length, gone after parsing: nothing may be read behind it or kept of it. */
    char *copy = malloc(text.len + !text.len);
    assert_non_null(copy);
    memcpy(copy, text.data, text.len);
    b->status = condition_parse(span_of(copy, text.len), &b->environment, &b->condition, &b->failure);
    free(copy);
    assert_true(b->status == CONDITION_FINE ? b->condition != NULL : b->condition == NULL);
}

static inline void bench_free(struct bench *b) {
    condition_free(b->condition);
    failure_free(&b->failure);
    json_terms_free(&b->terms);
}

static inline void assert_canonical(const char *text, const char *terms, const char *expected) {
    struct bench b;
    bench_parse(&b, span_cstr(text), terms);
    if (b.status != CONDITION_FINE)
        fail_msg("%s: %s", text, b.failure.message.data);
    struct buf out;
    buf_init(&out, ROOM);
    assert_true(condition_append_canonical(b.condition, &b.environment, &out));
    assert_string_equal(out.data, expected);
    buf_free(&out);
    bench_free(&b);
}

static inline void assert_fine(const char *text, const char *terms) {
    struct bench b;
    bench_parse(&b, span_cstr(text), terms);
    if (b.status != CONDITION_FINE)
        fail_msg("%s: %s", text, b.failure.message.data);
    bench_free(&b);
}

static inline void assert_refused_span(struct span text, const char *terms, const char *reason) {
    static const char before[] = "Invalid condition_expression: ";
    struct bench b;
    bench_parse(&b, text, terms);
    if (b.status != CONDITION_REFUSED)
        fail_msg("not refused: %.*s", (int)text.len, text.data);
    assert_int_equal(b.failure.type, ERROR_VALIDATION);
    assert_memory_equal(b.failure.message.data, before, sizeof before - 1);
    assert_string_equal(b.failure.message.data + sizeof before - 1, reason);
    bench_free(&b);
}

static inline void assert_refused(const char *text, const char *terms, const char *reason) {
    assert_refused_span(span_cstr(text), terms, reason);
}
