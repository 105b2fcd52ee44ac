/* TLS as a client: what all its connections share, which is whom they trust and how they speak; and for each server the
 * session that the next connection to it resumes. One context serves all: to make one costs as much as a handshake. */
#pragma once

#include "clock.h"
#include "compiler.h"
#include "http.h"

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_peer; /* a server, as long as the client lives */

struct tls_client {
    struct clock clock;
    const char *trusted;
    bool is_directory;
    SSL_CTX *ctx; /* NULL: not made yet */
    int64_t trust_read_at; /* monotonic; NEVER: it wasn't, or can't be read */
    struct tls_peer *peers;
};

/* trusted: a file or directory (trust.h) of certificates, which must outlive the client. It is read when it is first
 * needed, and every hour. */
void tls_client_init(struct tls_client *client, struct clock clock, const char *trusted, bool is_directory);
/* Takes a zeroed one too. */
void tls_client_free(struct tls_client *client);

/* Reads whom to trust, unless that was done in the last hour. Otherwise than HTTP_FINE: ret_why (of size bytes) says
 * why. */
MUST_USE enum http_error tls_client_read_trust(struct tls_client *client, char *ret_why, size_t size);

/* By struct url's origin, of https. NULL: no memory. */
MUST_USE struct tls_peer *tls_client_peer(struct tls_client *client, const char *origin);

/* The connection's end of TLS over a socket, before its handshake. The caller frees it, and closes the socket
 * afterwards. NULL: *ret_error and ret_why (of size bytes) say why. */
MUST_USE SSL *tls_client_begin(struct tls_client *client, struct tls_peer *peer, int fd, enum http_error *ret_error,
                               char *ret_why, size_t size);

enum tls_step { TLS_IS_OPEN, TLS_WAITS_TO_READ, TLS_WAITS_TO_WRITE, TLS_FAILED };
/* Goes on with the handshake. On TLS_FAILED, *ret_error and ret_why say why. */
MUST_USE enum tls_step tls_client_shake_hands(SSL *tls, enum http_error *ret_error, char *ret_why, size_t size);
