/* Logs calls that failed because AWS refused the credentials, the permission or the time, or because somebody else
 * answered: with the full sentence, and each kind of failure again only after a while. Whoever made the call logs what
 * follows from it, with the code alone. */
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
    int64_t at; /* monotonic: when it was logged last */
    bool worked; /* the operation has succeeded since */
};

struct told {
    size_t count;
    struct told_trouble troubles[TOLD_MAX]; /* if more are needed, the one logged longest ago gives way */
};

/* A call of the operation to host failed with this result. Only refused credentials, permissions and clocks, and
 * answers that aren't the service's, are logged here. For throttling, errors of the service and the network, the code
 * says all. */
void told_failed(struct told *told, struct log *log, const char *operation, const char *host,
                 const struct call_result *result, int64_t now);
/* A call of the operation succeeded. */
void told_worked(struct told *told, const char *operation);
