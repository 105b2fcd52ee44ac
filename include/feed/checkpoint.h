/* How far a job has come: up to which row of its file all is done with. It is written atomically and to the disk, and
 * locked: two processes can't go on with one job. Files only: blocking, and short. */
#pragma once

#include "compiler.h"
#include "digest.h"
#include "row_reader.h"

#include <stdbool.h>
#include <stdint.h>

#define JOB_NAME_MAX 128 /* bytes */
#define CHECKPOINT_PATH_SIZE 4096
#define CHECKPOINT_WHY_SIZE 512
#define JOB_CONDITION_SIZE 4097 /* of --condition, with its NUL: DynamoDB takes 4,096 bytes */

/* What tells two files apart: the size, and the SHA-256 of the first and the last MiB together. */
struct file_identity {
    uint64_t size;
    char sha256[SHA256_HEX_SIZE + 1];
};
/* False: ret_why says why the file has none, without its name (it is no regular file, or can't be read). */
MUST_USE bool file_identity_read(const char *path, struct digest *digest, struct file_identity *ret_identity,
                                 char ret_why[static CHECKPOINT_WHY_SIZE]);

/* Whether a job may be called so: UTF-8 without slashes and control characters, 1 to 128 bytes. */
bool job_name_valid(const char *name);
/* Where a job's checkpoint is, unless it is told: NAME.table-updater-job beside the file. False: the path is too long.
 */
MUST_USE bool checkpoint_default_path(const char *file, const char *job, char ret_path[static CHECKPOINT_PATH_SIZE]);

/* What is kept. */
struct job_state {
    struct row_place next; /* the first row that isn't done with */
    uint64_t rejected; /* rows, in all runs */
    int64_t began; /* wall: when the first run began; 0: not known */
};

/* How a job's rows become messages, beside the job's name. Rows that are enqueued again must become messages the same
 * way. */
struct job_manner {
    bool known; /* the checkpoint says it */
    bool any_table; /* it was enqueued without knowing the table: a CSV's key is its column id */
    enum row_format format;
    char condition[JOB_CONDITION_SIZE]; /* "": none */
};

struct checkpoint {
    int fd; /* of the file as it stands, locked; -1: none */
    char path[CHECKPOINT_PATH_SIZE], new_path[CHECKPOINT_PATH_SIZE];
    char job[JOB_NAME_MAX + 1];
    struct file_identity identity;
    struct job_manner manner;
    struct job_state state;
    bool goes_on; /* an earlier run has begun the job */
};

enum checkpoint_status {
    CHECKPOINT_FINE,
    CHECKPOINT_BUSY, /* another process has the job */
    CHECKPOINT_UNFIT, /* it is damaged, or of another job, file or version */
    CHECKPOINT_FAILED /* the file can't be read or written */
};
/* Takes up the checkpoint, or begins one; what it says is in state. The other outcomes have a sentence in ret_why.
 * checkpoint_close() in any case. */
enum checkpoint_status checkpoint_open(struct checkpoint *c, const char *path, const char *job,
                                       const struct file_identity *identity, char ret_why[static CHECKPOINT_WHY_SIZE]);
/* Keeps in an opened checkpoint how the job's rows become messages. CHECKPOINT_UNFIT where it was begun another way:
 * rows of one job would be treated in two ways. */
enum checkpoint_status checkpoint_keep_manner(struct checkpoint *c, const struct job_manner *manner,
                                              char ret_why[static CHECKPOINT_WHY_SIZE]);
/* Looks at one without taking it: nothing is written or locked, and there may be none (state says the beginning). */
enum checkpoint_status checkpoint_read(struct checkpoint *c, const char *path, const char *job,
                                       const struct file_identity *identity, char ret_why[static CHECKPOINT_WHY_SIZE]);
enum checkpoint_written {
    CHECKPOINT_KEPT,
    CHECKPOINT_UNSURE, /* it stands there, whole, and is what another run goes on with; but its folder isn't on the
                          disk, so that a crash of the machine could bring the one before it back */
    CHECKPOINT_UNCHANGED /* the one before it stands there still */
};
/* Writes c->state in place of what is in the file. Where it isn't kept, ret_why is a sentence. */
MUST_USE enum checkpoint_written checkpoint_write(struct checkpoint *c, char ret_why[static CHECKPOINT_WHY_SIZE]);
/* A zeroed one must have its fd set to -1. */
void checkpoint_close(struct checkpoint *c);
