/* `table-updater run`: looks for tables and queues, then works on the queue until it is told to stop, or the queue is
 * empty. */
#include "app.h"
#include "notify.h"
#include "observer.h"
#include "queue_worker.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* When READY=1 is told at the latest. A start that fails for good does so within seconds, and `systemctl start` shall
 * report that. Where services can't be reached, we say READY=1 and go on waiting: else the manager would end the start,
 * and units that are ordered after us would wait as long. */
#define READY_AT_LATEST (15 * MICROSECONDS)

/* Connections to DynamoDB for the first messages: as many transactions run at once when each takes four milliseconds
 * and 8,000 messages come a second. Each costs some 0.3 ms of CPU. */
#define OPENED_AHEAD 32

enum run_state {
    RUN_LOOKING, /* for tables and queues */
    RUN_WORKING,
    RUN_DRAINING,
    RUN_ENDED
};

struct run {
    struct app *app;
    enum run_state state;
    enum exit_code exit_code;
    struct discovery *discovery;
    struct update_context context;
    struct queue_worker *worker;
    struct notifier notifier;
    struct observer observer;
    struct timer patience; /* ends at READY_AT_LATEST */
    struct app_signals signals;
};

/* That it goes well, and how fast; or what is wrong and since when, by the same reasons as /readyz. */
static void describe_state(const struct run *run, const struct queue_worker_status *s, char *ret_text, size_t size) {
    struct observer_reason reasons[METRICS_PARTS];
    size_t count = observer_reasons(&run->observer, reasons);
    if (s->draining) {
        (void)snprintf(ret_text, size, "Draining");
    } else if (count > 0) {
        const struct clock *clock = run->app->platform.clock;
        char since[ISO8601_SIZE];
        int64_t seconds = (clock_monotonic(clock) - reasons[0].since) / MICROSECONDS;
        clock_iso8601(clock_wall(clock) - seconds * MICROSECONDS, since);
        (void)snprintf(ret_text, size, "Held back since %.19sZ (%lld s): %s, %s (%.60s)", since, (long long)seconds,
                       METRICS_PART_NAMES[reasons[0].part], METRICS_CAUSE_NAMES[reasons[0].cause], reasons[0].code);
    } else {
        uint64_t tenths = metrics_history_rate(&run->observer.history);
        (void)snprintf(ret_text, size, "Running: %" PRIu64 ".%" PRIu64 " messages a second", tenths / 10, tenths % 10);
    }
}

static void describe(void *user, char ret_line[static NOTIFY_STATUS_SIZE]) {
    const struct run *run = user;
    if (!run->worker) {
        (void)snprintf(ret_line, NOTIFY_STATUS_SIZE,
                       run->state == RUN_LOOKING ? "Waiting for the tables and queues" : "Ended");
        return;
    }
    struct queue_worker_status s = queue_worker_status(run->worker);
    char state[160];
    describe_state(run, &s, state, sizeof state);
    (void)snprintf(ret_line, NOTIFY_STATUS_SIZE,
                   "%s; %u in flight; %" PRIu64 " received, %" PRIu64 " applied, %" PRIu64 " sent to the DLQ, %" PRIu64
                   " given back",
                   state, s.in_flight, s.received, s.applied, s.dead_lettered, s.given_back);
    size_t len = strlen(ret_line);
    if (s.waiting_for_delete > 0) {
        (void)snprintf(ret_line + len, NOTIFY_STATUS_SIZE - len, "; %u done with that can't be deleted",
                       s.waiting_for_delete);
    }
}

static void end(struct run *run, enum exit_code code) {
    run->state = RUN_ENDED;
    run->exit_code = code;
    loop_stop(run->app->loop);
}

static void on_worker_done(void *user, struct outcome outcome) {
    struct run *run = user;
    end(run, exit_code_of(outcome));
}

static void log_start(const struct run *run, const struct discovery_facts *facts) {
    const struct settings *s = &run->app->settings;
    struct log_field fields[APP_START_FIELDS + 8];
    size_t count = app_start_fields(run->app, facts, fields);
    fields[count++] = LOG_C("queue", facts->queue.name);
    fields[count++] = LOG_C("dlq", facts->dlq.name);
    fields[count++] = LOG_I("visibility_timeout", facts->visibility);
    fields[count++] = LOG_I("max_in_flight", s->max_in_flight);
    if (s->max_rate) {
        fields[count++] = LOG_I("max_rate", s->max_rate);
    }
    fields[count++] = LOG_I("max_attempts", s->max_attempts);
    fields[count++] = LOG_I("shutdown_timeout", s->shutdown_timeout);
    fields[count] = (struct log_field){0};
    log_event(&run->app->log, LOG_LEVEL_INFO, "Started", fields);
}

static void warn_at_start(const struct run *run) {
    const struct settings *s = &run->app->settings;
    struct log *log = &run->app->log;
    if (s->audit == AUDIT_OFF) {
        log_event(log, LOG_LEVEL_WARNING,
                  "ENABLE_AUDIT_LOG is false: a message without an audit record that is delivered again more than 10 "
                  "minutes after it was "
                  "applied is applied again",
                  NULL);
    }
}

static struct queue_worker_options worker_options(const struct app *app) {
    const struct settings *s = &app->settings;
    return (struct queue_worker_options){.max_in_flight = s->max_in_flight,
                                         .max_rate = s->max_rate,
                                         .max_attempts = s->max_attempts,
                                         .shutdown_timeout = s->shutdown_timeout,
                                         .opens_ahead = OPENED_AHEAD,
                                         .until_empty = app->cli->of.run.until_empty.given,
                                         .until_empty_seconds = app->cli->of.run.until_empty.number};
}

static void on_discovered(void *user, struct outcome outcome, const struct discovery_facts *facts) {
    struct run *run = user;
    enum exit_code code = exit_code_of(outcome);
    struct app *app = run->app;
    if (code != EXIT_FINE) {
        end(run, code);
        return;
    }
    const struct queue_worker_options options = worker_options(app);
    log_start(run, facts);
    warn_at_start(run);
    run->context = app_update_context(app, facts);
    run->worker = queue_worker_start(&app->platform, &options, facts, &run->context, on_worker_done, run);
    if (!run->worker) {
        log_event(&app->log, LOG_LEVEL_ERROR, "There is no memory to start with", NULL);
        end(run, EXIT_UNREACHABLE);
        return;
    }
    run->state = RUN_WORKING;
    observer_works(&run->observer, facts, run->worker);
    timer_stop(app->platform.timers, &run->patience);
    notify_status(&run->notifier);
    notify_ready(&run->notifier);
}

static void on_patience_over(void *user) {
    struct run *run = user;
    notify_ready(&run->notifier);
}

static void reload(struct run *run) {
    struct app *app = run->app;
    if (run->state != RUN_LOOKING && run->state != RUN_WORKING) {
        log_event(&app->log, LOG_LEVEL_INFO, "SIGHUP is ignored: this process is about to end", NULL);
        return;
    }
    notify_reloading(&run->notifier);
    if (app_reload(app)) {
        const struct queue_worker_options options = worker_options(app);
        discovery_set_visibility(run->discovery, app->settings.visibility);
        if (run->worker) {
            queue_worker_set_limits(run->worker, &options);
        }
    }
    notify_reloaded(&run->notifier);
}

static void on_signal(void *user, int number) {
    struct run *run = user;
    struct log *log = &run->app->log;
    if (number == SIGHUP) {
        reload(run);
        return;
    }
    switch (run->state) {
    case RUN_LOOKING:
        log_event(log, LOG_LEVEL_INFO, "Told to stop before the tables and queues were seen", NULL);
        end(run, run->app->cli->of.run.until_empty.given ? EXIT_SOME_FAILED : EXIT_FINE);
        break;
    case RUN_WORKING:
        run->state = RUN_DRAINING;
        observer_drains(&run->observer);
        queue_worker_stop(run->worker);
        notify_stopping(&run->notifier, run->app->settings.shutdown_timeout);
        break;
    case RUN_DRAINING:
        log_event(log, LOG_LEVEL_INFO, "Told to stop again: giving everything back now", NULL);
        queue_worker_stop(run->worker);
        break;
    case RUN_ENDED: break;
    }
}

static bool start(struct run *run, const struct discovery_options *options) {
    struct app *app = run->app;
    if (!app_watch_signals(app, true, on_signal, run, &run->signals)) {
        return false;
    }
    notify_start(&run->notifier, app->platform.timers, *app->platform.clock, describe, run);
    timer_init(&run->patience, on_patience_over, run);
    timer_start(app->platform.timers, &run->patience, clock_monotonic(app->platform.clock) + READY_AT_LATEST);
    run->discovery = discovery_start(&app->platform, options, on_discovered, run);
    return run->discovery != NULL;
}

enum exit_code command_run(struct app *app) {
    struct run run = {.app = app, .exit_code = EXIT_UNREACHABLE};
    struct discovery_options options =
        app_discovery_options(app, app->cli->of.run.until_empty.given ? UNTIL_EMPTY_PATIENCE : NEVER);
    options.tries_transaction = true;
    enum exit_code observed = observer_start(&run.observer, app);
    if (observed != EXIT_FINE) {
        run.exit_code = observed;
    } else if (!start(&run, &options)) {
        log_event(&app->log, LOG_LEVEL_ERROR, "There is no memory to start with", NULL);
    } else if (!loop_run(app->loop)) {
        log_event(&app->log, LOG_LEVEL_ERROR, "Nothing is left to wait for; this is a fault of table-updater", NULL);
    }
    observer_stop(&run.observer);
    queue_worker_free(run.worker);
    discovery_free(run.discovery);
    timer_stop(app->platform.timers, &run.patience);
    notify_stop(&run.notifier);
    app_unwatch_signals(&run.signals);
    return run.exit_code;
}
