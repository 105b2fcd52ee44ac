/* Which certificates TLS connections trust. */
#pragma once

#include "compiler.h"

#include <openssl/x509_vfy.h>
#include <stdbool.h>
#include <stddef.h>

/* The certificates (PEM) of a file, or of a directory whose files are named by OpenSSL's hashes: they are looked for
 * there as they are needed. If a file holds nothing else, each is decoded only when it is needed. NULL: ret_why (of
 * size bytes) says why. */
MUST_USE X509_STORE *trust_read(const char *path, bool is_directory, char *ret_why, size_t size);
