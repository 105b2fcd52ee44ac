/* Says what the JSON reader makes of texts, for tests that hold another parser against it.
 *
 * Reads texts as frames.h has them. Writes a line for each: "refused <offset> <error>",
 * or "accepted " and the text written anew from the reader's events. The depth is bound to the argument's (default 40).
 */
#include "frames.h"
#include "json_reader.h"
#include "json_writer.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX ((size_t)16 << 20)

static void write_string(struct json_writer *w, const struct json_token *token) {
    struct buf text;
    buf_init(&text, TEXT_MAX);
    if (!json_unescape(token->raw, &text))
        abort();
    if (token->event == JSON_NAME)
        json_name(w, buf_span(&text));
    else
        json_string(w, buf_span(&text));
    buf_free(&text);
}

static void write_event(struct json_writer *w, const struct json_token *token) {
    switch (token->event) {
    case JSON_OBJECT_BEGIN: json_object_begin(w); break;
    case JSON_OBJECT_END: json_object_end(w); break;
    case JSON_ARRAY_BEGIN: json_array_begin(w); break;
    case JSON_ARRAY_END: json_array_end(w); break;
    case JSON_NAME:
    case JSON_STRING: write_string(w, token); break;
    case JSON_NUMBER: json_raw(w, token->raw); break;
    case JSON_TRUE: json_boolean(w, true); break;
    case JSON_FALSE: json_boolean(w, false); break;
    case JSON_NULL: json_null(w); break;
    default: abort();
    }
}

static bool judge(struct span text, unsigned max_depth, struct buf *out) {
    const struct json_options options = {.max_depth = max_depth, .reject_duplicates = true, .hash_seed = {5, text.len}};
    struct json_reader r;
    struct json_writer w;
    struct json_token token;
    buf_reset(out);
    json_reader_init(&r, text, &options);
    json_writer_init(&w, out);
    while (json_next(&r, &token) != JSON_END && token.event != JSON_FAILED)
        write_event(&w, &token);
    bool told = token.event == JSON_END ? printf("accepted %.*s\n", (int)out->len, out->data) > 0
                                        : printf("refused %zu %d\n", r.error_offset, (int)r.error) > 0;
    json_reader_done(&r);
    return told && buf_ok(out);
}

int main(int argc, char **argv) {
    unsigned max_depth = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 40;
    struct buf text, out;
    buf_init(&text, TEXT_MAX);
    buf_init(&out, TEXT_MAX);
    bool good = true;
    while (good && read_frame(&text)) {
        /* A copy of its own length: nothing may be read behind it. */
        char *copy = malloc(text.len + !text.len);
        if (!copy)
            abort();
        memcpy(copy, buf_span(&text).data, text.len);
        good = judge(span_of(copy, text.len), max_depth, &out);
        free(copy);
    }
    good = good && feof(stdin);
    buf_free(&text);
    buf_free(&out);
    return good && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
