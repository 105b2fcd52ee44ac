#include "http_connections.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const size_t FIRST_COUNT = 64;

static void stop(struct http_connections *all, struct http_connection *c) {
    if (!c->is_watched) {
        return;
    }
    if (!c->is_wanted) {
        ev_ref(all->ev);
    }
    ev_io_stop(all->ev, &c->io);
    c->is_watched = false;
}

/* Watches for events, and keeps the loop going for it only where somebody wants to hear of it. */
static void start(struct http_connections *all, struct http_connection *c) {
    ev_io_start(all->ev, &c->io);
    c->is_watched = true;
    if (!c->is_wanted) {
        ev_unref(all->ev);
    }
}

static void on_ready(struct ev_loop *ev, ev_io *io, int events) {
    (void)ev;
    struct http_connection *c = (struct http_connection *)(void *)io;
    struct http_connections *all = c->user;
    if (c->is_wanted) {
        all->ready(all->user, io->fd, events);
    } else {
        /* Its peer has closed it, or says what nobody asked for, which the next request would take for its answer. libcurl takes a connection
         * with something to read for a living one; what is shut down it finds dead, and opens another. */
        stop(all, c);
        (void)shutdown(io->fd, SHUT_RDWR); /* fails where the peer has gone already */
    }
}

static struct http_connection *find(const struct http_connections *all, int fd) {
    return fd >= 0 && (size_t)fd < all->count ? all->by_fd[fd] : NULL;
}

/* NULL: no memory. */
static struct http_connection *find_or_make(struct http_connections *all, int fd) {
    if (fd < 0) {
        return NULL;
    }
    if ((size_t)fd >= all->count) {
        size_t count = all->count ? all->count : FIRST_COUNT;
        while (count <= (size_t)fd) {
            count *= 2;
        }
        struct http_connection **by_fd = realloc(all->by_fd, count * sizeof(struct http_connection *));
        if (!by_fd) {
            return NULL;
        }
        memset(by_fd + all->count, 0, (count - all->count) * sizeof(struct http_connection *));
        all->by_fd = by_fd;
        all->count = count;
    }
    struct http_connection *c = all->by_fd[fd];
    if (!c) {
        c = calloc(1, sizeof *c);
        all->by_fd[fd] = c;
    }
    return c;
}

void http_connections_opened(struct http_connections *all, int fd) {
    struct http_connection *c = find_or_make(all, fd);
    if (!c) {
        return;
    }
    stop(all, c); /* where the last of this number was closed without a word */
    c->user = all;
    c->is_open = true;
    c->is_wanted = false;
    /* The first start after this tells the kernel in any case: it knows nothing of a new socket, whatever the last one's watch was. */
    ev_io_init(&c->io, on_ready, fd, 0);
}

void http_connections_closing(struct http_connections *all, int fd) {
    struct http_connection *c = find(all, fd);
    if (c) {
        stop(all, c);
        c->is_open = false;
    }
}

bool http_connections_watch(struct http_connections *all, int fd, int events) {
    struct http_connection *c = find(all, fd);
    if (!c || !c->is_open) {
        return false;
    }
    const int both = EV_READ | EV_WRITE;
    bool wanted = events != 0;
    /* One that nobody wants just now is watched for reading: as it will be wanted next, and rarely has anything. */
    int watched = wanted ? events : EV_READ;
    if (c->is_watched && c->is_wanted == wanted && (c->io.events & both) == watched) {
        return true;
    }
    bool was_watched = c->is_watched;
    stop(all, c);
    c->is_wanted = wanted;
    if (wanted || was_watched) {
        ev_io_modify(&c->io, watched);
        start(all, c);
    }
    return true;
}

void http_connections_free(struct http_connections *all) {
    for (size_t i = 0; i < all->count; i++) {
        free(all->by_fd[i]);
    }
    free(all->by_fd);
    all->by_fd = NULL;
    all->count = 0;
}
