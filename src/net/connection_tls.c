/* TLS over an open connection, by OpenSSL alone. With curl_easy_send() and curl_easy_recv() each byte goes from libcurl
 * to OpenSSL, back into libcurl and on to the socket: that is an eighth of all that a message costs. */
#include "connection_private.h"

#include <errno.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

/* Makes OpenSSL read and write the socket itself. Not before libcurl has received the first answer: it keeps the
 * sessions that came with it for the next connections. Sessions that come later would call libcurl while it isn't
 * expecting it, so that callback is removed. Without memory, or with a proxy, libcurl stays in between. */
void connection_tls_take(struct connection *c) {
    if (!c->tls || !c->is_direct || c->tls_is_ours) {
        return;
    }
    BIO *socket = BIO_new_socket(c->io.fd, BIO_NOCLOSE);
    if (!socket) {
        ERR_clear_error();
        return;
    }
    SSL_CTX_sess_set_new_cb(SSL_get_SSL_CTX(c->tls), NULL); /* the context is this connection's own */
    SSL_set_options(c->tls, SSL_OP_IGNORE_UNEXPECTED_EOF); /* as with libcurl: see connection.h */
    SSL_set_bio(c->tls, socket, socket);
    c->tls_is_ours = true;
}

/* What it means that a call moved nothing. */
static CURLcode verdict(struct connection *c, int result, CURLcode failure) {
    int why = SSL_get_error(c->tls, result), cause = errno;
    unsigned long error = ERR_peek_error();
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        return CURLE_AGAIN;
    }
    const char *doing = failure == CURLE_SEND_ERROR ? "Send" : "Recv", *reason = ERR_reason_error_string(error);
    if (why == SSL_ERROR_SYSCALL && cause != 0) {
        (void)snprintf(c->message, sizeof c->message, "%s failure: %s", doing, strerror(cause));
    } else {
        (void)snprintf(c->message, sizeof c->message, "%s failure: %s", doing, reason ? reason : "TLS was broken off");
    }
    ERR_clear_error();
    return failure;
}

CURLcode connection_tls_send(struct connection *c, struct span data, size_t *ret_sent) {
    ERR_clear_error(); /* SSL_get_error() would take an older error in the queue for this call's */
    errno = 0;
    int sent = SSL_write(c->tls, data.data, data.len < INT_MAX ? (int)data.len : INT_MAX);
    if (sent <= 0) {
        return verdict(c, sent, CURLE_SEND_ERROR);
    }
    *ret_sent = (size_t)sent;
    return CURLE_OK;
}

CURLcode connection_tls_receive(struct connection *c, char *to, size_t size, size_t *ret_received) {
    ERR_clear_error();
    errno = 0;
    int received = SSL_read(c->tls, to, size < INT_MAX ? (int)size : INT_MAX);
    if (received > 0) {
        *ret_received = (size_t)received;
        return CURLE_OK;
    }
    return SSL_get_error(c->tls, received) == SSL_ERROR_ZERO_RETURN ? CURLE_OK : verdict(c, received, CURLE_RECV_ERROR);
}
