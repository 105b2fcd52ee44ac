/* What the log has said against starting, kept to be told elsewhere as well. */
#pragma once

#include "log.h"

struct problems {
    char errors[2048]; /* a sentence a line */
    char warning[512]; /* the last one */
};

/* Hears of an event: for struct log's `overheard`, with a struct problems; false. */
bool problems_overhear(void *problems, enum log_level level, const char *message, const struct log_field *fields);
/* The errors; where there are none the last warning; else a sentence that says so. */
const char *problems_sentence(const struct problems *problems);
