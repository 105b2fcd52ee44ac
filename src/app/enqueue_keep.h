/* What enqueue keeps in files: the rejected rows, and how far a job has come. */
#pragma once

#include "checkpoint.h"
#include "cli.h"
#include "compiler.h"
#include "digest.h"
#include "enqueuer.h"
#include "exit_code.h"
#include "log.h"
#include "rejects.h"

#include <stdbool.h>

struct enqueue_keep {
    struct log *log;
    const struct cli *cli;
    bool has_job; /* with a checkpoint */
    struct checkpoint checkpoint;
    struct rejects rejects;
    bool failed; /* something can't be kept: it was said */
    bool unsure; /* the checkpoint is kept, but not safe from a crash of the machine: it was said */
    struct row_place kept; /* of a job: where another run goes on */
    struct {
        bool any;
        unsigned file;
        struct row_place place;
    } unwritten; /* the first rejected row that isn't in its file yet */
    uint64_t rejected, told; /* rows of this run; of these, how many the log heard of */
};

/* Opens what the command line asks for; wall is the time now. any_table: the table isn't known. EXIT_FINE, or what the
 * command ends with, said in the log. enqueue_keep_close() in any case. */
MUST_USE enum exit_code enqueue_keep_open(struct enqueue_keep *k, const struct cli *cli, bool any_table,
                                          struct digest *digest, int64_t wall, struct log *log);
/* Keeps a rejected row. False: it can't be. */
MUST_USE bool enqueue_keep_row(struct enqueue_keep *k, const struct enqueuer_rejection *rejection, int64_t wall);
/* Brings all to the disk: first the rejected rows, then the place, which lies behind them. False: that failed, which is
 * said once. */
MUST_USE bool enqueue_keep_place(struct enqueue_keep *k, const struct row_place *place);
/* Where another run has to go on. file and place come in as the place up to which all is done with; they are moved back
 * where rejected rows couldn't be written. False: this run has done more than that (the place is the one that the
 * job kept last, or that of a row which SQS refused late), and what it did behind the place is done again. */
bool enqueue_keep_go_on(const struct enqueue_keep *k, unsigned *file, struct row_place *place);
/* Where a job goes on; NULL: at the beginning. */
const struct row_place *enqueue_keep_start(const struct enqueue_keep *k);
/* Whether this run or an earlier one of the job has rejected a row. */
bool enqueue_keep_has_rejected(const struct enqueue_keep *k);
void enqueue_keep_close(struct enqueue_keep *k);
