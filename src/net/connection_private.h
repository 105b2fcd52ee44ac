/* What the files of connection share. Nothing else sees libcurl's handles. */
#pragma once

#include "clock.h"
#include "connection.h"
#include "timers.h"

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
    CURLSH *share; /* TLS sessions (so that a new connection resumes one) and addresses */
    char *ca_file; /* the certificates in it are trusted; NULL: there is no file, perhaps a directory */
    X509_STORE *trust; /* the certificates of ca_file; NULL: not read yet */
    int64_t trust_read_at; /* monotonic */
    char trust_why[128]; /* why it couldn't be read */
    char *user_agent;
    bool has_proxy; /* the environment names a proxy for some kind of URL */
    size_t dialing;
    void (*done)(struct connection *c, CURLcode code);
    struct connection_group *groups;
    struct socket_watches free_watches, used_watches;
    struct watch_chunk *chunks;
    size_t watch_count;
};

enum connection_state { CONNECTION_DIALING, CONNECTION_FAILED, CONNECTION_OPEN };

struct connection {
    ev_io io; /* first; from the end of the dialing on */
    struct connector *connector;
    struct connection_group *group;
    CURL *easy;
    SSL *tls; /* libcurl's; NULL: plain, or not open yet */
    bool tls_is_ours; /* OpenSSL reads and writes the socket itself: libcurl is no longer called until the end */
    enum connection_state state;
    bool is_used;
    bool is_direct; /* no proxy stands between */
    void (*dialed)(void *user, enum http_error error, const char *why);
    void (*ready)(void *user, unsigned events);
    void *user;
    CURLcode code; /* of the last send or receive */
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

/* connection_tls.c: sends and receives without libcurl. */
void connection_tls_take(struct connection *c);
MUST_USE CURLcode connection_tls_send(struct connection *c, struct span data, size_t *ret_sent);
MUST_USE CURLcode connection_tls_receive(struct connection *c, char *to, size_t size, size_t *ret_received);

/* connection_multi.c: done is called, from the loop, when libcurl has opened a connection or failed to. */
MUST_USE bool connection_multi_open(struct connector *connector, void (*done)(struct connection *c, CURLcode code));
void connection_multi_close(struct connector *connector);
/* Adds a connection's handle to a multi handle that has room, or to a new one. */
MUST_USE bool connection_multi_add(struct connection *c);
void connection_multi_remove(struct connection *c);
