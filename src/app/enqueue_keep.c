#include "enqueue_keep.h"

#include "enqueue_words.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static_assert(REJECTS_WHY_SIZE >= CHECKPOINT_WHY_SIZE, "one buffer takes the sentences of both");

#define TOLD_MAX 10 /* rejected rows that the log hears of where no file takes them */

static enum exit_code fail(struct enqueue_keep *k, const char *why, enum exit_code code) {
    log_event(k->log, LOG_LEVEL_ERROR, why, NULL);
    k->failed = true;
    return code;
}

static struct job_manner manner_of(const struct cli *cli, bool any_table) {
    struct job_manner manner = {.any_table = any_table, .format = enqueue_format(cli, cli->operands[0])};
    const char *condition = cli->of.enqueue.condition.text;
    (void)snprintf(manner.condition, sizeof manner.condition, "%s", condition ? condition : "");
    return manner;
}

static enum exit_code open_checkpoint(struct enqueue_keep *k, bool any_table, struct digest *digest, int64_t wall) {
    const struct cli *cli = k->cli;
    const char *job = cli->of.enqueue.job.text, *file = cli->operands[0];
    struct file_identity identity;
    char path[CHECKPOINT_PATH_SIZE], why[CHECKPOINT_WHY_SIZE];
    if (!file_identity_read(file, digest, &identity, why)) {
        LOG_EVENT(k->log, LOG_LEVEL_ERROR, "The file can't be enqueued as a job", LOG_C("file", file),
                  LOG_C("why", why));
        return EXIT_USAGE;
    }
    if (!cli->of.enqueue.checkpoint.given && !checkpoint_default_path(file, job, path)) {
        return fail(k, "The path of the job's checkpoint would be too long: give --checkpoint", EXIT_USAGE);
    }
    const char *given = cli->of.enqueue.checkpoint.text;
    enum checkpoint_status status = checkpoint_open(&k->checkpoint, given ? given : path, job, &identity, why);
    if (status == CHECKPOINT_FINE) {
        const struct job_manner manner = manner_of(cli, any_table);
        status = checkpoint_keep_manner(&k->checkpoint, &manner, why);
    }
    switch (status) {
    case CHECKPOINT_FINE:
        k->has_job = true;
        k->kept = k->checkpoint.state.next;
        if (!k->checkpoint.state.began) {
            k->checkpoint.state.began = wall;
        }
        return EXIT_FINE;
    case CHECKPOINT_BUSY:
    case CHECKPOINT_UNFIT: return fail(k, why, EXIT_SETTINGS);
    case CHECKPOINT_FAILED: break;
    }
    return fail(k, why, EXIT_USAGE);
}

static enum exit_code open_rejects(struct enqueue_keep *k) {
    const struct cli *cli = k->cli;
    const char *path = cli->of.enqueue.rejects.text;
    char why[REJECTS_WHY_SIZE];
    for (int i = 0; i < cli->operand_count; i++) {
        if (rejects_same_file(path, cli->operands[i])) {
            return fail(k, "--rejects names a file that is read: name another one", EXIT_USAGE);
        }
    }
    if (k->has_job && rejects_same_file(path, k->checkpoint.path)) {
        return fail(k, "--rejects names the job's checkpoint: name another file", EXIT_USAGE);
    }
    bool goes_on = k->has_job && k->checkpoint.goes_on;
    return rejects_open(&k->rejects, path, goes_on, k->checkpoint.state.next.line, why) ? EXIT_FINE
                                                                                        : fail(k, why, EXIT_USAGE);
}

enum exit_code enqueue_keep_open(struct enqueue_keep *k, const struct cli *cli, bool any_table, struct digest *digest,
                                 int64_t wall, struct log *log) {
    *k = (struct enqueue_keep){.log = log, .cli = cli, .checkpoint.fd = -1, .rejects.fd = -1};
    enum exit_code code = EXIT_FINE;
    if (cli->of.enqueue.job.given && !cli->of.enqueue.dry_run.given) {
        code = open_checkpoint(k, any_table, digest, wall);
    }
    if (code == EXIT_FINE && cli->of.enqueue.rejects.given) {
        code = open_rejects(k);
    }
    return code;
}

/* Without a file for rejected rows, the log names the first of them. */
static void tell(struct enqueue_keep *k, const struct enqueuer_rejection *rejection) {
    struct buf sentence;
    if (++k->told > TOLD_MAX) {
        if (k->told == TOLD_MAX + 1) {
            log_event(k->log, LOG_LEVEL_WARNING,
                      "Further rejected rows are only counted: --rejects FILE takes them all", NULL);
        }
        return;
    }
    buf_init(&sentence, 1024);
    failure_append_for_log(rejection->failure, &sentence);
    struct span why = buf_ok(&sentence) ? buf_span(&sentence) : SPAN("it is longer than is told here");
    const char *file = k->cli->operand_count > 0 ? k->cli->operands[rejection->file] : "-";
    LOG_EVENT(k->log, LOG_LEVEL_WARNING, "A row is rejected", LOG_C("file", file), LOG_I("line", rejection->place.line),
              LOG_C("error", error_type_name(rejection->failure->type)), LOG_S("why", why));
    buf_free(&sentence);
}

/* Keeps the first such row in the order of the files: SQS may refuse a row after rows behind it were rejected. */
static void note_unwritten(struct enqueue_keep *k, unsigned file, const struct row_place *place) {
    bool is_first = !k->unwritten.any || file < k->unwritten.file ||
                    (file == k->unwritten.file && place->number < k->unwritten.place.number);
    if (is_first) {
        k->unwritten.file = file;
        k->unwritten.place = *place;
        k->unwritten.any = true;
    }
}

bool enqueue_keep_row(struct enqueue_keep *k, const struct enqueuer_rejection *rejection, int64_t wall) {
    const struct cli *cli = k->cli;
    char why[REJECTS_WHY_SIZE];
    bool known = false;
    k->rejected++;
    if (k->rejects.fd < 0) {
        tell(k, rejection);
        return true;
    }
    const struct reject reject = {.file = cli->operand_count > 1 ? cli->operands[rejection->file] : NULL,
                                  .line = rejection->place.line,
                                  .failure = rejection->failure,
                                  .row = rejection->row,
                                  .wall = wall};
    note_unwritten(k, rejection->file, &rejection->place);
    /* Without a job a row that is sent again has another key, and could count twice. So nothing behind this row is sent
     * before it is in the file. */
    if (k->failed || !rejects_add(&k->rejects, &reject, &known, why) ||
        (!k->has_job && !rejects_flush(&k->rejects, false, why))) {
        if (!k->failed) {
            (void)fail(k, why, EXIT_SOME_FAILED);
        }
        return false;
    }
    k->unwritten.any = rejects_has_unwritten(&k->rejects);
    return true;
}

bool enqueue_keep_place(struct enqueue_keep *k, const struct row_place *place) {
    char why[REJECTS_WHY_SIZE];
    if (k->failed) {
        return false;
    }
    if (!rejects_flush(&k->rejects, k->has_job, why)) {
        (void)fail(k, why, EXIT_SOME_FAILED);
        return false;
    }
    k->unwritten.any = false;
    if (!k->has_job) {
        return true;
    }
    struct job_state state = k->checkpoint.state;
    state.next = *place;
    state.rejected += k->rejected;
    bool same = state.next.number == k->checkpoint.state.next.number && k->rejected == 0;
    k->checkpoint.state = state;
    k->rejected = 0;
    enum checkpoint_written written = same ? CHECKPOINT_KEPT : checkpoint_write(&k->checkpoint, why);
    if (written == CHECKPOINT_UNCHANGED) {
        (void)fail(k, why, EXIT_SOME_FAILED);
        return false;
    }
    k->kept = *place;
    if (written == CHECKPOINT_UNSURE && !k->unsure) {
        log_event(k->log, LOG_LEVEL_ERROR, why, NULL);
        k->unsure = true;
    }
    return !k->unsure; /* a disk that failed once isn't trusted again in this run */
}

bool enqueue_keep_go_on(const struct enqueue_keep *k, unsigned *file, struct row_place *place) {
    if (k->failed && k->has_job) {
        *place = k->kept;
        return false;
    }
    if (k->failed && k->unwritten.any &&
        (k->unwritten.file < *file || (k->unwritten.file == *file && k->unwritten.place.number < place->number))) {
        *file = k->unwritten.file;
        *place = k->unwritten.place;
        return false; /* SQS refused a row when others behind it were sent */
    }
    return true;
}

const struct row_place *enqueue_keep_start(const struct enqueue_keep *k) {
    return k->has_job && k->checkpoint.state.next.number > 1 ? &k->checkpoint.state.next : NULL;
}

bool enqueue_keep_has_rejected(const struct enqueue_keep *k) {
    return k->rejected > 0 || k->checkpoint.state.rejected > 0 || k->rejects.known_count > 0;
}

void enqueue_keep_close(struct enqueue_keep *k) {
    checkpoint_close(&k->checkpoint);
    rejects_close(&k->rejects);
}
