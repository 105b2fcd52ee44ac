/* A connection to a service: TCP, mostly with TLS, perhaps through a proxy. Only this module (connection*.c and
 * tls_client.c) knows libcurl's handles and OpenSSL's connections. libcurl does what it is good at: names, addresses,
 * proxies. Where no proxy can stand between, the socket is ours once libcurl has opened it, and so is TLS over it: one
 * context serves all connections, where libcurl makes one for each, which costs as much as a handshake. Through proxies
 * libcurl speaks TLS too, of which there may be two layers then, and everything goes through it.
 *
 * The module relies on the following behaviour of libcurl, which isn't all documented; test_connection.c checks each:
 * - A handle with CURLOPT_CONNECT_ONLY is done once the connection is open, and has sent nothing over it.
 * - From then on libcurl watches no socket of that handle: we do.
 * - A handle that is taken out of its multi handle and cleaned up closes its connection at once, and no other. Before
 *   curl_easy_cleanup() returns it has called CURLOPT_CLOSESOCKETFUNCTION, and a socket that this doesn't close stays
 *   open and connected.
 * - While it opens one connection, libcurl watches at most five sockets at a time.
 * - A multi handle closes no connection to make room while it has fewer than CURLMOPT_MAXCONNECTS.
 *
 * Of connections that stay libcurl's:
 * - The first curl_easy_recv() binds the handle to its connection again. Before it, CURLINFO_TLS_SSL_PTR gives no SSL;
 *   after it, it gives the connection's SSL. That is libcurl's, and stays the same as long as the connection lives.
 * - curl_easy_recv() takes at most one TLS record, and no more than asked for. If OpenSSL has read beyond it,
 *   SSL_has_pending() tells, and the socket doesn't. With nothing to read it returns CURLE_AGAIN.
 * - The end of a connection is CURLE_OK and no byte, whether TLS announced it or not (our own TLS does the same): so an
 *   answer that ends with its connection may have been cut.
 * - What curl_easy_send() couldn't send may be passed again at another address.
 * - Reads take in what a server sends for TLS itself after the handshake. A session that came this way serves the next
 *   connection whose handle has the same CURLSH.
 * - Without a directory of certificates, the file's certificates are parsed once for several connections of a multi
 *   handle. */
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

/* ca_file, user_agent (sent to proxies): NULL for none. NULL: no memory, or libcurl doesn't start. The loop must
 * outlive it. */
MUST_USE struct connector *connector_new(struct loop *loop, const char *ca_file, const char *user_agent);
/* All its connections must be closed. NULL is fine. */
void connector_free(struct connector *connector);
/* http_trust_read() of http.h. */
MUST_USE bool connector_read_trust(struct connector *connector, char *ret_why, size_t size);

enum connection_events { CONNECTION_READABLE = 1, CONNECTION_WRITABLE = 2 };

struct connection_options {
    const char *origin; /* struct url's */
    bool direct; /* through no proxy */
    int64_t timeout; /* microseconds */
    /* It is open (HTTP_FINE), or can't be opened: then why says so, and it can only be closed. Once, later, from the
     * loop. */
    void (*dialed)(void *user, enum http_error error, const char *why);
    /* An open connection may have something to read, or room to send, as connection_await() asked. Also while it isn't
     * used. */
    void (*ready)(void *user, unsigned events);
    void *user;
};

/* Starts to open a connection. NULL: no memory. */
MUST_USE struct connection *connection_dial(struct connector *connector, const struct connection_options *options);
/* Allowed anywhere, its own callbacks included. */
void connection_close(struct connection *c);

/* A connection in use keeps the loop running. A newly opened one isn't in use yet. */
void connection_begin_use(struct connection *c);
void connection_end_use(struct connection *c);

enum connection_io {
    CONNECTION_MOVED, /* as many bytes as were reported */
    CONNECTION_WAITS, /* none can go now */
    CONNECTION_BROKEN, /* connection_why() says how */
    CONNECTION_NO_MEMORY
};
/* Sends what goes at once. What doesn't go must be sent next, but may stand at another address by then. */
MUST_USE enum connection_io connection_send(struct connection *c, struct span data, size_t *ret_sent);
/* While it holds, what was sent and doesn't fill a packet waits for what is sent next. */
void connection_hold(struct connection *c, bool holds);
/* Receives what is there. No byte: the other side has closed the connection properly. */
MUST_USE enum connection_io connection_receive(struct connection *c, char *to, size_t size, size_t *ret_received);
/* Valid until it is used again or closed. */
const char *connection_why(const struct connection *c);
/* Whether bytes were read from the socket already: ready doesn't report these. */
bool connection_has_pending(const struct connection *c);
/* Whether, after received bytes into room for size, there may be more that ready doesn't report. */
bool connection_may_have_more(const struct connection *c, size_t received, size_t size);
/* Whether there is nothing to read, as it should be while nothing was asked for. The loop also reports it if there is,
 * but perhaps only after the next request was sent. */
bool connection_is_quiet(struct connection *c);
/* Bytes sent that the other side hasn't acknowledged. */
size_t connection_unacknowledged(const struct connection *c);

/* What ready reports: that there is something to read, or (room) also that there is room to send. */
void connection_await(struct connection *c, bool room);
/* Makes ready report once more that there is something to read. */
void connection_look_again(struct connection *c);
