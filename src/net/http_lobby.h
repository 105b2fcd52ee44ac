/* Where the clients of an HTTP server wait until the head of their request is there: accepted, and no more. A client
 * that sends nothing, or a byte now and then, costs two system calls to let in and two to cut off, and wakes nobody in
 * between. The lobby doesn't read what they send: whoever takes them over does.
 *
 * It has room for a bounded number. Who takes too long is cut off. If there is no room, the one that has been there
 * longest gives way to the next. A rate bounds how many are let in. */
#pragma once

#include "compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct http_lobby;

struct http_lobby_options {
    size_t guests; /* at once */
    uint32_t guests_per_second; /* that are let in */
    int64_t longest; /* microseconds from the connection until it is cut off */
};

/* Lets in the clients of a listening descriptor, which the lobby owns from now on. Calls ready when one or more may be
 * taken. NULL: no memory or no descriptor, and the listener is closed. */
MUST_USE struct http_lobby *http_lobby_new(struct loop *loop, int listener, const struct http_lobby_options *options,
                                           void (*ready)(void *user), void *user);
/* Cuts off all clients. NULL is fine. */
void http_lobby_free(struct http_lobby *lobby);

struct http_guest {
    int fd; /* doesn't block; its request isn't read yet */
    int64_t since; /* monotonic: when it was let in */
};
/* Whether a client can be taken. */
bool http_lobby_ready(const struct http_lobby *lobby);
/* Hands over the client whose request has been complete longest. False: there is none. */
MUST_USE bool http_lobby_take(struct http_lobby *lobby, struct http_guest *ret);

struct http_lobby_stats {
    size_t guests; /* now */
    uint64_t accepted, cut; /* cut: too slow, or in the way of others */
    uint64_t looks; /* at the bytes they had sent */
};
struct http_lobby_stats http_lobby_stats(const struct http_lobby *lobby);
