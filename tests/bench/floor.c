/* What requests cost with bare libcurl on libev: bytes ready made, nothing read of the answers, no thought.
 *
 *   floor --url=URL --samples=FOLDER --connections=N (--messages=N | --requests=N | --polls=N) [--ca-file=FILE]
 *
 * Sends requests that the sink kept of table-updater (its option --samples): --messages: a transaction for each, and
 * for each ten a receive and a batch of deletions; --requests: transactions alone; --polls: receives alone. The options
 * of libcurl are those that table-updater sets, and those that it would need for requests. Prints what it did and used,
 * as JSON. */
#include "floor_requests.h"

#include <ev.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 4096
#define FDS_MAX 8192
#define MESSAGES_A_TURN 10 /* then a receive and a deletion */

enum kind { TRANSACT, RECEIVE, DELETE, KINDS };

struct floor {
    const char *url, *samples, *ca_file;
    long connections, messages, requests, polls;
    struct floor_request kinds[KINDS];
    CURLU *parts; /* of the URL: taken apart once */
    struct ev_loop *loop;
    CURLM *multi;
    CURLSH *share;
    CURL *easy[CONNECTIONS_MAX];
    ev_timer timer;
    bool due; /* libcurl wants to be called at once */
    ev_io io[FDS_MAX];
    long wanted, started, finished, failed;
};

static size_t discard(char *data, size_t size, size_t n, void *user) {
    (void)data, (void)user;
    return size * n;
}

static int set_user_timeout(void *user, curl_socket_t fd, curlsocktype purpose) {
    (void)user, (void)purpose;
    unsigned limit = 10000;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof limit);
    return CURL_SOCKOPT_OK;
}

static CURLcode read_ahead(CURL *easy, void *context, void *user) {
    (void)easy, (void)user;
    SSL_CTX_set_read_ahead(context, 1);
    return CURLE_OK;
}

static enum kind kind_of(const struct floor *f, long number) {
    if (f->polls)
        return RECEIVE;
    if (f->requests)
        return TRANSACT;
    long turn = number % (MESSAGES_A_TURN + 2);
    return turn == 0 ? RECEIVE : turn == MESSAGES_A_TURN + 1 ? DELETE : TRANSACT;
}

static void start_next(struct floor *f, CURL *easy) {
    if (f->started == f->wanted)
        return;
    enum kind kind = kind_of(f, f->started++);
    const struct floor_request *r = &f->kinds[kind];
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, kind == RECEIVE ? 32768L : 4096L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, r->body.data);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, r->headers);
    if (curl_multi_add_handle(f->multi, easy) != CURLM_OK)
        abort();
}

static void collect(struct floor *f) {
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(f->multi, &left));) {
        CURL *easy = message->easy_handle;
        long status = 0;
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        f->failed += message->data.result != CURLE_OK || status != 200;
        f->finished++;
        curl_multi_remove_handle(f->multi, easy);
        start_next(f, easy);
    }
    if (f->finished == f->wanted)
        ev_break(f->loop, EVBREAK_ALL);
}

static void start_timer(struct floor *f, long milliseconds) {
    ev_timer_set(&f->timer, (double)milliseconds / 1000.0, 0.);
    ev_timer_start(f->loop, &f->timer);
}

/* What is due at once, the next request mostly, is done at once; but once only, since the other sockets have their turn
 * too. */
static void act(struct floor *f, int fd, int events) {
    int running;
    curl_multi_socket_action(f->multi, fd, events, &running);
    collect(f);
    if (f->due) {
        f->due = false;
        curl_multi_socket_action(f->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        collect(f);
    }
    if (f->due)
        start_timer(f, 0);
}

static void on_io(struct ev_loop *loop, ev_io *io, int events) {
    act(ev_userdata(loop), io->fd,
        (events & EV_READ ? CURL_CSELECT_IN : 0) | (events & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events) {
    (void)timer, (void)events;
    act(ev_userdata(loop), CURL_SOCKET_TIMEOUT, 0);
}

/* A watcher that stops and starts again with the same events before the loop looks costs no call of the system. */
static int watch(CURL *easy, curl_socket_t fd, int what, void *user, void *assigned) {
    (void)easy, (void)assigned;
    struct floor *f = user;
    if (fd >= FDS_MAX)
        abort();
    ev_io *io = &f->io[fd];
    ev_io_stop(f->loop, io);
    if (what == CURL_POLL_REMOVE)
        return 0;
    int events = (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0);
    if (io->fd != fd)
        ev_io_init(io, on_io, fd, events);
    else
        ev_io_modify(io, events);
    ev_io_start(f->loop, io);
    return 0;
}

static int close_socket(void *user, curl_socket_t fd) {
    struct floor *f = user;
    if (fd < FDS_MAX && !ev_is_active(&f->io[fd]))
        f->io[fd].fd = 0; /* the next socket with this number is another one */
    return close(fd);
}

static int set_timer(CURLM *multi, long milliseconds, void *user) {
    (void)multi;
    struct floor *f = user;
    ev_timer_stop(f->loop, &f->timer);
    f->due = milliseconds == 0;
    if (milliseconds > 0)
        start_timer(f, milliseconds);
    return 0;
}

static CURL *make_easy(struct floor *f) {
    CURL *e = curl_easy_init();
    bool ok = e && curl_easy_setopt(e, CURLOPT_CURLU, f->parts) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_POST, 1L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, discard) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, 16384L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_NOPROXY, "*") == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_TCP_KEEPIDLE, 15L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_TCP_KEEPINTVL, 5L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, set_user_timeout) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, close_socket) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, f) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_DNS_CACHE_TIMEOUT, 15L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, 86400L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, 30000L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, 5000L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_SHARE, f->share) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_CAPATH, NULL) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_CA_CACHE_TIMEOUT, 3600L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, read_ahead) == CURLE_OK &&
              (!f->ca_file || curl_easy_setopt(e, CURLOPT_CAINFO, f->ca_file) == CURLE_OK);
    if (!ok)
        abort();
    return e;
}

static void open_libcurl(struct floor *f) {
    f->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    f->multi = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_multi_init() : NULL;
    f->share = curl_share_init();
    f->parts = curl_url();
    if (!f->parts || curl_url_set(f->parts, CURLUPART_URL, f->url, CURLU_PATH_AS_IS) != CURLUE_OK || !f->loop ||
        !f->multi || !f->share ||
        curl_share_setopt(f->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK ||
        curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, watch) != CURLM_OK ||
        curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f) != CURLM_OK ||
        curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, set_timer) != CURLM_OK ||
        curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f) != CURLM_OK ||
        curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, f->connections) != CURLM_OK)
        abort();
    ev_set_userdata(f->loop, f);
    ev_timer_init(&f->timer, on_timer, 0., 0.);
}

static void close_libcurl(struct floor *f) {
    for (long i = 0; i < f->connections; i++) {
        curl_multi_remove_handle(f->multi, f->easy[i]);
        curl_easy_cleanup(f->easy[i]);
    }
    curl_multi_cleanup(f->multi);
    curl_share_cleanup(f->share);
    curl_url_cleanup(f->parts);
    ev_loop_destroy(f->loop);
    curl_global_cleanup();
}

static double seconds_now(void) {
    struct timespec t;
    return clock_gettime(CLOCK_MONOTONIC, &t) == 0 ? (double)t.tv_sec + (double)t.tv_nsec / 1e9 : 0;
}

static int run(struct floor *f) {
    static const char *const names[KINDS] = {"TransactWriteItems", "ReceiveMessage", "DeleteMessageBatch"};
    for (unsigned i = 0; i < KINDS; i++)
        if (!floor_request_read(&f->kinds[i], f->samples, names[i])) {
            (void)fprintf(stderr, "floor: no sample of %s in %s\n", names[i], f->samples);
            return 66;
        }
    long turns = f->messages / MESSAGES_A_TURN;
    f->wanted = f->polls ? f->polls : f->requests ? f->requests : turns * (MESSAGES_A_TURN + 2);
    open_libcurl(f);
    double began = seconds_now();
    for (long i = 0; i < f->connections; i++) {
        f->easy[i] = make_easy(f);
        start_next(f, f->easy[i]);
    }
    act(f, CURL_SOCKET_TIMEOUT, 0);
    ev_run(f->loop, 0);
    double seconds = seconds_now() - began;
    struct rusage use = {.ru_maxrss = 0};
    (void)getrusage(RUSAGE_SELF, &use);
    (void)printf("{\"requests\":%ld,\"failed\":%ld,\"seconds\":%.6f,\"user\":%ld.%06ld,\"system\":%ld.%06ld}\n",
                 f->finished, f->failed, seconds, (long)use.ru_utime.tv_sec, (long)use.ru_utime.tv_usec,
                 (long)use.ru_stime.tv_sec, (long)use.ru_stime.tv_usec);
    close_libcurl(f);
    for (unsigned i = 0; i < KINDS; i++)
        floor_request_free(&f->kinds[i]);
    return f->failed != 0;
}

int main(int argc, char **argv) {
    static const struct option names[] = {
        {"url", required_argument, NULL, 'u'},         {"samples", required_argument, NULL, 's'},
        {"connections", required_argument, NULL, 'c'}, {"messages", required_argument, NULL, 'm'},
        {"requests", required_argument, NULL, 'r'},    {"polls", required_argument, NULL, 'p'},
        {"ca-file", required_argument, NULL, 'a'},     {NULL, 0, NULL, 0}};
    static struct floor floor; /* too large for a stack */
    struct floor *f = &floor;
    for (int code; (code = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        long number = optarg ? strtol(optarg, NULL, 10) : 0;
        switch (code) {
        case 'u': f->url = optarg; break;
        case 's': f->samples = optarg; break;
        case 'a': f->ca_file = optarg; break;
        case 'c': f->connections = number; break;
        case 'm': f->messages = number; break;
        case 'r': f->requests = number; break;
        case 'p': f->polls = number; break;
        default: return 64;
        }
    }
    if (!f->url || !f->samples || f->connections < 1 || f->connections > CONNECTIONS_MAX ||
        f->messages + f->requests + f->polls < 1) {
        (void)fputs("usage: floor --url=URL --samples=FOLDER --connections=N (--messages=N | --requests=N | --polls=N) "
                    "[--ca-file=FILE]\n",
                    stderr);
        return 64;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    return run(f);
}
