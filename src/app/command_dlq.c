/* `table-updater dlq`: what is in the DLQ, which stays as it is. */
#include "app.h"
#include "dlq_look.h"
#include "letter_groups.h"
#include "letter_holds.h"
#include "letter_options.h"
#include "letter_report.h"
#include "progress.h"
#include "result_writer.h"
#include "terminal.h"

#include <unistd.h>

struct dlq {
    struct app *app;
    struct discovery *discovery;
    const struct queue_facts *facts;
    struct letter_options options;
    struct dlq_platform platform;
    struct dlq_look *look;
    struct letter_groups groups;
    struct result_writer results;
    struct progress progress;
    struct app_signals signals;
    int stopped_by; /* the signal; 0: none */
    bool looked; /* the look is over, and its results are on their way */
    enum exit_code exit_code;
};

static bool as_json(const struct dlq *d) {
    return d->app->cli->of.letters.json.given;
}

static void end(struct dlq *d, enum exit_code code) {
    d->exit_code = code;
    loop_stop(d->app->loop);
}

/* The look goes on as fast as its results are read, and stops when nobody reads them any more. */
static void went_on(void *ctx) {
    struct dlq *d = ctx;
    if (d->looked && result_writer_is_idle(&d->results)) {
        end(d, d->results.failed && d->exit_code == EXIT_FINE ? EXIT_SOME_FAILED : d->exit_code);
    } else if (d->results.failed && d->look && !d->looked && !d->stopped_by) {
        d->exit_code = EXIT_SOME_FAILED;
        d->stopped_by = -1;
        dlq_look_stop(d->look);
    } else if (d->look && !d->looked) {
        dlq_look_go_on(d->look);
    }
}

static bool found(void *ctx, const struct letter *letter, const struct sqs_message *m) {
    struct dlq *d = ctx;
    if (!as_json(d)) {
        return letter_groups_add(&d->groups, letter, m->message_id, m->sent_at);
    }
    bool ok = letter_line_append(letter, m, &d->results.text);
    result_writer_flush(&d->results);
    return ok;
}

static bool has_room(void *ctx) {
    const struct dlq *d = ctx;
    return result_writer_has_room(&d->results);
}

static void say(struct dlq *d, const struct dlq_look_result *r) {
    struct log *log = &d->app->log;
    if (r->no_memory) {
        log_event(log, LOG_LEVEL_ERROR, "There is no memory to look at more of the DLQ", NULL);
    }
    if (r->full) {
        LOG_EVENT(log, LOG_LEVEL_WARNING,
                  "SQS hides no more of a queue at a time: what is beyond was not looked at; --error, --id and --since "
                  "choose among these",
                  LOG_I("looked_at", r->looked_at));
    }
    if (r->failure) {
        LOG_EVENT(log, LOG_LEVEL_ERROR, "The look at the DLQ ends early, or leaves messages hidden: SQS fails",
                  LOG_C("code", call_word(r->failure)), LOG_I("status", r->failure->status),
                  LOG_C("dlq", d->facts->name));
    }
    if (r->left_hidden > 0) {
        LOG_EVENT(log, LOG_LEVEL_WARNING,
                  "Some of what was looked at couldn't be given back: it is visible again within the time told",
                  LOG_I("messages", r->left_hidden), LOG_I("seconds", HOLDS_VISIBILITY));
    }
    if (as_json(d)) {
        LOG_EVENT(log, LOG_LEVEL_INFO,
                  "Looked at the DLQ; a look is a delivery: the receive counts of these messages have risen by one",
                  LOG_C("dlq", d->facts->name), LOG_I("looked_at", r->looked_at), LOG_I("chosen", r->chosen));
    }
}

static void append_report(struct dlq *d, const struct dlq_look_result *r) {
    const struct letter_report report = {.dlq = d->facts->name,
                                         .looked_at = r->looked_at,
                                         .counted = d->facts->attributes.visible,
                                         .whole_groups = !d->facts->attributes.fifo,
                                         .limited = r->limited,
                                         .filtered = !letter_choice_is_all(&d->options.choice),
                                         .width = terminal_width(STDOUT_FILENO),
                                         .bold = terminal_is_rich(STDOUT_FILENO)};
    (void)letter_report_append(&report, &d->groups, &d->results.text);
}

static void describe(void *user, struct progress_view *ret_view) {
    const struct dlq *d = user;
    uint64_t counted = d->facts->attributes.visible, looked_at = dlq_look_count(d->look);
    *ret_view = (struct progress_view){
        .rows = looked_at, .done = looked_at, .whole = counted == SQS_COUNT_UNKNOWN ? 0 : counted};
}

/* Results that come meanwhile are progress enough, where they go to the same terminal. */
static void show_progress(struct dlq *d) {
    const struct progress_options options = {.loop = d->app->loop,
                                             .log = &d->app->log,
                                             .what = "dlq",
                                             .unit = "messages",
                                             .bad = "failed",
                                             .quiet = as_json(d) && isatty(STDOUT_FILENO),
                                             .look = describe,
                                             .user = d};
    progress_start(&d->progress, &options);
}

static void on_looked(void *ctx, const struct dlq_look_result *r) {
    struct dlq *d = ctx;
    d->looked = true;
    progress_end(&d->progress);
    say(d, r);
    if (!as_json(d)) {
        append_report(d, r);
    }
    if (r->failure) {
        d->exit_code = exit_code_of_call(r->failure);
    } else if (r->no_memory) {
        d->exit_code = EXIT_UNREACHABLE;
    } else if (d->stopped_by > 0) {
        d->exit_code = app_code_of_signal(d->stopped_by);
    }
    result_writer_flush(&d->results);
    went_on(d);
}

static void on_discovered(void *user, struct outcome outcome, const struct discovery_facts *facts) {
    struct dlq *d = user;
    enum exit_code code = exit_code_of(outcome);
    struct app *app = d->app;
    if (code == EXIT_FINE) {
        code = letter_options_read(&d->options, app, facts);
    }
    if (code != EXIT_FINE) {
        end(d, code);
        return;
    }
    d->facts = &facts->dlq;
    if (facts->dlq.attributes.max_receive_count) {
        LOG_EVENT(&app->log, LOG_LEVEL_WARNING,
                  "The DLQ has a redrive policy of its own: a look is a delivery, and SQS moves away what has had too "
                  "many",
                  LOG_I("maxReceiveCount", facts->dlq.attributes.max_receive_count));
    }
    const struct dlq_look_options options = {.queue_url = facts->dlq.url,
                                             .fifo = facts->dlq.attributes.fifo,
                                             .counted = facts->dlq.attributes.visible,
                                             .choice = &d->options.choice,
                                             .limit = app->cli->of.letters.limit.number};
    const struct dlq_look_host host = {found, has_room, on_looked, d};
    d->look = dlq_look_start(&d->platform, &options, &host);
    if (!d->look) {
        log_event(&app->log, LOG_LEVEL_ERROR, "There is no memory to start with", NULL);
        end(d, EXIT_UNREACHABLE);
        return;
    }
    show_progress(d);
}

/* The first signal gives back what was looked at, the second one leaves it. */
static void on_signal(void *user, int number) {
    struct dlq *d = user;
    bool again = d->stopped_by != 0;
    d->stopped_by = number;
    if (!d->look || d->looked) {
        end(d, app_code_of_signal(number));
        return;
    }
    if (!again) {
        log_event(&d->app->log, LOG_LEVEL_INFO,
                  "Stopping: what was looked at is given back first; a second signal ends it at once", NULL);
    }
    dlq_look_stop(d->look);
}

enum exit_code command_dlq(struct app *app) {
    struct dlq d = {.app = app, .exit_code = EXIT_FINE};
    d.platform =
        (struct dlq_platform){app->platform.sqs, app->platform.clock, app->platform.timers, &app->random, &app->log};
    letter_groups_init(&d.groups);
    if (!result_writer_init(&d.results, app->loop, &app->log, went_on, &d)) {
        result_writer_done(&d.results);
        return EXIT_SOME_FAILED;
    }
    const struct discovery_options options = letter_discovery_options(app, false, APP_PATIENCE);
    bool started = app_watch_signals(app, false, on_signal, &d, &d.signals);
    d.discovery = started ? discovery_start(&app->platform, &options, on_discovered, &d) : NULL;
    if (!d.discovery) {
        d.exit_code = EXIT_UNREACHABLE;
        log_event(&app->log, LOG_LEVEL_ERROR, "There is no memory to start with", NULL);
    } else if (!loop_run(app->loop)) {
        d.exit_code = EXIT_UNREACHABLE;
        log_event(&app->log, LOG_LEVEL_ERROR, "Nothing is left to wait for; this is a fault of table-updater", NULL);
    }
    progress_end(&d.progress);
    dlq_look_free(d.look);
    letter_groups_free(&d.groups);
    letter_options_done(&d.options);
    discovery_free(d.discovery);
    result_writer_done(&d.results);
    app_unwatch_signals(&d.signals);
    return d.exit_code;
}
