/* A way over which bytes go to a service and come back: TCP, mostly with TLS, perhaps through a proxy. This module
 * (connection.c, connection_setup.c, connection_multi.c, connection_tls.c) alone knows libcurl's handles and OpenSSL's
 * connections; libcurl opens what it has: names, addresses, proxies, TLS, certificates.
 *
 * What it takes for granted of libcurl, beyond or beside what is documented; test_connection.c holds each:
 * - A handle with CURLOPT_CONNECT_ONLY is done once the connection is open, and has sent nothing over it.
 * - From then on libcurl watches no socket of it any more: we do.
 * - The first curl_easy_recv() binds the handle to its connection again. Before it, CURLINFO_TLS_SSL_PTR gives no SSL;
 *   after it, it gives the SSL of the connection, which is libcurl's, and stays the same for as long as that lives.
 * - A multi handle closes none of its connections for want of room while they are fewer than CURLMOPT_MAXCONNECTS.
 * - While one connection is opened, libcurl watches five sockets at most at a time.
 * - curl_easy_recv() takes one TLS record at most, and no more than asked for; what OpenSSL has read beyond it,
 *   SSL_has_pending() tells, and the socket doesn't. With nothing to read it is CURLE_AGAIN.
 * - The end of a connection is CURLE_OK and no byte, whether TLS said so before or not: an answer that ends with its
 *   connection may have been cut.
 * - What curl_easy_send() couldn't send it takes again from another place.
 * - What a server sends for TLS itself after the handshake is taken in by reads. A session that came so serves the next
 *   connection, whose handle has the same CURLSH.
 * - Each connection has an SSL_CTX of its own.
 * - The SSL works on with another BIO, over the same socket, in the place of libcurl's: cleaned up, the handle says
 *   TLS's goodbye over that one.
 * - Without a directory of certificates those of the file are parsed once for several connections of a multi handle.
 * - Taken out of its multi handle and cleaned up, a handle closes its connection at once, and no other. */
#pragma once

#include "compiler.h"
#include "http.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct connector; /* opens connections */
struct connection;

/* ca_file, user_agent (which proxies are told): NULL for none. NULL: no memory, or libcurl doesn't start. The loop must
 * outlive it. */
MUST_USE struct connector *connector_new(struct loop *loop, const char *ca_file, const char *user_agent);
/* All its connections must be closed. NULL is fine. */
void connector_free(struct connector *connector);

enum connection_events { CONNECTION_READABLE = 1, CONNECTION_WRITABLE = 2 };

struct connection_options {
    const char *origin; /* struct url's */
    bool direct; /* through no proxy */
    int64_t timeout; /* microseconds */
    /* It is open (HTTP_FINE), or can't be: then why says so, and it can only be closed. Once, later, from the loop. */
    void (*dialed)(void *user, enum http_error error, const char *why);
    /* An open one may have something to read, or room, as connection_await() has it; also while it isn't used. */
    void (*ready)(void *user, unsigned events);
    void *user;
};

/* Begins to open one. NULL: no memory. */
MUST_USE struct connection *connection_dial(struct connector *connector, const struct connection_options *options);
/* From anywhere, its own callbacks included. */
void connection_close(struct connection *c);

/* It is used: it keeps the loop going until it isn't. An open one isn't at first. */
void connection_begin_use(struct connection *c);
void connection_end_use(struct connection *c);

enum connection_io {
    CONNECTION_MOVED, /* as many bytes as are told */
    CONNECTION_WAITS, /* none can go now */
    CONNECTION_BROKEN, /* connection_why() says how */
    CONNECTION_NO_MEMORY
};
/* Sends what goes at once. What doesn't go has to be sent next, from wherever it then stands. */
MUST_USE enum connection_io connection_send(struct connection *c, struct span data, size_t *ret_sent);
/* Receives what is there; no byte: the other side has closed it in good order. */
MUST_USE enum connection_io connection_receive(struct connection *c, char *to, size_t size, size_t *ret_received);
/* Valid until it is used again or closed. */
const char *connection_why(const struct connection *c);
/* Whether there are bytes that were read already: of these nothing is ever told by ready. */
bool connection_has_pending(const struct connection *c);
/* Whether, after so many bytes were received into room for size, there may be more that ready tells nothing of. */
bool connection_may_have_more(const struct connection *c, size_t received, size_t size);
/* Whether there is nothing to read, as should be where nothing was asked for. The loop tells of what is not so, but
 * maybe only after the next request was sent. */
bool connection_is_quiet(struct connection *c);
/* Bytes sent that the other side hasn't acknowledged. */
size_t connection_unacknowledged(const struct connection *c);

/* What ready tells of: that there is something to read, or also that there is room to send. */
void connection_await(struct connection *c, bool room);
/* Has ready tell once more that there is something to read. */
void connection_look_again(struct connection *c);
