/* Reads any two numbers and checks what number.h promises of every one: its normal form is short, plain JSON, and reads
 * as itself; order is the values' order, as the C library sees it too; zeros and shifted exponents don't matter. */
#include "buf.h"
#include "json_reader.h"
#include "number.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
    if (!holds)
        abort();
}

static bool is_number(struct span text) {
    struct json_reader r;
    struct json_token token;
    json_reader_init(&r, text, &(struct json_options){.max_depth = 1});
    bool is = json_next(&r, &token) == JSON_NUMBER && token.raw.len == text.len && json_next(&r, &token) == JSON_END;
    json_reader_done(&r);
    return is;
}

static long double value_of(const struct number *n) {
    return strtold(n->text, NULL);
}

/* Whatever form it is written in, it has the size that was told, is JSON, no longer than the normal form, and reads as
 * the same number. */
static void check_written(const struct number *n, enum number_form form) {
    struct number again;
    struct buf out;
    buf_init(&out, NUMBER_TEXT_SIZE);
    check(number_append(n, form, &out));
    check(out.len == number_text_size(n, form) && out.len <= n->len && is_number(buf_span(&out)));
    check(number_read(buf_span(&out), &again) == NUMBER_FINE && number_compare(n, &again) == 0);
    buf_free(&out);
}

static void check_form(const struct number *n) {
    struct number again;
    check(n->len < NUMBER_TEXT_SIZE && n->text[n->len] == '\0' && n->size >= 1 && n->size <= 21);
    check(is_number(span_of(n->text, n->len)));
    check(number_read(span_of(n->text, n->len), &again) == NUMBER_FINE);
    check(span_equal(span_of(again.text, again.len), span_of(n->text, n->len)) && again.size == n->size);
    check(number_compare(n, &again) == 0);
    check_written(n, NUMBERS_NORMAL);
    check_written(n, NUMBERS_SHORT);
}

/* The same value with a zero more behind it: 5 is 5.0 and 50e-1. */
static void check_zeros(struct span text, enum number_status status, const struct number *n) {
    if (memchr(text.data, 'e', text.len) || memchr(text.data, 'E', text.len))
        return;
    struct buf longer;
    struct number same = {0};
    buf_init(&longer, text.len + 8);
    buf_append_span(&longer, text);
    check(buf_append_cstr(&longer, memchr(text.data, '.', text.len) ? "0e0" : "0E-1"));
    check(number_read(buf_span(&longer), &same) == status);
    check(status != NUMBER_FINE || span_equal(span_of(same.text, same.len), span_of(n->text, n->len)));
    buf_free(&longer);
}

static void check_order(const struct number *a, const struct number *b) {
    int order = number_compare(a, b);
    check((order > 0) - (order < 0) == (number_compare(b, a) < 0) - (number_compare(b, a) > 0));
    check((order == 0) == span_equal(span_of(a->text, a->len), span_of(b->text, b->len)));
    check(!(value_of(a) < value_of(b)) || order < 0);
    check(!(value_of(a) > value_of(b)) || order > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = span_of((const char *)data, size);
    const char *comma = size ? memchr(data, ',', size) : NULL;
    struct span first = comma ? span_of(text.data, (size_t)(comma - text.data)) : text;
    struct span second = comma ? span_of(comma + 1, text.len - first.len - 1) : text;
    if (!is_number(first) || !is_number(second))
        return 0;
    struct number a, b;
    enum number_status of_first = number_read(first, &a), of_second = number_read(second, &b);
    check_zeros(first, of_first, &a);
    if (of_first == NUMBER_FINE)
        check_form(&a);
    if (of_second == NUMBER_FINE)
        check_form(&b);
    if (of_first == NUMBER_FINE && of_second == NUMBER_FINE)
        check_order(&a, &b);
    return 0;
}
