/* One connection: opened, used, closed. */
#include "connection_private.h"
#include "loop.h"
#include "loop_private.h"

#include <errno.h>
#include <linux/sockios.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct ev_loop *ev_of(const struct connection *c) {
    return loop_ev(c->connector->loop);
}

void connection_begin_use(struct connection *c) {
    c->is_used = true;
    c->message[0] = '\0';
    ev_ref(ev_of(c));
}

void connection_end_use(struct connection *c) {
    c->is_used = false;
    ev_unref(ev_of(c));
}

static enum connection_io io_of(struct connection *c, CURLcode code) {
    c->code = code;
    switch (code) {
    case CURLE_OK: return CONNECTION_MOVED;
    case CURLE_AGAIN: return CONNECTION_WAITS;
    case CURLE_OUT_OF_MEMORY: return CONNECTION_NO_MEMORY;
    default: return CONNECTION_BROKEN;
    }
}

enum connection_io connection_send(struct connection *c, struct span data, size_t *ret_sent) {
    *ret_sent = 0;
    if (c->easy) {
        return io_of(c, curl_easy_send(c->easy, data.data, data.len, ret_sent));
    }
    return c->tls ? connection_tls_send(c, data, ret_sent) : connection_socket_send(c, data, ret_sent);
}

enum connection_io connection_receive(struct connection *c, char *to, size_t size, size_t *ret_received) {
    *ret_received = 0;
    if (c->easy) {
        return io_of(c, curl_easy_recv(c->easy, to, size, ret_received));
    }
    return c->tls ? connection_tls_receive(c, to, size, ret_received)
                  : connection_socket_receive(c, to, size, ret_received);
}

const char *connection_why(const struct connection *c) {
    return c->easy ? connection_words(c, c->code) : c->message;
}

bool connection_has_pending(const struct connection *c) {
    return c->tls && SSL_has_pending(c->tls);
}

bool connection_may_have_more(const struct connection *c, size_t received, size_t size) {
    return c->tls || received == size;
}

/* False: the peer has closed the connection, or sends what nobody asked for, which must not become the answer to the
 * next request. TLS's own messages are consumed here, and don't count. */
static bool has_nothing_to_read(struct connection *c) {
    char stray;
    size_t n = 0;
    return connection_receive(c, &stray, sizeof stray, &n) == CONNECTION_WAITS;
}

bool connection_is_quiet(struct connection *c) {
    char byte;
    /* Through a proxy, TLS with the proxy may hold bytes that are no longer in the socket. */
    bool nothing =
        c->is_direct && recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    return nothing || has_nothing_to_read(c);
}

size_t connection_unacknowledged(const struct connection *c) {
    int bytes = 0;
    return ioctl(c->fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? (size_t)bytes : 0;
}

void connection_await(struct connection *c, bool room) {
    connection_watch(c, room ? EV_READ | EV_WRITE : EV_READ);
}

void connection_look_again(struct connection *c) {
    ev_feed_event(ev_of(c), &c->io, EV_READ);
}

static void on_ready(struct ev_loop *ev, ev_io *io, int events) {
    (void)ev;
    struct connection *c = (struct connection *)(void *)io;
    c->ready(c->user, (events & EV_READ ? CONNECTION_READABLE : 0U) | (events & EV_WRITE ? CONNECTION_WRITABLE : 0U));
}

static void open_up(struct connection *c) {
    c->state = CONNECTION_OPEN;
    ev_io_init(&c->io, on_ready, c->fd, EV_READ);
    ev_io_start(ev_of(c), &c->io);
    ev_unref(ev_of(c));
}

static void on_dialed(struct connection *c, enum http_error error, const char *why) {
    c->connector->dialing--;
    if (error == HTTP_FINE) {
        open_up(c);
    } else {
        c->state = CONNECTION_FAILED;
    }
    c->dialed(c->user, error, why);
}

/* Takes the socket from libcurl, which forgets it. */
static bool leave_libcurl(struct connection *c) {
    struct connector *connector = c->connector;
    connector->kept = c->fd;
    connection_multi_remove(c);
    curl_easy_cleanup(c->easy);
    c->easy = NULL;
    if (connector->kept != CURL_SOCKET_BAD) {
        connector->kept = c->fd = CURL_SOCKET_BAD; /* libcurl will close it another time */
    }
    return c->fd != CURL_SOCKET_BAD;
}

/* The read in has_nothing_to_read() also binds the handle to its connection again. */
static bool take_over(struct connection *c) {
    struct curl_tlssessioninfo *session = NULL;
    if (!has_nothing_to_read(c)) {
        return false;
    }
    if (curl_easy_getinfo(c->easy, CURLINFO_TLS_SSL_PTR, &session) == CURLE_OK &&
        session->backend == CURLSSLBACKEND_OPENSSL) {
        c->tls = session->internals;
    }
    return true;
}

static void on_libcurl_done(struct connection *c, CURLcode code) {
    bool ok = code == CURLE_OK && curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &c->fd) == CURLE_OK &&
              c->fd != CURL_SOCKET_BAD && (c->is_direct ? leave_libcurl(c) : take_over(c));
    if (ok && c->peer) {
        connection_tls_begin(c);
    } else if (ok) {
        on_dialed(c, HTTP_FINE, "");
    } else {
        code = code == CURLE_OK ? CURLE_GOT_NOTHING : code;
        on_dialed(c, connection_error(code), connection_words(c, code));
    }
}

/* The handle and, where we speak TLS ourselves, with whom. */
static bool prepare(struct connection *c, const struct connection_options *options) {
    struct connector *connector = c->connector;
    if (c->is_direct && strncmp(options->origin, "https:", sizeof "https:" - 1) == 0) {
        c->peer = tls_client_peer(&connector->tls, options->origin);
        if (!c->peer) {
            return false;
        }
    }
    c->late_at = clock_monotonic(&connector->clock) + options->timeout;
    return c->easy && connection_set_up(c, options->origin, options->timeout) && connection_multi_add(c);
}

struct connection *connection_dial(struct connector *connector, const struct connection_options *options) {
    struct connection *c = calloc(1, sizeof *c);
    if (!c) {
        return NULL;
    }
    *c = (struct connection){
        .connector = connector,
        .easy = curl_easy_init(),
        .fd = CURL_SOCKET_BAD,
        .is_direct = options->direct || !connector->has_proxy,
        .dialed = options->dialed,
        .ready = options->ready,
        .user = options->user,
    };
    if (!prepare(c, options)) {
        curl_easy_cleanup(c->easy);
        free(c);
        return NULL;
    }
    connector->dialing++;
    return c;
}

/* Ends what is ours. */
static void close_socket(struct connection *c) {
    if (c->tls) {
        connection_tls_end(c);
    }
    if (c->fd != CURL_SOCKET_BAD) {
        close(c->fd);
    }
}

void connection_close(struct connection *c) {
    if (c->state == CONNECTION_DIALING) {
        c->connector->dialing--;
        timer_stop(c->connector->timers, &c->deadline);
    }
    if (c->state == CONNECTION_OPEN && !c->is_used) {
        ev_ref(ev_of(c));
    }
    ev_io_stop(ev_of(c), &c->io);
    if (c->easy) {
        connection_multi_remove(c);
        curl_easy_cleanup(c->easy);
    } else {
        close_socket(c);
    }
    free(c);
}

/* An absent text (NULL) is copied as NULL. */
static bool copy_text(const char *text, char **ret_copy) {
    *ret_copy = text ? strdup(text) : NULL;
    return !text || *ret_copy;
}

/* Those of ca_file, or else of the system, where libcurl knows them. */
static bool choose_trust(struct connector *connector, const char *ca_file) {
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
    const char *directory = curl->capath ? curl->capath : X509_get_default_cert_dir();
    bool ok = copy_text(ca_file ? ca_file : curl->cainfo, &connector->ca_file);
    tls_client_init(&connector->tls, connector->clock, connector->ca_file ? connector->ca_file : directory,
                    !connector->ca_file);
    return ok;
}

struct connector *connector_new(struct loop *loop, const char *ca_file, const char *user_agent) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return NULL;
    }
    struct connector *connector = calloc(1, sizeof *connector);
    if (!connector) {
        curl_global_cleanup();
        return NULL;
    }
    connector->loop = loop;
    connector->clock = loop_clock(loop);
    connector->timers = loop_timers(loop);
    connector->has_proxy = connection_environment_has_proxy();
    connector->kept = CURL_SOCKET_BAD;
    connector->dialed = on_dialed;
    bool ok = choose_trust(connector, ca_file);
    ok = copy_text(user_agent, &connector->user_agent) && ok;
    if (!connection_multi_open(connector, on_libcurl_done) || !ok) {
        connector_free(connector);
        return NULL;
    }
    return connector;
}

bool connector_read_trust(struct connector *connector, char *ret_why, size_t size) {
    return tls_client_read_trust(&connector->tls, ret_why, size) == HTTP_FINE;
}

void connector_free(struct connector *connector) {
    if (!connector) {
        return;
    }
    connection_multi_close(connector);
    tls_client_free(&connector->tls);
    free(connector->ca_file);
    free(connector->user_agent);
    free(connector);
    curl_global_cleanup();
}
