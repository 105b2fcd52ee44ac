/* Any bytes as a response: whole, in pieces as long as the first two bytes say, and once more so with one allocation
 * failing. Where the pieces end makes no difference; nothing shorter would have been complete, and what stands behind a
 * response changes nothing of it. What is kept of a complete one's headers is what a plain reading finds in them. */
#include "http_parser.h"
#include "plain_head.h"
#include "scarce.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ORDERS                                                                                                         \
    3 /* bytes that say how it is done: two lengths of pieces, and the room for headers, that its ceiling needs no     \
         large input */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
    if (!holds)
        abort();
}

struct outcome {
    enum http_parser_step step;
    bool by_end; /* of the connection */
    enum http_error error;
    const char *why;
    int status;
    size_t taken;
    struct http_headers headers;
    bool keeps;
    struct buf body;
};

static size_t headers_taken(uint8_t room) {
    return room < 128 ? HEADERS_CEILING - 2 * (size_t)room : 0;
}

/* A complete one takes nothing more, whatever is asked of it. */
static void check_complete(struct http_parser *a, struct span data) {
    struct span rest = data, body = {NULL, 0};
    check(http_parser_take(a, &rest, &body) == PARSER_DONE && rest.data == data.data && rest.len == data.len &&
          !body.data);
    check(http_parser_end(a) == PARSER_DONE);
    check(http_parser_take(a, &rest, &body) == PARSER_DONE && rest.len == data.len);
    check(a->state == PARSER_COMPLETE && a->status >= 200 && a->status <= 999 && a->error == HTTP_FINE);
}

/* One piece, up to the end of the response or its own. */
static void take_piece(struct http_parser *a, struct outcome *o, struct span piece) {
    struct span data = piece, body = {NULL, 0};
    while ((o->step = http_parser_take(a, &data, &body)) == PARSER_BODY) {
        check(body.len > 0 && body.data >= piece.data && body.data + body.len == data.data);
        check(data.data + data.len == piece.data + piece.len);
        if (!buf_append_span(&o->body, body))
            o->body.failure = BUF_NO_MEMORY;
    }
    check(o->step != PARSER_NEEDS_MORE || data.len == 0);
    o->taken += piece.len - data.len;
    if (o->step == PARSER_DONE)
        check_complete(a, data);
}

/* A first piece of so many bytes, further ones of so many, and the end of the connection. */
static void take_all(struct outcome *o, struct span text, size_t first, size_t each, uint8_t room) {
    struct http_parser a = {0};
    http_parser_reset(&a);
    a.headers.bytes = headers_taken(room);
    *o = (struct outcome){.step = PARSER_NEEDS_MORE};
    buf_init(&o->body, text.len);
    size_t at = 0, len = first;
    while (o->step == PARSER_NEEDS_MORE && at < text.len) {
        len = len < text.len - at ? len : text.len - at;
        take_piece(&a, o, span_of(text.data + at, len));
        at += len;
        len = each;
    }
    check(!http_parser_keeps_connection(&a) || o->step == PARSER_DONE);
    o->by_end = o->step == PARSER_NEEDS_MORE;
    if (o->by_end) {
        o->step = http_parser_end(&a);
        check(o->step == PARSER_BROKEN || !http_parser_keeps_connection(&a));
    }
    check(o->step == PARSER_DONE || o->step == PARSER_BROKEN);
    o->error = a.error;
    check((o->error == HTTP_FINE) == (o->step == PARSER_DONE));
    check(o->error == HTTP_FINE || o->error == HTTP_BROKEN || o->error == HTTP_TOO_LARGE || o->error == HTTP_NO_MEMORY);
    o->why = a.why;
    o->status = a.status;
    o->keeps = http_parser_keeps_connection(&a);
    o->headers = a.headers;
    if (o->step == PARSER_DONE && a.length >= 0 && o->status != 204 && o->status != 304 && buf_ok(&o->body))
        check(o->body.len == (uint64_t)a.length);
    http_parser_free(&a);
}

static void check_same(const struct outcome *a, const struct outcome *b) {
    check(a->step == b->step && a->by_end == b->by_end && a->error == b->error && strcmp(a->why, b->why) == 0 &&
          a->status == b->status);
    check(a->taken == b->taken || a->step == PARSER_BROKEN);
    check(a->keeps == b->keeps && span_equal(buf_span(&a->body), buf_span(&b->body)) &&
          a->headers.bytes == b->headers.bytes);
    for (size_t i = 0; i < HTTP_KEPT_HEADERS; i++) {
        struct span of_a = http_headers_get(&a->headers, (enum http_header)i),
                    of_b = http_headers_get(&b->headers, (enum http_header)i);
        check(!of_a.data == !of_b.data && span_equal(of_a, of_b));
        check(!of_a.data || (of_a.len < KEPT_HEADER_SIZE && of_a.data[of_a.len] == '\0'));
    }
}

/* A complete one's head, and the interim ones before it. */
static void check_headers(const struct outcome *whole, struct span text) {
    struct span expected[HTTP_KEPT_HEADERS] = {{NULL, 0}};
    struct span rest = span_of(text.data, whole->taken);
    bool begins = true, is_interim = false;
    do {
        struct span line = plain_line(&rest);
        check(line.len > 0);
        if (begins)
            is_interim = line.data[sizeof "HTTP/1.1"] == '1';
        check(begins ? plain_is_status_line(line) : plain_trim(line).len == 0 || plain_has_token(line));
        begins = plain_trim(line).len == 0;
        plain_expect(line, expected);
    } while (!begins || is_interim);
    check(plain_agrees(&whole->headers, expected));
}

/* What is complete by itself is so with nothing behind it, and not with a byte less. */
static void check_extent(const struct outcome *whole, struct span text, uint8_t room) {
    struct outcome o;
    take_all(&o, span_of(text.data, whole->taken), whole->taken, 1, room);
    check_same(whole, &o);
    buf_free(&o.body);
    take_all(&o, span_of(text.data, whole->taken - 1), whole->taken, 1, room);
    check(o.step == PARSER_BROKEN && o.by_end);
    buf_free(&o.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < ORDERS)
        return 0;
    struct span text = span_of((const char *)data + ORDERS, size - ORDERS);
    size_t first = 1 + (size_t)data[0], each = 1 + (size_t)data[1];
    uint8_t room = data[2];
    struct outcome whole, split, scarce;
    take_all(&whole, text, text.len, 1, room);
    check(whole.body.len <= whole.taken && whole.taken <= text.len);
    plenty_begin();
    take_all(&split, text, first, each, room);
    uint64_t calls = failing_calls_end();
    check_same(&whole, &split);
    if (whole.step == PARSER_DONE)
        check_headers(&whole, text);
    if (whole.step == PARSER_DONE && !whole.by_end)
        check_extent(&whole, text, room);
    scarce_begin(calls, data, size);
    take_all(&scarce, text, first, each, room);
    (void)failing_calls_end();
    if (scarce.error != HTTP_NO_MEMORY && buf_ok(&scarce.body))
        check_same(&whole, &scarce);
    else
        check(failing_calls_failed());
    buf_free(&whole.body);
    buf_free(&split.body);
    buf_free(&scarce.body);
    return 0;
}
