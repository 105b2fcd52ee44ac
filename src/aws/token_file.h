/* A token that stands in a file, which others replace under a running process: read anew for each use. */
#pragma once

#include "buf.h"
#include "compiler.h"

#include <stdbool.h>

#define TOKEN_FILE_MAX ((size_t)32 * 1024)
#define TOKEN_WHY_SIZE 384

/* Reads a file's token: a line end behind it goes. out must be able to hold TOKEN_FILE_MAX bytes. False: ret_why says
 * why, with the path. */
MUST_USE bool token_file_read(const char *path, struct buf *out, char ret_why[static TOKEN_WHY_SIZE]);
/* Reads any small file as it is, up to out's ceiling. */
MUST_USE bool small_file_read(const char *path, struct buf *out, char ret_why[static TOKEN_WHY_SIZE]);
/* Wipes what it holds, and frees it. */
void buf_wipe(struct buf *b);
