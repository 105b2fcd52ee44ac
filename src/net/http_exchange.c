/* One request and its response on a connection. */
#include "http_private.h"
#include "loop.h"

#include <string.h>
#include <strings.h>

#define HEAD_MAX ((size_t)1024 * 1024)
#define PIECES_AT_ONCE 16 /* of one response, before other connections have their turn */

static const char *const METHODS[] = {[HTTP_POST] = "POST", [HTTP_GET] = "GET", [HTTP_PUT] = "PUT"};

/* Takes the transfer off its connection. */
static void detach(struct http_connection *c) {
    struct http_transfer *t = c->transfer;
    c->transfer = NULL;
    t->connection = NULL;
    t->place = AT_NOBODY;
    buf_free(&t->unsent);
    connection_await(c->line, false);
    connection_end_use(c->line);
}

void http_exchange_abandon(struct http_transfer *t) {
    detach(t->connection);
}

static void fail(struct http_connection *c, enum http_error error, const char *why) {
    struct http_transfer *t = c->transfer;
    enum exchange_end end = t->answered == 0 && error == HTTP_BROKEN ? EXCHANGE_STALE : EXCHANGE_FAILED;
    detach(c);
    c->pool->exchanges.ended(c, t, end, error, why);
}

static void fail_by_connection(struct http_connection *c, enum connection_io io) {
    fail(c, io == CONNECTION_NO_MEMORY ? HTTP_NO_MEMORY : HTTP_BROKEN, connection_why(c->line));
}

/* Sends the rest: first what is left in unsent, then the body from body_at on. */
static enum connection_io send_rest(struct http_connection *c) {
    struct http_transfer *t = c->transfer;
    struct span body = t->request.body;
    while (t->unsent_at < t->unsent.len || t->body_at < body.len) {
        bool first = t->unsent_at < t->unsent.len;
        struct span piece = first ? span_of(t->unsent.data + t->unsent_at, t->unsent.len - t->unsent_at)
                                  : span_of(body.data + t->body_at, body.len - t->body_at);
        size_t sent = 0;
        piece.len = piece.len < HTTP_SEND_PIECE ? piece.len : HTTP_SEND_PIECE;
        enum connection_io io = connection_send(c->line, piece, &sent);
        if (io != CONNECTION_MOVED) {
            return io;
        }
        *(first ? &t->unsent_at : &t->body_at) += sent;
    }
    return CONNECTION_MOVED;
}

static bool has_host(const struct http_request *r) {
    size_t i = 0;
    while (i < r->header_count && strncasecmp(r->headers[i], "Host:", 5) != 0) {
        i++;
    }
    return i < r->header_count;
}

/* The first line, and Host unless the request has its own. False: path_end has characters that no path has. */
static bool print_target(const struct http_url *target, const struct http_request *r, struct buf *out) {
    const char *end = r->path_end ? r->path_end : "";
    for (const char *c = end; *c; c++) {
        if (*c <= ' ' || *c > '~') {
            return false;
        }
    }
    buf_append(out, target->head, target->path_end);
    buf_append_cstr(out, end);
    size_t len = has_host(r) ? target->host_at : target->head_len;
    buf_append(out, target->head + target->path_end, len - target->path_end);
    return true;
}

/* The head, and as much of the body as fits beside it. False: path_end or a header line has characters that it must not
 * have. */
static bool print_request(struct http_transfer *t, const char *user_agent, struct buf *out) {
    const struct http_request *r = &t->request;
    buf_append_cstr(out, METHODS[r->method]);
    if (!print_target(t->target, r, out)) {
        return false;
    }
    if (user_agent) {
        buf_append_between(out, SPAN("User-Agent: "), span_cstr(user_agent), SPAN("\r\n"));
    }
    for (size_t i = 0; i < r->header_count; i++) {
        size_t len = strlen(r->headers[i]);
        if (memchr(r->headers[i], '\r', len) || memchr(r->headers[i], '\n', len)) {
            return false;
        }
        buf_append_between(out, SPAN(""), span_of(r->headers[i], len), SPAN("\r\n"));
    }
    if (r->method == HTTP_GET) {
        t->request.body = SPAN("");
    } else {
        buf_append_span(out, SPAN("Content-Length: "));
        buf_append_integer(out, (int64_t)r->body.len);
        buf_append_span(out, SPAN("\r\n"));
    }
    buf_append_span(out, SPAN("\r\n"));
    size_t room = out->len + 1 < HTTP_SEND_PIECE ? HTTP_SEND_PIECE - out->len - 1 : 0;
    t->body_at = r->body.len < room ? r->body.len : room;
    buf_append(out, r->body.data, t->body_at);
    return true;
}

/* What doesn't go at once is kept, and sent when there is room. */
static enum connection_io send_first(struct http_connection *c, const struct buf *out) {
    struct http_transfer *t = c->transfer;
    size_t sent = 0;
    size_t len = out->len < HTTP_SEND_PIECE ? out->len : HTTP_SEND_PIECE;
    enum connection_io io = connection_send(c->line, span_of(out->data, len), &sent);
    t->unsent_at = 0;
    if ((io == CONNECTION_MOVED || io == CONNECTION_WAITS) && sent < out->len) {
        buf_init(&t->unsent, HEAD_MAX);
        if (!buf_append(&t->unsent, out->data + sent, out->len - sent)) {
            return CONNECTION_NO_MEMORY;
        }
    }
    return io == CONNECTION_MOVED ? send_rest(c) : io;
}

/* Runs a send. Of a body in several pieces, what doesn't fill a packet waits for the next piece: to send a packet takes
 * longer than to copy what is in it. Where a piece has to wait for room, nothing does any longer. */
static enum connection_io send_in_full_packets(struct http_connection *c, const struct buf *first) {
    const struct http_transfer *t = c->transfer;
    bool in_pieces = t->request.body.len - t->body_at > (first ? 0 : HTTP_SEND_PIECE);
    if (in_pieces) {
        connection_hold(c->line, true);
    }
    enum connection_io io = first ? send_first(c, first) : send_rest(c);
    if (in_pieces) {
        connection_hold(c->line, false);
    }
    return io;
}

static bool is_sent(const struct http_transfer *t) {
    return t->unsent_at == t->unsent.len && t->body_at == t->request.body.len;
}

void http_exchange_begin(struct http_connection *c, struct http_transfer *t) {
    struct http_exchanges *all = &c->pool->exchanges;
    c->transfer = t;
    t->connection = c;
    t->place = AT_CONNECTION;
    t->sent = true;
    connection_begin_use(c->line);
    struct buf out;
    buf_init_lent(&out, all->outgoing, sizeof all->outgoing, HEAD_MAX);
    bool ok = print_request(t, all->user_agent, &out);
    enum connection_io io = !ok || !buf_ok(&out) ? CONNECTION_NO_MEMORY : send_in_full_packets(c, &out);
    buf_free(&out);
    if (!ok) {
        fail(c, HTTP_REFUSED, "the request has a line end in a header, or a character in its path that no path has");
    } else if (io == CONNECTION_WAITS) {
        connection_await(c->line, true);
    } else if (io != CONNECTION_MOVED) {
        fail_by_connection(c, io);
    }
}

static void complete(struct http_connection *c, bool is_clean) {
    struct http_transfer *t = c->transfer;
    bool keeps = is_clean && is_sent(t) && http_parser_keeps_connection(&t->answer->parser);
    detach(c);
    c->pool->exchanges.ended(c, t, keeps ? EXCHANGE_REUSABLE : EXCHANGE_SPENT, HTTP_FINE, "");
}

/* Whether more of the response is to come. */
static bool take(struct http_connection *c, struct span data) {
    struct http_transfer *t = c->transfer;
    while (true) {
        struct span piece;
        enum http_parser_step step = http_parser_take(&t->answer->parser, &data, &piece);
        if (t->answer->parser.length > 0 && (uint64_t)t->answer->parser.length > t->request.max_response &&
            t->answer->parser.state == PARSER_LENGTH) {
            fail(c, HTTP_TOO_LARGE, "");
            return false;
        }
        switch (step) {
        case PARSER_NEEDS_MORE: return true;
        case PARSER_BODY:
            if (http_body_take(t, piece)) {
                continue;
            }
            fail(c, t->error, "");
            return false;
        case PARSER_DONE: complete(c, data.len == 0 && !connection_has_pending(c->line)); return false;
        default: fail(c, t->answer->parser.error, t->answer->parser.why); return false;
        }
    }
}

static void receive(struct http_connection *c) {
    struct http_exchanges *all = &c->pool->exchanges;
    struct http_transfer *t = c->transfer;
    for (unsigned i = 0; i < PIECES_AT_ONCE; i++) {
        size_t n = 0;
        enum connection_io io = connection_receive(c->line, all->incoming, sizeof all->incoming, &n);
        if (io == CONNECTION_WAITS) {
            return;
        }
        if (io != CONNECTION_MOVED) {
            fail_by_connection(c, io);
            return;
        }
        if (!http_answer_take(t)) {
            fail(c, HTTP_NO_MEMORY, "");
            return;
        }
        if (n == 0) {
            if (http_parser_end(&t->answer->parser) == PARSER_DONE) {
                complete(c, false);
            } else {
                fail(c, t->answer->parser.error, t->answer->parser.why);
            }
            return;
        }
        if (t->answered == 0) {
            t->answered = loop_ready_since(all->loop);
        }
        if (!take(c, span_of(all->incoming, n))) {
            return;
        }
        http_deadline_moved(t);
        if (!connection_may_have_more(c->line, n, sizeof all->incoming)) {
            return;
        }
    }
    connection_look_again(c->line);
}

static void go_on_sending(struct http_connection *c) {
    struct http_transfer *t = c->transfer;
    enum connection_io io = send_in_full_packets(c, NULL);
    if (io == CONNECTION_MOVED) {
        buf_free(&t->unsent);
        t->unsent_at = 0;
        connection_await(c->line, false);
    } else if (io != CONNECTION_WAITS) {
        fail_by_connection(c, io);
        return;
    }
    http_deadline_moved(t);
}

void http_exchange_go_on(struct http_connection *c, unsigned events) {
    if (events & CONNECTION_READABLE) {
        receive(c);
    } else {
        go_on_sending(c);
    }
}
