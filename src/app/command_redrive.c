/* `table-updater redrive`: from the DLQ back to the queue. */
#include "app.h"
#include "dlq_look.h"
#include "letter_groups.h"
#include "letter_options.h"
#include "letter_report.h"
#include "print_counts.h"
#include "progress.h"
#include "question.h"
#include "redrive.h"
#include "redrive_report.h"
#include "result_writer.h"
#include "terminal.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

struct redriving {
    struct app *app;
    struct discovery *discovery;
    const struct discovery_facts *facts;
    struct letter_options options;
    struct dlq_platform platform;
    struct dlq_look *look; /* counts what is meant, where that isn't known */
    struct redrive *redrive;
    struct letter_groups groups;
    struct result_writer results;
    struct progress progress;
    struct redrive_counts counts; /* so far */
    uint64_t would_move; /* of a dry run */
    struct app_signals signals;
    struct question question;
    int64_t began_at; /* monotonic; 0: nothing was moved */
    int stopped_by; /* the signal; 0: none */
    bool over; /* results are on their way */
    enum exit_code exit_code;
};

static const struct cli_letters *given(const struct redriving *g) {
    return &g->app->cli->of.letters;
}

static void end(struct redriving *g, enum exit_code code) {
    g->exit_code = code;
    loop_stop(g->app->loop);
}

/* All is over: ends once the results are written. */
static void end_with_results(struct redriving *g, enum exit_code code) {
    g->over = true;
    g->exit_code = code;
    result_writer_flush(&g->results);
    if (result_writer_is_idle(&g->results)) {
        end(g, g->results.failed && code == EXIT_FINE ? EXIT_SOME_FAILED : code);
    }
}

static void went_on(void *ctx) {
    struct redriving *g = ctx;
    if (g->over) {
        end_with_results(g, g->exit_code);
    }
}

/* Moving */

static void moved_on(void *ctx, const struct redrive_counts *counts) {
    struct redriving *g = ctx;
    g->counts = *counts;
}

static void describe(void *user, struct progress_view *ret_view) {
    const struct redriving *g = user;
    const struct redrive_counts *c = &g->counts;
    uint64_t whole = g->facts->dlq.attributes.visible, limit = given(g)->limit.number;
    *ret_view = (struct progress_view){.rows = c->moved, .rejected = c->failed + c->behind};
    ret_view->done = c->moved + ret_view->rejected + c->passed_over + c->later;
    if (g->look && !g->redrive) {
        ret_view->rows = ret_view->done = dlq_look_count(g->look);
    } else if (limit && limit < whole) {
        whole = limit;
        ret_view->done = c->moved + ret_view->rejected;
    }
    ret_view->whole = whole == SQS_COUNT_UNKNOWN ? 0 : whole;
}

static void show_progress(struct redriving *g, const char *what) {
    const struct progress_options options = {.loop = g->app->loop,
                                             .log = &g->app->log,
                                             .what = what,
                                             .unit = "messages",
                                             .bad = "failed",
                                             .lines = true,
                                             .look = describe,
                                             .user = g};
    progress_start(&g->progress, &options);
}

/* Says that SQS counted messages which it didn't show: others hold them, its count lags, or ten that stay are before
 * them in their FIFO group. */
static void say_unseen(const struct redriving *g, const struct redrive_counts *c) {
    uint64_t counted = g->facts->dlq.attributes.visible, seen = c->taken + c->passed_over + c->later;
    if (counted == SQS_COUNT_UNKNOWN || counted <= seen || given(g)->limit.given || g->stopped_by) {
        return;
    }
    LOG_EVENT(&g->app->log, LOG_LEVEL_INFO,
              "SQS counted more messages than it showed: others hold them, its count lags, or they stand behind ten of "
              "their FIFO group that stay; run it again for them",
              LOG_I("counted", counted), LOG_I("seen", seen));
}

static void say_sum(struct redriving *g, const struct redrive_counts *c) {
    const char *dlq = g->facts->dlq.name, *queue = g->facts->queue.name;
    if (!progress_is_drawn(&g->progress)) {
        LOG_EVENT(&g->app->log, LOG_LEVEL_INFO, "Moved messages from the DLQ to the queue", LOG_I("moved", c->moved),
                  LOG_I("failed", c->failed + c->behind), LOG_I("passed_over", c->passed_over), LOG_C("dlq", dlq),
                  LOG_C("queue", queue));
        return;
    }
    struct buf sentence;
    buf_init(&sentence, 512);
    if (redrive_report_append_sum(c, dlq, queue, &sentence)) {
        progress_say(&g->progress, sentence.data);
    }
    buf_free(&sentence);
}

static enum exit_code code_of_result(const struct redriving *g, const struct redrive_result *r) {
    const struct redrive_counts *c = &r->counts;
    if (r->failure) {
        return exit_code_of_call(r->failure);
    }
    if (r->no_memory) {
        return EXIT_UNREACHABLE;
    }
    if (g->stopped_by) {
        return app_code_of_signal(g->stopped_by);
    }
    return c->failed > 0 || c->behind > 0 || c->sent > c->moved || r->full ? EXIT_SOME_FAILED : EXIT_FINE;
}

static void on_moved(void *ctx, const struct redrive_result *r) {
    struct redriving *g = ctx;
    redrive_report_log(&g->app->log, r);
    say_unseen(g, &r->counts);
    say_sum(g, &r->counts);
    progress_end(&g->progress);
    g->counts = r->counts;
    end_with_results(g, code_of_result(g, r));
}

static void move(struct redriving *g) {
    const struct queue_facts *dlq = &g->facts->dlq, *queue = &g->facts->queue;
    int64_t told = dlq->attributes.told_at; /* by SQS's own clock: ours may be wrong */
    const struct redrive_options options = {
        .dlq_url = dlq->url,
        .queue_url = queue->url,
        .queue_name = queue->name,
        .fifo = queue->attributes.fifo,
        .max_message_size = queue->attributes.max_message_size,
        .counted = dlq->attributes.visible,
        .begun_at = told ? told : clock_wall(g->app->platform.clock),
        .choice = &g->options.choice,
        .limit = given(g)->limit.number,
        .rate = given(g)->rate.number,
    };
    const struct redrive_host host = {moved_on, on_moved, g};
    g->began_at = clock_monotonic(g->app->platform.clock);
    g->redrive = redrive_start(&g->platform, &options, &host);
    if (!g->redrive) {
        log_event(&g->app->log, LOG_LEVEL_ERROR, "There is no memory to start with", NULL);
        end(g, EXIT_UNREACHABLE);
        return;
    }
    show_progress(g, "redrive");
}

/* Asking */

static void on_answer(void *ctx, bool yes) {
    struct redriving *g = ctx;
    if (yes) {
        move(g);
        return;
    }
    (void)fprintf(stderr, "Nothing was moved.\n");
    end(g, EXIT_FINE);
}

static void ask(struct redriving *g, uint64_t count, bool about) {
    if (count == 0) {
        LOG_EVENT(&g->app->log, LOG_LEVEL_INFO, "There is nothing to move", LOG_C("dlq", g->facts->dlq.name));
        end_with_results(g, EXIT_FINE);
        return;
    }
    char text[64 + 2 * QUEUE_NAME_SIZE];
    (void)snprintf(text, sizeof text, "Move %s%" PRIu64 " message%s from %s to %s?", about ? "about " : "", count,
                   count == 1 ? "" : "s", g->facts->dlq.name, g->facts->queue.name);
    if (!question_ask(&g->question, g->app->loop, text, on_answer, g)) {
        log_event(&g->app->log, LOG_LEVEL_ERROR, "There is no memory to ask with", NULL);
        end(g, EXIT_UNREACHABLE);
    }
}

/* Looking */

static bool found(void *ctx, const struct letter *letter, const struct sqs_message *m) {
    struct redriving *g = ctx;
    return letter_groups_add(&g->groups, letter, m->message_id, m->sent_at);
}

static bool has_room(void *ctx) {
    (void)ctx;
    return true;
}

static void append_dry_run(struct redriving *g, const struct dlq_look_result *r) {
    struct buf *out = &g->results.text;
    if (given(g)->json.given) {
        return;
    }
    const struct letter_report report = {.dlq = g->facts->dlq.name,
                                         .looked_at = r->looked_at,
                                         .counted = g->facts->dlq.attributes.visible,
                                         .whole_groups = !g->facts->dlq.attributes.fifo,
                                         .limited = r->limited,
                                         .filtered = !letter_choice_is_all(&g->options.choice),
                                         .width = terminal_width(STDOUT_FILENO),
                                         .bold = terminal_is_rich(STDOUT_FILENO)};
    (void)letter_report_append(&report, &g->groups, out);
    (void)buf_printf(out, "Without --dry-run, %" PRIu64 " message%s would be moved to %s.\n", r->chosen,
                     r->chosen == 1 ? "" : "s", g->facts->queue.name);
}

static void on_looked(void *ctx, const struct dlq_look_result *r) {
    struct redriving *g = ctx;
    progress_end(&g->progress);
    g->would_move = r->chosen;
    if (r->failure) {
        LOG_EVENT(&g->app->log, LOG_LEVEL_ERROR, "The look at the DLQ fails, and nothing is moved",
                  LOG_C("code", call_word(r->failure)), LOG_I("status", r->failure->status));
        end_with_results(g, exit_code_of_call(r->failure));
    } else if (r->no_memory) {
        log_event(&g->app->log, LOG_LEVEL_ERROR, "There is no memory to look at the DLQ", NULL);
        end_with_results(g, EXIT_UNREACHABLE);
    } else if (g->stopped_by) {
        end_with_results(g, app_code_of_signal(g->stopped_by));
    } else if (given(g)->dry_run.given) {
        append_dry_run(g, r);
        end_with_results(g, EXIT_FINE);
    } else {
        ask(g, r->chosen,
            r->full ||
                (g->facts->dlq.attributes.fifo && !r->limited && g->facts->dlq.attributes.visible > r->looked_at));
    }
}

static void look(struct redriving *g) {
    const struct queue_facts *dlq = &g->facts->dlq;
    const struct dlq_look_options options = {.queue_url = dlq->url,
                                             .fifo = dlq->attributes.fifo,
                                             .counted = dlq->attributes.visible,
                                             .choice = &g->options.choice,
                                             .limit = given(g)->limit.number};
    const struct dlq_look_host host = {found, has_room, on_looked, g};
    g->look = dlq_look_start(&g->platform, &options, &host);
    if (!g->look) {
        log_event(&g->app->log, LOG_LEVEL_ERROR, "There is no memory to start with", NULL);
        end(g, EXIT_UNREACHABLE);
        return;
    }
    show_progress(g, "looking");
}

static void on_discovered(void *user, struct outcome outcome, const struct discovery_facts *facts) {
    struct redriving *g = user;
    enum exit_code code = exit_code_of(outcome);
    if (code == EXIT_FINE) {
        code = letter_options_read(&g->options, g->app, facts);
    }
    if (code != EXIT_FINE) {
        end(g, code);
        return;
    }
    g->facts = facts;
    uint64_t counted = facts->dlq.attributes.visible, limit = given(g)->limit.number;
    bool known = letter_choice_is_all(&g->options.choice) && counted > 0 && counted != SQS_COUNT_UNKNOWN;
    if (given(g)->yes.given && !given(g)->dry_run.given) {
        move(g);
    } else if (known && !given(g)->dry_run.given) {
        ask(g, limit && limit < counted ? limit : counted, !(limit && limit <= counted));
    } else {
        look(g);
    }
}

/* The first signal finishes what is under way and gives back the rest, the second one leaves it. */
static void on_signal(void *user, int number) {
    struct redriving *g = user;
    bool again = g->stopped_by != 0;
    g->stopped_by = number;
    if (question_is_open(&g->question) || g->over || (!g->redrive && !g->look)) {
        (void)fprintf(stderr, "%s", question_is_open(&g->question) ? "\n" : "");
        end(g, app_code_of_signal(number));
        return;
    }
    if (!again) {
        log_event(&g->app->log, LOG_LEVEL_INFO,
                  "Stopping: what was sent is deleted, and the rest given back; a second signal ends it at once", NULL);
    }
    if (g->redrive) {
        redrive_stop(g->redrive);
    } else {
        dlq_look_stop(g->look);
    }
}

static bool may_begin(const struct app *app) {
    const struct cli_letters *o = &app->cli->of.letters;
    if (o->yes.given || o->dry_run.given || (isatty(STDIN_FILENO) && isatty(STDERR_FILENO))) {
        return true;
    }
    (void)fprintf(stderr,
                  "table-updater: redrive asks before it moves messages, and there is no terminal to ask on: give "
                  "--yes, or --dry-run to see what it would move\n");
    return false;
}

static void release(struct redriving *g) {
    question_done(&g->question);
    progress_end(&g->progress);
    redrive_free(g->redrive);
    dlq_look_free(g->look);
    letter_groups_free(&g->groups);
    letter_options_done(&g->options);
    discovery_free(g->discovery);
    result_writer_done(&g->results);
    app_unwatch_signals(&g->signals);
}

/* At the end, whatever it was. */
static bool print_json(const struct redriving *g) {
    struct buf out;
    int64_t took = g->began_at ? clock_monotonic(g->app->platform.clock) - g->began_at : 0;
    buf_init(&out, 512);
    bool fine = given(g)->dry_run.given
                    ? buf_printf(&out, "{\"dry_run\":true,\"would_move\":%" PRIu64 "}\n", g->would_move)
                    : redrive_report_append_json(&g->counts, took, &out);
    fine = fine && print_counts(buf_span(&out), &g->app->log);
    buf_free(&out);
    return fine;
}

void command_redrive_refused(struct app *app, enum exit_code code) {
    (void)code;
    if (app->cli->of.letters.json.given) {
        (void)print_json(&(struct redriving){.app = app});
    }
}

enum exit_code command_redrive(struct app *app) {
    if (!may_begin(app)) {
        command_redrive_refused(app, EXIT_USAGE);
        return EXIT_USAGE;
    }
    struct redriving g = {.app = app, .exit_code = EXIT_UNREACHABLE};
    g.platform =
        (struct dlq_platform){app->platform.sqs, app->platform.clock, app->platform.timers, &app->random, &app->log};
    letter_groups_init(&g.groups);
    if (!result_writer_init(&g.results, app->loop, &app->log, went_on, &g)) {
        result_writer_done(&g.results);
        return EXIT_SOME_FAILED;
    }
    const struct discovery_options options = letter_discovery_options(app, true, APP_PATIENCE);
    bool started = app_watch_signals(app, false, on_signal, &g, &g.signals);
    g.discovery = started ? discovery_start(&app->platform, &options, on_discovered, &g) : NULL;
    if (!g.discovery) {
        log_event(&app->log, LOG_LEVEL_ERROR, "There is no memory to start with", NULL);
    } else if (!loop_run(app->loop)) {
        log_event(&app->log, LOG_LEVEL_ERROR, "Nothing is left to wait for; this is a fault of table-updater", NULL);
    }
    if (given(&g)->json.given && !print_json(&g) && g.exit_code == EXIT_FINE) {
        g.exit_code = EXIT_SOME_FAILED;
    }
    release(&g);
    return g.exit_code;
}
