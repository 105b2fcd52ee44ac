/* A server's side of TLS, with a certificate made on the spot for 127.0.0.1 and localhost, which is its own authority.
 */
#pragma once

#include <openssl/ssl.h>

/* ca_file: where the certificate is written for clients to trust; NULL: nowhere. NULL: it failed, and said why. */
SSL_CTX *sink_tls_new(const char *ca_file);
