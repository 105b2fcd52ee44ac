#include "reconcile_keep.h"

#include "rejects.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum exit_code fail(struct reconcile_keep *k, const char *why, enum exit_code code) {
    log_event(k->log, LOG_LEVEL_ERROR, why, NULL);
    k->failed = true;
    return code;
}

/* How the rows became messages: as the options say, else as the job's checkpoint says, else by the file's name. */
static enum exit_code settle_manner(struct reconcile_keep *k) {
    const struct cli_value *format = &k->cli->of.reconcile.format, *condition = &k->cli->of.reconcile.condition;
    struct job_manner *manner = &k->manner;
    if (format->given && strcmp(format->text, "csv") != 0 && strcmp(format->text, "json") != 0) {
        return fail(k, "--format may be json or csv", EXIT_USAGE);
    }
    if (condition->given && strlen(condition->text) >= sizeof manner->condition) {
        return fail(k, "--condition has at most 4096 bytes", EXIT_USAGE);
    }
    if (format->given) {
        manner->format = strcmp(format->text, "csv") == 0 ? ROWS_CSV : ROWS_JSON;
    } else if (!manner->known) {
        manner->format = row_format_of(k->cli->operands[0]);
    }
    if (condition->given) {
        (void)snprintf(manner->condition, sizeof manner->condition, "%s", condition->text);
    }
    return EXIT_FINE;
}

static bool is_named(const struct reconcile_keep *k, const char *path) {
    const struct cli_value *missing = &k->cli->of.reconcile.missing, *failing = &k->cli->of.reconcile.failed;
    return (missing->given && rejects_same_file(missing->text, path)) ||
           (failing->given && rejects_same_file(failing->text, path));
}

static enum exit_code check_names(struct reconcile_keep *k) {
    const struct cli_value *missing = &k->cli->of.reconcile.missing, *failing = &k->cli->of.reconcile.failed;
    if (is_named(k, k->cli->operands[0])) {
        return fail(k, "--missing or --failed names the file that is read: name another one", EXIT_USAGE);
    }
    if (missing->given && failing->given && rejects_same_file(missing->text, failing->text)) {
        return fail(k, "--missing and --failed name one file: name two", EXIT_USAGE);
    }
    return EXIT_FINE;
}

static enum exit_code check_kept(struct reconcile_keep *k, const char *path) {
    return is_named(k, path)
               ? fail(k, "--missing or --failed names a file that keeps how far the job has come: name another one",
                      EXIT_USAGE)
               : EXIT_FINE;
}

/* Reads from the job's checkpoint when the job began, how far it is sent, and how. A checkpoint of another file is an
 * error. */
static enum exit_code look_at_job(struct reconcile_keep *k, const struct file_identity *identity) {
    const char *job = k->cli->of.reconcile.job.text, *file = k->cli->operands[0];
    const struct cli_value *given = &k->cli->of.reconcile.checkpoint;
    char path[CHECKPOINT_PATH_SIZE], why[CHECKPOINT_WHY_SIZE];
    struct checkpoint of_job;
    if (!given->given && !checkpoint_default_path(file, job, path)) {
        return fail(k, "The path of the job's checkpoint would be too long: give --checkpoint", EXIT_USAGE);
    }
    switch (checkpoint_read(&of_job, given->given ? given->text : path, job, identity, why)) {
    case CHECKPOINT_FINE: break;
    case CHECKPOINT_BUSY:
    case CHECKPOINT_UNFIT: return fail(k, why, EXIT_SETTINGS);
    case CHECKPOINT_FAILED: return fail(k, why, EXIT_USAGE);
    }
    if (!of_job.goes_on && given->given) {
        return fail(k, "--checkpoint names a file that doesn't exist", EXIT_USAGE);
    }
    if (of_job.goes_on) {
        k->began = of_job.state.began;
        k->sent = of_job.state.next;
        k->manner = of_job.manner;
    }
    enum exit_code code = settle_manner(k);
    return code == EXIT_FINE ? check_kept(k, given->given ? given->text : path) : code;
}

static bool own_path(const struct reconcile_keep *k, char ret_path[static CHECKPOINT_PATH_SIZE]) {
    const char *file = k->cli->operands[0], *slash = strrchr(file, '/');
    int folder = slash ? (int)(slash + 1 - file) : 0;
    int n = snprintf(ret_path, CHECKPOINT_PATH_SIZE, "%.*s%s.table-updater-reconcile", folder, file,
                     k->cli->of.reconcile.job.text);
    return n > 0 && n < CHECKPOINT_PATH_SIZE;
}

/* Forgets what an earlier run kept. */
static void begin_anew(struct reconcile_keep *k, const char *why) {
    LOG_EVENT(k->log, LOG_LEVEL_WARNING,
              "An earlier run ended early, and this one can't go on from there: it begins anew", LOG_C("why", why));
    k->checkpoint.state = (struct job_state){.next = {.number = 1, .line = 1}};
    k->checkpoint.goes_on = false;
}

static enum exit_code open_own(struct reconcile_keep *k, const struct file_identity *identity) {
    char path[CHECKPOINT_PATH_SIZE], why[CHECKPOINT_WHY_SIZE];
    if (!own_path(k, path)) {
        return fail(k, "The path of the file that keeps how far it came would be too long", EXIT_USAGE);
    }
    enum exit_code code = check_kept(k, path);
    if (code != EXIT_FINE) {
        return code;
    }
    enum checkpoint_status status = checkpoint_open(&k->checkpoint, path, k->cli->of.reconcile.job.text, identity, why);
    if (status == CHECKPOINT_UNFIT) {
        begin_anew(k, why);
        return EXIT_FINE;
    }
    if (status != CHECKPOINT_FINE) {
        return fail(k, why, status == CHECKPOINT_BUSY ? EXIT_SETTINGS : EXIT_USAGE);
    }
    k->checkpoint.goes_on = k->checkpoint.goes_on && k->checkpoint.state.next.number > 1;
    return EXIT_FINE;
}

/* Empties a file that an earlier run wrote. Nothing is lost: all rows before the place where this run goes on are
 * applied, so none of them was in it. */
static enum exit_code open_lines(struct reconcile_keep *k, const char *option, const struct cli_value *given,
                                 struct line_file *f) {
    if (!given->given || line_file_open(f, given->text)) {
        return EXIT_FINE;
    }
    LOG_EVENT(k->log, LOG_LEVEL_ERROR, "A file for rows can't be opened", LOG_C("option", option),
              LOG_C("file", given->text), LOG_C("reason", strerrordesc_np(errno)));
    return EXIT_USAGE;
}

static enum exit_code open_outputs(struct reconcile_keep *k) {
    enum exit_code code = open_lines(k, "--missing", &k->cli->of.reconcile.missing, &k->missing);
    return code == EXIT_FINE ? open_lines(k, "--failed", &k->cli->of.reconcile.failed, &k->failing) : code;
}

enum exit_code reconcile_keep_open(struct reconcile_keep *k, const struct cli *cli, struct digest *digest,
                                   struct log *log) {
    struct file_identity identity;
    char why[CHECKPOINT_WHY_SIZE];
    *k = (struct reconcile_keep){.log = log, .cli = cli, .checkpoint.fd = -1};
    line_file_none(&k->missing);
    line_file_none(&k->failing);
    if (!file_identity_read(cli->operands[0], digest, &identity, why)) {
        LOG_EVENT(log, LOG_LEVEL_ERROR, "The file can't be reconciled", LOG_C("file", cli->operands[0]),
                  LOG_C("why", why));
        return EXIT_USAGE;
    }
    enum exit_code code = check_names(k);
    if (code == EXIT_FINE) {
        code = look_at_job(k, &identity);
    }
    if (code == EXIT_FINE) {
        code = open_own(k, &identity);
    }
    return code == EXIT_FINE ? open_outputs(k) : code;
}

const struct row_place *reconcile_keep_start(const struct reconcile_keep *k, struct reconcile_counts *ret_counts) {
    const struct job_state *state = &k->checkpoint.state;
    *ret_counts = (struct reconcile_counts){0};
    if (!k->checkpoint.goes_on) {
        return NULL;
    }
    ret_counts->rows = ret_counts->applied = state->next.number - 1;
    return &state->next;
}

static bool sync_lines(struct reconcile_keep *k) {
    if (line_file_sync(&k->missing) && line_file_sync(&k->failing)) {
        return true;
    }
    if (!k->failed) {
        k->failed = true;
        bool is_missing = k->missing.error != 0;
        LOG_EVENT(k->log, LOG_LEVEL_ERROR, "A file for rows can't be written",
                  LOG_C("option", is_missing ? "--missing" : "--failed"),
                  LOG_C("reason", strerrordesc_np(is_missing ? k->missing.error : k->failing.error)));
    }
    return false;
}

bool reconcile_keep_place(struct reconcile_keep *k, const struct row_place *place) {
    char why[CHECKPOINT_WHY_SIZE];
    if (k->failed || !sync_lines(k)) {
        return false;
    }
    if (k->checkpoint.state.next.number == place->number) {
        return true;
    }
    k->checkpoint.state = (struct job_state){.next = *place};
    if (checkpoint_write(&k->checkpoint, why) != CHECKPOINT_KEPT) {
        (void)fail(k, why, EXIT_SOME_FAILED);
        return false;
    }
    return true;
}

bool reconcile_keep_finish(struct reconcile_keep *k) {
    bool fine = sync_lines(k);
    if (fine && unlink(k->checkpoint.path) != 0 && errno != ENOENT) {
        LOG_EVENT(k->log, LOG_LEVEL_WARNING, "The file that keeps how far it came can't be removed: remove it",
                  LOG_C("file", k->checkpoint.path), LOG_C("reason", strerrordesc_np(errno)));
    }
    return fine;
}

void reconcile_keep_close(struct reconcile_keep *k) {
    checkpoint_close(&k->checkpoint);
    (void)line_file_close(&k->missing);
    (void)line_file_close(&k->failing);
}
