/* A scripted HTTP server on 127.0.0.1 inside the test's own loop: the k-th request gets the k-th answer. */
#pragma once

#include "buf.h"
#include "loop.h"
#include "span.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum server_after { SERVER_KEEPS, SERVER_CLOSES };

struct server_answer {
    const char *text; /* the whole response; NULL: none, the request hangs (or is dropped, where the server closes) */
    size_t padding; /* so many bytes 'x' after it */
    size_t record; /* the most bytes in one TLS record; 0: as many as fit */
    enum server_after after;
};

struct server;

struct server_connection {
    struct server *server;
    struct server_connection *next;
    int fd;
    struct loop_watch *watch;
    SSL *tls;
    bool accepted;
    struct buf in, out;
    size_t written;
    size_t record;
    bool closes;
};

struct server {
    struct loop *loop;
    int fd;
    unsigned port;
    struct loop_watch *watch;
    struct server_connection *connections;
    const struct server_answer *answers; /* the last one serves all further requests */
    size_t answer_count;
    size_t requests, accepted, resumed;
    size_t ended_in_order; /* as TLS says goodbye */
    struct buf last_request;
    SSL_CTX *tls; /* NULL: plain */
    bool hangs_up; /* as soon as somebody has connected */
    const char *greeting; /* sent before anything was asked; NULL: nothing */
};

static void server_drop(struct server_connection *c) {
    struct server_connection **at = &c->server->connections;
    while (*at != c) {
        at = &(*at)->next;
    }
    *at = c->next;
    loop_watch_free(c->watch);
    SSL_free(c->tls);
    close(c->fd);
    buf_free(&c->in);
    buf_free(&c->out);
    free(c);
}

/* Length of the first complete request in text, or 0. */
static size_t server_request_length(struct span text) {
    const char *end = text.len ? memmem(text.data, text.len, "\r\n\r\n", 4) : NULL;
    if (!end) {
        return 0;
    }
    size_t head = (size_t)(end - text.data) + 4, body = 0;
    for (const char *at = text.data; at < end; at++) {
        if (strncasecmp(at, "\r\ncontent-length:", 17) == 0) {
            body = strtoul(at + 17, NULL, 10);
        }
    }
    return head + body <= text.len ? head + body : 0;
}

/* Whether the connection lives on. */
static bool server_write(struct server_connection *c) {
    while (c->written < c->out.len) {
        const char *data = c->out.data + c->written;
        size_t left = c->out.len - c->written;
        left = c->tls && c->record && left > c->record ? c->record : left;
        ssize_t n = c->tls ? SSL_write(c->tls, data, (int)left) : send(c->fd, data, left, MSG_NOSIGNAL);
        if (n <= 0) {
            if (c->tls ? SSL_get_error(c->tls, (int)n) == SSL_ERROR_WANT_WRITE : errno == EAGAIN) {
                loop_watch_events(c->watch, LOOP_READ | LOOP_WRITE);
                return true;
            }
            server_drop(c);
            return false;
        }
        c->written += (size_t)n;
    }
    buf_reset(&c->out);
    c->written = 0;
    if (c->closes) {
        server_drop(c);
        return false;
    }
    loop_watch_events(c->watch, LOOP_READ);
    return true;
}

static bool server_answer(struct server_connection *c, size_t length) {
    struct server *s = c->server;
    buf_reset(&s->last_request);
    buf_append(&s->last_request, c->in.data, length);
    size_t rest = c->in.len - length;
    memmove(c->in.data, c->in.data + length, rest);
    c->in.len = rest;
    size_t k = s->requests < s->answer_count ? s->requests : s->answer_count - 1;
    s->requests++;
    const struct server_answer *answer = &s->answers[k];
    if (answer->text) {
        buf_append_cstr(&c->out, answer->text);
    }
    for (size_t i = 0; i < answer->padding; i++) {
        buf_append_char(&c->out, 'x');
    }
    c->closes = answer->after == SERVER_CLOSES;
    c->record = answer->record;
    return server_write(c);
}

static bool server_handshake(struct server_connection *c) {
    int done = SSL_accept(c->tls);
    if (done == 1) {
        c->accepted = true;
        c->server->resumed += SSL_session_reused(c->tls) == 1;
        return true;
    }
    int error = SSL_get_error(c->tls, done);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        loop_watch_events(c->watch, error == SSL_ERROR_WANT_READ ? LOOP_READ : LOOP_WRITE);
        return false;
    }
    server_drop(c);
    return false;
}

static void server_ready(void *user, unsigned events) {
    struct server_connection *c = user;
    if (c->tls && !c->accepted && !server_handshake(c)) {
        return;
    }
    if ((events & LOOP_WRITE) && c->out.len && !server_write(c)) {
        return;
    }
    for (;;) {
        char data[16384];
        ssize_t n = c->tls ? SSL_read(c->tls, data, sizeof data) : recv(c->fd, data, sizeof data, 0);
        if (n <= 0) {
            int why = c->tls ? SSL_get_error(c->tls, (int)n) : SSL_ERROR_NONE;
            c->server->ended_in_order += why == SSL_ERROR_ZERO_RETURN;
            if (c->tls ? why != SSL_ERROR_WANT_READ : n == 0 || errno != EAGAIN) {
                server_drop(c);
            }
            return;
        }
        buf_append(&c->in, data, (size_t)n);
        size_t length = server_request_length(buf_span(&c->in));
        if (length && !server_answer(c, length)) {
            return;
        }
    }
}

static void server_accept(void *user, unsigned events) {
    (void)events;
    struct server *s = user;
    int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    struct server_connection *c = calloc(1, sizeof *c);
    if (!c) {
        abort();
    }
    s->accepted++;
    *c = (struct server_connection){.server = s, .next = s->connections, .fd = fd};
    buf_init(&c->in, 16 << 20);
    buf_init(&c->out, 16 << 20);
    if (s->tls) {
        c->tls = SSL_new(s->tls);
        SSL_set_fd(c->tls, fd);
    }
    s->connections = c;
    c->watch = loop_watch_fd(s->loop, fd, LOOP_READ, server_ready, c);
    if (s->hangs_up) {
        server_drop(c);
    } else if (s->greeting && c->watch) {
        buf_append_cstr(&c->out, s->greeting);
        server_write(c);
    }
}

/* False: the machine has no loopback socket for us. */
static bool server_open(struct server *s, struct loop *loop, const struct server_answer *answers, size_t count) {
    *s = (struct server){.loop = loop, .answers = answers, .answer_count = count};
    buf_init(&s->last_request, 16 << 20);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&address, size) != 0 || listen(s->fd, 64) != 0 ||
        getsockname(s->fd, (struct sockaddr *)&address, &size) != 0) {
        return false;
    }
    s->port = ntohs(address.sin_port);
    s->watch = loop_watch_fd(loop, s->fd, LOOP_READ, server_accept, s);
    return s->watch != NULL;
}

/* Nobody listens any more, as if the name had no address; the connections live. */
static void server_stop_listening(struct server *s) {
    loop_watch_free(s->watch);
    s->watch = NULL;
    if (s->fd >= 0) {
        close(s->fd);
    }
    s->fd = -1;
}

static void server_close(struct server *s) {
    while (s->connections) {
        server_drop(s->connections);
    }
    server_stop_listening(s);
    buf_free(&s->last_request);
    SSL_CTX_free(s->tls);
}
