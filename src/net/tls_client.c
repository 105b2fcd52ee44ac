#include "tls_client.h"

#include "trust.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRUST_LIFETIME (3600 * MICROSECONDS) /* until the certificates are read again */

/* As many as connections are opened at once, and again: a server that sends one for each that it took goes on so. */
#define SESSIONS_MAX 32

struct tls_peer {
    struct tls_peer *next;
    SSL_SESSION *sessions[SESSIONS_MAX]; /* the newest last */
    size_t session_count;
    const char *origin; /* behind the name */
    bool is_address;
    char name[]; /* of the host, as certificates have it: no brackets, no final dot */
};

void tls_client_init(struct tls_client *client, struct clock clock, const char *trusted, bool is_directory) {
    *client =
        (struct tls_client){.clock = clock, .trusted = trusted, .is_directory = is_directory, .trust_read_at = NEVER};
}

static void forget_sessions(struct tls_client *client) {
    for (struct tls_peer *peer = client->peers; peer; peer = peer->next) {
        while (peer->session_count) {
            SSL_SESSION_free(peer->sessions[--peer->session_count]);
        }
    }
}

void tls_client_free(struct tls_client *client) {
    forget_sessions(client);
    while (client->peers) {
        struct tls_peer *peer = client->peers;
        client->peers = peer->next;
        free(peer);
    }
    SSL_CTX_free(client->ctx);
    client->ctx = NULL;
}

/* The host in "https://host:port/". */
static struct span host_of(const char *origin) {
    const char *host = strstr(origin, "://") + 3, *end = strrchr(host, ':');
    if (*host == '[') {
        return span_of(host + 1, strcspn(host + 1, "]%")); /* certificates know nothing of an address's zone */
    }
    size_t len = (size_t)(end - host);
    return span_of(host, len > 1 && host[len - 1] == '.' ? len - 1 : len);
}

struct tls_peer *tls_client_peer(struct tls_client *client, const char *origin) {
    struct tls_peer *peer = client->peers;
    while (peer && strcmp(peer->origin, origin) != 0) {
        peer = peer->next;
    }
    if (peer) {
        return peer;
    }
    struct span host = host_of(origin);
    size_t size = strlen(origin) + 1;
    peer = calloc(1, sizeof *peer + host.len + 1 + size);
    if (peer) {
        struct in6_addr address;
        memcpy(peer->name, host.data, host.len);
        memcpy(peer->name + host.len + 1, origin, size);
        peer->origin = peer->name + host.len + 1;
        peer->is_address =
            inet_pton(AF_INET, peer->name, &address) == 1 || inet_pton(AF_INET6, peer->name, &address) == 1;
        peer->next = client->peers;
        client->peers = peer;
    }
    return peer;
}

/* A server sends its sessions behind the handshake, and may send others later. */
static int on_session(SSL *tls, SSL_SESSION *session) {
    struct tls_peer *peer = SSL_get_app_data(tls);
    if (peer->session_count == SESSIONS_MAX) {
        SSL_SESSION_free(peer->sessions[0]);
        memmove(peer->sessions, peer->sessions + 1, --peer->session_count * sizeof(SSL_SESSION *));
    }
    peer->sessions[peer->session_count++] = session;
    return 1; /* we keep it */
}

/* Resumes the newest session. Those of TLS 1.3 are for one connection each (RFC 8446, C.4). If it can't be resumed, the
 * handshake is a whole one. */
static void resume(SSL *tls, struct tls_peer *peer) {
    if (peer->session_count) {
        SSL_SESSION *session = peer->sessions[peer->session_count - 1];
        (void)SSL_set_session(tls, session);
        if (SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION) {
            SSL_SESSION_free(session);
            peer->session_count--;
        }
    }
}

/* What could not be sent at once is sent again from another address. With read-ahead, OpenSSL reads a record in one
 * piece together with what came after it, instead of its head first: whether there is more must then be asked of it. Of
 * a connection that nobody uses it keeps no buffers. Renegotiation (TLS 1.2) would let a server make us work for
 * nothing. HTTP knows itself where an answer ends, so that a server may hang up without a word. */
static SSL_CTX *context_new(void) {
    static const unsigned char protocols[] = "\x08http/1.1";
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_alpn_protos(ctx, protocols, sizeof protocols - 1) != 0) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ctx, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, on_session);
    return ctx;
}

/* Once the certificates are read anew, no session goes on that those before have vouched for. */
enum http_error tls_client_read_trust(struct tls_client *client, char *ret_why, size_t size) {
    int64_t now = clock_monotonic(&client->clock);
    if (client->trust_read_at != NEVER && now - client->trust_read_at < TRUST_LIFETIME) {
        return HTTP_FINE;
    }
    client->ctx = client->ctx ? client->ctx : context_new();
    if (!client->ctx) {
        (void)snprintf(ret_why, size, "out of memory");
        ERR_clear_error();
        return HTTP_NO_MEMORY;
    }
    forget_sessions(client);
    client->trust_read_at = NEVER;
    X509_STORE *store = trust_read(client->trusted, client->is_directory, ret_why, size);
    if (!store) {
        return HTTP_UNTRUSTED;
    }
    SSL_CTX_set_cert_store(client->ctx, store);
    client->trust_read_at = now;
    return HTTP_FINE;
}

static bool expect(SSL *tls, struct tls_peer *peer) {
    X509_VERIFY_PARAM *of_peer = SSL_get0_param(tls);
    SSL_set_app_data(tls, peer);
    SSL_set_hostflags(tls, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return (peer->is_address ? X509_VERIFY_PARAM_set1_ip_asc(of_peer, peer->name) == 1
                             : SSL_set1_host(tls, peer->name) == 1 && SSL_set_tlsext_host_name(tls, peer->name) == 1);
}

SSL *tls_client_begin(struct tls_client *client, struct tls_peer *peer, int fd, enum http_error *ret_error,
                      char *ret_why, size_t size) {
    ERR_clear_error();
    *ret_error = tls_client_read_trust(client, ret_why, size);
    if (*ret_error != HTTP_FINE) {
        return NULL;
    }
    SSL *tls = SSL_new(client->ctx);
    BIO *socket = BIO_new_socket(fd, BIO_NOCLOSE);
    if (!tls || !socket || !expect(tls, peer)) {
        BIO_free(socket);
        SSL_free(tls);
        ERR_clear_error();
        *ret_error = HTTP_NO_MEMORY;
        return NULL;
    }
    resume(tls, peer);
    SSL_set_bio(tls, socket, socket);
    SSL_set_connect_state(tls);
    return tls;
}

/* What a handshake failed of. */
static enum http_error judge(SSL *tls, int cause, unsigned long error, char *ret_why, size_t size) {
    const char *reason = ERR_reason_error_string(error);
    long verdict = SSL_get_verify_result(tls);
    if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE || verdict == X509_V_ERR_OUT_OF_MEM) {
        return HTTP_NO_MEMORY;
    }
    if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        const struct tls_peer *peer = SSL_get_app_data(tls);
        (void)snprintf(ret_why, size, "SSL certificate problem: %s, it isn't %.100s's",
                       X509_verify_cert_error_string(verdict), peer->name);
        return HTTP_UNTRUSTED;
    }
    if (verdict != X509_V_OK) {
        (void)snprintf(ret_why, size, "SSL certificate problem: %s", X509_verify_cert_error_string(verdict));
        return HTTP_UNTRUSTED;
    }
    (void)snprintf(ret_why, size, "TLS handshake: %s",
                   error        ? reason ? reason : "failed"
                   : cause != 0 ? strerror(cause)
                                : "the server closed the connection");
    return HTTP_UNREACHABLE;
}

enum tls_step tls_client_shake_hands(SSL *tls, enum http_error *ret_error, char *ret_why, size_t size) {
    ERR_clear_error(); /* SSL_get_error() would take an older error in the queue for this call's */
    errno = 0;
    int result = SSL_do_handshake(tls), cause = errno;
    if (result == 1) {
        return TLS_IS_OPEN;
    }
    switch (SSL_get_error(tls, result)) {
    case SSL_ERROR_WANT_READ: return TLS_WAITS_TO_READ;
    case SSL_ERROR_WANT_WRITE: return TLS_WAITS_TO_WRITE;
    default: break;
    }
    *ret_error = judge(tls, cause, ERR_peek_last_error(), ret_why, size);
    ERR_clear_error();
    return TLS_FAILED;
}
