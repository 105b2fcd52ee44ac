/* What the log has said against starting, kept so that AWS Lambda can be told too. */
#pragma once

#include "log.h"

struct problems {
    char errors[2048]; /* a sentence a line */
    char warning[512]; /* the last one */
};

/* For struct log's `overheard`, with a struct problems: keeps an error or a warning. False: it is logged as well. */
bool problems_overhear(void *problems, enum log_level level, const char *message, const struct log_field *fields);
/* The errors; without errors the last warning; without either a sentence that the reason isn't known. */
const char *problems_sentence(const struct problems *problems);
