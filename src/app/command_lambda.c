/* `table-updater lambda`: the function of AWS Lambda. */
#include "app.h"
#include "emf_file.h"
#include "lambda.h"

#include <stdlib.h>

#define PATIENCE (8 * MICROSECONDS) /* for services that can't be reached: Lambda gives ten seconds to begin */
#define RUNTIME_API "AWS_LAMBDA_RUNTIME_API"

struct function {
    struct app *app;
    struct discovery *discovery;
    struct update_context context;
    struct lambda_options options;
    struct lambda *lambda;
    struct app_signals signals;
    struct timer patience;
    struct emf_file emf;
    struct log_field
        request[2]; /* the invocation's id, in every line of an invocation. AWS's calls have a request_id */
    enum exit_code exit_code;
    bool refused; /* it failed before its first invocation */
};

static void end(struct function *f, enum exit_code code) {
    f->exit_code = code;
    loop_stop(f->app->loop);
}

static void refuse(struct function *f, enum exit_code code) {
    f->refused = true;
    end(f, code);
}

static void trace(const struct services *services, struct span header) {
    aws_client_set_trace(services->dynamodb_client, header);
    if (services->sqs_client) {
        aws_client_set_trace(services->sqs_client, header);
    }
}

static void on_began(void *ctx, const char *request_id, struct span header) {
    struct function *f = ctx;
    f->request[0] = LOG_C("invocation", request_id);
    f->app->log.always = f->request;
    trace(&f->app->services, header);
}

static void on_ended(void *ctx, const char *queue) {
    struct function *f = ctx;
    struct app *app = f->app;
    emf_file_write(&f->emf, &app->metrics, queue, f->context.table->name, clock_wall(app->platform.clock));
    app->log.always = NULL;
    trace(&f->app->services, SPAN(""));
}

static void on_thawed(void *ctx) {
    struct function *f = ctx;
    http_drop_idle(f->app->services.http);
}

static void on_done(void *ctx, struct outcome outcome) {
    end(ctx, exit_code_of(outcome));
}

static void on_discovered(void *user, struct outcome outcome, const struct discovery_facts *facts) {
    struct function *f = user;
    enum exit_code code = exit_code_of(outcome);
    struct app *app = f->app;
    timer_stop(app->platform.timers, &f->patience);
    if (code != EXIT_FINE) {
        refuse(f, code);
        return;
    }
    struct log_field fields[APP_START_FIELDS + 1];
    fields[app_start_fields(app, facts, fields)] = (struct log_field){0};
    log_event(&app->log, LOG_LEVEL_INFO, "Started", fields);
    f->context = app_update_context(app, facts);
    f->options.facts = facts;
    f->lambda = lambda_start(&f->options);
    if (!f->lambda) {
        log_event(&app->log, LOG_LEVEL_ERROR, "There is no memory to start with", NULL);
        refuse(f, EXIT_UNREACHABLE);
    }
}

static void on_patience(void *user) {
    struct function *f = user;
    discovery_give_up(f->discovery);
}

static void on_signal(void *user, int number) {
    struct function *f = user;
    (void)number;
    if (f->lambda) {
        lambda_stop(f->lambda);
    } else {
        end(f, EXIT_FINE);
    }
}

static bool start(struct function *f) {
    struct app *app = f->app;
    struct discovery_options options = app_discovery_options(app, NEVER);
    options.queue = NULL;
    options.in_turn = true;
    timer_init(&f->patience, on_patience, f);
    timer_start(app->platform.timers, &f->patience, clock_monotonic(app->platform.clock) + PATIENCE);
    f->discovery = discovery_start(&app->platform, &options, on_discovered, f);
    return f->discovery && app_watch_signals(app, false, on_signal, f, &f->signals);
}

static void release(struct function *f) {
    timer_stop(f->app->platform.timers, &f->patience);
    lambda_free(f->lambda);
    discovery_free(f->discovery);
    app_unwatch_signals(&f->signals);
    f->app->log.always = NULL;
}

enum exit_code command_lambda(struct app *app) {
    const struct settings *s = &app->settings;
    const char *address = environment_get(&app->environment, RUNTIME_API);
    struct function f = {.app = app, .exit_code = EXIT_UNREACHABLE};
    if (!address || !lambda_address_fits(address)) {
        log_event(&app->log, LOG_LEVEL_ERROR,
                  RUNTIME_API
                  " has to name the runtime API, as host:port: AWS Lambda sets it, and so does its emulator; "
                  "elsewhere run and apply are the commands",
                  NULL);
        return EXIT_SETTINGS;
    }
    f.options = (struct lambda_options){.runtime_api = address,
                                        .http = http_api(app->services.http),
                                        .clock = loop_clock(app->loop),
                                        .platform = &app->platform,
                                        .context = &f.context,
                                        .max_in_flight = s->max_in_flight,
                                        .max_rate = s->max_rate,
                                        .max_attempts = s->max_attempts,
                                        .host = {on_began, on_ended, on_thawed, on_done, &f}};
    if (!emf_file_open(&f.emf, s->metrics_emf, &app->log)) {
        f.refused = true;
        f.exit_code = EXIT_SETTINGS;
    } else if (!start(&f)) {
        log_event(&app->log, LOG_LEVEL_ERROR, "There is no memory to start with", NULL);
        f.refused = true;
    } else if (!loop_run(app->loop)) {
        log_event(&app->log, LOG_LEVEL_ERROR, "Nothing is left to wait for; this is a fault of table-updater", NULL);
    }
    release(&f);
    if (f.refused) {
        command_lambda_refused(app, f.exit_code);
    }
    return f.exit_code;
}

/* Tells Lambda why the function can't start. Hardly anything may be set up by then, so this has its own loop and
 * client. */
struct telling {
    struct loop *loop;
    bool told;
};

static void on_told(void *ctx, struct outcome outcome) {
    struct telling *telling = ctx;
    (void)outcome;
    telling->told = true;
    loop_stop(telling->loop);
}

static const char *error_type_of(enum exit_code code) {
    return code == EXIT_SETTINGS        ? "Runtime.InvalidSettings"
           : code == EXIT_NOT_PERMITTED ? "Runtime.NotPermitted"
                                        : "Runtime.ServiceUnreachable";
}

void command_lambda_refused(struct app *app, enum exit_code code) {
    const char *address = getenv(RUNTIME_API);
    if (!address || !lambda_address_fits(address)) {
        return;
    }
    struct telling telling = {.loop = loop_new()};
    struct http *http =
        telling.loop
            ? http_new(telling.loop, &(struct http_options){.user_agent = "table-updater/" TABLE_UPDATER_VERSION})
            : NULL;
    if (http) {
        struct clock clock = loop_clock(telling.loop);
        const struct platform platform = {.clock = &clock, .timers = loop_timers(telling.loop), .log = &app->log};
        const struct lambda_options options = {.runtime_api = address,
                                               .http = http_api(http),
                                               .clock = clock,
                                               .platform = &platform,
                                               .host = {.done = on_told, .ctx = &telling}};
        struct lambda_refusal *refusal =
            lambda_refuse(&options, error_type_of(code), problems_sentence(&app->problems));
        if (refusal) {
            (void)loop_run(telling.loop);
        }
        lambda_refusal_free(refusal);
    }
    http_free(http);
    loop_free(telling.loop);
}
