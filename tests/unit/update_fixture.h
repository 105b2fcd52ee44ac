/* What the tests of update messages share: a table, a context, and messages read against them. */
#pragma once

#include "digest.h"
#include "update.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MESSAGE_ID "5fea7756-0ea4-451a-a703-a558b933e274"
#define WALL 1704677672343000LL /* 2024-01-08T01:34:32.343Z */
#define WALL_TEXT "2024-01-08T01:34:32.343Z"
#define EXAMPLE                                                                                                        \
    "{\"id\":\"user-123\",\"attributes\":{\"name\":\"John "                                                            \
    "Doe\",\"email\":\"john@example.com\",\"status\":\"active\"},"                                                     \
    "\"enable_logging\":true,\"condition_expression\":\"attribute_not_exists(email)\"}"

struct fixture {
    struct table_shape table;
    struct update_context context;
};

/* Table `users` with the string key `id`, an audit table, audit off unless a message asks. */
static inline void fixture_init(struct fixture *f) {
    *f = (struct fixture){.table = {.name = "users",
                                    .partition = {"id", KEY_STRING},
                                    .attribute_count = 1,
                                    .attributes = {{"id", KEY_STRING}}}};
    f->context = (struct update_context){.table = &f->table,
                                         .audit_table = "audit_logs",
                                         .audit_table_exists = true,
                                         .audit = AUDIT_OFF,
                                         .user_agent = "table-updater/0.1.0",
                                         .digest = digest_new(),
                                         .hash_seed = {1, 2}};
    assert_non_null(f->context.digest);
}

static inline void fixture_done(struct fixture *f) {
    digest_free(f->context.digest);
}

/* The key is pk (string) and sk (number) instead. */
static inline void fixture_make_composite(struct fixture *f) {
    f->table.partition = (struct key_attribute){"pk", KEY_STRING};
    f->table.sort = (struct key_attribute){"sk", KEY_NUMBER};
    f->table.attribute_count = 2;
    f->table.attributes[0] = f->table.partition;
    f->table.attributes[1] = f->table.sort;
}

static inline void fixture_add_index_key(struct fixture *f, const char *name, enum key_type type) {
    struct key_attribute *key = &f->table.attributes[f->table.attribute_count++];
    key->type = type;
    memcpy(key->name, name, strlen(name) + 1);
}

/* body outlives the update. */
static inline struct update *read_span(const struct fixture *f, struct span body) {
    const struct delivery delivery = {.body = body, .message_id = SPAN(MESSAGE_ID)};
    struct update *u = update_read(&f->context, &delivery);
    assert_non_null(u);
    return u;
}

static inline struct update *read_text(const struct fixture *f, const char *body) {
    return read_span(f, span_cstr(body));
}

/* One that has to be fit. */
static inline struct update *read_fit(const struct fixture *f, const char *body) {
    struct update *u = read_text(f, body);
    if (u->failure.type != ERROR_NONE)
        fail_msg("%s\nis refused: %s", body, u->failure.message.data);
    return u;
}

static inline void assert_span(struct span actual, const char *expected) {
    assert_non_null(actual.data);
    if (!span_is(actual, expected))
        fail_msg("\n%.*s\nis not\n%s", (int)actual.len, actual.data, expected);
}

static inline void assert_buf(const struct buf *actual, const char *expected) {
    assert_true(buf_ok(actual));
    assert_span(buf_span(actual), expected);
}

/* The message is refused with this type and exactly these details. */
static inline void assert_refused(const struct fixture *f, const char *body, enum error_type type,
                                  const char *details) {
    struct update *u = read_text(f, body);
    if (u->failure.type != type || !span_is(buf_span(&u->failure.details), details))
        fail_msg("\n%.300s\ngives %s %s\nand not %s %s", body, error_type_name(u->failure.type),
                 u->failure.details.data ? u->failure.details.data : "", error_type_name(type), details);
    assert_true(u->failure.message.len > 0);
    update_free(u);
}

/* It is a ValidationError on this field. */
static inline void assert_invalid(const struct fixture *f, const char *body, const char *field) {
    struct update *u = read_text(f, body);
    struct buf begin;
    buf_init(&begin, SIZE_MAX);
    buf_printf(&begin, "\"field\":\"%s\",\"reason\":\"", field);
    assert_true(buf_ok(&begin));
    if (u->failure.type != ERROR_VALIDATION || u->failure.details.len < begin.len ||
        memcmp(u->failure.details.data, begin.data, begin.len) != 0)
        fail_msg("\n%.300s\ngives %s %.300s\nand not a ValidationError on %s", body, error_type_name(u->failure.type),
                 u->failure.details.data ? u->failure.details.data : "", field);
    assert_true(u->readable);
    buf_free(&begin);
    update_free(u);
}

static inline void assert_fit(const struct fixture *f, const char *body) {
    update_free(read_fit(f, body));
}

/* printf-formatted text on the heap. */
static inline char *text_of(const char *format, ...) PRINTF_LIKE(1, 2);
static inline char *text_of(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int len = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    assert_true(len >= 0);
    char *text = malloc((size_t)len + 1);
    assert_non_null(text);
    (void)vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

/* unit repeated, on the heap. */
static inline char *repeated(const char *unit, size_t times) {
    size_t len = strlen(unit);
    char *text = malloc(len * times + 1);
    assert_non_null(text);
    for (size_t i = 0; i < times; i++)
        memcpy(text + i * len, unit, len);
    text[len * times] = '\0';
    return text;
}
