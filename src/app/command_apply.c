/* `table-updater apply`: messages from a file or standard input, responses to standard output. */
#include "app.h"
#include "output.h"
#include "progress.h"
#include "stream_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE (10 * MICROSECONDS) /* for services that can't be reached at the start */
#define PIECE ((size_t)64 * 1024) /* bytes read at once */

struct apply {
    struct app *app;
    struct discovery *discovery;
    struct update_context context;
    struct stream_worker *worker;
    struct app_signals signals;
    int input_fd;
    struct output output;
    struct watched {
        struct loop_watch *watch;
        unsigned events; /* it waits for */
    } input_watch, output_watch;
    bool input_ended, input_failed;
    bool output_failed; /* what comes out is thrown away */
    bool incomplete; /* something was left or lost, whatever the worker says */
    int stopped_by; /* the signal; 0: none */
    bool stopping;
    bool worker_done;
    enum exit_code worker_code, exit_code;
    uint64_t input_taken, input_size; /* bytes; size 0: not known */
    struct progress progress;
    char piece[PIECE];
};

static void end(struct apply *a, enum exit_code code) {
    progress_end(&a->progress);
    a->exit_code = code;
    loop_stop(a->app->loop);
}

/* The worker's code, with what only the command knows. */
static enum exit_code code_of(const struct apply *a) {
    if (a->worker_code == EXIT_INTERRUPTED) {
        return a->input_failed ? EXIT_USAGE : a->incomplete ? EXIT_SOME_FAILED : app_code_of_signal(a->stopped_by);
    }
    return a->worker_code == EXIT_FINE && a->incomplete ? EXIT_SOME_FAILED : a->worker_code;
}

static void stop(struct apply *a) {
    if (!a->stopping && !a->worker_done) {
        a->stopping = true;
        stream_worker_stop(a->worker);
    }
}

/* A watch that is changed in every turn of the loop would never hear of anything. */
static void watch_for(struct watched *watched, unsigned events) {
    if (watched->events != events) {
        watched->events = events;
        loop_watch_events(watched->watch, events);
    }
}

/* Waits for what can happen next: input where the worker wants some, room for output where there is some; ends where
 * all is over. */
static void wait_on(struct apply *a) {
    bool output = stream_worker_output(a->worker).len > 0;
    if (a->worker_done && !output) {
        end(a, code_of(a));
        return;
    }
    bool input = !a->input_ended && !a->stopping && !a->worker_done && stream_worker_wants_input(a->worker);
    watch_for(&a->input_watch, input ? LOOP_READ : 0);
    watch_for(&a->output_watch, output ? LOOP_WRITE : 0);
}

static void lose_output(struct apply *a, bool closed) {
    LOG_EVENT(&a->app->log, LOG_LEVEL_ERROR,
              closed ? "Standard output was closed by its reader: nothing more is begun, and responses to lines that "
                       "were applied are lost"
                     : "Standard output can't be written: nothing more is begun, and responses to lines that were "
                       "applied are lost",
              LOG_C("reason", strerrordesc_np(errno)));
    a->output_failed = true;
    a->incomplete = true;
    stop(a);
}

static void write_output(struct apply *a) {
    struct span bytes = stream_worker_output(a->worker);
    if (bytes.len && !a->output_failed) {
        size_t taken = 0;
        enum output_status status = output_write(&a->output, bytes, &taken);
        if (status == OUTPUT_TOOK) {
            stream_worker_took_output(a->worker, taken);
        } else {
            lose_output(a, status == OUTPUT_CLOSED);
        }
    }
    if (a->output_failed) {
        stream_worker_took_output(a->worker, stream_worker_output(a->worker).len);
    }
}

static void on_output_ready(void *user, unsigned events) {
    (void)events;
    struct apply *a = user;
    write_output(a);
    wait_on(a);
}

static void end_input(struct apply *a) {
    a->input_ended = true;
    stream_worker_end_input(a->worker);
}

static void on_input_ready(void *user, unsigned events) {
    (void)events;
    struct apply *a = user;
    ssize_t n = read(a->input_fd, a->piece, sizeof a->piece);
    if (n > 0) {
        a->input_taken += (uint64_t)n;
        stream_worker_feed(a->worker, span_of(a->piece, (size_t)n));
    } else if (n == 0) {
        end_input(a);
    } else if (errno != EINTR && errno != EAGAIN) {
        LOG_EVENT(&a->app->log, LOG_LEVEL_ERROR, "The input can't be read further",
                  LOG_C("reason", strerrordesc_np(errno)));
        a->input_failed = true;
        a->input_ended = true;
        stop(a);
    }
    wait_on(a);
}

static void on_changed(void *user) {
    struct apply *a = user;
    write_output(a);
    wait_on(a);
}

static void on_done(void *user, struct outcome outcome) {
    struct apply *a = user;
    a->worker_done = true;
    a->worker_code = exit_code_of(outcome);
    write_output(a);
    wait_on(a);
}

static bool start_worker(struct apply *a, const struct discovery_facts *facts) {
    struct app *app = a->app;
    const struct settings *s = &app->settings;
    const struct stream_worker_options options = {.max_in_flight = s->max_in_flight,
                                                  .max_rate = s->max_rate,
                                                  .max_attempts = s->max_attempts,
                                                  .shutdown_timeout = s->shutdown_timeout,
                                                  .line_numbers = app->cli->of.apply.line_numbers.given};
    const struct stream_worker_host host = {on_changed, on_done, a};
    a->context = app_update_context(app, facts);
    a->worker = stream_worker_start(&app->platform, &options, facts, &a->context, &host);
    a->input_watch.watch = loop_watch_fd(app->loop, a->input_fd, 0, on_input_ready, a);
    a->output_watch.watch = loop_watch_fd(app->loop, a->output.fd, 0, on_output_ready, a);
    return a->worker && a->input_watch.watch && a->output_watch.watch;
}

static void look(void *user, struct progress_view *ret_view) {
    const struct apply *a = user;
    struct stream_counts counts = stream_worker_counts(a->worker);
    *ret_view = (struct progress_view){
        .rows = counts.answered, .rejected = counts.failed, .done = a->input_taken, .whole = a->input_size};
}

/* On a terminal that shows the responses, or takes the messages, it would be in their way. */
static void start_progress(struct apply *a) {
    struct stat status;
    bool in_the_way = isatty(a->output.fd) || isatty(a->input_fd);
    if (fstat(a->input_fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
        a->input_size = (uint64_t)status.st_size;
    }
    const struct progress_options options = {.loop = a->app->loop,
                                             .log = &a->app->log,
                                             .what = "apply",
                                             .unit = "lines",
                                             .bad = "failed",
                                             .quiet = in_the_way || a->app->cli->of.apply.quiet.given,
                                             .look = look,
                                             .user = a};
    progress_start(&a->progress, &options);
}

static void on_discovered(void *user, struct outcome outcome, const struct discovery_facts *facts) {
    struct apply *a = user;
    enum exit_code code = exit_code_of(outcome);
    if (code != EXIT_FINE) {
        end(a, code);
        return;
    }
    if (!start_worker(a, facts)) {
        log_event(&a->app->log, LOG_LEVEL_ERROR, "There is no memory to start with", NULL);
        end(a, EXIT_UNREACHABLE);
        return;
    }
    struct log_field fields[APP_START_FIELDS + 1];
    fields[app_start_fields(a->app, facts, fields)] = (struct log_field){0};
    log_event(&a->app->log, LOG_LEVEL_INFO, "Started", fields);
    if (a->input_fd == STDIN_FILENO && isatty(a->input_fd)) {
        log_event(&a->app->log, LOG_LEVEL_INFO, "Reading messages from the terminal, one a line; Ctrl-D ends them",
                  NULL);
    }
    start_progress(a);
    wait_on(a);
}

static unsigned responses_in(struct span output) {
    unsigned count = 0;
    for (size_t i = 0; i < output.len; i++) {
        count += output.data[i] == '\n';
    }
    return count;
}

/* A first signal: what was begun is finished. A second one: that is abandoned. One that comes while only output is left
 * to be written abandons the output. */
static void on_signal(void *user, int number) {
    struct apply *a = user;
    struct log *log = &a->app->log;
    a->stopped_by = number;
    if (!a->worker) {
        log_event(log, LOG_LEVEL_WARNING, "Told to stop before any line was read", NULL);
        end(a, app_code_of_signal(number));
    } else if (a->worker_done) {
        LOG_EVENT(log, LOG_LEVEL_WARNING,
                  "Told to stop while standard output takes nothing: responses to lines that were applied are lost",
                  LOG_I("responses", responses_in(stream_worker_output(a->worker))));
        end(a, app_code_of_signal(number));
    } else if (a->stopping) {
        log_event(log, LOG_LEVEL_WARNING, "Told to stop again: what is under way is not waited for", NULL);
        stream_worker_stop(a->worker);
    } else {
        LOG_EVENT(log, LOG_LEVEL_INFO, "Stopping: what was begun is finished first; a second signal ends it at once",
                  LOG_I("seconds_at_most", a->app->settings.shutdown_timeout));
        stop(a);
        wait_on(a);
    }
}

/* -1: said on standard error; it is a fault of the command line. */
static int open_input(const char *path) {
    if (strcmp(path, "-") == 0) {
        return STDIN_FILENO;
    }
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int error = fd < 0 ? errno : 0;
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
        (void)close(fd);
        error = EISDIR;
    }
    if (!error) {
        return fd;
    }
    (void)fprintf(stderr, "table-updater: apply: %.200s can't be read: %s\n", path, strerrordesc_np(error));
    return -1;
}

static void release(struct apply *a) {
    progress_end(&a->progress);
    loop_watch_free(a->input_watch.watch);
    loop_watch_free(a->output_watch.watch);
    stream_worker_free(a->worker);
    discovery_free(a->discovery);
    app_unwatch_signals(&a->signals);
    if (a->input_fd > STDERR_FILENO) {
        (void)close(a->input_fd);
    }
}

enum exit_code command_apply(struct app *app) {
    struct apply a = {.app = app, .exit_code = EXIT_UNREACHABLE, .output = output_of(STDOUT_FILENO)};
    if (!output_is_open(&a.output)) {
        LOG_EVENT(&app->log, LOG_LEVEL_ERROR,
                  "Standard output can't be written: nothing is begun, for responses would be lost",
                  LOG_C("reason", strerrordesc_np(errno)));
        return EXIT_SOME_FAILED;
    }
    a.input_fd = open_input(app->cli->operand_count ? app->cli->operands[0] : "-");
    if (a.input_fd < 0) {
        return EXIT_USAGE;
    }
    const struct discovery_options options = app_discovery_options(app, PATIENCE);
    bool started = app_watch_signals(app, false, on_signal, &a, &a.signals);
    a.discovery = started ? discovery_start(&app->platform, &options, on_discovered, &a) : NULL;
    if (!a.discovery) {
        log_event(&app->log, LOG_LEVEL_ERROR, "There is no memory to start with", NULL);
    } else if (!loop_run(app->loop)) {
        log_event(&app->log, LOG_LEVEL_ERROR, "Nothing is left to wait for; this is a fault of table-updater", NULL);
    }
    release(&a);
    return a.exit_code;
}
