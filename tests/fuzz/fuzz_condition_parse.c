/* Parses any text as a condition. What is refused has a reason; what is taken is printed, parsed again from what was
 * printed alone, and must mean the same and print the same. */
#include "../tools/json_terms.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char own_terms[] =
    "{\"names\":{\"#n\":\"name\",\"#a\":\"a\",\"#w\":\"a.b[0] `#:\\\"\",\"#e\":\"\"},"
    "\"values\":{\":s\":{\"S\":\"x\"},\":t\":{\"S\":\"NS\"},\":n\":{\"N\":\"5\"},\":m\":{\"N\":\"1E+38\"},\":b\":{"
    "\"BOOL\":true},"
    "\":z\":{\"NULL\":true},\":l\":{\"L\":[{\"S\":\"a\"}]},\":o\":{\"M\":{\"a\":{\"N\":\"5\"}}}}}";

static void check(bool holds) {
    if (!holds)
        abort();
}

/* A condition's text is a JSON string's, so it is UTF-8; RFC 3629, section 4. */
static size_t character_length(const uint8_t *data, size_t size) {
    uint8_t c = data[0], low = 0x80, high = 0xbf;
    size_t len = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
    if (len == 0 || len > size)
        return 0;
    if (c == 0xe0)
        low = 0xa0;
    else if (c == 0xed)
        high = 0x9f;
    else if (c == 0xf0)
        low = 0x90;
    else if (c == 0xf4)
        high = 0x8f;
    for (size_t i = 1; i < len; i++) {
        if (data[i] < low || data[i] > high)
            return 0;
        low = 0x80;
        high = 0xbf;
    }
    return len;
}

static bool is_utf8(const uint8_t *data, size_t size) {
    for (size_t at = 0; at < size;) {
        size_t len = character_length(data + at, size - at);
        if (len == 0)
            return false;
        at += len;
    }
    return true;
}

struct printed {
    struct buf expression, names, values, canonical;
};

static void print(const struct condition *c, const struct condition_environment *environment,
                  struct printed *ret_printed) {
    buf_init(&ret_printed->expression, TEXT_MAX);
    buf_init(&ret_printed->names, TEXT_MAX);
    buf_init(&ret_printed->values, TEXT_MAX);
    buf_init(&ret_printed->canonical, TEXT_MAX);
    struct placeholders placeholders = {.names = &ret_printed->names, .values = &ret_printed->values};
    check(condition_bind(c, environment, &placeholders, &ret_printed->expression));
    check(condition_append_canonical(c, environment, &ret_printed->canonical));
}

static void printed_free(struct printed *p) {
    buf_free(&p->expression);
    buf_free(&p->names);
    buf_free(&p->values);
    buf_free(&p->canonical);
}

/* Nothing of the text but the grammar's own words gets into the expression. */
static void check_characters(struct span expression) {
    for (size_t i = 0; i < expression.len; i++)
        check(strchr("abcdefghijklmnopqrstuvwxyzABDEINORTW0123456789_#:.,()[]<>= ", expression.data[i]) &&
              expression.data[i]);
}

static void check_printed(const struct printed *first) {
    struct json_terms terms;
    json_terms_init(&terms);
    struct buf json;
    buf_init(&json, TEXT_MAX);
    buf_append_cstr(&json, "{\"names\":{");
    buf_append_span(&json, buf_span(&first->names));
    buf_append_cstr(&json, "},\"values\":{");
    buf_append_span(&json, buf_span(&first->values));
    check(buf_append_cstr(&json, "}}") && json_terms_read(&terms, buf_span(&json)));
    struct condition_environment environment = terms_environment(&terms);
    struct failure failure;
    failure_init(&failure);
    struct condition *c = NULL;
    check(condition_parse(buf_span(&first->expression), &environment, &c, &failure) == CONDITION_FINE);
    struct printed second;
    print(c, &environment, &second);
    check(span_equal(buf_span(&first->canonical), buf_span(&second.canonical)));
    check(span_equal(buf_span(&first->expression), buf_span(&second.expression)));
    check(span_equal(buf_span(&first->names), buf_span(&second.names)));
    check(span_equal(buf_span(&first->values), buf_span(&second.values)));
    for (size_t i = 0; i < terms.names.count; i++)
        check(terms.names.entries[i].used);
    for (size_t i = 0; i < terms.values.count; i++)
        check(terms.values.entries[i].used);
    printed_free(&second);
    condition_free(c);
    failure_free(&failure);
    json_terms_free(&terms);
    buf_free(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!is_utf8(data, size))
        return 0;
    struct json_terms terms;
    json_terms_init(&terms);
    check(json_terms_read(&terms, span_cstr(own_terms)));
    struct condition_environment environment = terms_environment(&terms);
    struct failure failure;
    failure_init(&failure);
    struct condition *c = NULL;
    switch (condition_parse(span_of((const char *)data, size), &environment, &c, &failure)) {
    case CONDITION_FINE: {
        struct printed printed;
        print(c, &environment, &printed);
        check_characters(buf_span(&printed.expression));
        check_printed(&printed);
        printed_free(&printed);
        break;
    }
    case CONDITION_REFUSED:
        check(failure_ok(&failure) && failure.type == ERROR_VALIDATION && failure.details.len > 0 && !c);
        break;
    case CONDITION_NO_MEMORY: abort();
    }
    condition_free(c);
    failure_free(&failure);
    json_terms_free(&terms);
    return 0;
}
