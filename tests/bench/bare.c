/* What requests cost over connections that libcurl opened, where nothing but their bytes goes over them: the floor
 * under table-updater's own way.
 *
 *   bare --url=URL --samples=FOLDER --connections=N (--messages=N | --requests=N) [--ca-file=FILE]
 *
 * The same requests as floor's (floor.c), sent by curl_easy_send(); of an answer its status and its length are read.
 * Prints what it did as JSON. */
#include "floor_requests.h"

#include <ev.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MESSAGES_A_TURN 10 /* then a receive and a deletion */
#define GROUP_SIZE 64 /* connections of a multi handle, which libcurl looks through at each call */
#define SEND_PIECE ((size_t)16 * 1024)
#define ANSWER_MAX ((size_t)2 * 1024 * 1024) /* touched only as far as answers go */

enum kind { TRANSACT, RECEIVE, DELETE, KINDS };

struct bare;

struct connection {
    ev_io io; /* first */
    struct bare *bare;
    CURL *easy;
    char *answer;
    size_t len;
};

struct bare {
    const char *url, *samples, *ca_file;
    long connections, messages, requests, wanted, started, finished, failed;
    struct buf kinds[KINDS];
    struct ev_loop *loop;
    CURLSH *share;
};

static enum kind kind_of(const struct bare *b, long number) {
    long turn = number % (MESSAGES_A_TURN + 2);
    return b->requests ? TRANSACT : turn == 0 ? RECEIVE : turn == MESSAGES_A_TURN + 1 ? DELETE : TRANSACT;
}

/* As table-updater does, and only where that saves packets. */
static void hold(struct connection *c, const struct buf *request, int holds) {
    if (request->len > SEND_PIECE)
        (void)setsockopt(c->io.fd, IPPROTO_TCP, TCP_CORK, &holds, sizeof holds);
}

static void send_next(struct connection *c) {
    struct bare *b = c->bare;
    if (b->started == b->wanted)
        return;
    const struct buf *request = &b->kinds[kind_of(b, b->started++)];
    size_t sent = 0;
    c->len = 0;
    hold(c, request, 1);
    if (curl_easy_send(c->easy, request->data, request->len, &sent) != CURLE_OK || sent != request->len)
        abort();
    hold(c, request, 0);
}

/* Whether the answer is there, all of it. */
static bool is_whole(const struct connection *c) {
    const char *end = strstr(c->answer, "\r\n\r\n"), *length = strcasestr(c->answer, "\r\ncontent-length:");
    return end && length && (size_t)(end + 4 - c->answer) + strtoul(length + 17, NULL, 10) <= c->len;
}

static void on_io(struct ev_loop *loop, ev_io *io, int events) {
    (void)events;
    struct connection *c = (struct connection *)(void *)io;
    struct bare *b = c->bare;
    size_t n = 0;
    CURLcode code = curl_easy_recv(c->easy, c->answer + c->len, ANSWER_MAX - c->len, &n);
    if (code == CURLE_AGAIN)
        return;
    if (code != CURLE_OK || n == 0)
        abort();
    c->len += n;
    c->answer[c->len] = '\0';
    if (!is_whole(c))
        return;
    b->failed += strncmp(c->answer, "HTTP/1.1 200 ", 13) != 0;
    if (++b->finished == b->wanted)
        ev_break(loop, EVBREAK_ALL);
    send_next(c);
}

static void open_one(struct bare *b, struct connection *c, CURLM *multi) {
    c->bare = b;
    c->answer = malloc(ANSWER_MAX + 1);
    CURL *e = c->easy = curl_easy_init();
    bool ok = c->answer && e && curl_easy_setopt(e, CURLOPT_URL, b->url) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_NOPROXY, "*") == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_BUFFERSIZE, 32768L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_SHARE, b->share) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_CAPATH, NULL) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_CA_CACHE_TIMEOUT, 3600L) == CURLE_OK &&
              curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
              (!b->ca_file || curl_easy_setopt(e, CURLOPT_CAINFO, b->ca_file) == CURLE_OK) &&
              curl_multi_add_handle(multi, e) == CURLM_OK;
    int running = 1, left;
    while (ok && running)
        ok = curl_multi_perform(multi, &running) == CURLM_OK &&
             (!running || curl_multi_poll(multi, NULL, 0, 100, NULL) == CURLM_OK);
    const CURLMsg *message = ok ? curl_multi_info_read(multi, &left) : NULL;
    curl_socket_t fd = CURL_SOCKET_BAD;
    if (!message || message->data.result != CURLE_OK || curl_easy_getinfo(e, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK)
        abort();
    ev_io_init(&c->io, on_io, fd, EV_READ);
    ev_io_start(b->loop, &c->io);
}

/* The connections are left to the end of the process. */
static int run(struct bare *b) {
    static const char *const names[KINDS] = {"TransactWriteItems", "ReceiveMessage", "DeleteMessageBatch"};
    for (unsigned i = 0; i < KINDS; i++)
        if (!floor_request_bytes(&b->kinds[i], b->samples, names[i])) {
            (void)fprintf(stderr, "bare: no sample of %s in %s\n", names[i], b->samples);
            return 66;
        }
    b->wanted = b->requests ? b->requests : b->messages / MESSAGES_A_TURN * (MESSAGES_A_TURN + 2);
    b->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    b->share = curl_share_init();
    struct connection *all = calloc((size_t)b->connections, sizeof *all);
    if (!b->loop || !b->share || !all ||
        curl_share_setopt(b->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK)
        abort();
    CURLM *multi = NULL;
    for (long i = 0; i < b->connections; i++) {
        if (i % GROUP_SIZE == 0)
            multi = curl_multi_init();
        open_one(b, &all[i], multi);
    }
    for (long i = 0; i < b->connections; i++)
        send_next(&all[i]);
    ev_run(b->loop, 0);
    (void)printf("{\"requests\":%ld,\"failed\":%ld}\n", b->finished, b->failed);
    return b->failed != 0;
}

int main(int argc, char **argv) {
    static const struct option names[] = {{"url", required_argument, NULL, 'u'},
                                          {"samples", required_argument, NULL, 's'},
                                          {"connections", required_argument, NULL, 'c'},
                                          {"messages", required_argument, NULL, 'm'},
                                          {"requests", required_argument, NULL, 'r'},
                                          {"ca-file", required_argument, NULL, 'a'},
                                          {NULL, 0, NULL, 0}};
    struct bare b = {0};
    for (int code; (code = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        long number = optarg ? strtol(optarg, NULL, 10) : 0;
        switch (code) {
        case 'u': b.url = optarg; break;
        case 's': b.samples = optarg; break;
        case 'a': b.ca_file = optarg; break;
        case 'c': b.connections = number; break;
        case 'm': b.messages = number; break;
        case 'r': b.requests = number; break;
        default: return 64;
        }
    }
    if (!b.url || !b.samples || b.connections < 1 || b.messages + b.requests < 1) {
        (void)fputs(
            "usage: bare --url=URL --samples=FOLDER --connections=N (--messages=N | --requests=N) [--ca-file=FILE]\n",
            stderr);
        return 64;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? run(&b) : 70;
}
