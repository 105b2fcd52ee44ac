/* What the files of connection share. Nothing else sees libcurl's handles. */
#pragma once

#include "clock.h"
#include "connection.h"
#include "timers.h"
#include "tls_client.h"

#include <curl/curl.h>
#include <ev.h>
#include <openssl/types.h>
#include <sys/queue.h>

struct connection_group;
struct watch_chunk;
struct socket_watch;
TAILQ_HEAD(socket_watches, socket_watch);

struct connector {
    struct loop *loop;
    struct clock clock;
    struct timers *timers;
    CURLSH *share; /* addresses, and TLS sessions of what libcurl speaks */
    char *ca_file; /* the certificates in it are trusted; NULL: there is no file, perhaps a directory */
    struct tls_client tls;
    char *user_agent;
    bool has_proxy; /* the environment names a proxy for some kind of URL */
    size_t dialing;
    curl_socket_t kept; /* a socket that libcurl is not to close */
    void (*done)(struct connection *c, CURLcode code); /* libcurl has opened a connection, or failed to */
    void (*dialed)(struct connection *c, enum http_error error, const char *why); /* TLS of our own has */
    struct connection_group *groups;
    struct socket_watches free_watches, used_watches;
    struct watch_chunk *chunks;
    size_t watch_count;
};

enum connection_state { CONNECTION_DIALING, CONNECTION_FAILED, CONNECTION_OPEN };

struct connection {
    ev_io io; /* first; once libcurl has opened it */
    struct connector *connector;
    struct connection_group *group;
    CURL *easy; /* NULL: the socket is ours, and libcurl knows of it no more */
    curl_socket_t fd; /* once libcurl has opened it */
    struct tls_peer *peer; /* with whom we speak TLS ourselves; NULL: there is none, or libcurl does */
    SSL *tls; /* ours, or libcurl's; NULL: plain, or not open yet */
    enum connection_state state;
    bool is_used;
    bool is_direct; /* no proxy stands between */
    int64_t late_at; /* monotonic: when it should have been opened */
    struct timer deadline; /* of our handshake */
    void (*dialed)(void *user, enum http_error error, const char *why);
    void (*ready)(void *user, unsigned events);
    void *user;
    CURLcode code; /* of libcurl's last send or receive */
    char message[CURL_ERROR_SIZE];
};

/* connection_setup.c */
/* Whether the environment names a proxy, whatever it is for. */
bool connection_environment_has_proxy(void);
/* Sets the connection's handle up. False: no memory. */
MUST_USE bool connection_set_up(struct connection *c, const char *origin, int64_t timeout);
/* What libcurl's verdict on a connection means. */
enum http_error connection_error(CURLcode code);
/* The same in words; they never contain a proxy's password. */
const char *connection_words(const struct connection *c, CURLcode code);

/* connection_socket.c */
/* What io, which is active, waits for: EV_READ, EV_WRITE or both. */
void connection_watch(struct connection *c, int events);
/* Without TLS. */
MUST_USE enum connection_io connection_socket_send(struct connection *c, struct span data, size_t *ret_sent);
MUST_USE enum connection_io connection_socket_receive(struct connection *c, char *to, size_t size,
                                                      size_t *ret_received);

/* connection_tls.c: with TLS of our own. */
/* Begins the handshake. The connector's dialed is called when it is over, perhaps at once. */
void connection_tls_begin(struct connection *c);
void connection_tls_end(struct connection *c);
MUST_USE enum connection_io connection_tls_send(struct connection *c, struct span data, size_t *ret_sent);
MUST_USE enum connection_io connection_tls_receive(struct connection *c, char *to, size_t size, size_t *ret_received);

/* connection_multi.c: done is called, from the loop, when libcurl has opened a connection or failed to. */
MUST_USE bool connection_multi_open(struct connector *connector, void (*done)(struct connection *c, CURLcode code));
void connection_multi_close(struct connector *connector);
/* Adds a connection's handle to a multi handle that has room, or to a new one. */
MUST_USE bool connection_multi_add(struct connection *c);
void connection_multi_remove(struct connection *c);
