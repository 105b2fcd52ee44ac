#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_parser.h"
#include "http_by_libcurl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "HTTP/1.1 200 OK\r\n"
#define EMPTY "Content-Length: 0\r\n\r\n"
#define SHORT 2048 /* what is no longer is split in every place */

/* What came of a response. */
struct outcome {
    enum http_parser_step step;
    enum http_error error;
    const char *why;
    int status;
    size_t body_len, left;
    char body[256];
    bool keeps;
    char kept[HTTP_KEPT_HEADERS][KEPT_HEADER_SIZE];
};

struct world {
    struct http_parser answer;
    struct outcome whole, split;
    char *text;
};

static int setup(void **state) {
    *state = calloc(1, sizeof(struct world));
    return *state ? 0 : -1;
}

static int teardown(void **state) {
    struct world *w = *state;
    http_parser_free(&w->answer);
    free(w->text);
    free(w);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* One piece of the bytes, where nothing stands behind it. */
static void take_piece(struct http_parser *a, struct outcome *o, struct span piece) {
    char *copy = malloc(piece.len + (piece.len == 0));
    if (!copy) {
        abort();
    }
    memcpy(copy, piece.data, piece.len);
    struct span data = span_of(copy, piece.len), body = {NULL, 0};
    while ((o->step = http_parser_take(a, &data, &body)) == PARSER_BODY) {
        if (body.len > sizeof o->body - o->body_len) {
            abort();
        }
        memcpy(o->body + o->body_len, body.data, body.len);
        o->body_len += body.len;
    }
    o->left = o->step == PARSER_DONE ? data.len : 0;
    free(copy);
}

/* The bytes in a first piece of so many and further ones of so many, then the end of the connection. */
static void take_all(struct http_parser *a, struct outcome *o, struct span text, size_t first, size_t each) {
    http_parser_reset(a);
    *o = (struct outcome){.step = PARSER_NEEDS_MORE};
    size_t at = 0, len = first;
    while (o->step == PARSER_NEEDS_MORE && at < text.len) {
        len = len < text.len - at ? len : text.len - at;
        take_piece(a, o, span_of(text.data + at, len));
        at += len;
        len = each;
    }
    o->left += o->step == PARSER_DONE ? text.len - at : 0;
    o->keeps = http_parser_keeps_connection(a);
    o->step = o->step == PARSER_NEEDS_MORE ? http_parser_end(a) : o->step;
    o->error = o->step == PARSER_BROKEN ? a->error : HTTP_FINE;
    o->why = o->step == PARSER_BROKEN ? a->why : "";
    o->status = a->status;
    for (size_t i = 0; i < HTTP_KEPT_HEADERS; i++) {
        struct span value = http_headers_get(&a->headers, (enum http_header)i);
        (void)snprintf(o->kept[i], sizeof o->kept[i], "%s", value.data ? value.data : "absent");
    }
}

static void assert_same(const struct outcome *a, const struct outcome *b) {
    assert_int_equal(a->step, b->step);
    assert_int_equal(a->error, b->error);
    assert_string_equal(a->why, b->why);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->body_len, b->body_len);
    assert_memory_equal(a->body, b->body, a->body_len);
    assert_int_equal(a->left, b->left);
    assert_int_equal(a->keeps, b->keeps);
    for (size_t i = 0; i < HTTP_KEPT_HEADERS; i++) {
        assert_string_equal(a->kept[i], b->kept[i]);
    }
}

/* What comes of the bytes as a whole, in two pieces wherever they are split, and one by one. */
static const struct outcome *outcome_of(struct world *w, struct span text) {
    take_all(&w->answer, &w->whole, text, text.len, text.len);
    size_t step = text.len > SHORT ? 1009 : 1;
    for (size_t first = 1; first<text.len; first += text.len - first> 8 ? step : 1) {
        take_all(&w->answer, &w->split, text, first, text.len);
        assert_same(&w->whole, &w->split);
    }
    take_all(&w->answer, &w->split, text, 1, 1);
    assert_same(&w->whole, &w->split);
    return &w->whole;
}

/* A response that is complete, as libcurl reads it too. */
struct sound {
    const char *text, *body;
    int status;
    bool keeps;
};

static void assert_libcurl_agrees(const struct sound *expected) {
    int status = 0;
    char storage[sizeof((struct outcome *)NULL)->body];
    struct buf body; /* lent, so that nothing is allocated while a socket is open (tests/torture forks then) */
    buf_init_lent(&body, storage, sizeof storage, sizeof storage - 1);
    if (read_by_libcurl(span_cstr(expected->text), &status, &body) != CURLE_OK) {
        fail_msg("libcurl refuses %s", expected->text);
    }
    assert_int_equal(status, expected->status);
    assert_true(span_is(buf_span(&body), expected->body));
}

static void assert_sound(struct world *w, const struct sound *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct outcome *o = outcome_of(w, span_cstr(cases[i].text));
        assert_string_equal(o->why, "");
        assert_int_equal(o->step, PARSER_DONE);
        assert_int_equal(o->status, cases[i].status);
        assert_true(span_is(span_of(o->body, o->body_len), cases[i].body));
        assert_int_equal(o->keeps, cases[i].keeps);
        assert_int_equal(o->left, 0);
        assert_libcurl_agrees(&cases[i]);
    }
}

static void assert_error(struct world *w, struct span text, enum http_error error) {
    const struct outcome *o = outcome_of(w, text);
    assert_int_equal(o->step, PARSER_BROKEN);
    assert_int_equal(o->error, error);
    assert_true(o->why[0] != '\0');
    assert_false(o->keeps);
}

static void assert_broken(struct world *w, const char *const *texts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        assert_error(w, span_cstr(texts[i]), HTTP_BROKEN);
    }
}

static void a_body_is_as_long_as_its_length_says(void **state) {
    static const struct sound cases[] = {
        {HEAD "Content-Length: 5\r\n\r\nhello", "hello", 200, true},
        {HEAD "content-LENGTH:5\r\n\r\nhello", "hello", 200, true},
        {HEAD "Content-Length: \t 5 \t \r\n\r\nhello", "hello", 200, true},
        {HEAD "Content-Length: 0\r\n\r\n", "", 200, true},
        {HEAD "Content-Length: 0000000000000000000000000000000000000005\r\n\r\nhello", "hello", 200, true},
        {HEAD "Content-Length: 5\r\nX: y\r\nContent-Length: 05\r\n\r\nhello", "hello", 200, true},
        {HEAD "X-Content-Length: 7\r\nContent-Length: 5\r\nContent-Length-Y: 7\r\n\r\nhello", "hello", 200, true},
        {"HTTP/1.1 503 Slow Down\r\nContent-Length: 4\r\n\r\n\r\n\r\n", "\r\n\r\n", 503, true},
    };
    assert_sound(*state, cases, sizeof cases / sizeof *cases);
}

static void a_chunked_body_is_its_chunks_in_a_row(void **state) {
    static const struct sound cases[] = {
        {HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello", 200, true},
        {HEAD "transfer-encoding:CHUNKED\r\n\r\n0\r\n\r\n", "", 200, true},
        {HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\n\r\n\r\n00a\r\n0123456789\r\n000\r\n\r\n",
         "a\r\n0123456789", 200, true},
        {HEAD "Transfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n00000000000000f\r\n0123456789abcde\r\n0\r\n\r\n",
         "01234567890123456789abcde", 200, true},
        {HEAD "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "a", 200, true},
    };
    assert_sound(*state, cases, sizeof cases / sizeof *cases);
}

static void extensions_of_chunks_and_trailers_mean_nothing(void **state) {
    static const struct sound cases[] = {
        {HEAD "Transfer-Encoding: chunked\r\n\r\n1;a=b\r\nx\r\n1 ;\r\ny\r\n1\t; q=\"1;\"\r\nz\r\n0;last\r\n\r\n", "xyz",
         200, true},
        {HEAD "Transfer-Encoding: chunked\r\n\r\n1 \t\r\nx\r\n0 \r\n\r\n", "x", 200, true},
        {HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nContent-Length: 7\r\nConnection: close\r\n\r\n", "x",
         200, true},
    };
    assert_sound(*state, cases, sizeof cases / sizeof *cases);
    static const char late[] =
        HEAD "Transfer-Encoding: chunked\r\nDate: now\r\n\r\n0\r\nDate: then\r\nx-amz-crc32: 7\r\n\r\n";
    const struct outcome *o = outcome_of(*state, span_cstr(late));
    assert_string_equal(o->kept[HTTP_DATE], "now");
    assert_string_equal(o->kept[HTTP_CRC32], "absent");
    /* libcurl refuses this one. */
    o = outcome_of(*state, SPAN(HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n"));
    assert_int_equal(o->step, PARSER_DONE);
}

static void a_body_without_a_length_ends_with_the_connection(void **state) {
    static const struct sound cases[] = {
        {HEAD "\r\nall of it\r\n\r\n", "all of it\r\n\r\n", 200, false},
        {HEAD "\r\n", "", 200, false},
        {HEAD "Connection: keep-alive\r\n\r\nx", "x", 200, false},
        {HEAD "Transfer-Encoding: identity\r\n\r\nx", "x", 200, false},
        {"HTTP/1.0 404 Not Found\r\n\r\nx", "x", 404, false},
    };
    assert_sound(*state, cases, sizeof cases / sizeof *cases);
}

static void some_statuses_have_no_body_whatever_their_head_says(void **state) {
    static const struct sound cases[] = {
        {"HTTP/1.1 204 No Content\r\n\r\n", "", 204, true},
        {"HTTP/1.1 204\r\nContent-Length: 0\r\n\r\n", "", 204, true},
        {"HTTP/1.1 204\r\nContent-Length: 5\r\n\r\n", "", 204, false},
        {"HTTP/1.1 204\r\nTransfer-Encoding: chunked\r\n\r\n", "", 204, false},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "", 304, true},
        {"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", "", 304, true},
        {"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n", "", 304, false},
    };
    assert_sound(*state, cases, sizeof cases / sizeof *cases);
}

static void interim_responses_are_passed_over_with_all_they_say(void **state) {
    static const struct sound cases[] = {
        {"HTTP/1.1 100 Continue\r\n\r\n" HEAD "Content-Length: 1\r\n\r\nx", "x", 200, true},
        {"HTTP/1.1 100\r\nContent-Length: 7\r\nConnection: close\r\n\r\n" HEAD "Content-Length: 1\r\n\r\nx", "x", 200,
         true},
        {"HTTP/1.1 103 Early\r\nTransfer-Encoding: chunked\r\n\r\nHTTP/1.1 199 Z\r\n\r\nHTTP/1.1 500 "
         "No\r\nContent-Length: 1\r\n\r\nx",
         "x", 500, true},
        {"HTTP/1.0 100 Old\r\n\r\n" HEAD "Content-Length: 1\r\n\r\nx", "x", 200, true},
    };
    assert_sound(*state, cases, sizeof cases / sizeof *cases);
    const struct outcome *o = outcome_of(
        *state, SPAN("HTTP/1.1 100 Continue\r\nDate: then\r\n\r\n" HEAD "x-amz-crc32: 7\r\nContent-Length: 0\r\n\r\n"));
    assert_string_equal(o->kept[HTTP_DATE], "absent");
    assert_string_equal(o->kept[HTTP_CRC32], "7");
}

static void lines_may_end_with_a_bare_newline(void **state) {
    static const struct sound cases[] = {
        {"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", "hello", 200, true},
        {"HTTP/1.1 200\nTransfer-Encoding: chunked\n\n5\nhello\n0\n\n", "hello", 200, true},
    };
    assert_sound(*state, cases, sizeof cases / sizeof *cases);
}

static void a_status_line_needs_a_status_and_no_reason(void **state) {
    static const struct sound cases[] = {
        {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "", 200, true},
        {"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "", 200, true},
        {"HTTP/1.1 999 \xc3\xa4: \t\r\nContent-Length: 0\r\n\r\n", "", 999, true},
    };
    static const char *const broken[] = {
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        " HTTP/1.1 200 OK\r\n\r\n",
        "\n",
        "HTTP/1.1 20\r\n",
        "HTTP/1.1 2000 OK\r\n",
        "HTTP/1.1 200OK\r\n",
        "HTTP/1.1 099 OK\r\n",
        "HTTP/1.1 2x0 OK\r\n",
        "HTTP/1.1 20x OK\r\n",
        "HTTP/1.1 x00 OK\r\n",
        "HTTP/1.1 -20 OK\r\n",
        "HTTP/1.1  200 OK\r\n",
        "HTTP/1.1\t200 OK\r\n",
        "HTTP/1.x 200 OK\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n",
        "HTTP/0.9 200 OK\r\n",
        "http/1.1 200 OK\r\n",
        "ICY 200 OK\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nContent-Length: 0\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "{\"an\":\"object\"}\n",
        "\x15\x03\x03\n",
    };
    assert_sound(*state, cases, sizeof cases / sizeof *cases);
    assert_broken(*state, broken, sizeof broken / sizeof *broken);
    /* libcurl doesn't know this one. */
    assert_int_equal(outcome_of(*state, SPAN("HTTP/1.9 200 OK\r\nContent-Length: 0\r\n\r\n"))->status, 200);
}

static void a_line_that_could_be_read_in_two_ways_is_broken(void **state) {
    static const char *const cases[] = {
        HEAD "no colon\r\nContent-Length: 0\r\n\r\n",
        HEAD ": no name\r\nContent-Length: 0\r\n\r\n",
        HEAD "Content-Length : 0\r\n\r\n",
        HEAD "Content-Length\t: 0\r\n\r\n",
        HEAD "X: folded\r\n here\r\nContent-Length: 0\r\n",
        HEAD "X: folded\r\n\tY: here\r\nContent-Length: 0\r\n",
        HEAD " Content-Length: 0\r\n\r\n",
        HEAD " \r\nContent-Length: 0\r\n\r\n",
        HEAD "\r\r\n",
        HEAD "Content-Length: 0\r\r\n\r\n",
        HEAD "X: y\rContent-Length: 0\r\n\r\nz",
        "HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n",
        HEAD "Connection: close\r\r\nContent-Length: 0\r\n\r\n",
    };
    assert_broken(*state, cases, sizeof cases / sizeof *cases);
    assert_error(*state, SPAN(HEAD "X: a\0b\r\nContent-Length: 0\r\n\r\n"), HTTP_BROKEN);
    assert_error(*state, SPAN(HEAD "Content-Length: 0\0\r\n\r\n"), HTTP_BROKEN);
    assert_error(*state, SPAN("HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n"), HTTP_BROKEN);
    assert_error(*state, SPAN(HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\nX: a\0b\r\n\r\n"), HTTP_BROKEN);
}

static void a_length_that_is_none_or_not_the_only_one_is_broken(void **state) {
    static const char *const cases[] = {
        HEAD "Content-Length:\r\n\r\n",
        HEAD "Content-Length: \t\r\n\r\n",
        HEAD "Content-Length: -1\r\n\r\n",
        HEAD "Content-Length: +1\r\n\r\nx",
        HEAD "Content-Length: 0x1\r\n\r\nx",
        HEAD "Content-Length: 1 1\r\n\r\nx",
        HEAD "Content-Length: 1, 1\r\n\r\nx",
        HEAD "Content-Length: 1;\r\n\r\nx",
        HEAD "Content-Length: 1.0\r\n\r\nx",
        HEAD "Content-Length: \"1\"\r\n\r\nx",
        HEAD "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
        HEAD "Content-Length: 1\r\ncontent-length: 0\r\n\r\nx",
        HEAD "Transfer-Encoding: chunked\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
    };
    assert_broken(*state, cases, sizeof cases / sizeof *cases);
}

static void a_length_beyond_all_numbers_is_too_large(void **state) {
    static const char *const lengths[] = {
        "9223372036854775808",
        "18446744073709551616",
        "18446744073709551621",
        "99999999999999999999999999999999999999",
    };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char text[160];
        (void)snprintf(text, sizeof text, HEAD "Content-Length: %s\r\n\r\nhello", lengths[i]);
        assert_error(*state, span_cstr(text), HTTP_TOO_LARGE);
    }
    /* A large one that is a number is for the caller to judge. */
    struct world *w = *state;
    assert_error(w, SPAN(HEAD "Content-Length: 123456789012345678\r\n\r\nhello"), HTTP_BROKEN);
    assert_int_equal(w->answer.length, 123456789012345678);
    assert_int_equal(w->answer.left, 123456789012345678 - 5);
}

static void an_encoding_that_nobody_asked_for_is_broken(void **state) {
    static const char *const cases[] = {
        HEAD "Transfer-Encoding: gzip\r\n\r\n",
        HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        HEAD "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        HEAD "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
        HEAD "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        HEAD "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
        HEAD "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
        HEAD "Transfer-Encoding:\r\nContent-Length: 0\r\n\r\n",
    };
    assert_broken(*state, cases, sizeof cases / sizeof *cases);
}

static void who_chunks_and_sends_a_length_or_is_old_is_not_asked_again(void **state) {
    static const struct sound cases[] = {
        {HEAD "Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "x", 200, false},
        {HEAD "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n1\r\nx\r\n0\r\n\r\n", "x", 200, false},
        {HEAD "Transfer-Encoding: chunked\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n1\r\nx\r\n0\r\n\r\n",
         "x", 200, false},
        {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n1\r\nx\r\n0\r\n\r\n", "x", 200,
         false},
    };
    assert_sound(*state, cases, sizeof cases / sizeof *cases);
    struct world *w = *state;
    assert_int_equal(w->answer.length, -1);
}

static void a_chunk_that_is_not_as_its_size_says_is_broken(void **state) {
    static const char *const after_head[] = {
        "\r\n",
        ";x\r\n",
        "g\r\n",
        " 1\r\nx\r\n",
        "-1\r\n",
        "+1\r\nx\r\n",
        "0x1\r\nx\r\n",
        "1 x\r\nx\r\n",
        "1,\r\nx\r\n",
        "1\"\r\nx\r\n",
        "1\r\r\nx\r\n",
        "1\r\nxy\r\n0\r\n\r\n",
        "1\r\nx0\r\n\r\n",
        "1\r\nx\r\r\n0\r\n\r\n",
        "1\r\nx\rx\n",
        "3\r\nx\r\n0\r\n\r\n",
        "0000000000000001\r\nx\r\n",
        "10000000000000000\r\nx\r\n",
        "ffffffffffffffff\r\nx\r\n",
        "1;\rx\r\nx\r\n",
        "0\r\n\r\r\n",
    };
    for (size_t i = 0; i < sizeof after_head / sizeof *after_head; i++) {
        char text[160];
        (void)snprintf(text, sizeof text, HEAD "Transfer-Encoding: chunked\r\n\r\n%s", after_head[i]);
        assert_error(*state, span_cstr(text), HTTP_BROKEN);
    }
    assert_error(*state, SPAN(HEAD "Transfer-Encoding: chunked\r\n\r\n1;\0\r\nx\r\n0\r\n\r\n"), HTTP_BROKEN);
}

static void a_change_of_protocol_is_broken(void **state) {
    static const char *const cases[] = {
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101\r\n\r\n" HEAD "Content-Length: 0\r\n\r\n",
    };
    assert_broken(*state, cases, sizeof cases / sizeof *cases);
}

static void the_connection_is_kept_where_both_ends_know_that_it_is(void **state) {
    static const struct sound cases[] = {
        {HEAD EMPTY, "", 200, true},
        {HEAD "Connection: close\r\n" EMPTY, "", 200, false},
        {HEAD "connection:CLOSE\r\n" EMPTY, "", 200, false},
        {HEAD "Connection: keep-alive\r\n" EMPTY, "", 200, true},
        {HEAD "Connection: keep-alive, x ,\tclose \r\n" EMPTY, "", 200, false},
        {HEAD "Connection: close\r\nConnection: keep-alive\r\n" EMPTY, "", 200, false},
        {HEAD "Connection: ,,\r\n" EMPTY, "", 200, true},
        {HEAD "Connection:\r\n" EMPTY, "", 200, true},
        {HEAD "Connection: closed, x-close\r\nX-Connection: close\r\n" EMPTY, "", 200, true},
        {"HTTP/1.0 200 OK\r\n" EMPTY, "", 200, false},
        {"HTTP/1.0 200 OK\r\nConnection: x, Keep-Alive\r\n" EMPTY, "", 200, true},
        {"HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\n" EMPTY, "", 200, false},
    };
    assert_sound(*state, cases, sizeof cases / sizeof *cases);
}

static void what_is_kept_of_the_headers_comes_with_the_response(void **state) {
    const struct outcome *o = outcome_of(*state, SPAN("HTTP/1.1 400 Bad\r\nDATE:\tnow \r\nx-amzn-RequestId: id\r\nX: "
                                                      "y\r\nRetry-After: 5\r\nretry-after:6\r\n"
                                                      "x-amzn-errortype: a:b\r\nx-amzn-query-error:\r\n" EMPTY));
    assert_int_equal(o->step, PARSER_DONE);
    assert_string_equal(o->kept[HTTP_DATE], "now");
    assert_string_equal(o->kept[HTTP_REQUEST_ID], "id");
    assert_string_equal(o->kept[HTTP_RETRY_AFTER], "6");
    assert_string_equal(o->kept[HTTP_ERROR_TYPE], "a:b");
    assert_string_equal(o->kept[HTTP_QUERY_ERROR], "");
    assert_string_equal(o->kept[HTTP_AMZ_RETRY_AFTER], "absent");
}

static void white_space_around_a_value_is_none_of_it(void **state) {
    const struct outcome *o = outcome_of(
        *state, SPAN(HEAD "Date: \t a \t b\t \t\r\nx-amz-crc32:7\nx-amzn-requestid:\t \r\nretry-after: \r\n" EMPTY));
    assert_int_equal(o->step, PARSER_DONE);
    assert_string_equal(o->kept[HTTP_DATE], "a \t b");
    assert_string_equal(o->kept[HTTP_CRC32], "7");
    assert_string_equal(o->kept[HTTP_REQUEST_ID], "");
    assert_string_equal(o->kept[HTTP_RETRY_AFTER], "");
}

static void a_line_whose_name_is_no_token_is_broken(void **state) {
    static const char *const cases[] = {
        HEAD "HTTP/1.1 500 No: way\r\n" EMPTY,
        HEAD "Date: then\r\nHTTP/1.1 200 OK: x\r\nDate: now\r\n" EMPTY,
        HEAD "http/1.1: x\r\n" EMPTY,
        HEAD "A b: x\r\n" EMPTY,
        HEAD "A\tb: x\r\n" EMPTY,
        HEAD "\"Date\": x\r\n" EMPTY,
        HEAD "D\xc3\xa4te: x\r\n" EMPTY,
        HEAD "Date\x7f: x\r\n" EMPTY,
        HEAD "Date\x01: x\r\n" EMPTY,
        HEAD "{\"a\": 1}\r\n" EMPTY,
        HEAD "[x]: y\r\n" EMPTY,
        HEAD "a@b: y\r\n" EMPTY,
    };
    assert_broken(*state, cases, sizeof cases / sizeof *cases);
    const struct outcome *o =
        outcome_of(*state, SPAN(HEAD "Date: then\r\nHTTP: x\r\n!#$%&'*+-.^_`|~09azAZ: x\r\n" EMPTY));
    assert_int_equal(o->step, PARSER_DONE);
    assert_string_equal(o->kept[HTTP_DATE], "then");
}

static void what_stands_behind_a_response_is_left_where_it_is(void **state) {
    static const struct {
        const char *text, *behind;
    } cases[] = {
        {HEAD "Content-Length: 5\r\n\r\nhello", "\r\n"},           {HEAD EMPTY, HEAD EMPTY},
        {HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "x"}, {"HTTP/1.1 204\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"},
        {"HTTP/1.1 304\r\nContent-Length: 2\r\n\r\n", "xy"},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[160];
        (void)snprintf(text, sizeof text, "%s%s", cases[i].text, cases[i].behind);
        const struct outcome *o = outcome_of(w, span_cstr(text));
        assert_int_equal(o->step, PARSER_DONE);
        assert_int_equal(o->left, strlen(cases[i].behind));
        struct span data = span_cstr(cases[i].behind), body;
        assert_int_equal(http_parser_take(&w->answer, &data, &body), PARSER_DONE);
        assert_true(span_is(data, cases[i].behind));
        assert_int_equal(http_parser_end(&w->answer), PARSER_DONE);
    }
}

static void a_connection_that_ends_too_early_breaks_the_response(void **state) {
    static const char *const cases[] = {
        "H",
        "HTTP/1.1 200 OK",
        HEAD,
        HEAD "Content-Le",
        HEAD "Content-Length: 0\r\n",
        HEAD "\r",
        HEAD "Content-Length: 5\r\n\r\n",
        HEAD "Content-Length: 5\r\n\r\nhell",
        HEAD "Transfer-Encoding: chunked\r\n\r\n",
        HEAD "Transfer-Encoding: chunked\r\n\r\n5",
        HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhell",
        HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello",
        HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n",
        "HTTP/1.1 100 Continue\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n",
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_error(w, span_cstr(cases[i]), HTTP_BROKEN);
        assert_string_equal(w->whole.why, "the connection was closed before the response was complete");
    }
    assert_error(w, SPAN(""), HTTP_BROKEN);
    assert_string_equal(w->whole.why, "the server closed the connection without an answer");
}

/* So much padding between two texts is read; one byte more is too much. */
static void assert_ceiling(struct world *w, const char *before, size_t padding, const char *after) {
    size_t first = strlen(before), last = strlen(after);
    for (size_t more = 0; more < 2; more++) {
        size_t len = first + padding + more + last;
        free(w->text);
        w->text = malloc(len);
        assert_non_null(w->text);
        memcpy(w->text, before, first);
        memset(w->text + first, 'x', padding + more);
        memcpy(w->text + len - last, after, last);
        if (more) {
            assert_error(w, span_of(w->text, len), HTTP_BROKEN);
        } else {
            assert_int_equal(outcome_of(w, span_of(w->text, len))->step, PARSER_DONE);
        }
    }
}

/* Its carriage return is part of it here, its newline isn't. */
static void a_line_over_the_ceiling_is_broken_however_it_comes(void **state) {
    assert_ceiling(*state, "HTTP/1.1 204 ", HEADERS_CEILING - 13, "\n\n");
    assert_ceiling(*state, "HTTP/1.1 204 ", HEADERS_CEILING - 14, "\r\n\r\n");
    assert_ceiling(*state, HEAD "Transfer-Encoding: chunked\r\n\r\n1;", HEADERS_CEILING - 2, "\nx\n0\n\n");
    assert_ceiling(*state, HEAD "Transfer-Encoding: chunked\r\n\r\n1;", HEADERS_CEILING - 3, "\r\nx\r\n0\r\n\r\n");
    assert_ceiling(*state, HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0;", HEADERS_CEILING - 3, "\r\n\r\n");
}

static void headers_and_trailers_have_one_ceiling_together(void **state) {
    assert_ceiling(*state, "HTTP/1.1 204\r\nX: ", HEADERS_CEILING - 15, "\r\n\r\n");
    assert_ceiling(*state, "HTTP/1.1 204\r\nDate: now\r\nX: ", HEADERS_CEILING - 26, "\r\nY:\r\n\r\n");
    assert_ceiling(*state, HEAD "Transfer-Encoding: chunked\r\n\r\n1;not_a_header\r\nx\r\n0\r\nX: y\r\nZ: ",
                   HEADERS_CEILING - 15 - 26 - 4 - 3, "\r\n\r\n");
    assert_ceiling(*state, "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 204 ", HEADERS_CEILING - 18 - 7 - 13,
                   "\r\n\r\n");
}

static void interim_responses_do_not_come_for_ever(void **state) {
    struct http_parser *a = &((struct world *)*state)->answer;
    http_parser_reset(a);
    enum http_parser_step step = PARSER_NEEDS_MORE;
    size_t count = 0;
    while (step == PARSER_NEEDS_MORE && count < HEADERS_CEILING) {
        struct span data = SPAN("HTTP/1.1 100\r\n\r\n"), body;
        step = http_parser_take(a, &data, &body);
        count++;
    }
    assert_int_equal(step, PARSER_BROKEN);
    assert_int_equal(count, HEADERS_CEILING / 12 + 1);
}

static void nothing_at_all_may_come_at_any_time(void **state) {
    static const char text[] = HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n";
    struct http_parser *a = &((struct world *)*state)->answer;
    http_parser_reset(a);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        struct span nothing = SPAN(""), data = span_of(text + i, 1), body;
        assert_int_equal(http_parser_take(a, &nothing, &body), PARSER_NEEDS_MORE);
        enum http_parser_step step = http_parser_take(a, &data, &body);
        assert_int_equal(step, i + 2 == sizeof text  ? PARSER_DONE
                               : step == PARSER_BODY ? PARSER_BODY
                                                     : PARSER_NEEDS_MORE);
        assert_int_equal(data.len, 0);
    }
}

static void one_that_was_used_is_as_good_as_new_after_a_reset(void **state) {
    static const char *const before[] = {
        "",
        "HTTP/1.0 500 Old\r\nConnection: close\r\nDate: then\r\nContent-Length: 7\r\n\r\nhel",
        HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhe",
        HEAD "Transfer-Encoding: chunked\r\n\r\n5\r",
        HEAD "no colon\r\n",
        HEAD "Content-Len",
        HEAD "\r\nall",
        HEAD EMPTY,
    };
    struct world *w = *state;
    const struct span text = SPAN(HEAD "x-amz-crc32: 7\r\nContent-Length: 5\r\n\r\nhello");
    struct http_parser fresh = {0};
    take_all(&fresh, &w->whole, text, text.len, text.len);
    http_parser_free(&fresh);
    assert_int_equal(w->whole.step, PARSER_DONE);
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        http_parser_reset(&w->answer);
        w->split = (struct outcome){0};
        take_piece(&w->answer, &w->split, span_cstr(before[i]));
        take_all(&w->answer, &w->split, text, text.len, text.len);
        assert_same(&w->whole, &w->split);
    }
}

static void a_freed_one_may_be_used_again(void **state) {
    struct world *w = *state;
    assert_int_equal(outcome_of(w, SPAN(HEAD EMPTY))->step, PARSER_DONE);
    http_parser_free(&w->answer);
    assert_int_equal(outcome_of(w, SPAN(HEAD EMPTY))->step, PARSER_DONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_body_is_as_long_as_its_length_says),
        TEST(a_chunked_body_is_its_chunks_in_a_row),
        TEST(extensions_of_chunks_and_trailers_mean_nothing),
        TEST(a_body_without_a_length_ends_with_the_connection),
        TEST(some_statuses_have_no_body_whatever_their_head_says),
        TEST(interim_responses_are_passed_over_with_all_they_say),
        TEST(lines_may_end_with_a_bare_newline),
        TEST(a_status_line_needs_a_status_and_no_reason),
        TEST(a_line_that_could_be_read_in_two_ways_is_broken),
        TEST(a_length_that_is_none_or_not_the_only_one_is_broken),
        TEST(a_length_beyond_all_numbers_is_too_large),
        TEST(an_encoding_that_nobody_asked_for_is_broken),
        TEST(who_chunks_and_sends_a_length_or_is_old_is_not_asked_again),
        TEST(a_chunk_that_is_not_as_its_size_says_is_broken),
        TEST(a_change_of_protocol_is_broken),
        TEST(the_connection_is_kept_where_both_ends_know_that_it_is),
        TEST(what_is_kept_of_the_headers_comes_with_the_response),
        TEST(white_space_around_a_value_is_none_of_it),
        TEST(a_line_whose_name_is_no_token_is_broken),
        TEST(what_stands_behind_a_response_is_left_where_it_is),
        TEST(a_connection_that_ends_too_early_breaks_the_response),
        TEST(a_line_over_the_ceiling_is_broken_however_it_comes),
        TEST(headers_and_trailers_have_one_ceiling_together),
        TEST(interim_responses_do_not_come_for_ever),
        TEST(nothing_at_all_may_come_at_any_time),
        TEST(one_that_was_used_is_as_good_as_new_after_a_reset),
        TEST(a_freed_one_may_be_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
