/* `table-updater reconcile`: what became of the rows of a job, by the audit records. */
#include "app.h"
#include "audit_table.h"
#include "output.h"
#include "print_counts.h"
#include "progress.h"
#include "reconcile.h"
#include "reconcile_keep.h"
#include "reconcile_report.h"
#include "reconcile_words.h"
#include "row_reader.h"
#include "row_source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KEEP_EVERY MICROSECONDS

struct reconciling {
    struct app *app;
    const struct cli *cli;
    struct discovery *discovery;
    const struct discovery_facts *facts;
    struct update_context context;
    struct audit_table_api api;
    struct call *ttl_call;
    struct row_source *source;
    struct row_reader *reader;
    struct loop_watch *watch;
    struct reconcile *reconcile;
    struct reconcile_keep keep;
    struct progress progress;
    struct app_signals signals;
    struct timer keep_timer;
    int stopped_by; /* the signal; 0: none */
    bool done; /* the whole file */
    enum exit_code exit_code;
};

static void end(struct reconciling *r, enum exit_code code) {
    r->exit_code = code;
    timer_stop(loop_timers(r->app->loop), &r->keep_timer);
    loop_stop(r->app->loop);
}

static bool keep_place(struct reconciling *r) {
    struct row_place place = reconcile_applied(r->reconcile);
    return reconcile_keep_place(&r->keep, &place);
}

static void on_keep_timer(void *user) {
    struct reconciling *r = user;
    if (!keep_place(r)) {
        end(r, EXIT_SOME_FAILED);
        return;
    }
    timer_start(loop_timers(r->app->loop), &r->keep_timer, clock_monotonic(r->app->platform.clock) + KEEP_EVERY);
}

static void on_readable(void *user, unsigned events) {
    (void)events;
    struct reconciling *r = user;
    loop_watch_events(r->watch, 0);
    reconcile_read(r->reconcile);
}

static void on_waits(void *user) {
    struct reconciling *r = user;
    loop_watch_events(r->watch, LOOP_READ);
}

/* Says that it isn't done, and how to go on. */
static void say_how_to_go_on(struct reconciling *r) {
    struct row_place place = reconcile_applied(r->reconcile);
    LOG_EVENT(&r->app->log, LOG_LEVEL_WARNING,
              "Ended early: all rows before this one are applied, and the same command goes on with it",
              LOG_I("row", place.number), LOG_I("line", place.line));
}

static void on_ended(void *user, enum reconcile_end why, const struct call_result *call) {
    struct reconciling *r = user;
    progress_end(&r->progress);
    r->done = why == RECONCILE_DONE;
    const struct reconcile_ending ending = {.end = why,
                                            .call = call,
                                            .counts = reconcile_counts(r->reconcile),
                                            .file = r->cli->operands[0],
                                            .file_why = row_reader_why(r->reader),
                                            .audit_table = r->context.audit_table};
    reconcile_report_counts(&r->app->log, r->reconcile, r->keep.sent.number);
    enum exit_code code = reconcile_report_end(&r->app->log, &ending);
    bool kept = r->done ? reconcile_keep_finish(&r->keep) : keep_place(r);
    if (!r->done && why != RECONCILE_BROKEN && kept) {
        say_how_to_go_on(r);
    }
    end(r, code == EXIT_FINE && !kept ? EXIT_SOME_FAILED : code);
}

static void look(void *user, struct progress_view *ret_view) {
    const struct reconciling *r = user;
    const struct reconcile_counts *counts = reconcile_counts(r->reconcile);
    ret_view->rows = counts->rows;
    ret_view->rejected = counts->rows - counts->applied;
    ret_view->done = row_source_taken(r->source);
    ret_view->whole = row_source_size(r->source);
}

static void show_progress(struct reconciling *r) {
    const struct progress_options options = {.loop = r->app->loop,
                                             .log = &r->app->log,
                                             .what = "reconcile",
                                             .unit = "rows",
                                             .bad = "not applied",
                                             .quiet = r->cli->of.reconcile.quiet.given,
                                             .lines = true,
                                             .look = look,
                                             .user = r};
    progress_start(&r->progress, &options);
}

static bool start(struct reconciling *r, enum audit_removal removal) {
    struct app *app = r->app;
    struct reconcile_options options = {.api = &r->api,
                                        .clock = app->platform.clock,
                                        .timers = app->platform.timers,
                                        .random = &app->random,
                                        .log = &app->log,
                                        .context = &r->context,
                                        .job = r->cli->of.reconcile.job.text,
                                        .condition = r->keep.manner.condition[0] ? r->keep.manner.condition : NULL,
                                        .rate = r->cli->of.reconcile.rate.number,
                                        .patience = APP_PATIENCE,
                                        .missing = &r->keep.missing,
                                        .failed = &r->keep.failing};
    const struct row_reader_options reading = {.source = r->source,
                                               .format = r->keep.manner.format,
                                               .table = r->keep.manner.any_table ? NULL : &r->facts->table};
    const struct reconcile_host host = {on_waits, on_ended, r};
    const struct row_place *place = reconcile_keep_start(&r->keep, &options.counts);
    audit_life_init(&options.life, removal, app->settings.audit_ttl_days, r->keep.began);
    r->reader = options.reader = row_reader_new(&reading);
    r->watch = loop_watch_fd(app->loop, row_source_fd(r->source), 0, on_readable, r);
    if (r->reader && place) {
        row_reader_go_on(r->reader, place);
        LOG_EVENT(&app->log, LOG_LEVEL_INFO, "Going on where an earlier run ended", LOG_I("row", place->number),
                  LOG_C("to_begin_anew_remove", r->keep.checkpoint.path));
    }
    r->reconcile = r->reader && r->watch ? reconcile_start(&options, &host) : NULL;
    if (!r->reconcile) {
        return false;
    }
    show_progress(r);
    timer_start(loop_timers(app->loop), &r->keep_timer, clock_monotonic(app->platform.clock) + KEEP_EVERY);
    return true;
}

static void start_or_end(struct reconciling *r, enum audit_removal removal) {
    if (!start(r, removal)) {
        log_event(&r->app->log, LOG_LEVEL_ERROR, "There is no memory to start with", NULL);
        end(r, EXIT_UNREACHABLE);
    }
}

static void on_ttl(void *user, const struct call_result *result, enum audit_ttl ttl) {
    struct reconciling *r = user;
    r->ttl_call = NULL;
    if (result->class != CALL_OK) {
        LOG_EVENT(&r->app->log, LOG_LEVEL_WARNING,
                  "Whether the audit table removes records by TTL can't be asked (dynamodb:DescribeTimeToLive): "
                  "AUDIT_LOG_TTL_DAYS and the records that are there have to tell",
                  LOG_C("why", call_word(result)));
    }
    start_or_end(r, result->class != CALL_OK ? REMOVAL_NOT_TOLD : ttl == AUDIT_TTL_ON ? REMOVAL_ON : REMOVAL_OFF);
}

static void on_discovered(void *user, struct outcome outcome, const struct discovery_facts *facts) {
    struct reconciling *r = user;
    enum exit_code code = exit_code_of(outcome);
    struct app *app = r->app;
    if (code == EXIT_FINE && !facts->audit_table_exists) {
        LOG_EVENT(&app->log, LOG_LEVEL_ERROR,
                  "AUDIT_LOG_TABLE names a table that doesn't exist: what became of a job's rows stands there",
                  LOG_C("given", app->settings.audit_table));
        code = EXIT_SETTINGS;
    }
    if (code != EXIT_FINE) {
        end(r, code);
        return;
    }
    r->facts = facts;
    r->context = app_update_context(app, facts);
    const struct call_options options = {.deadline = clock_monotonic(app->platform.clock) + APP_PATIENCE};
    r->ttl_call = r->api.describe_ttl(r->api.ctx, app->settings.audit_table, &options, on_ttl, r);
    if (!r->ttl_call) {
        start_or_end(r, REMOVAL_NOT_TOLD);
    }
}

static void on_signal(void *user, int number) {
    struct reconciling *r = user;
    r->stopped_by = number;
    if (!r->reconcile) {
        log_event(&r->app->log, LOG_LEVEL_WARNING, "Told to stop before any row was reconciled", NULL);
    } else {
        progress_end(&r->progress);
        if (keep_place(r)) {
            say_how_to_go_on(r);
        }
    }
    end(r, app_code_of_signal(number));
}

static enum exit_code wrong(const char *sentence) {
    (void)fprintf(stderr, "table-updater: reconcile: %s\n", sentence);
    return EXIT_USAGE;
}

static enum exit_code open_file(struct reconciling *r) {
    const struct cli *cli = r->cli;
    char why[ROW_SOURCE_WHY_SIZE];
    if (!cli->of.reconcile.job.given) {
        return wrong("--job NAME says which job the file was enqueued as");
    }
    if (!job_name_valid(cli->of.reconcile.job.text)) {
        return wrong("--job takes a name of 1 to 128 bytes, without slashes and control characters");
    }
    if (strcmp(cli->operands[0], "-") == 0) {
        return wrong("a job has exactly one file, which can be read again: no standard input");
    }
    r->source = row_source_open(cli->operands[0], why);
    if (!r->source) {
        (void)fprintf(stderr, "table-updater: reconcile: %.200s can't be read: %s\n", cli->operands[0], why);
        return EXIT_USAGE;
    }
    return reconcile_keep_open(&r->keep, cli, r->app->digest, &r->app->log);
}

static enum exit_code run(struct reconciling *r) {
    struct app *app = r->app;
    const struct discovery_options options = app_discovery_options(app, APP_PATIENCE);
    bool fine = app_watch_signals(app, false, on_signal, r, &r->signals);
    r->discovery = fine ? discovery_start(&app->platform, &options, on_discovered, r) : NULL;
    if (!r->discovery) {
        log_event(&app->log, LOG_LEVEL_ERROR, "There is no memory to start with", NULL);
    } else if (!loop_run(app->loop)) {
        log_event(&app->log, LOG_LEVEL_ERROR, "Nothing is left to wait for; this is a fault of table-updater", NULL);
    }
    return r->exit_code;
}

static bool print(const struct reconciling *r) {
    static const struct reconcile_counts none;
    const struct reconcile_counts *counts = r->reconcile ? reconcile_counts(r->reconcile) : &none;
    struct buf out;
    buf_init(&out, (size_t)8 * 1024);
    bool fine = r->cli->of.reconcile.json.given ? reconcile_append_json(counts, &out)
                                                : !r->reconcile || reconcile_append_table(counts, &out);
    fine = fine && print_counts(buf_span(&out), &r->app->log);
    buf_free(&out);
    return fine;
}

static void release(struct reconciling *r) {
    progress_end(&r->progress);
    if (r->ttl_call) {
        r->api.cancel(r->api.ctx, r->ttl_call);
    }
    loop_watch_free(r->watch);
    reconcile_free(r->reconcile);
    row_reader_free(r->reader);
    row_source_free(r->source);
    discovery_free(r->discovery);
    app_unwatch_signals(&r->signals);
    reconcile_keep_close(&r->keep);
}

enum exit_code command_reconcile(struct app *app) {
    struct reconciling r = {.app = app,
                            .cli = app->cli,
                            .api = audit_table_api(app->services.dynamodb_client),
                            .keep = {.checkpoint.fd = -1, .missing.fd = -1, .failing.fd = -1},
                            .exit_code = EXIT_UNREACHABLE};
    const struct output output = output_of(STDOUT_FILENO);
    timer_init(&r.keep_timer, on_keep_timer, &r);
    if (!output_is_open(&output)) {
        LOG_EVENT(&app->log, LOG_LEVEL_ERROR, "Standard output can't be written: nothing is begun",
                  LOG_C("reason", strerrordesc_np(errno)));
        return EXIT_SOME_FAILED;
    }
    enum exit_code code = open_file(&r);
    if (code == EXIT_FINE) {
        code = run(&r);
    }
    if (!print(&r) && code == EXIT_FINE) {
        code = EXIT_SOME_FAILED;
    }
    release(&r);
    return code;
}

void command_reconcile_refused(struct app *app, enum exit_code code) {
    (void)code;
    (void)print(&(struct reconciling){.app = app, .cli = app->cli});
}
