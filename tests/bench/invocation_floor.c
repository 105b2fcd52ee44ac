/* What an invocation of the function costs where nothing is computed: the floor under a warm update's CPU.
 *
 *   invocation_floor SAMPLE
 *
 * Run as a custom runtime (AWS_LAMBDA_RUNTIME_API), with AWS_ENDPOINT_URL and AWS_CA_BUNDLE. For each invocation it
 * sends SAMPLE, a request to DynamoDB as the sink keeps one, over TLS, then its answer: three requests, with a wait for
 * each response, as table-updater has them. Of a response it reads the status, and of an invocation the id. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROOM ((size_t)16 << 10)
#define ANSWER "{\"success\":true}"

static const char NEXT[] = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n";

struct line {
    int fd, epoll; /* the socket waits in an epoll of its own */
    SSL *tls; /* NULL: plain */
    char in[ROOM];
};

static void fail(const char *what) {
    (void)fprintf(stderr, "invocation_floor: %s\n", what);
    exit(1);
}

/* address is IPv4:PORT, and may go on behind it. */
static void open_line(struct line *line, const char *address) {
    char host[INET_ADDRSTRLEN] = "";
    const char *colon = strchr(address, ':');
    struct sockaddr_in to = {.sin_family = AF_INET};
    if (!colon || (size_t)(colon - address) >= sizeof host)
        fail("an address isn't IPv4:PORT");
    memcpy(host, address, (size_t)(colon - address));
    to.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    struct epoll_event event = {.events = EPOLLIN};
    int on = 1;
    line->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    line->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (inet_pton(AF_INET, host, &to.sin_addr) != 1 || line->fd < 0 || line->epoll < 0 ||
        connect(line->fd, (struct sockaddr *)&to, sizeof to) != 0 ||
        setsockopt(line->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        epoll_ctl(line->epoll, EPOLL_CTL_ADD, line->fd, &event) != 0)
        fail("no connection");
}

static void secure(struct line *line, const char *ca_file) {
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx || SSL_CTX_load_verify_locations(ctx, ca_file, NULL) != 1)
        fail("no certificates");
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_read_ahead(ctx, 1);
    line->tls = SSL_new(ctx);
    if (!line->tls || SSL_set_fd(line->tls, line->fd) != 1 || SSL_connect(line->tls) != 1)
        fail("no TLS");
}

/* Sends a request, waits, and reads the response, which comes in one piece. */
static void exchange(struct line *line, const char *request, size_t len) {
    struct epoll_event event;
    ssize_t sent = line->tls ? SSL_write(line->tls, request, (int)len) : send(line->fd, request, len, MSG_NOSIGNAL);
    if (sent != (ssize_t)len || epoll_wait(line->epoll, &event, 1, -1) != 1)
        fail("not sent");
    ssize_t got = line->tls ? SSL_read(line->tls, line->in, (int)ROOM - 1) : recv(line->fd, line->in, ROOM - 1, 0);
    if (got <= 0)
        exit(0); /* the emulator has ended */
    line->in[got] = '\0';
    if (strncmp(line->in, "HTTP/1.1 20", 11) != 0)
        fail(line->in);
}

/* The number of an answer's bytes. */
static size_t answer_to(const char *invocation, char *out) {
    static const char name[] = "Lambda-Runtime-Aws-Request-Id: ";
    const char *id = strstr(invocation, name);
    if (!id)
        fail("an invocation without an id");
    id += sizeof name - 1;
    int len = snprintf(out, ROOM,
                       "POST /2018-06-01/runtime/invocation/%.*s/response HTTP/1.1\r\nHost: runtime\r\n"
                       "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n" ANSWER,
                       (int)strcspn(id, "\r"), id, sizeof ANSWER - 1);
    return (size_t)len;
}

int main(int argc, char **argv) {
    static struct line runtime, database;
    static char sample[ROOM], answer[ROOM];
    const char *api = getenv("AWS_LAMBDA_RUNTIME_API"), *endpoint = getenv("AWS_ENDPOINT_URL");
    const char *ca_file = getenv("AWS_CA_BUNDLE");
    FILE *file = argc == 2 ? fopen(argv[1], "re") : NULL;
    size_t sample_len = file ? fread(sample, 1, sizeof sample, file) : 0;
    if (!api || !endpoint || strncmp(endpoint, "https://", 8) != 0 || !ca_file || sample_len == 0)
        fail("it takes a sample, and the environment of a function");
    (void)fclose(file);
    open_line(&runtime, api);
    open_line(&database, endpoint + 8);
    secure(&database, ca_file);
    while (true) {
        exchange(&runtime, NEXT, sizeof NEXT - 1);
        size_t answer_len = answer_to(runtime.in, answer);
        exchange(&database, sample, sample_len);
        exchange(&runtime, answer, answer_len);
    }
}
