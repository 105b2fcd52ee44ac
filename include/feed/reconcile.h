/* What became of each row of a job, by the audit records: applied, failed or pending. Rows are told in the order of the
 * file; memory is bounded, whatever its size. */
#pragma once

#include "audit_life.h"
#include "audit_table.h"
#include "call.h"
#include "clock.h"
#include "compiler.h"
#include "line_file.h"
#include "log.h"
#include "random.h"
#include "reconcile_counts.h"
#include "row_reader.h"
#include "timers.h"
#include "update.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum reconcile_end {
    RECONCILE_DONE, /* the whole file */
    RECONCILE_BROKEN, /* row_reader_why(): all whole rows before it were reconciled */
    RECONCILE_UNWRITABLE, /* a file that rows go to can't be written: its error says why */
    RECONCILE_UNREACHABLE,
    RECONCILE_DENIED,
    RECONCILE_REFUSED, /* DynamoDB refuses to read the audit table */
    RECONCILE_NO_MEMORY
};

struct reconcile;

/* All is borrowed. */
struct reconcile_options {
    const struct audit_table_api *api;
    const struct clock *clock;
    struct timers *timers;
    struct random *random;
    struct log *log;
    const struct update_context *context; /* what rows are checked against; its audit table has the records */
    struct row_reader *reader;
    const char *job;
    const char *condition; /* that the job gave every row; NULL: none */
    unsigned rate; /* requests a second; 0: no bound */
    int64_t patience; /* microseconds to wait for DynamoDB */
    struct audit_life life;
    struct line_file *missing, *failed; /* take the rows that are pending, those that failed */
    struct reconcile_counts counts; /* of the rows before, where it goes on */
};

struct reconcile_host {
    /* Nothing can be read at once: reconcile_read() once there is something. */
    void (*waits)(void *user);
    /* call: what DynamoDB said, where that is why; else NULL. */
    void (*ended)(void *user, enum reconcile_end end, const struct call_result *call);
    void *user;
};

/* Starts; both callbacks come from timers and calls. NULL: no memory. */
MUST_USE struct reconcile *reconcile_start(const struct reconcile_options *options, const struct reconcile_host *host);
/* Takes NULL. */
void reconcile_free(struct reconcile *r);
/* There is something to be read. */
void reconcile_read(struct reconcile *r);
/* What was reconciled so far. */
const struct reconcile_counts *reconcile_counts(const struct reconcile *r);
/* Where the first row is that isn't known to be applied. */
struct row_place reconcile_applied(const struct reconcile *r);
/* Why rows are unknown: a sentence that says what would tell more. */
const char *reconcile_doubt(const struct reconcile *r);
