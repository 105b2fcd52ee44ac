/* Which certificates TLS connections trust. */
#pragma once

#include "compiler.h"

#include <openssl/x509_vfy.h>
#include <stddef.h>

/* The certificates (PEM) of a file; path NULL: those of the system's directory. If a file holds nothing else, each is
 * decoded only when it is needed. NULL: ret_why (of size bytes) says why. */
MUST_USE X509_STORE *trust_read(const char *path, char *ret_why, size_t size);
