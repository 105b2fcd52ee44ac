/* A file that lines are written to. It is buffered; line_file_sync() brings all to the disk. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "span.h"

#include <stdbool.h>

struct line_file {
    int fd; /* -1: there is none, and lines go nowhere */
    int error; /* errno of the first write that failed; nothing is written any more then. 0: none */
    struct buf buffer;
};

/* Sets up one without a file: lines go nowhere. */
void line_file_none(struct line_file *f);
/* Opens path, or makes it; what was in it is gone. False: errno says why. */
MUST_USE bool line_file_open(struct line_file *f, const char *path);
/* Appends text and a newline. */
void line_file_append(struct line_file *f, struct span text);
/* Writes what is in the buffer, and waits until it is on the disk. False: f->error says why not. */
MUST_USE bool line_file_sync(struct line_file *f);
/* Writes what is in the buffer, and closes it. False: f->error says why not all is there. Takes one that is closed. */
bool line_file_close(struct line_file *f);
