/* A server's side of TLS. */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>

/* chain: with three certificates in place of one. ca_file: where the certificate is written that clients have to trust;
 * NULL: nowhere. NULL: it failed, and said why. */
SSL_CTX *sink_tls_new(bool chain, const char *ca_file);
