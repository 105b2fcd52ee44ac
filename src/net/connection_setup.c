/* How libcurl is set up to open a connection, and what it means by an error. */
#include "connection_private.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define UNACKNOWLEDGED_MAX 10000U /* milliseconds until unacknowledged bytes count as lost, the connection as dead */
#define ADDRESS_LIFETIME 10L /* seconds until a name's address is looked up again */
#define NEVER_TOO_OLD (10L * 365 * 24 * 3600) /* seconds: libcurl closes no connection for its age; the pool does */
/* How much libcurl reads from a proxy at once: a whole TLS record, so that none is left behind in OpenSSL. */
#define READ_PIECE (32L * 1024)

/* The environment variables that libcurl takes a proxy from. */
static const char *const PROXY_VARIABLES[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};

bool connection_environment_has_proxy(void) {
    for (size_t i = 0; i < ARRAY_LENGTH(PROXY_VARIABLES); i++) {
        if (getenv(PROXY_VARIABLES[i])) {
            return true;
        }
    }
    return false;
}

static int on_opened(void *user, curl_socket_t fd, curlsocktype purpose) {
    (void)user, (void)purpose;
    unsigned limit = UNACKNOWLEDGED_MAX;
    /* It only makes a dead peer known sooner: the timeouts hold without it. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof limit);
    return CURL_SOCKOPT_OK;
}

/* A connection that goes on without libcurl keeps its socket. */
static int on_close(void *user, curl_socket_t fd) {
    struct connector *connector = user;
    if (fd == connector->kept) {
        connector->kept = CURL_SOCKET_BAD;
        return 0;
    }
    return close(fd);
}

/* What could not be sent at once is sent again from another address. Renegotiation (TLS 1.2) would let a server make us
 * work for nothing. */
static CURLcode on_tls(CURL *easy, void *ssl_ctx, void *user) {
    (void)easy, (void)user;
    SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(ssl_ctx, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return CURLE_OK;
}

/* A connection has no content of its own. A proxy's text with its refusal is of no use to anybody. */
static size_t drop(char *data, size_t size, size_t count, void *user) {
    (void)data, (void)user;
    return size * count;
}

static bool set_transport(CURL *easy, struct connector *connector) {
    return curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK && /* a hanging name server must not block us */
           curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 15L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 5L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_opened) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, connector) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SHARE, connector->share) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, READ_PIECE) == CURLE_OK && /* the most it reads at once */
           curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, ADDRESS_LIFETIME) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, NEVER_TOO_OLD) == CURLE_OK;
}

/* libcurl shares its parsed certificates between connections only if there is no directory of them; and if a file
 * replaces the system's certificates, the system's directory must not add to it. */
static bool set_trust(const struct connection *c) {
    const char *file = c->connector->ca_file;
    return !file || (curl_easy_setopt(c->easy, CURLOPT_CAINFO, file) == CURLE_OK &&
                     curl_easy_setopt(c->easy, CURLOPT_CAPATH, NULL) == CURLE_OK);
}

/* Through a proxy everything goes in a tunnel: what is sent is for the service alone. There may be two layers of TLS,
 * which libcurl knows to stack: it speaks both. */
static bool set_proxy(struct connection *c) {
    CURL *easy = c->easy;
    const char *user_agent = c->connector->user_agent;
    return curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L) == CURLE_OK &&
           (!user_agent || curl_easy_setopt(easy, CURLOPT_USERAGENT, user_agent) == CURLE_OK) &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK && set_trust(c) &&
           curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 3600L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls) == CURLE_OK;
}

/* "http://host:port/", whichever it is: without a proxy, libcurl opens the socket and no more. */
static bool set_url(const struct connection *c, const char *origin) {
    char plain[2048];
    if (!c->peer) {
        return curl_easy_setopt(c->easy, CURLOPT_URL, origin) == CURLE_OK;
    }
    int len = snprintf(plain, sizeof plain, "http%s", origin + sizeof "https" - 1);
    return len > 0 && (size_t)len < sizeof plain && curl_easy_setopt(c->easy, CURLOPT_URL, plain) == CURLE_OK;
}

static long milliseconds_up(int64_t microseconds) {
    int64_t ms = microseconds / MILLISECOND + (microseconds % MILLISECOND != 0);
    return ms < 1 ? 1 : ms > INT32_MAX ? INT32_MAX : (long)ms;
}

bool connection_set_up(struct connection *c, const char *origin, int64_t timeout) {
    return set_transport(c->easy, c->connector) &&
           (c->is_direct ? curl_easy_setopt(c->easy, CURLOPT_NOPROXY, "*") == CURLE_OK : set_proxy(c)) &&
           set_url(c, origin) &&
           curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds_up(timeout)) == CURLE_OK &&
           curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->message) == CURLE_OK &&
           curl_easy_setopt(c->easy, CURLOPT_PRIVATE, c) == CURLE_OK;
}

enum http_error connection_error(CURLcode code) {
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
    case CURLE_SSL_CONNECT_ERROR: return HTTP_UNREACHABLE;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_INVALIDCERTSTATUS: return HTTP_UNTRUSTED;
    case CURLE_OPERATION_TIMEDOUT: return HTTP_TIMED_OUT;
    case CURLE_OUT_OF_MEMORY: return HTTP_NO_MEMORY;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_FUNCTION_ARGUMENT: return HTTP_REFUSED;
    default: return HTTP_BROKEN;
    }
}

/* If a proxy's user or password has one of these characters unencoded, libcurl takes the part before it for the host.
 * Its message about that host then contains a part of a secret. */
static bool proxy_is_torn(void) {
    for (size_t i = 0; i < ARRAY_LENGTH(PROXY_VARIABLES); i++) {
        const char *value = getenv(PROXY_VARIABLES[i]), *at = value ? strrchr(value, '@') : NULL;
        const char *scheme = at ? strstr(value, "://") : NULL, *user = scheme && scheme < at ? scheme + 3 : value;
        if (at && strcspn(user, "/?#") < (size_t)(at - user)) {
            return true;
        }
    }
    return false;
}

const char *connection_words(const struct connection *c, CURLcode code) {
    /* libcurl quotes the proxy's URL as it is. Any text with an @ may contain that URL. */
    if (strncmp(c->message, "Unsupported proxy", sizeof "Unsupported proxy" - 1) == 0) {
        return "The proxy variable (https_proxy, http_proxy or all_proxy) holds no URL that can be used";
    }
    if (!c->is_direct && proxy_is_torn()) {
        return "The proxy variable (https_proxy, http_proxy or all_proxy) has a character in its user or password that "
               "has to "
               "be percent-encoded: / is %2F, ? is %3F, # is %23";
    }
    return c->message[0] && !strchr(c->message, '@') ? c->message : curl_easy_strerror(code);
}
