#include "sink_connection.h"

#include "clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define IN_MAX ((size_t)33 << 20)
#define OUT_MAX ((size_t)64 << 20)
#define READ_SIZE ((size_t)16 << 10)

struct sink_connection {
    struct sink_listener *listener;
    struct sink_connection *next, *previous;
    int fd;
    bool greeted; /* it is known whether it speaks TLS */
    SSL *tls;
    ev_io reading, writing;
    ev_timer later; /* until the request is answered */
    struct buf in, out;
    bool busy; /* with this request: */
    enum sink_operation operation;
    struct sink_request request;
    int64_t arrived;
    struct span unsent;
};

static void drop(struct sink_connection *c) {
    struct ev_loop *loop = c->listener->loop;
    ev_io_stop(loop, &c->reading);
    ev_io_stop(loop, &c->writing);
    ev_timer_stop(loop, &c->later);
    if (c->previous)
        c->previous->next = c->next;
    else
        c->listener->connections = c->next;
    if (c->next)
        c->next->previous = c->previous;
    SSL_free(c->tls);
    close(c->fd);
    buf_free(&c->in);
    buf_free(&c->out);
    free(c);
}

enum transfer { MOVED, BLOCKED, ENDED };

static enum transfer tls_result(const struct sink_connection *c, int result) {
    int error = SSL_get_error(c->tls, result);
    ERR_clear_error();
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? BLOCKED : ENDED;
}

static enum transfer receive_into(struct sink_connection *c, char *room, size_t size, size_t *ret_count) {
    *ret_count = 0;
    if (c->tls) {
        int result = SSL_read_ex(c->tls, room, size, ret_count);
        return result == 1 ? MOVED : tls_result(c, result);
    }
    ssize_t count = read(c->fd, room, size);
    if (count > 0)
        *ret_count = (size_t)count;
    return count > 0 ? MOVED : count < 0 && (errno == EAGAIN || errno == EINTR) ? BLOCKED : ENDED;
}

static enum transfer receive_some(struct sink_connection *c) {
    char *room = buf_reserve(&c->in, READ_SIZE);
    if (!room)
        return ENDED;
    size_t count;
    enum transfer received = receive_into(c, room, c->in.capacity - c->in.len - 1, &count);
    buf_advance(&c->in, count);
    return received;
}

static enum transfer send_some(struct sink_connection *c) {
    size_t count = 0;
    if (c->tls) {
        int result = SSL_write_ex(c->tls, c->unsent.data, c->unsent.len, &count);
        if (result != 1)
            return tls_result(c, result);
    } else {
        ssize_t wrote = write(c->fd, c->unsent.data, c->unsent.len);
        if (wrote < 0)
            return errno == EAGAIN || errno == EINTR ? BLOCKED : ENDED;
        count = (size_t)wrote;
    }
    c->unsent = span_of(c->unsent.data + count, c->unsent.len - count);
    return MOVED;
}

static bool take_request(struct sink_connection *c);

/* False: the connection is over. */
static bool flush(struct sink_connection *c) {
    while (c->unsent.len > 0) {
        enum transfer sent = send_some(c);
        if (sent == ENDED)
            return false;
        if (sent == BLOCKED) {
            ev_io_start(c->listener->loop, &c->writing);
            return true;
        }
    }
    ev_io_stop(c->listener->loop, &c->writing);
    size_t done = c->request.size;
    memmove(c->in.data, c->in.data + done, c->in.len - done);
    c->in.len -= done;
    c->busy = false;
    return c->in.len == 0 || take_request(c);
}

static void answer_later(struct sink_connection *c, int64_t wait) {
    ev_timer_set(&c->later, (double)wait / MICROSECONDS, 0.);
    ev_timer_start(c->listener->loop, &c->later);
}

static bool answer(struct sink_connection *c) {
    int64_t wait = 0;
    if (!sink_service_answer(c->listener->service, c->operation, &c->request, c->arrived, &c->out, &c->unsent, &wait)) {
        answer_later(c, wait);
        return true;
    }
    return c->unsent.data && flush(c);
}

/* Begins with the request that the buffer holds, where it is whole. */
static bool take_request(struct sink_connection *c) {
    enum sink_parsed parsed = sink_http_parse(buf_span(&c->in), &c->request);
    if (parsed != SINK_WHOLE)
        return parsed == SINK_MORE;
    struct clock clock = clock_system();
    c->busy = true;
    c->arrived = clock_monotonic(&clock);
    c->operation = sink_operation_of(&c->request);
    int64_t wait = sink_service_arrived(c->listener->service, c->operation, &c->request);
    if (wait == 0)
        return answer(c);
    answer_later(c, wait);
    return true;
}

/* A client of TLS begins with a handshake record. */
static bool greet(struct sink_connection *c) {
    unsigned char first;
    ssize_t count = recv(c->fd, &first, 1, MSG_PEEK);
    if (count != 1)
        return count < 0 && (errno == EAGAIN || errno == EINTR);
    c->greeted = true;
    if (first != 0x16)
        return true;
    c->listener->service->tls_connections++;
    c->tls = SSL_new(c->listener->tls);
    if (!c->tls || SSL_set_fd(c->tls, c->fd) != 1)
        return false;
    SSL_set_accept_state(c->tls);
    return true;
}

static bool read_more(struct sink_connection *c) {
    if (!c->greeted && !greet(c))
        return false;
    if (!c->greeted)
        return true;
    if (c->busy) {
        /* The client has nothing to say until it is answered, but it may go away; and the request must not move. */
        char more;
        size_t count;
        return receive_into(c, &more, 1, &count) == BLOCKED;
    }
    enum transfer received;
    do {
        received = receive_some(c);
    } while (received == MOVED && c->tls && SSL_has_pending(c->tls));
    return received != ENDED && (c->in.len == 0 || take_request(c));
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events) {
    (void)loop, (void)events;
    struct sink_connection *c = io->data;
    if (!read_more(c))
        drop(c);
}

static void on_writable(struct ev_loop *loop, ev_io *io, int events) {
    (void)loop, (void)events;
    struct sink_connection *c = io->data;
    if (!flush(c))
        drop(c);
}

static void on_later(struct ev_loop *loop, ev_timer *timer, int events) {
    (void)loop, (void)events;
    struct sink_connection *c = timer->data;
    if (!answer(c))
        drop(c);
}

static void open_connection(struct sink_listener *l, int fd) {
    struct sink_connection *c = calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return;
    }
    int yes = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    c->listener = l;
    c->fd = fd;
    buf_init(&c->in, IN_MAX);
    buf_init(&c->out, OUT_MAX);
    ev_io_init(&c->reading, on_readable, fd, EV_READ);
    ev_io_init(&c->writing, on_writable, fd, EV_WRITE);
    ev_timer_init(&c->later, on_later, 0., 0.);
    c->reading.data = c->writing.data = c->later.data = c;
    c->next = l->connections;
    if (c->next)
        c->next->previous = c;
    l->connections = c;
    l->service->connections++;
    ev_io_start(l->loop, &c->reading);
}

static void on_connection(struct ev_loop *loop, ev_io *io, int events) {
    (void)loop, (void)events;
    for (int fd; (fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;)
        open_connection(io->data, fd);
}

bool sink_listen(struct sink_listener *l, struct ev_loop *loop, struct sink_service *service, SSL_CTX *tls) {
    *l = (struct sink_listener){.loop = loop, .service = service, .tls = tls};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 4096) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    service->port = ntohs(address.sin_port);
    ev_io_init(&l->io, on_connection, fd, EV_READ);
    l->io.data = l;
    ev_io_start(loop, &l->io);
    return true;
}

void sink_listener_close(struct sink_listener *l) {
    struct sink_connection *next;
    for (struct sink_connection *c = l->connections; c; c = next) {
        next = c->next;
        drop(c);
    }
    ev_io_stop(l->loop, &l->io);
    close(l->io.fd);
}
