/* Looks up many audit records by their keys: a hundred a request, several requests at once, at a bounded rate. What
 * DynamoDB leaves unprocessed, or can't answer at present, is asked for again until patience ends. */
#pragma once

#include "audit_table.h"
#include "call.h"
#include "clock.h"
#include "compiler.h"
#include "log.h"
#include "random.h"
#include "timers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audit_lookup;

/* All is borrowed. */
struct audit_lookup_options {
    const struct audit_table_api *api;
    const struct clock *clock;
    struct timers *timers;
    struct random *random;
    struct log *log;
    const char *table; /* that the records stand in */
    bool with_times; /* how long records live is asked for as well */
    unsigned rate; /* requests a second; 0: as many as are answered */
    int64_t patience; /* microseconds without any answer after which it gives up */
};

struct audit_lookup_host {
    /* Each key that was added is told once; look is valid until this returns. */
    void (*looked)(void *user, uint64_t tag, const struct audit_look *look);
    /* After what was told of one request: there may be room again. */
    void (*changed)(void *user);
    /* It gave up, and tells nothing any more. */
    void (*failed)(void *user, const struct call_result *result);
    void *user;
};

/* NULL: no memory. */
MUST_USE struct audit_lookup *audit_lookup_new(const struct audit_lookup_options *options,
                                               const struct audit_lookup_host *host);
/* Ends what is under way, without a callback; not from inside one. Takes NULL. */
void audit_lookup_free(struct audit_lookup *l);
/* Whether a key can be added. */
bool audit_lookup_has_room(const struct audit_lookup *l);
/* Adds a key, where there is room; tag is given back with what was found. The request goes out once it is full. */
void audit_lookup_add(struct audit_lookup *l, const char *log_id, uint64_t tag);
/* Sends what was added, though the request isn't full. */
void audit_lookup_flush(struct audit_lookup *l);
/* Whether a request is under way, or waits to be sent. */
bool audit_lookup_is_busy(const struct audit_lookup *l);
/* Requests sent so far. */
uint64_t audit_lookup_requests(const struct audit_lookup *l);
