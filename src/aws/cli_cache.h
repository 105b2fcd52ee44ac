/* The files where the AWS CLI keeps what it got when somebody logged in. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "environment.h"
#include "span.h"
#include "token_file.h"

#include <openssl/evp.h>
#include <stdbool.h>

#define CLI_CACHE_PATH_SIZE 4096
#define CLI_CACHE_FILE_MAX ((size_t)64 * 1024)

/* The path of a key's file: folder, then the key's digest in hex, then .json. If folder is NULL, it is
 * ~/.aws/<subfolder>. False: there is no home folder, the path is too long, or the library doesn't have this digest. */
MUST_USE bool cli_cache_path(const struct environment *environment, const char *folder, const char *subfolder,
                             const EVP_MD *digest, struct span key, char ret_path[static CLI_CACHE_PATH_SIZE]);
