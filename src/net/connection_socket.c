/* A connection's socket: what it waits for, and when it sends packets; and sending and receiving without TLS. */
#include "connection_private.h"
#include "loop.h"
#include "loop_private.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

void connection_watch(struct connection *c, int events) {
    struct ev_loop *ev = loop_ev(c->connector->loop);
    if ((c->io.events & (EV_READ | EV_WRITE)) != events) {
        ev_io_stop(ev, &c->io);
        ev_io_modify(&c->io, events);
        ev_io_start(ev, &c->io);
    }
}

void connection_hold(struct connection *c, bool holds) {
    int cork = holds;
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_CORK, &cork, sizeof cork); /* it only makes sending cheaper */
}

/* What it means that a call moved nothing. */
static enum connection_io verdict(struct connection *c, const char *doing) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
        return CONNECTION_WAITS;
    }
    (void)snprintf(c->message, sizeof c->message, "%s failure: %s", doing, strerror(errno));
    return CONNECTION_BROKEN;
}

enum connection_io connection_socket_send(struct connection *c, struct span data, size_t *ret_sent) {
    ssize_t sent = send(c->fd, data.data, data.len, MSG_NOSIGNAL);
    if (sent < 0) {
        return verdict(c, "Send");
    }
    *ret_sent = (size_t)sent;
    return CONNECTION_MOVED;
}

enum connection_io connection_socket_receive(struct connection *c, char *to, size_t size, size_t *ret_received) {
    ssize_t received = recv(c->fd, to, size, 0);
    if (received < 0) {
        return verdict(c, "Recv");
    }
    *ret_received = (size_t)received;
    return CONNECTION_MOVED;
}
