/* The bridge between libcurl's multi interface and the loop (libcurl-multi(3), "multi_socket"). */
#include "http_private.h"
#include "loop.h"
#include "loop_private.h"

#include <stdlib.h>

#define WATCHES_PER_CHUNK 64

struct watch_chunk {
    struct watch_chunk *next;
    struct socket_watch watches[WATCHES_PER_CHUNK];
};

/* Hands over all transfers that are finished. Their callbacks may start and cancel others; none can finish in here. */
static void drain(struct http *http) {
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &left));) {
        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;
        struct http_transfer *transfer = NULL;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
        /* The message is gone with this. */
        curl_multi_remove_handle(http->multi, easy);
        http_finish(transfer, code);
    }
}

static void on_ready(void *user, int fd, int events) {
    struct http *http = user;
    int running;
    curl_multi_socket_action(http->multi, fd, (events & EV_READ ? CURL_CSELECT_IN : 0) | (events & EV_WRITE ? CURL_CSELECT_OUT : 0), &running);
    drain(http);
}

static void on_socket(struct ev_loop *ev, ev_io *io, int events) {
    (void)ev;
    const struct socket_watch *watch = io->data;
    on_ready(watch->http, io->fd, events);
}

static void on_timer(void *user) {
    struct http *http = user;
    int running;
    curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    drain(http);
}

/* libcurl wants one timer that fires once; 0 is "soon, but not in here", which is what a timer that is due already does. */
static int set_timer(CURLM *multi, long milliseconds, void *user) {
    (void)multi;
    struct http *http = user;
    if (milliseconds < 0) {
        timer_stop(http->timers, &http->timer);
    } else {
        timer_start(http->timers, &http->timer, clock_monotonic(&http->clock) + milliseconds * MILLISECOND);
    }
    return 0;
}

static void watch_push(struct socket_watch **list, struct socket_watch *watch) {
    watch->previous = NULL;
    watch->next = *list;
    if (*list) {
        (*list)->previous = watch;
    }
    *list = watch;
}

static void watch_remove(struct socket_watch **list, struct socket_watch *watch) {
    if (watch->previous) {
        watch->previous->next = watch->next;
    } else {
        *list = watch->next;
    }
    if (watch->next) {
        watch->next->previous = watch->previous;
    }
}

static void watch_end(struct http *http, struct socket_watch *watch) {
    ev_io_stop(loop_ev(http->loop), &watch->io);
    watch_remove(&http->used_watches, watch);
    watch_push(&http->free_watches, watch);
}

static int set_watch(CURL *easy, curl_socket_t fd, int what, void *user, void *assigned) {
    (void)easy;
    struct http *http = user;
    struct socket_watch *watch = assigned;
    bool ends = what == CURL_POLL_REMOVE;
    int events = ends ? 0 : (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0);
    if (!watch && http_connections_watch(&http->connections, fd, events)) {
        return 0;
    }
    if (ends) {
        if (watch) {
            watch_end(http, watch);
            curl_multi_assign(http->multi, fd, NULL);
        }
        return 0;
    }
    if (watch) {
        ev_io_stop(loop_ev(http->loop), &watch->io);
    } else {
        watch = http->free_watches;
        if (!watch || curl_multi_assign(http->multi, fd, watch) != CURLM_OK) {
            return -1;
        }
        watch_remove(&http->free_watches, watch);
        watch_push(&http->used_watches, watch);
        watch->http = http;
        ev_init(&watch->io, on_socket);
        watch->io.data = watch;
    }
    ev_io_set(&watch->io, fd, events);
    if (events) {
        ev_io_start(loop_ev(http->loop), &watch->io);
    }
    return 0;
}

bool http_multi_reserve(struct http *http, size_t transfers) {
    while (http->watch_count < transfers * SOCKETS_PER_TRANSFER) {
        struct watch_chunk *chunk = calloc(1, sizeof *chunk);
        if (!chunk) {
            return false;
        }
        chunk->next = http->chunks;
        http->chunks = chunk;
        for (size_t i = 0; i < WATCHES_PER_CHUNK; i++) {
            watch_push(&http->free_watches, &chunk->watches[i]);
        }
        http->watch_count += WATCHES_PER_CHUNK;
    }
    return true;
}

bool http_multi_open(struct http *http) {
    timer_init(&http->timer, on_timer, http);
    http->connections = (struct http_connections){.ev = loop_ev(http->loop), .ready = on_ready, .user = http};
    http->multi = curl_multi_init();
    http->share = curl_share_init();
    if (!http->multi || !http->share) {
        return false;
    }
    long connections = (long)http->max_connections;
    CURLM *m = http->multi;
    /* By default libcurl keeps four times the connections that are busy now, and so closes most of them whenever it is quiet. */
    return curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK &&
           curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, set_watch) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_SOCKETDATA, http) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, set_timer) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_TIMERDATA, http) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, connections) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING) == CURLM_OK;
}

/* All easy handles must have been cleaned up. */
void http_multi_close(struct http *http) {
    if (http->multi) {
        /* Closing the kept connections must not watch anything any more. */
        curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, NULL);
        curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, NULL);
        curl_multi_cleanup(http->multi);
    }
    while (http->used_watches) {
        watch_end(http, http->used_watches);
    }
    http_connections_free(&http->connections);
    if (http->share) {
        curl_share_cleanup(http->share);
    }
    timer_stop(http->timers, &http->timer);
    while (http->chunks) {
        struct watch_chunk *chunk = http->chunks;
        http->chunks = chunk->next;
        free(chunk);
    }
}
