/* What AWS, or whoever answered in its place, says of calls that fail: in the log with its own words, once for each
 * trouble. Whoever made the call says what follows from it, at its own times, with the code alone. */
#pragma once

#include "call.h"
#include "log.h"

#include <stdint.h>

#define TOLD_MAX 16

/* One kind of failure of one operation. */
struct told_trouble {
    const char *operation; /* NULL: none. Borrowed: operations' names are constants */
    char code[CALL_CODE_SIZE];
    int status;
    int64_t at; /* monotonic: when it was told last */
    bool worked; /* the operation has succeeded since */
};

struct told {
    size_t count;
    struct told_trouble troubles[TOLD_MAX]; /* beyond these, the one told longest ago gives way */
};

/* A call of the operation ended so, asked of host. Only credentials, permissions, clocks and answers of others are
 * told: of throttles, errors of the service and the network, the code says all. */
void told_failed(struct told *told, struct log *log, const char *operation, const char *host,
                 const struct call_result *result, int64_t now);
/* A call of the operation succeeded. */
void told_worked(struct told *told, const char *operation);
