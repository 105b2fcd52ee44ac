/* The watches of connections, each from the opening of its socket to the closing. libcurl ends its interest in a socket with each request
 * and takes it up again with the next; the kernel need not hear of it. */
#pragma once

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>

struct http_connection {
    ev_io io;
    void *user;
    bool is_open;
    bool is_watched; /* the loop has io */
    bool is_wanted;  /* libcurl wants to hear of it */
};

/* Zeroed but for its first three members, it holds none. */
struct http_connections {
    struct ev_loop *ev;
    void (*ready)(void *user, int fd, int events); /* one that is wanted is: EV_READ, EV_WRITE */
    void *user;
    struct http_connection **by_fd; /* NULL where there never was one; kept for the next one of that number */
    size_t count;
};

/* A socket was opened. Without memory it is one that isn't known. */
void http_connections_opened(struct http_connections *all, int fd);
/* A socket is about to be closed. */
void http_connections_closing(struct http_connections *all, int fd);
/* What libcurl waits for on a socket: EV_READ, EV_WRITE; 0: nothing. False: the socket isn't known. */
bool http_connections_watch(struct http_connections *all, int fd, int events);
/* All sockets must have been closed. */
void http_connections_free(struct http_connections *all);
