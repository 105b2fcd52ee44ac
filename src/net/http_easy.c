/* One request on one libcurl handle: what is set, and what is kept of the response. */
#include "http_private.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_TIMEOUT (5 * MICROSECONDS)
#define FIRST_RESERVE_MAX ((curl_off_t)256 * 1024)
/* libcurl's own buffers, one of each for every request in flight, made anew for each. Most answers are shorter than this, and a TLS record is
 * no longer than that. */
#define RECEIVE_PIECE 4096L
#define LONG_RECEIVE_PIECE 32768L
#define SEND_PIECE 16384L
#define UNACKNOWLEDGED_MAX 10000U /* milliseconds until what we sent counts as lost, and the connection as dead */

/* A name's address is looked up again after so long, and no connection is older: together within 60 s of a move. The jitter keeps
 * connections that were opened at once from being opened anew at once. */
#define ADDRESS_LIFETIME 10L      /* seconds */
#define CONNECTION_LIFETIME 30L   /* seconds, and up to */
#define CONNECTION_JITTER 15      /* so many more */
#define IDLE_LIFETIME 25L         /* below the 30 s of servers that close early */
#define LIFETIME_WITHOUT_DNS 3600L

static int on_opened(void *user, curl_socket_t fd, curlsocktype purpose) {
    (void)purpose;
    struct http *http = user;
    http_connections_opened(&http->connections, fd);
    unsigned limit = UNACKNOWLEDGED_MAX;
    /* Only sooner knowledge of a dead peer: the timeouts hold without it. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof limit);
    return CURL_SOCKOPT_OK;
}

static int on_closing(void *user, curl_socket_t fd) {
    struct http *http = user;
    http_connections_closing(&http->connections, fd);
    return close(fd);
}

/* Whether the body may grow by n bytes; where not, why is noted for when libcurl gives up. */
static bool make_room(struct http_transfer *t, size_t n) {
    struct http *http = t->http;
    if (n > t->max_response - t->body.len) {
        t->error = HTTP_TOO_LARGE;
        return false;
    }
    size_t wanted = t->body.len + n;
    size_t others = http->stats.response_bytes - t->counted;
    if (wanted > t->body.capacity && (others > http->response_budget || wanted > http->response_budget - others)) {
        t->error = HTTP_OVER_BUDGET;
        return false;
    }
    if (!buf_reserve(&t->body, n)) {
        t->error = t->body.failure == BUF_FULL ? HTTP_TOO_LARGE : HTTP_NO_MEMORY;
        return false;
    }
    http->stats.response_bytes = others + t->body.capacity;
    t->counted = t->body.capacity;
    return true;
}

void http_easy_uncount(struct http_transfer *t) {
    t->http->stats.response_bytes -= t->counted;
    t->counted = 0;
}

static size_t take_body(char *data, size_t size, size_t count, void *user) {
    (void)size; /* always 1 */
    struct http_transfer *t = user;
    if (t->body.len == 0) {
        curl_off_t announced = -1;
        curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
        if (announced > 0 && (uint64_t)announced > t->max_response) {
            t->error = HTTP_TOO_LARGE;
            return 0;
        }
        if (announced > (curl_off_t)count) {
            /* Growing in steps would copy; but a server's word alone doesn't make us take a lot. */
            size_t first = (size_t)(announced < FIRST_RESERVE_MAX ? announced : FIRST_RESERVE_MAX);
            if (first > count && !make_room(t, first)) {
                return 0;
            }
        }
    }
    if (!make_room(t, count) || !buf_append(&t->body, data, count)) {
        return 0;
    }
    return count;
}

static size_t take_header(char *data, size_t size, size_t count, void *user) {
    (void)size; /* always 1 */
    struct http_transfer *t = user;
    if (!t->answered) {
        t->answered = clock_monotonic(&t->http->clock);
    }
    if (!http_headers_take(&t->headers, span_of(data, count))) {
        t->error = HTTP_BROKEN;
        return 0;
    }
    return count;
}

/* What holds for all requests and all services. */
static bool set_transport(CURL *easy, struct http *http) {
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK && /* the path was signed as it is */
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK && /* a name server that hangs must not hang us */
           curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 15L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 5L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_opened) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, http) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_closing) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, http) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_PIECE) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, SEND_PIECE) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, ADDRESS_LIFETIME) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, IDLE_LIFETIME) == CURLE_OK &&
           (!http->user_agent || curl_easy_setopt(easy, CURLOPT_USERAGENT, http->user_agent) == CURLE_OK);
}

/* The parsed certificates are shared between connections only where there is no directory of them; and where a file replaces the
 * system's certificates, their directory must not add to it. */
static bool drop_certificate_directory(CURL *easy, const struct http *http) {
    bool has_file = http->ca_file || curl_version_info(CURLVERSION_NOW)->cainfo;
    return !has_file || curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK;
}

/* OpenSSL's read-ahead stays off: it may take further records with the one that is read, and libcurl, which asks SSL_pending(), would not know
 * of them and wait for the socket for ever. */
static bool set_tls(CURL *easy, struct http *http) {
    return curl_easy_setopt(easy, CURLOPT_SHARE, http->share) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           drop_certificate_directory(easy, http) &&
           curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 3600L) == CURLE_OK &&
           (!http->ca_file || curl_easy_setopt(easy, CURLOPT_CAINFO, http->ca_file) == CURLE_OK);
}

CURL *http_easy_new(struct http_transfer *t) {
    CURL *easy = curl_easy_init();
    if (!easy) {
        return NULL;
    }
    if (set_transport(easy, t->http) && set_tls(easy, t->http) && curl_easy_setopt(easy, CURLOPT_PRIVATE, t) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->message) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK && curl_easy_setopt(easy, CURLOPT_WRITEDATA, t) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_HEADERDATA, t) == CURLE_OK && curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->lines) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK) {
        t->method = HTTP_POST;
        return easy;
    }
    curl_easy_cleanup(easy);
    return NULL;
}

/* libcurl's list type holds plain char pointers, but it only reads them. */
static void set_line(struct http_transfer *t, size_t i, const char *line) {
    union {
        const char *constant;
        char *plain;
    } text = {.constant = line};
    t->lines[i].data = text.plain;
    t->lines[i].next = &t->lines[i + 1];
}

static void set_lines(struct http_transfer *t, const struct http_request *request) {
    size_t n = 0;
    for (; n < request->header_count; n++) {
        set_line(t, n, request->headers[n]);
    }
    /* Not to be added by libcurl: a wait for 100 Continue on a large body, and a header that nobody needs. */
    set_line(t, n++, "Expect:");
    set_line(t, n++, "Accept:");
    t->lines[n - 1].next = NULL;
}

/* A handle was made for POST, and nearly always stays with it. */
static bool set_method(struct http_transfer *t, enum http_method method) {
    CURL *easy = t->easy;
    if (method == t->method) {
        return true;
    }
    bool set = method == HTTP_GET ? curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK : curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK;
    set = set && curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method == HTTP_PUT ? "PUT" : NULL) == CURLE_OK;
    if (set) {
        t->method = method;
    }
    return set;
}

static bool set_piece(struct http_transfer *t, bool long_answer) {
    if (long_answer != t->long_answer &&
        curl_easy_setopt(t->easy, CURLOPT_BUFFERSIZE, long_answer ? LONG_RECEIVE_PIECE : RECEIVE_PIECE) != CURLE_OK) {
        return false;
    }
    t->long_answer = long_answer;
    return true;
}

static bool set_body(CURL *easy, const struct http_request *request) {
    /* A GET has none; that it is one stays as it was set. */
    return request->method == HTTP_GET ||
           (curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.len ? request->body.data : "") == CURLE_OK &&
            curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len) == CURLE_OK);
}

static bool set_url(struct http_transfer *t, const char *text) {
    CURLU *url = http_urls_find(&t->http->urls, text);
    if (url && url == t->url) {
        return true;
    }
    t->url = NULL;
    if (curl_easy_setopt(t->easy, CURLOPT_CURLU, url) != CURLE_OK || curl_easy_setopt(t->easy, CURLOPT_URL, url ? NULL : text) != CURLE_OK) {
        return false;
    }
    t->url = url;
    return true;
}

/* While names can't be resolved, the connections that live are all we have. */
static bool set_reuse(struct http_transfer *t, const char *url) {
    struct http *http = t->http;
    t->host = http_hosts_find(&http->hosts, url);
    struct http_reuse reuse = http_host_reuse(t->host, clock_monotonic(&http->clock));
    long lifetime = reuse.ages ? CONNECTION_LIFETIME + (long)random_below(&http->random, CONNECTION_JITTER + 1) : LIFETIME_WITHOUT_DNS;
    return curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, reuse.fresh ? 1L : 0L) == CURLE_OK &&
           curl_easy_setopt(t->easy, CURLOPT_MAXLIFETIME_CONN, lifetime) == CURLE_OK;
}

/* Where there is no proxy, libcurl shall not look for one in the environment at each request. */
static bool set_proxy(struct http_transfer *t, bool direct) {
    direct = direct || !t->http->has_proxy;
    if (direct != t->direct && curl_easy_setopt(t->easy, CURLOPT_NOPROXY, direct ? "*" : NULL) != CURLE_OK) {
        return false;
    }
    t->direct = direct;
    return true;
}

static long milliseconds_up(int64_t microseconds) {
    int64_t ms = microseconds / MILLISECOND + (microseconds % MILLISECOND != 0);
    return ms < 1 ? 1 : ms > INT32_MAX ? INT32_MAX : (long)ms;
}

static void forget_response(struct http_transfer *t, size_t max_response) {
    t->error = HTTP_FINE;
    t->answered = 0;
    http_headers_reset(&t->headers);
    t->message[0] = '\0';
    buf_reset(&t->body);
    t->body.max = max_response;
    t->max_response = max_response;
}

bool http_easy_prepare(struct http_transfer *t, const struct http_request *request) {
    if (request->header_count > HTTP_HEADERS_MAX) {
        return false;
    }
    CURL *easy = t->easy;
    forget_response(t, request->max_response);
    set_lines(t, request);
    int64_t connect = request->connect_timeout ? request->connect_timeout : CONNECT_TIMEOUT;
    return set_url(t, request->url) && set_method(t, request->method) && set_body(easy, request) &&
           set_proxy(t, request->direct) && set_piece(t, request->long_answer) &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds_up(request->timeout)) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds_up(connect)) == CURLE_OK && set_reuse(t, request->url);
}

bool http_easy_was_connected(const struct http_transfer *t) {
    curl_off_t ready = 0;
    return curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &ready) == CURLE_OK && ready > 0;
}

enum http_error http_easy_error(const struct http_transfer *t, CURLcode code) {
    if (t->error != HTTP_FINE) {
        return t->error;
    }
    switch (code) {
    case CURLE_OK:
        return HTTP_FINE;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
    case CURLE_SSL_CONNECT_ERROR:
        return HTTP_UNREACHABLE;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return HTTP_UNTRUSTED;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_TIMED_OUT;
    case CURLE_OUT_OF_MEMORY:
        return HTTP_NO_MEMORY;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_FUNCTION_ARGUMENT:
        return http_easy_was_connected(t) ? HTTP_BROKEN : HTTP_REFUSED;
    default:
        return HTTP_BROKEN;
    }
}
