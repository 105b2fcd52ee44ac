/* The bridge between libcurl's multi interface and the loop (libcurl-multi(3), "multi_socket"), for connections while
 * they are opened.
 *
 * A connection that stays libcurl's (connection.h) stays in its multi handle as long as it lives, and libcurl goes
 * through all connections of a handle at each send and receive. So there are several handles, each with a limited
 * number of connections. */
#include "connection_private.h"
#include "loop.h"
#include "loop_private.h"

#include <stdlib.h>

#define WATCHES_PER_CHUNK 64
#define SOCKETS_PER_DIAL 5 /* libcurl's MAX_SOCKSPEREASYHANDLE */
#define GROUP_SIZE 64

struct connection_group {
    struct connection_group *next;
    struct connector *connector;
    CURLM *multi;
    size_t members;
    struct timer timer; /* the one that libcurl asks for */
};

/* A socket that libcurl has us watch. Allocated before libcurl asks: a failure inside its callback would break the
 * whole multi handle. */
struct socket_watch {
    ev_io io;
    struct connection_group *group;
    TAILQ_ENTRY(socket_watch) in_list; /* among the free ones, or those in use */
};

struct watch_chunk {
    struct watch_chunk *next;
    struct socket_watch watches[WATCHES_PER_CHUNK];
};

/* Reports all connections that are open, or can't be opened. The callbacks may open and close others, but no attempt to
 * open one ends in here. */
static void drain(struct connection_group *group) {
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(group->multi, &left));) {
        struct connection *c = NULL;
        if (message->msg == CURLMSG_DONE && curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &c) == CURLE_OK) {
            group->connector->done(c, message->data.result);
        }
    }
}

static void on_socket(struct ev_loop *ev, ev_io *io, int events) {
    (void)ev;
    struct connection_group *group = ((struct socket_watch *)io->data)->group;
    int running;
    curl_multi_socket_action(group->multi, io->fd,
                             (events & EV_READ ? CURL_CSELECT_IN : 0) | (events & EV_WRITE ? CURL_CSELECT_OUT : 0),
                             &running);
    drain(group);
}

static void on_timer(void *user) {
    struct connection_group *group = user;
    int running;
    curl_multi_socket_action(group->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    drain(group);
}

/* libcurl wants one timer that fires once. 0 means "soon, but not in here": a timer that is already due does that. */
static int set_timer(CURLM *multi, long milliseconds, void *user) {
    (void)multi;
    struct connection_group *group = user;
    struct connector *connector = group->connector;
    if (milliseconds < 0) {
        timer_stop(connector->timers, &group->timer);
    } else {
        timer_start(connector->timers, &group->timer, clock_monotonic(&connector->clock) + milliseconds * MILLISECOND);
    }
    return 0;
}

static void watch_end(struct connector *connector, struct socket_watch *watch) {
    ev_io_stop(loop_ev(connector->loop), &watch->io);
    TAILQ_REMOVE(&connector->used_watches, watch, in_list);
    TAILQ_INSERT_HEAD(&connector->free_watches, watch, in_list);
}

static int set_watch(CURL *easy, curl_socket_t fd, int what, void *user, void *assigned) {
    (void)easy;
    struct connection_group *group = user;
    struct connector *connector = group->connector;
    struct socket_watch *watch = assigned;
    int events = (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0);
    if (what == CURL_POLL_REMOVE) {
        if (watch) {
            watch_end(connector, watch);
            curl_multi_assign(group->multi, fd, NULL);
        }
        return 0;
    }
    if (watch) {
        ev_io_stop(loop_ev(connector->loop), &watch->io);
    } else {
        watch = TAILQ_FIRST(&connector->free_watches);
        if (!watch || curl_multi_assign(group->multi, fd, watch) != CURLM_OK) {
            return -1;
        }
        TAILQ_REMOVE(&connector->free_watches, watch, in_list);
        TAILQ_INSERT_HEAD(&connector->used_watches, watch, in_list);
        watch->group = group;
        ev_init(&watch->io, on_socket);
        watch->io.data = watch;
    }
    ev_io_set(&watch->io, fd, events);
    if (events) {
        ev_io_start(loop_ev(connector->loop), &watch->io);
    }
    return 0;
}

/* Makes sure that the sockets of this many connections can be watched while they are opened. */
static bool reserve(struct connector *connector, size_t connections) {
    while (connector->watch_count < connections * SOCKETS_PER_DIAL) {
        struct watch_chunk *chunk = calloc(1, sizeof *chunk);
        if (!chunk) {
            return false;
        }
        chunk->next = connector->chunks;
        connector->chunks = chunk;
        for (size_t i = 0; i < WATCHES_PER_CHUNK; i++) {
            TAILQ_INSERT_HEAD(&connector->free_watches, &chunk->watches[i], in_list);
        }
        connector->watch_count += WATCHES_PER_CHUNK;
    }
    return true;
}

/* NULL: no memory. */
static struct connection_group *group_new(struct connector *connector) {
    struct connection_group *group = calloc(1, sizeof *group);
    CURLM *m = curl_multi_init();
    if (group && m && curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, set_watch) == CURLM_OK &&
        curl_multi_setopt(m, CURLMOPT_SOCKETDATA, group) == CURLM_OK &&
        curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, set_timer) == CURLM_OK &&
        curl_multi_setopt(m, CURLMOPT_TIMERDATA, group) == CURLM_OK &&
        curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, 2L * GROUP_SIZE) == CURLM_OK && /* it closes none to make room */
        curl_multi_setopt(m, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING) == CURLM_OK) {
        group->connector = connector;
        group->multi = m;
        timer_init(&group->timer, on_timer, group);
        group->next = connector->groups;
        connector->groups = group;
        return group;
    }
    curl_multi_cleanup(m);
    free(group);
    return NULL;
}

bool connection_multi_add(struct connection *c) {
    struct connector *connector = c->connector;
    struct connection_group *group = connector->groups;
    while (group && group->members == GROUP_SIZE) {
        group = group->next;
    }
    if (!group) {
        group = group_new(connector);
    }
    if (!group || !reserve(connector, connector->dialing + 1) ||
        curl_multi_add_handle(group->multi, c->easy) != CURLM_OK) {
        return false;
    }
    group->members++;
    c->group = group;
    return true;
}

void connection_multi_remove(struct connection *c) {
    curl_multi_remove_handle(c->group->multi, c->easy);
    c->group->members--;
    c->group = NULL;
}

bool connection_multi_open(struct connector *connector, void (*done)(struct connection *c, CURLcode code)) {
    connector->done = done;
    TAILQ_INIT(&connector->free_watches);
    TAILQ_INIT(&connector->used_watches);
    connector->share = curl_share_init();
    return connector->share &&
           curl_share_setopt(connector->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK &&
           curl_share_setopt(connector->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) == CURLSHE_OK;
}

/* All connections must be closed. */
void connection_multi_close(struct connector *connector) {
    while (connector->groups) {
        struct connection_group *group = connector->groups;
        connector->groups = group->next;
        /* While it closes, libcurl must not ask us to watch anything. */
        curl_multi_setopt(group->multi, CURLMOPT_SOCKETFUNCTION, NULL);
        curl_multi_setopt(group->multi, CURLMOPT_TIMERFUNCTION, NULL);
        curl_multi_cleanup(group->multi);
        timer_stop(connector->timers, &group->timer);
        free(group);
    }
    while (!TAILQ_EMPTY(&connector->used_watches)) {
        watch_end(connector, TAILQ_FIRST(&connector->used_watches));
    }
    if (connector->share) {
        curl_share_cleanup(connector->share);
    }
    while (connector->chunks) {
        struct watch_chunk *chunk = connector->chunks;
        connector->chunks = chunk->next;
        free(chunk);
    }
}
