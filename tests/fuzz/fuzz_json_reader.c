/* Reads any bytes as JSON and checks what the reader promises of every text: where it fails, that it refuses repeated
 * names just where a plain list finds them, that what it accepts means the same once it was written anew, and that no
 * memory is no other fault. */
#include "buf.h"
#include "json_reader.h"
#include "json_writer.h"
#include "scarce.h"

#include <stdint.h>
#include <stdlib.h>

#define PLAIN_NAMES_MAX 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
    if (!holds)
        abort();
}

struct verdict {
    enum json_error error;
    size_t offset;
};

static struct verdict read_all(struct span text, const struct json_options *options) {
    struct json_reader r;
    struct json_token token;
    size_t last = 0;
    json_reader_init(&r, text, options);
    while (json_next(&r, &token) != JSON_FAILED && token.event != JSON_END) {
        check(!json_token_is(&token, "\001") || token.event == JSON_NAME || token.event == JSON_STRING);
        check(token.offset >= last && token.offset < text.len);
        check(token.raw.len == 0 || (token.raw.data > text.data && token.raw.len < text.len) ||
              token.event == JSON_NUMBER);
        last = token.offset;
    }
    check((token.event == JSON_FAILED) == (r.error != JSON_NO_ERROR));
    struct json_token same;
    check(json_next(&r, &same) == token.event && same.offset == token.offset);
    struct verdict verdict = {r.error, token.offset};
    json_reader_done(&r);
    check(verdict.offset <= text.len && verdict.error != JSON_NO_MEMORY);
    return verdict;
}

/* What stands before the fault begins some valid text: alone it is one, or is cut short. */
static void check_fault(struct span text, const struct json_options *options, struct verdict verdict) {
    struct verdict before = read_all(span_of(text.data, verdict.offset), options);
    check(before.offset == verdict.offset);
    check(before.error == JSON_NO_ERROR || before.error == JSON_SYNTAX);
    if (verdict.error == JSON_SYNTAX && verdict.offset < text.len && text.data[verdict.offset] != '\\') {
        struct verdict with = read_all(span_of(text.data, verdict.offset + 1), options);
        check(with.error == JSON_SYNTAX && with.offset == verdict.offset);
    }
}

struct plain_name {
    unsigned object;
    struct buf text;
};

/* The first repeated name by comparing each with all others of its object; SIZE_MAX: none; SIZE_MAX - 1: too many names
 * to try. */
static size_t find_repeated(struct span text, const struct json_options *options) {
    struct json_options plain = {.max_depth = options->max_depth};
    struct plain_name names[PLAIN_NAMES_MAX];
    unsigned open[JSON_MAX_DEPTH + 1] = {0};
    unsigned depth = 0;
    unsigned objects = 0;
    size_t count = 0;
    size_t found = SIZE_MAX;
    struct json_reader r;
    struct json_token token;
    json_reader_init(&r, text, &plain);
    while (found == SIZE_MAX && json_next(&r, &token) != JSON_FAILED && token.event != JSON_END) {
        if (token.event == JSON_OBJECT_BEGIN || token.event == JSON_ARRAY_BEGIN)
            open[depth++] = ++objects;
        else if (token.event == JSON_OBJECT_END || token.event == JSON_ARRAY_END)
            depth--;
        if (token.event != JSON_NAME)
            continue;
        if (count == PLAIN_NAMES_MAX) {
            found = SIZE_MAX - 1;
            break;
        }
        struct plain_name *name = &names[count++];
        name->object = open[depth - 1];
        buf_init(&name->text, text.len);
        check(json_unescape(token.raw, &name->text));
        for (size_t i = 0; i + 1 < count; i++)
            if (names[i].object == name->object && span_equal(buf_span(&names[i].text), buf_span(&name->text)))
                found = token.offset;
    }
    for (size_t i = 0; i < count; i++)
        buf_free(&names[i].text);
    json_reader_done(&r);
    return found;
}

static void append_string(struct json_writer *w, const struct json_token *token) {
    struct buf text;
    buf_init(&text, token->raw.len + 1);
    check(json_unescape(token->raw, &text));
    check(token->escaped || span_equal(buf_span(&text), token->raw));
    if (!memchr(buf_span(&text).data, '\0', text.len)) {
        check(json_token_is(token, buf_span(&text).data));
        check(buf_append_char(&text, 'x') && !json_token_is(token, text.data));
        text.len--;
    }
    if (token->event == JSON_NAME)
        json_name(w, buf_span(&text));
    else
        json_string(w, buf_span(&text));
    buf_free(&text);
}

static void rewrite(struct span text, const struct json_options *options, struct buf *out) {
    struct json_reader r;
    struct json_token token;
    struct json_writer w;
    json_reader_init(&r, text, options);
    json_writer_init(&w, out);
    while (json_next(&r, &token) != JSON_END) {
        switch (token.event) {
        case JSON_OBJECT_BEGIN: json_object_begin(&w); break;
        case JSON_OBJECT_END: json_object_end(&w); break;
        case JSON_ARRAY_BEGIN: json_array_begin(&w); break;
        case JSON_ARRAY_END: json_array_end(&w); break;
        case JSON_NAME:
        case JSON_STRING: append_string(&w, &token); break;
        case JSON_NUMBER: json_raw(&w, token.raw); break;
        case JSON_TRUE: json_boolean(&w, true); break;
        case JSON_FALSE: json_boolean(&w, false); break;
        case JSON_NULL: json_null(&w); break;
        default: abort();
        }
    }
    check(buf_ok(out));
    json_reader_done(&r);
}

/* Written anew it is still accepted, and the writer's form is the same from then on. */
static void check_meaning(struct span text, const struct json_options *options) {
    struct buf once, twice;
    buf_init(&once, 6 * text.len + 2);
    buf_init(&twice, 6 * text.len + 2);
    rewrite(text, options, &once);
    check(read_all(buf_span(&once), options).error == JSON_NO_ERROR);
    rewrite(buf_span(&once), options, &twice);
    check(span_equal(buf_span(&once), buf_span(&twice)));
    buf_free(&once);
    buf_free(&twice);
}

static void check_skip(struct span text, const struct json_options *options, struct verdict verdict) {
    struct json_reader r;
    struct json_token token;
    json_reader_init(&r, text, options);
    /* The value, or the members of an object one by one. */
    if (json_next(&r, &token) == JSON_OBJECT_BEGIN && text.len % 2)
        while (json_next(&r, &token) == JSON_NAME && json_skip(&r, &token))
            continue;
    else if (token.event != JSON_FAILED && json_skip(&r, &token))
        (void)json_next(&r, &token);
    while (r.error == JSON_NO_ERROR && token.event != JSON_END)
        (void)json_next(&r, &token);
    check(r.error == verdict.error && (r.error == JSON_NO_ERROR || r.error_offset == verdict.offset));
    json_reader_done(&r);
}

/* With one allocation that fails: the same verdict, or no memory. */
static void check_scarce(struct span text, const struct json_options *options, struct verdict verdict) {
    struct json_reader r;
    struct json_token token;
    struct buf decoded;
    json_reader_init(&r, text, options);
    buf_init(&decoded, text.len);
    while (json_next(&r, &token) != JSON_FAILED && token.event != JSON_END) {
        if (token.event == JSON_NAME || token.event == JSON_STRING) {
            buf_reset(&decoded);
            check(json_unescape(token.raw, &decoded) || failing_calls_failed());
            buf_reset(&decoded);
            check(json_append_string(&decoded, token.raw) || decoded.failure == BUF_FULL || failing_calls_failed());
        }
    }
    check(r.error == verdict.error || (r.error == JSON_NO_MEMORY && failing_calls_failed()));
    buf_free(&decoded);
    json_reader_done(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct json_options options = {
        .max_depth = size % 16 ? 40 : JSON_MAX_DEPTH + 1, .reject_duplicates = true, .hash_seed = {size, 7}};
    struct span text = span_of((const char *)data, size);
    plenty_begin();
    struct verdict verdict = read_all(text, &options);
    uint64_t calls = failing_calls_end();
    size_t repeated = find_repeated(text, &options);
    if (repeated != SIZE_MAX - 1)
        check(verdict.error == JSON_DUPLICATE ? repeated == verdict.offset : repeated == SIZE_MAX);
    check_skip(text, &options, verdict);
    if (verdict.error == JSON_NO_ERROR)
        check_meaning(text, &options);
    else
        check_fault(text, &options, verdict);
    scarce_begin(calls, data, size);
    check_scarce(text, &options, verdict);
    (void)failing_calls_end();
    return 0;
}
