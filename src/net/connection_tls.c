/* TLS over a connection's own socket: the handshake, sending and receiving. */
#include "connection_private.h"
#include "loop.h"
#include "loop_private.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

static void end(struct connection *c, enum http_error error) {
    timer_stop(c->connector->timers, &c->deadline);
    ev_io_stop(loop_ev(c->connector->loop), &c->io);
    c->connector->dialed(c, error, c->message);
}

static void on_late(void *user) {
    struct connection *c = user;
    (void)snprintf(c->message, sizeof c->message, "TLS handshake: no end of it in time");
    end(c, HTTP_TIMED_OUT);
}

static void go_on(struct connection *c) {
    enum http_error error = HTTP_FINE;
    switch (tls_client_shake_hands(c->tls, &error, c->message, sizeof c->message)) {
    case TLS_WAITS_TO_READ: connection_watch(c, EV_READ); break;
    case TLS_WAITS_TO_WRITE: connection_watch(c, EV_WRITE); break;
    case TLS_IS_OPEN:
    case TLS_FAILED: end(c, error); break;
    }
}

static void on_ready(struct ev_loop *ev, ev_io *io, int events) {
    (void)ev, (void)events;
    go_on((struct connection *)(void *)io);
}

void connection_tls_begin(struct connection *c) {
    struct connector *connector = c->connector;
    enum http_error error = HTTP_FINE;
    ev_io_init(&c->io, on_ready, c->fd, EV_READ);
    ev_io_start(loop_ev(connector->loop), &c->io);
    c->tls = tls_client_begin(&connector->tls, c->peer, c->fd, &error, c->message, sizeof c->message);
    if (!c->tls) {
        end(c, error);
        return;
    }
    timer_init(&c->deadline, on_late, c);
    timer_start(connector->timers, &c->deadline, c->late_at);
    go_on(c);
}

/* SSL_get_error() would take an older error in the queue for the next call's. To clear it frees the texts of all its
 * places, also where there is none. */
static void forget_errors(void) {
    if (ERR_peek_error() != 0) {
        ERR_clear_error();
    }
    errno = 0;
}

/* What it means that a call moved nothing. */
static enum connection_io verdict(struct connection *c, int result, const char *doing) {
    int why = SSL_get_error(c->tls, result), cause = errno;
    unsigned long error = ERR_peek_error();
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        return CONNECTION_WAITS;
    }
    const char *reason = ERR_reason_error_string(error);
    if (why == SSL_ERROR_SYSCALL && cause != 0) {
        (void)snprintf(c->message, sizeof c->message, "%s failure: %s", doing, strerror(cause));
    } else {
        (void)snprintf(c->message, sizeof c->message, "%s failure: %s", doing, reason ? reason : "TLS was broken off");
    }
    ERR_clear_error();
    return CONNECTION_BROKEN;
}

enum connection_io connection_tls_send(struct connection *c, struct span data, size_t *ret_sent) {
    forget_errors();
    int sent = SSL_write(c->tls, data.data, data.len < INT_MAX ? (int)data.len : INT_MAX);
    if (sent <= 0) {
        return verdict(c, sent, "Send");
    }
    *ret_sent = (size_t)sent;
    return CONNECTION_MOVED;
}

/* For what comes for TLS itself, as a session does, OpenSSL gets a buffer to answer with, and keeps it until something
 * is sent: 16 KiB for each connection that waits for its first answer. In the midst of a record it needs the other one;
 * OpenSSL before 3.0.14 would release that too. */
static void release_buffers(SSL *tls) {
    bool between_records = strcmp(SSL_rstate_string(tls), "RH") == 0 && !SSL_has_pending(tls);
    if (between_records) {
        (void)SSL_free_buffers(tls);
    }
}

enum connection_io connection_tls_receive(struct connection *c, char *to, size_t size, size_t *ret_received) {
    forget_errors();
    int received = SSL_read(c->tls, to, size < INT_MAX ? (int)size : INT_MAX);
    enum connection_io io = CONNECTION_MOVED;
    if (received > 0) {
        *ret_received = (size_t)received;
    } else if (SSL_get_error(c->tls, received) != SSL_ERROR_ZERO_RETURN) {
        io = verdict(c, received, "Recv");
    }
    release_buffers(c->tls);
    return io;
}

/* To free one in the midst of its handshake must not look to OpenSSL like a broken session. */
void connection_tls_end(struct connection *c) {
    ERR_clear_error();
    if (c->state == CONNECTION_OPEN) {
        (void)SSL_shutdown(c->tls); /* says goodbye, if that goes at once */
    }
    SSL_free(c->tls);
    ERR_clear_error();
}
