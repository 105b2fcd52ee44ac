/* libmicrohttpd on the loop. The lobby hands each connection over once the head of its request is there. What the
 * library doesn't bound is bounded here: how long a request may take in all, how many are served a second, and who
 * gives way when there is no room. */
#include "http_server.h"

#include "http_lobby.h"
#include "loop.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

static const size_t CLIENTS = 1024;
static const uint32_t CLIENTS_PER_SECOND = 1000;
static const size_t SERVED = 64; /* at once */
static const uint32_t SERVED_PER_SECOND = 120;
static const int64_t REQUEST_TIME = 5 * MICROSECONDS;
/* A client has at least this long to take its answer while others wait. */
static const int64_t GRACE = 250 * MILLISECOND;
static const int64_t LITTLE_LATER = 20 * MILLISECOND;
static const size_t HEAD_MAX = (size_t)32 * 1024; /* memory of a connection, mostly for the head of its request */

struct client {
    TAILQ_ENTRY(client) link;
    struct http_server *server;
    int fd;
    int64_t since, served_since; /* monotonic; since: when the lobby let it in */
    bool cut; /* it was shut down; the library has yet to notice */
};

struct http_server {
    struct loop *loop;
    struct clock clock;
    struct http_lobby *lobby;
    struct MHD_Daemon *daemon;
    struct loop_watch *working;
    struct http_server_options options;
    http_server_answer *answer;
    void *user;
    TAILQ_HEAD(, client) clients; /* those that are served, in the order they came out of the lobby */
    size_t open; /* number of clients that aren't cut */
    const struct http_guest *arriving; /* the client that is being handed to the library */
    struct limiter limiter;
    struct timer timer; /* for the next deadline or the library's own wish */
    struct timer pause; /* until more are served */
    uint64_t answered, cut;
};

static int64_t now_of(const struct http_server *s) {
    return clock_monotonic(&s->clock);
}

/* Lets the library look at everything, and plans the next look. */
static void run(struct http_server *s) {
    (void)MHD_run(s->daemon);
    int64_t now = now_of(s), due = NEVER;
    MHD_UNSIGNED_LONG_LONG wait = 0;
    if (MHD_get_timeout(s->daemon, &wait) == MHD_YES) {
        due = now + (int64_t)(wait < 3600000 ? wait : 3600000) * MILLISECOND;
    }
    const struct client *client;
    TAILQ_FOREACH(client, &s->clients, link) {
        int64_t deadline = client->since + s->options.request_time;
        due = !client->cut && deadline < due ? deadline : due;
    }
    if (due == NEVER) {
        timer_stop(loop_timers(s->loop), &s->timer);
    } else {
        timer_start(loop_timers(s->loop), &s->timer, due);
    }
}

/* The library notices the shutdown, and ends the connection. */
static void cut(struct http_server *s, struct client *client) {
    client->cut = true;
    s->open--;
    s->cut++;
    (void)shutdown(client->fd, SHUT_RDWR);
}

static void on_timer(void *user) {
    struct http_server *s = user;
    int64_t now = now_of(s);
    struct client *client;
    TAILQ_FOREACH(client, &s->clients, link) {
        if (!client->cut && client->since + s->options.request_time <= now) {
            cut(s, client);
        }
    }
    run(s);
}

static void on_work(void *user, unsigned events) {
    (void)events;
    run(user);
}

static void on_connection(void *user, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what) {
    struct http_server *s = user;
    struct client *client = *context;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        client = info ? calloc(1, sizeof *client) : NULL;
        *context = client;
        if (!client) {
            if (info) {
                (void)shutdown(info->connect_fd, SHUT_RDWR);
            }
            return;
        }
        client->server = s;
        client->fd = info->connect_fd;
        client->served_since = now_of(s);
        client->since = s->arriving ? s->arriving->since : client->served_since;
        TAILQ_INSERT_TAIL(&s->clients, client, link);
        s->open++;
    } else if (client) {
        TAILQ_REMOVE(&s->clients, client, link);
        s->open -= !client->cut;
        free(client);
        *context = NULL;
    }
}

/* Makes room for one more. False: not yet. */
static bool make_room(struct http_server *s, int64_t now) {
    struct client *client;
    if (s->open < s->options.served) {
        return true;
    }
    TAILQ_FOREACH(client, &s->clients, link) {
        if (!client->cut) {
            break;
        }
    }
    if (client && now - client->served_since >= GRACE) {
        cut(s, client);
    }
    return s->open < s->options.served;
}

/* Serves one client from the lobby. False: no more for now. */
static bool serve(struct http_server *s, int64_t now) {
    struct http_guest guest;
    struct sockaddr_storage from = {0};
    socklen_t len = sizeof from;
    int64_t wait = 0;
    if (!http_lobby_ready(s->lobby)) {
        return false;
    }
    if (!make_room(s, now) || !limiter_take(&s->limiter, now, &wait)) {
        timer_start(loop_timers(s->loop), &s->pause, now + (wait > LITTLE_LATER ? wait : LITTLE_LATER));
        return false;
    }
    if (!http_lobby_take(s->lobby, &guest)) {
        return false;
    }
    if (getpeername(guest.fd, (struct sockaddr *)&from, &len) != 0) {
        (void)close(guest.fd);
        return true;
    }
    s->arriving = &guest;
    /* The library closes the descriptor if it can't take it. */
    (void)MHD_add_connection(s->daemon, guest.fd, (const struct sockaddr *)&from, len);
    s->arriving = NULL;
    return true;
}

static void on_ready(void *user) {
    struct http_server *s = user;
    int64_t now = now_of(s);
    while (serve(s, now)) {
    }
    run(s);
}

static bool add_headers(struct MHD_Response *response, const struct http_server_reply *reply) {
    static const char *const usual[][2] = {
        {MHD_HTTP_HEADER_CONNECTION, "close"},           {MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
        {"X-Content-Type-Options", "nosniff"},           {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
    };
    bool fine = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type) == MHD_YES;
    for (size_t i = 0; fine && i < ARRAY_LENGTH(usual); i++) {
        fine = MHD_add_response_header(response, usual[i][0], usual[i][1]) == MHD_YES;
    }
    for (size_t i = 0; fine && i < HTTP_SERVER_HEADERS && reply->headers[i].name; i++) {
        fine = MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value) == MHD_YES;
    }
    return fine;
}

static enum MHD_Result send_reply(struct http_server *s, struct MHD_Connection *connection,
                                  const struct http_server_reply *reply) {
    union {
        const char *constant;
        void *any;
    } body = {.constant = reply->body.data};
    struct MHD_Response *response = MHD_create_response_from_buffer(
        reply->body.len, body.any, reply->is_constant ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY);
    if (!response) {
        return MHD_NO; /* the library closes the connection */
    }
    enum MHD_Result result = MHD_NO;
    if (add_headers(response, reply)) {
        result = MHD_queue_response(connection, reply->status, response);
        s->answered += result == MHD_YES;
    }
    MHD_destroy_response(response);
    return result;
}

static const char *header_of(struct MHD_Connection *connection, const char *name) {
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    return value ? value : "";
}

/* The head of a request is there. We don't wait for a body. */
static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *path, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **context) {
    struct http_server *s = user;
    (void)version, (void)upload, (void)upload_size, (void)context;
    struct http_server_reply reply = {.status = 200, .content_type = "text/plain; charset=utf-8"};
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        reply.status = 405;
        reply.body = SPAN("There is only GET and HEAD here\n");
        reply.headers[0].name = "Allow";
        reply.headers[0].value = "GET, HEAD";
        return send_reply(s, connection, &reply);
    }
    const struct http_server_request request = {path, header_of(connection, MHD_HTTP_HEADER_HOST),
                                                header_of(connection, MHD_HTTP_HEADER_ACCEPT)};
    s->answer(s->user, &request, &reply);
    return send_reply(s, connection, &reply);
}

static struct MHD_Daemon *start_daemon(struct http_server *s) {
    unsigned idle = (unsigned)(s->options.request_time / MICROSECONDS) + 5; /* so that our own limit acts first */
    /* Clients that were cut may exist beside the others for a moment. */
    unsigned most = 2 * (unsigned)s->options.served;
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, on_request, s,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEAD_MAX, MHD_OPTION_CONNECTION_LIMIT, most,
                            MHD_OPTION_CONNECTION_TIMEOUT, idle, MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
                            MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

struct http_server *http_server_new(struct loop *loop, int listener, const struct http_server_options *options,
                                    http_server_answer *answer, void *user) {
    struct http_server *s = calloc(1, sizeof *s);
    if (!s) {
        (void)close(listener);
        return NULL;
    }
    *s = (struct http_server){
        .loop = loop, .clock = loop_clock(loop), .options = *options, .answer = answer, .user = user};
    s->options.served = options->served ? options->served : SERVED;
    s->options.request_time = options->request_time ? options->request_time : REQUEST_TIME;
    const struct http_lobby_options lobby = {
        options->clients ? options->clients : CLIENTS,
        options->clients_per_second ? options->clients_per_second : CLIENTS_PER_SECOND, s->options.request_time};
    TAILQ_INIT(&s->clients);
    limiter_init(&s->limiter, options->served_per_second ? options->served_per_second : SERVED_PER_SECOND, now_of(s));
    timer_init(&s->timer, on_timer, s);
    timer_init(&s->pause, on_ready, s);
    s->lobby = http_lobby_new(loop, listener, &lobby, on_ready, s);
    s->daemon = s->lobby ? start_daemon(s) : NULL;
    const union MHD_DaemonInfo *info = s->daemon ? MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    s->working = info ? loop_watch_fd(loop, info->epoll_fd, LOOP_READ, on_work, s) : NULL;
    if (!s->working) {
        http_server_free(s);
        return NULL;
    }
    return s;
}

void http_server_free(struct http_server *s) {
    if (!s) {
        return;
    }
    http_lobby_free(s->lobby);
    loop_watch_free(s->working);
    if (s->daemon) {
        MHD_stop_daemon(s->daemon);
    }
    timer_stop(loop_timers(s->loop), &s->timer);
    timer_stop(loop_timers(s->loop), &s->pause);
    free(s);
}

struct http_server_stats http_server_stats(const struct http_server *s) {
    struct http_lobby_stats lobby = http_lobby_stats(s->lobby);
    return (struct http_server_stats){.clients = lobby.guests + s->open,
                                      .accepted = lobby.accepted,
                                      .answered = s->answered,
                                      .cut = lobby.cut + s->cut};
}
