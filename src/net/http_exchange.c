/* One request and its response on a connection, by curl_easy_send() and curl_easy_recv(). */
#include "http_private.h"
#include "loop.h"
#include "loop_private.h"

#include <errno.h>
#include <linux/sockios.h>
#include <openssl/ssl.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define FIRST_RESERVE_MAX ((int64_t)256 * 1024)
#define HEAD_MAX ((size_t)1024 * 1024)
#define ATTEMPTS_MAX 5 /* on connections that had died before a byte came */
#define PIECES_AT_ONCE 16 /* of a response, before others have their turn */

static const char *const METHODS[] = {[HTTP_POST] = "POST", [HTTP_GET] = "GET", [HTTP_PUT] = "PUT"};

/* An idle connection keeps no loop going. */
static void set_idle(struct http_connection *c) {
    ev_unref(loop_ev(c->http->loop));
}

static void set_busy(struct http_connection *c) {
    ev_ref(loop_ev(c->http->loop));
}

static void watch(struct http_connection *c, int events) {
    const int both = EV_READ | EV_WRITE;
    if ((c->io.events & both) != events) {
        struct ev_loop *ev = loop_ev(c->http->loop);
        ev_io_stop(ev, &c->io);
        ev_io_modify(&c->io, events);
        ev_io_start(ev, &c->io);
    }
}

static void detach(struct http_connection *c) {
    struct http_transfer *t = c->transfer;
    c->transfer = NULL;
    t->connection = NULL;
    t->place = AT_NOBODY;
    buf_free(&t->unsent);
    watch(c, EV_READ);
    set_idle(c);
}

void http_exchange_abandon(struct http_transfer *t) {
    struct http_connection *c = t->connection;
    detach(c);
    http_pool_close(c);
}

/* The connection is of no more use. Where it had died before it was given the request, another one takes it. */
static void fail(struct http_connection *c, enum http_error error, const char *why) {
    struct http_transfer *t = c->transfer;
    bool was_stale = c->was_used && t->answered == 0 && error == HTTP_BROKEN && ++t->attempts < ATTEMPTS_MAX;
    char copy[CURL_ERROR_SIZE];
    (void)snprintf(copy, sizeof copy, "%s", why);
    http_exchange_abandon(t);
    if (was_stale) {
        http_pool_assign(t);
    } else {
        http_end(t, error, copy);
    }
}

static void fail_by_libcurl(struct http_connection *c, CURLcode code) {
    fail(c, code == CURLE_OUT_OF_MEMORY ? HTTP_NO_MEMORY : HTTP_BROKEN, http_dial_words(c, code));
}

/* Sends what is left: first what stands in unsent, then the body from where that ended. */
static CURLcode send_rest(struct http_connection *c) {
    struct http_transfer *t = c->transfer;
    struct span body = t->request.body;
    while (t->unsent_at < t->unsent.len || t->body_at < body.len) {
        bool first = t->unsent_at < t->unsent.len;
        struct span piece = first ? span_of(t->unsent.data + t->unsent_at, t->unsent.len - t->unsent_at)
                                  : span_of(body.data + t->body_at, body.len - t->body_at);
        size_t sent = 0;
        CURLcode code =
            curl_easy_send(c->easy, piece.data, piece.len < HTTP_SEND_PIECE ? piece.len : HTTP_SEND_PIECE, &sent);
        if (code != CURLE_OK) {
            return code;
        }
        *(first ? &t->unsent_at : &t->body_at) += sent;
    }
    return CURLE_OK;
}

static bool has_host(const struct http_request *r) {
    size_t i = 0;
    while (i < r->header_count && strncasecmp(r->headers[i], "Host:", 5) != 0) {
        i++;
    }
    return i < r->header_count;
}

/* The head, and what of the body fits beside it. False: a line is none. */
static bool print_request(struct http_transfer *t, struct buf *out) {
    const struct http_request *r = &t->request;
    buf_append_cstr(out, METHODS[r->method]);
    buf_append(out, t->target->head, has_host(r) ? t->target->host_at : t->target->head_len);
    if (t->http->user_agent) {
        buf_append_span(out, SPAN("User-Agent: "));
        buf_append_cstr(out, t->http->user_agent);
        buf_append_span(out, SPAN("\r\n"));
    }
    for (size_t i = 0; i < r->header_count; i++) {
        size_t len = strlen(r->headers[i]);
        if (memchr(r->headers[i], '\r', len) || memchr(r->headers[i], '\n', len)) {
            return false;
        }
        buf_append(out, r->headers[i], len);
        buf_append_span(out, SPAN("\r\n"));
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

/* What doesn't go at once is kept, and goes when there is room. */
static CURLcode send_first(struct http_connection *c, const struct buf *out) {
    struct http_transfer *t = c->transfer;
    size_t sent = 0;
    size_t len = out->len < HTTP_SEND_PIECE ? out->len : HTTP_SEND_PIECE;
    CURLcode code = curl_easy_send(c->easy, out->data, len, &sent);
    t->unsent_at = 0;
    if ((code == CURLE_OK || code == CURLE_AGAIN) && sent < out->len) {
        buf_init(&t->unsent, HEAD_MAX);
        if (!buf_append(&t->unsent, out->data + sent, out->len - sent)) {
            return CURLE_OUT_OF_MEMORY;
        }
    }
    return code == CURLE_OK ? send_rest(c) : code;
}

static bool is_sent(const struct http_transfer *t) {
    return t->unsent_at == t->unsent.len && t->body_at == t->request.body.len;
}

void http_exchange_begin(struct http_connection *c, struct http_transfer *t) {
    struct http *http = c->http;
    c->transfer = t;
    t->connection = c;
    t->place = AT_CONNECTION;
    t->sent = true;
    c->message[0] = '\0';
    set_busy(c);
    struct buf out;
    buf_init_lent(&out, http->outgoing, sizeof http->outgoing, HEAD_MAX);
    bool ok = print_request(t, &out);
    CURLcode code = !ok || !buf_ok(&out) ? CURLE_OUT_OF_MEMORY : send_first(c, &out);
    buf_free(&out);
    if (!ok) {
        fail(c, HTTP_REFUSED, "a header of the request has the end of a line in it");
    } else if (code == CURLE_AGAIN) {
        watch(c, EV_READ | EV_WRITE);
    } else if (code != CURLE_OK) {
        fail_by_libcurl(c, code);
    }
}

/* Whether the body may grow by n bytes; where not, why is noted. */
static bool make_room(struct http_transfer *t, size_t n) {
    struct http *http = t->http;
    size_t max = t->request.max_response;
    if (n > max - t->body.len) {
        t->error = HTTP_TOO_LARGE;
        return false;
    }
    size_t wanted = t->body.len + n;
    size_t others = http->stats.response_bytes - t->counted;
    if (wanted > t->body.capacity && (others > http->response_budget || wanted > http->response_budget - others)) {
        t->error = HTTP_OVER_BUDGET;
        return false;
    }
    if (!buf_reserve(&t->body, n)) {
        t->error = t->body.failure == BUF_FULL ? HTTP_TOO_LARGE : HTTP_NO_MEMORY;
        return false;
    }
    http->stats.response_bytes = others + t->body.capacity;
    t->counted = t->body.capacity;
    return true;
}

void http_exchange_uncount(struct http_transfer *t) {
    t->http->stats.response_bytes -= t->counted;
    t->counted = 0;
}

static bool take_body(struct http_transfer *t, struct span piece) {
    int64_t announced = t->answer.length;
    if (t->body.len == 0 && announced > (int64_t)piece.len) {
        /* Growing in steps would copy; but a server's word alone doesn't make us take a lot. */
        size_t first = (size_t)(announced < FIRST_RESERVE_MAX ? announced : FIRST_RESERVE_MAX);
        if (first > piece.len && !make_room(t, first)) {
            return false;
        }
    }
    return make_room(t, piece.len) && buf_append_span(&t->body, piece);
}

static void complete(struct http_connection *c, bool is_clean) {
    struct http_transfer *t = c->transfer;
    bool keeps = is_clean && is_sent(t) && http_parser_keeps_connection(&t->answer);
    detach(c);
    c->was_used = true;
    if (keeps) {
        http_pool_release(c);
    } else {
        http_pool_close(c);
    }
    http_finish(t, HTTP_FINE, "");
}

/* Whether the response goes on. */
static bool take(struct http_connection *c, struct span data) {
    struct http_transfer *t = c->transfer;
    while (true) {
        struct span piece;
        enum http_parser_step step = http_parser_take(&t->answer, &data, &piece);
        if (t->answer.length > 0 && (uint64_t)t->answer.length > t->request.max_response &&
            t->answer.state == PARSER_LENGTH) {
            fail(c, HTTP_TOO_LARGE, "");
            return false;
        }
        switch (step) {
        case PARSER_NEEDS_MORE: return true;
        case PARSER_BODY:
            if (take_body(t, piece)) {
                continue;
            }
            fail(c, t->error, "");
            return false;
        case PARSER_DONE: complete(c, data.len == 0 && !(c->tls && SSL_has_pending(c->tls))); return false;
        default: fail(c, t->answer.error, t->answer.why); return false;
        }
    }
}

static void receive(struct http_connection *c) {
    struct http *http = c->http;
    struct http_transfer *t = c->transfer;
    for (unsigned i = 0; i < PIECES_AT_ONCE; i++) {
        size_t n = 0;
        CURLcode code = curl_easy_recv(c->easy, http->incoming, sizeof http->incoming, &n);
        if (code == CURLE_AGAIN) {
            return;
        }
        if (code != CURLE_OK) {
            fail_by_libcurl(c, code);
            return;
        }
        if (n == 0) {
            if (http_parser_end(&t->answer) == PARSER_DONE) {
                complete(c, false);
            } else {
                fail(c, t->answer.error, t->answer.why);
            }
            return;
        }
        if (t->answered == 0) {
            t->answered = loop_ready_since(http->loop);
        }
        if (!take(c, span_of(http->incoming, n))) {
            return;
        }
        http_deadline_moved(t);
        /* OpenSSL may have read further records, of which the socket says nothing. */
        if (!c->tls && n < sizeof http->incoming) {
            return;
        }
    }
    ev_feed_event(loop_ev(http->loop), &c->io, EV_READ);
}

static void go_on_sending(struct http_connection *c) {
    struct http_transfer *t = c->transfer;
    CURLcode code = send_rest(c);
    if (code == CURLE_OK) {
        buf_free(&t->unsent);
        t->unsent_at = 0;
        watch(c, EV_READ);
    } else if (code != CURLE_AGAIN) {
        fail_by_libcurl(c, code);
        return;
    }
    http_deadline_moved(t);
}

size_t http_exchange_in_kernel(const struct http_transfer *t) {
    int bytes = 0;
    return ioctl(t->connection->io.fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? (size_t)bytes : 0;
}

/* An idle connection has something to read: its peer has closed it, or says what nobody asked for, which must not
 * become the answer to the next request; or it is TLS's own talk, which leaves nothing for us. */
static bool is_quiet(struct http_connection *c) {
    size_t n = 0;
    return curl_easy_recv(c->easy, c->http->incoming, sizeof c->http->incoming, &n) == CURLE_AGAIN;
}

bool http_exchange_is_quiet(struct http_connection *c) {
    char byte;
    /* Behind a proxy, TLS with it may hold what the socket no longer does. */
    bool nothing = http_is_direct(c) && recv(c->io.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
                   (errno == EAGAIN || errno == EWOULDBLOCK);
    return nothing || is_quiet(c);
}

static void on_ready(struct ev_loop *ev, ev_io *io, int events) {
    (void)ev;
    struct http_connection *c = (struct http_connection *)(void *)io;
    if (!c->transfer) {
        if (!is_quiet(c)) {
            http_pool_close(c);
        }
    } else if (events & EV_READ) {
        receive(c);
    } else {
        go_on_sending(c);
    }
}

bool http_exchange_open(struct http_connection *c) {
    curl_socket_t fd = CURL_SOCKET_BAD;
    /* That first read binds the handle to its connection again: libcurl closes no such one for its age, and knows its
     * TLS. */
    if (curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd == CURL_SOCKET_BAD || !is_quiet(c)) {
        return false;
    }
    struct curl_tlssessioninfo *session = NULL;
    if (curl_easy_getinfo(c->easy, CURLINFO_TLS_SSL_PTR, &session) == CURLE_OK &&
        session->backend == CURLSSLBACKEND_OPENSSL) {
        c->tls = session->internals;
    }
    ev_io_init(&c->io, on_ready, fd, EV_READ);
    ev_io_start(loop_ev(c->http->loop), &c->io);
    set_idle(c);
    return true;
}

void http_exchange_close(struct http_connection *c) {
    set_busy(c);
    ev_io_stop(loop_ev(c->http->loop), &c->io);
}
