/* What reconcile keeps in files: the rows that it writes out, and how far it has come. */
#pragma once

#include "checkpoint.h"
#include "cli.h"
#include "compiler.h"
#include "digest.h"
#include "exit_code.h"
#include "line_file.h"
#include "log.h"
#include "reconcile.h"

#include <stdbool.h>
#include <stdint.h>

struct reconcile_keep {
    struct log *log;
    const struct cli *cli;
    bool failed; /* something can't be kept: it was said */
    int64_t began; /* wall: when the job began to be sent; 0: its checkpoint isn't there, or doesn't say */
    struct row_place sent; /* the first row that the job hasn't sent; its number is 0 where that isn't known */
    struct job_manner manner; /* how the rows became messages; its condition is "" where there is none */
    struct checkpoint checkpoint; /* reconcile's own */
    struct line_file missing, failing;
};

/* Opens what the command line asks for, and takes up what an earlier run that ended early has kept. EXIT_FINE, or what
 * the command ends with, said in the log. reconcile_keep_close() in any case. */
MUST_USE enum exit_code reconcile_keep_open(struct reconcile_keep *k, const struct cli *cli, struct digest *digest,
                                            struct log *log);
/* Where to go on; NULL: at the beginning. Then ret_counts are of the rows before: all applied. */
const struct row_place *reconcile_keep_start(const struct reconcile_keep *k, struct reconcile_counts *ret_counts);
/* Brings all to the disk: the rows written out, and the place up to which all rows are applied. The next run goes on
 * there, and looks up anew all rows behind it. False: that failed, which is said once. */
MUST_USE bool reconcile_keep_place(struct reconcile_keep *k, const struct row_place *place);
/* The whole file was reconciled: brings the rows written out to the disk, and lets the next run begin anew. False: that
 * failed, which is said. */
MUST_USE bool reconcile_keep_finish(struct reconcile_keep *k);
void reconcile_keep_close(struct reconcile_keep *k);
