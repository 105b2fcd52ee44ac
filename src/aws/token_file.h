/* A token in a file. Others may replace it under a running process, so it is read anew for each use. */
#pragma once

#include "buf.h"
#include "compiler.h"

#include <stdbool.h>

#define TOKEN_FILE_MAX ((size_t)32 * 1024)
#define TOKEN_WHY_SIZE 384

/* Reads a file's token, without the line ends behind it. out must have room for TOKEN_FILE_MAX bytes. False: ret_why
 * says why, with the path. */
MUST_USE bool token_file_read(const char *path, struct buf *out, char ret_why[static TOKEN_WHY_SIZE]);
/* Reads any small file as it is, up to out's ceiling. */
MUST_USE bool small_file_read(const char *path, struct buf *out, char ret_why[static TOKEN_WHY_SIZE]);
/* Wipes the buffer's memory, and frees it. */
void buf_wipe(struct buf *b);
