/* `table-updater enqueue`: rows of files onto the queue. */
#include "app.h"
#include "enqueue_keep.h"
#include "enqueue_words.h"
#include "enqueuer.h"
#include "output.h"
#include "print_counts.h"
#include "progress.h"
#include "row_source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEEP_EVERY MICROSECONDS /* of the checkpoint */
#define SENTENCE_MAX ((size_t)16 * 1024)

struct enqueue {
    struct app *app;
    const struct cli *cli;
    struct discovery *discovery;
    struct table_shape *any_table; /* used where no table is named */
    struct update_context context;
    struct enqueuer *enqueuer;
    struct enqueue_keep keep;
    struct progress progress;
    struct app_signals signals;
    struct timer keep_timer;
    enum row_format format;
    int64_t started; /* monotonic */
    int stopped_by; /* the signal; 0: none */
    enum exit_code exit_code;
};

static const char *const standard_input[] = {"-"};

static const char *const *files_of(const struct cli *cli) {
    return cli->operand_count ? (const char *const *)cli->operands : standard_input;
}

static unsigned file_count(const struct cli *cli) {
    return cli->operand_count ? (unsigned)cli->operand_count : 1;
}

static void end(struct enqueue *e, enum exit_code code) {
    e->exit_code = code;
    loop_stop(e->app->loop);
}

static double seconds_since(const struct enqueue *e) {
    return (double)(clock_monotonic(e->app->platform.clock) - e->started) / MICROSECONDS;
}

static bool on_rejected(void *user, const struct enqueuer_rejection *rejection) {
    struct enqueue *e = user;
    return enqueue_keep_row(&e->keep, rejection, clock_wall(e->app->platform.clock));
}

static bool keep_place(struct enqueue *e) {
    unsigned file = 0;
    struct row_place place = enqueuer_place(e->enqueuer, &file);
    return enqueue_keep_place(&e->keep, &place);
}

static void on_keep_timer(void *user) {
    struct enqueue *e = user;
    if (!keep_place(e)) {
        enqueuer_stop(e->enqueuer);
        return;
    }
    timer_start(loop_timers(e->app->loop), &e->keep_timer, clock_monotonic(e->app->platform.clock) + KEEP_EVERY);
}

/* Says which command goes on where this run has ended. */
static void say_how_to_go_on(struct enqueue *e) {
    unsigned file = 0;
    struct row_place place = enqueuer_place(e->enqueuer, &file);
    bool is_kept = enqueue_keep_go_on(&e->keep, &file, &place);
    const char *name = files_of(e->cli)[file < file_count(e->cli) ? file : file_count(e->cli) - 1];
    struct buf command;
    buf_init(&command, SENTENCE_MAX);
    bool is_whole =
        enqueue_append_command(e->cli, file, place.line, row_source_unpacker(name), &command) && buf_ok(&command);
    LOG_EVENT(&e->app->log, LOG_LEVEL_WARNING,
              !is_kept ? "Ended early, and how far it came can't be kept: the same command goes on with this "
                         "row, and sends those behind it once more"
              : e->keep.has_job
                  ? "Ended early: all rows before this one are done with, and the same command goes on"
                  : "Ended early: all rows before this line are done with, and the command goes on with it",
              LOG_C("file", name), LOG_I("row", place.number), LOG_I("line", place.line),
              LOG_C("command", is_whole ? command.data : "none: the rest of standard input is gone"));
    if (is_whole && progress_is_drawn(&e->progress)) { /* as a shell takes it, which the log's quotes aren't */
        progress_say(&e->progress, command.data);
    }
    buf_free(&command);
}

static enum exit_code code_of_fault(struct enqueue *e) {
    const struct call_result *result;
    struct log *log = &e->app->log;
    enum sender_fault fault = enqueuer_fault(e->enqueuer, &result);
    const char *why = result->from_service || result->foreign ? call_word(result) : result->message;
    switch (fault) {
    case SENDER_NO_QUEUE:
        LOG_EVENT(log, LOG_LEVEL_ERROR, "The queue isn't there any more", LOG_C("code", result->code));
        return EXIT_SETTINGS;
    case SENDER_DENIED:
        LOG_EVENT(log, LOG_LEVEL_ERROR,
                  "AWS doesn't permit to send: check the credentials and their policy (sqs:SendMessage on the queue)",
                  LOG_C("why", result->message[0] ? result->message : why), LOG_C("request_id", result->request_id));
        return EXIT_NOT_PERMITTED;
    case SENDER_UNREACHABLE: break;
    }
    LOG_EVENT(log, LOG_LEVEL_ERROR, "Giving up: for a minute no message could be sent",
              LOG_C("why", why[0] ? why : "no answer"), LOG_I("status", result->status));
    return EXIT_UNREACHABLE;
}

static enum exit_code code_of_end(struct enqueue *e, enum enqueuer_end how) {
    switch (how) {
    case ENQUEUE_ALL: break;
    case ENQUEUE_STRICT:
        log_event(&e->app->log, LOG_LEVEL_ERROR, "A row is rejected, and --strict ends with it", NULL);
        break;
    case ENQUEUE_BROKEN:
        LOG_EVENT(&e->app->log, LOG_LEVEL_ERROR,
                  e->cli->of.enqueue.dry_run.given ? "The input can't be read further; all rows before that are checked"
                                                   : "The input can't be read further; all rows before that are sent",
                  LOG_C("file", files_of(e->cli)[enqueuer_file(e->enqueuer)]), LOG_C("why", enqueuer_why(e->enqueuer)));
        return EXIT_USAGE;
    case ENQUEUE_STOPPED: return e->stopped_by ? app_code_of_signal(e->stopped_by) : EXIT_SOME_FAILED;
    case ENQUEUE_FAILED: return code_of_fault(e);
    }
    return enqueue_keep_has_rejected(&e->keep) || how == ENQUEUE_STRICT ? EXIT_SOME_FAILED : EXIT_FINE;
}

static void on_done(void *user, enum enqueuer_end how) {
    struct enqueue *e = user;
    progress_end(&e->progress);
    bool kept = keep_place(e);
    bool rejected = enqueue_keep_has_rejected(&e->keep);
    enum exit_code code = code_of_end(e, how);
    if (!kept || how == ENQUEUE_STOPPED || how == ENQUEUE_FAILED || how == ENQUEUE_STRICT) {
        say_how_to_go_on(e);
    }
    if (code == EXIT_FINE && (!kept || rejected)) {
        code = EXIT_SOME_FAILED;
    }
    end(e, code);
}

static void look(void *user, struct progress_view *ret_view) {
    const struct enqueue *e = user;
    struct enqueuer_counts counts = enqueuer_counts(e->enqueuer);
    enqueuer_position(e->enqueuer, &ret_view->done, &ret_view->whole);
    ret_view->rows = e->cli->of.enqueue.dry_run.given ? counts.rows : counts.sent;
    ret_view->rejected = counts.rejected;
    ret_view->waiting = enqueuer_in_trouble(e->enqueuer);
}

static struct enqueuer_options options_of(struct enqueue *e, const struct discovery_facts *facts) {
    struct app *app = e->app;
    const struct cli *cli = e->cli;
    bool has_queue = facts && app->platform.sqs;
    const struct sqs_queue_attributes *queue = has_queue ? &facts->queue.attributes : NULL;
    bool knows_table = facts && app->settings.table_name;
    struct enqueuer_options options = {
        .loop = app->loop,
        .clock = app->platform.clock,
        .random = &app->random,
        .log = &app->log,
        .files = files_of(cli),
        .file_count = file_count(cli),
        .format = cli->of.enqueue.format.given ? &e->format : NULL,
        .table = knows_table ? &facts->table : NULL,
        .check = {.context = &e->context,
                  .random = &app->random,
                  .job = cli->of.enqueue.job.text,
                  .log = cli->of.enqueue.log.given,
                  .condition = cli->of.enqueue.condition.text,
                  .group_by = cli->of.enqueue.group_by.text,
                  .max_size = queue ? queue->max_message_size : SQS_MESSAGE_SIZE_MAX,
                  .dry = cli->of.enqueue.dry_run.given},
        .sender = {.sqs = app->platform.sqs,
                   .clock = app->platform.clock,
                   .timers = app->platform.timers,
                   .random = &app->random,
                   .log = &app->log,
                   .queue_url = has_queue ? facts->queue.url : NULL,
                   .rate = cli->of.enqueue.rate.number,
                   .delay_seconds = cli->of.enqueue.delay.number,
                   .patience = APP_PATIENCE},
        .strict = cli->of.enqueue.strict.given,
        .go_on = enqueue_keep_start(&e->keep),
    };
    return options;
}

static void make_context(struct enqueue *e, const struct discovery_facts *facts) {
    if (facts && e->app->settings.table_name) {
        e->context = app_update_context(e->app, facts);
        return;
    }
    /* Rows are checked by their shape alone. What depends on the worker's settings is left to the worker. */
    e->any_table->any_key = true;
    e->context = (struct update_context){.table = e->any_table,
                                         .audit_table = e->app->settings.audit_table,
                                         .audit_table_exists = true,
                                         .user_agent = "table-updater/" TABLE_UPDATER_VERSION,
                                         .digest = e->app->digest,
                                         .hash_seed = {random_next(&e->app->random), random_next(&e->app->random)}};
}

/* Checks what only the queue and the tables tell. */
static enum exit_code check_facts(struct enqueue *e, const struct discovery_facts *facts) {
    const struct cli *cli = e->cli;
    struct log *log = &e->app->log;
    bool fifo = facts->queue.attributes.fifo, grouped = cli->of.enqueue.group_by.given;
    if (e->app->platform.sqs && fifo && !grouped) {
        log_event(log, LOG_LEVEL_ERROR, "The queue is a FIFO queue: --group-by says which rows keep their order", NULL);
        return EXIT_USAGE;
    }
    if (e->app->platform.sqs && fifo && cli->of.enqueue.delay.given) {
        log_event(log, LOG_LEVEL_ERROR, "The queue is a FIFO queue, which delays no single message: leave --delay out",
                  NULL);
        return EXIT_USAGE;
    }
    if (e->app->platform.sqs && !fifo && grouped) {
        log_event(log, LOG_LEVEL_ERROR, "The queue is no FIFO queue, and keeps no order: leave --group-by out", NULL);
        return EXIT_USAGE;
    }
    if (cli->of.enqueue.job.given && e->app->settings.table_name && !facts->audit_table_exists) {
        LOG_EVENT(log, LOG_LEVEL_ERROR,
                  "A job's rows need audit records, and AUDIT_LOG_TABLE names a table that doesn't exist: create it",
                  LOG_C("given", e->app->settings.audit_table));
        return EXIT_SETTINGS;
    }
    return EXIT_FINE;
}

static void start(struct enqueue *e, const struct discovery_facts *facts) {
    struct app *app = e->app;
    struct failure failure;
    make_context(e, facts);
    const char *condition = e->cli->of.enqueue.condition.text;
    if (condition && !row_check_condition(&e->context, condition, &failure)) {
        LOG_EVENT(&app->log, LOG_LEVEL_ERROR, "--condition is no condition that DynamoDB takes",
                  LOG_S("why", buf_span(&failure.message)));
        failure_free(&failure);
        end(e, EXIT_USAGE);
        return;
    }
    struct enqueuer_options options = options_of(e, facts);
    const struct enqueuer_host host = {on_rejected, on_done, e};
    e->enqueuer = enqueuer_start(&options, &host);
    if (!e->enqueuer) {
        log_event(&app->log, LOG_LEVEL_ERROR, "There is no memory to start with", NULL);
        end(e, EXIT_UNREACHABLE);
        return;
    }
    const struct row_place *place = options.go_on;
    if (place) {
        LOG_EVENT(&app->log, LOG_LEVEL_INFO, "The job goes on", LOG_I("row", place->number),
                  LOG_I("line", place->line));
    }
    bool is_typed = options.file_count == 1 && strcmp(options.files[0], "-") == 0 && isatty(STDIN_FILENO) == 1;
    if (is_typed) {
        log_event(&app->log, LOG_LEVEL_INFO, "Reading rows from the terminal, one a line; Ctrl-D ends them", NULL);
    }
    const struct progress_options progress = {.loop = app->loop,
                                              .log = &app->log,
                                              .what = "enqueue",
                                              .unit = "rows",
                                              .bad = "rejected",
                                              .quiet = is_typed || e->cli->of.enqueue.quiet.given,
                                              .lines = true,
                                              .look = look,
                                              .user = e};
    progress_start(&e->progress, &progress);
    timer_start(loop_timers(app->loop), &e->keep_timer, clock_monotonic(app->platform.clock) + KEEP_EVERY);
}

static void on_discovered(void *user, struct outcome outcome, const struct discovery_facts *facts) {
    struct enqueue *e = user;
    enum exit_code code = exit_code_of(outcome);
    if (code == EXIT_FINE) {
        code = check_facts(e, facts);
    }
    if (code != EXIT_FINE) {
        end(e, code);
        return;
    }
    start(e, facts);
}

/* Rows that were read are sent first; a second signal ends at once. */
static void on_signal(void *user, int number) {
    struct enqueue *e = user;
    e->stopped_by = number;
    if (!e->enqueuer) {
        log_event(&e->app->log, LOG_LEVEL_WARNING, "Told to stop before any row was read", NULL);
        end(e, app_code_of_signal(number));
        return;
    }
    enqueuer_stop(e->enqueuer);
}

static enum exit_code wrong(const char *sentence) {
    (void)fprintf(stderr, "table-updater: enqueue: %s\n", sentence);
    return EXIT_USAGE;
}

/* Checks what the command line alone shows. */
static enum exit_code check_options(struct enqueue *e) {
    const struct cli *cli = e->cli;
    const char *format = cli->of.enqueue.format.text;
    bool job = cli->of.enqueue.job.given;
    e->format = format && strcmp(format, "csv") == 0 ? ROWS_CSV : ROWS_JSON;
    if (format && strcmp(format, "csv") != 0 && strcmp(format, "json") != 0) {
        return wrong("--format may be json or csv");
    }
    if (job && !job_name_valid(cli->of.enqueue.job.text)) {
        return wrong("--job takes a name of 1 to 128 bytes, without slashes and control characters");
    }
    if (job && (cli->operand_count != 1 || strcmp(cli->operands[0], "-") == 0)) {
        return wrong("a job has exactly one file, which can be read again: no standard input, no second one");
    }
    if (job && cli->of.enqueue.condition.given && strlen(cli->of.enqueue.condition.text) >= JOB_CONDITION_SIZE) {
        return wrong("a job's --condition has at most 4096 bytes");
    }
    if (!job && cli->of.enqueue.checkpoint.given) {
        return wrong("--checkpoint belongs to a job: give --job NAME as well");
    }
    if (cli->of.enqueue.group_by.given && cli->of.enqueue.delay.given) {
        return wrong("--group-by is for FIFO queues, which delay no single message: leave --delay out");
    }
    return EXIT_FINE;
}

static enum exit_code run(struct enqueue *e) {
    struct app *app = e->app;
    bool asks = app->platform.sqs || app->settings.table_name;
    struct discovery_options options = app_discovery_options(app, APP_PATIENCE);
    options.without_dlq = true;
    options.audit_table = options.table ? options.audit_table : NULL;
    bool fine = app_watch_signals(app, false, on_signal, e, &e->signals);
    if (fine && asks) {
        e->discovery = discovery_start(&app->platform, &options, on_discovered, e);
        fine = e->discovery != NULL;
    } else if (fine) {
        start(e, NULL);
    }
    if (!fine) {
        log_event(&app->log, LOG_LEVEL_ERROR, "There is no memory to start with", NULL);
    } else if (!loop_run(app->loop)) {
        log_event(&app->log, LOG_LEVEL_ERROR, "Nothing is left to wait for; this is a fault of table-updater", NULL);
    }
    return e->exit_code;
}

static void summarize(struct enqueue *e, const struct enqueuer_counts *counts, double seconds) {
    struct buf sentence;
    if (!e->enqueuer || e->cli->of.enqueue.quiet.given) {
        return;
    }
    buf_init(&sentence, 512);
    enqueue_append_summary(counts, seconds, e->cli->of.enqueue.dry_run.given, &sentence);
    if (!buf_ok(&sentence)) {
        buf_free(&sentence);
        return;
    }
    if (progress_is_drawn(&e->progress)) {
        progress_say(&e->progress, sentence.data);
    } else {
        LOG_EVENT(&e->app->log, LOG_LEVEL_INFO, "Ended", LOG_I("rows", counts->rows), LOG_I("sent", counts->sent),
                  LOG_I("rejected", counts->rejected), LOG_I("bytes", counts->bytes),
                  LOG_I("milliseconds", seconds * 1000));
    }
    buf_free(&sentence);
}

static bool print_json(struct app *app, const struct enqueuer_counts *counts, double seconds) {
    struct buf out;
    buf_init(&out, 512);
    bool fine = enqueue_append_json(counts, seconds, &out) && print_counts(buf_span(&out), &app->log);
    buf_free(&out);
    return fine;
}

void command_enqueue_refused(struct app *app, enum exit_code code) {
    (void)code;
    if (app->cli->of.enqueue.json.given) {
        (void)print_json(app, &(struct enqueuer_counts){0}, 0);
    }
}

enum exit_code command_enqueue(struct app *app) {
    struct enqueue e = {.app = app, .cli = app->cli, .exit_code = EXIT_UNREACHABLE};
    const struct output output = output_of(STDOUT_FILENO);
    struct enqueuer_counts counts = {0};
    enum exit_code code = check_options(&e);
    if (code != EXIT_FINE) {
        command_enqueue_refused(app, code);
        return code;
    }
    if (e.cli->of.enqueue.json.given && !output_is_open(&output)) {
        LOG_EVENT(&app->log, LOG_LEVEL_ERROR, "Standard output can't be written: nothing is begun",
                  LOG_C("reason", strerrordesc_np(errno)));
        return EXIT_SOME_FAILED;
    }
    e.started = clock_monotonic(app->platform.clock);
    e.any_table = calloc(1, sizeof *e.any_table);
    timer_init(&e.keep_timer, on_keep_timer, &e);
    code = enqueue_keep_open(&e.keep, e.cli, !app->settings.table_name, app->digest, clock_wall(app->platform.clock),
                             &app->log);
    if (code == EXIT_FINE) {
        code = e.any_table ? run(&e) : EXIT_UNREACHABLE;
    }
    if (e.enqueuer) {
        counts = enqueuer_counts(e.enqueuer);
    }
    double seconds = seconds_since(&e);
    progress_end(&e.progress);
    summarize(&e, &counts, seconds);
    if (e.cli->of.enqueue.json.given && !print_json(app, &counts, seconds)) {
        code = code == EXIT_FINE ? EXIT_SOME_FAILED : code;
    }
    timer_stop(loop_timers(app->loop), &e.keep_timer);
    enqueuer_free(e.enqueuer);
    discovery_free(e.discovery);
    app_unwatch_signals(&e.signals);
    enqueue_keep_close(&e.keep);
    free(e.any_table);
    return code;
}
