/* Whom TLS connections trust. */
#pragma once

#include "compiler.h"

#include <openssl/x509_vfy.h>
#include <stddef.h>

/* The certificates (PEM) of a file, each decoded once it is looked for, where there is nothing else in the file. NULL:
 * *ret_why (of size bytes) says why. */
MUST_USE X509_STORE *trust_read(const char *path, char *ret_why, size_t size);
