/* `table-updater check`: looks at all that `run` will need, and changes nothing. */
#include "check.h"

#include "buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENTENCE_MAX ((size_t)4096)

/* Appends the sentence. Where it begins with a setting's name, it also says where that is set. */
static void append_origin(const struct app *app, const char *sentence, struct buf *out) {
    char name[SETTINGS_OPTION_SIZE];
    size_t len = strspn(sentence, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    (void)buf_append_cstr(out, sentence);
    if (len && len < sizeof name) {
        (void)snprintf(name, sizeof name, "%.*s", (int)len, sentence);
        const struct setting_origin origin = configuration_origin(&app->configuration, name);
        if (origin.by == SETTING_BY_FILE) {
            (void)buf_printf(out, " (it is set in %s, line %u)", app->configuration.path, origin.line);
        } else if (origin.by != SETTING_NOWHERE) {
            (void)buf_printf(out, " (it is set by %s)",
                             origin.by == SETTING_BY_OPTION ? "an option" : "the environment");
        }
    }
}

/* What is wrong with the settings becomes lines of the report, not of the log. */
static bool on_setting_event(void *ctx, enum log_level level, const char *message, const struct log_field *fields) {
    struct app *app = ctx;
    if (level >= LOG_LEVEL_WARNING) {
        const char *at = app->services.looking_at;
        struct buf text;
        buf_init(&text, SENTENCE_MAX);
        append_origin(app, message, &text);
        check_event(&app->report, EXIT_SETTINGS, at ? at : "setting", level, buf_ok(&text) ? text.data : message,
                    fields);
        buf_free(&text);
    }
    return level >= LOG_LEVEL_INFO;
}

/* The report says what the calls log, too. So the log has it only with LOG_LEVEL=DEBUG. */
static bool on_call_event(void *ctx, enum log_level level, const char *message, const struct log_field *fields) {
    const struct app *app = ctx;
    (void)level, (void)message, (void)fields;
    return app->settings.log_level != LOG_LEVEL_DEBUG;
}

void command_check_prepare(struct app *app) {
    app->report = (struct check_report){.out = stdout, .json = app->cli->of.check.json.given};
    app->log.overheard = on_setting_event;
    app->log.overheard_ctx = app;
}

static void on_signal(void *user, int number) {
    struct check *c = user;
    c->signal = number;
    loop_stop(c->app->loop);
}

static void run_checks(struct check *c) {
    void (*const checks[])(struct check * c) = {check_settings, check_region, check_credentials, check_endpoints,
                                                check_tables,   check_queues, check_clock,       check_permissions};
    for (size_t i = 0; i < ARRAY_LENGTH(checks) && !c->signal; i++) {
        checks[i](c);
    }
    const struct services *s = &c->app->services;
    bool could_ask = !c->no_credentials && s->fine.region && s->fine.ca_file && s->fine.dynamodb;
    if (!could_ask && !c->signal) {
        check_warn(
            c->report, "not checked", NULL, "Mend what stands above, then check again",
            "what needs credentials, a region, a URL and certificates that are fine: tables, queues, permissions");
    }
}

static enum exit_code exit_of(const struct check *c) {
    const struct check_report *r = c->report;
    if (c->signal) {
        return app_code_of_signal(c->signal);
    }
    if (r->broken) {
        LOG_EVENT(&c->app->log, LOG_LEVEL_ERROR, "Standard output can't be written",
                  LOG_C("reason", strerrordesc_np(r->error)));
        return r->code == EXIT_FINE ? EXIT_SOME_FAILED : r->code;
    }
    return r->code;
}

enum exit_code command_check(struct app *app) {
    struct check *c = calloc(1, sizeof *c);
    app->log.overheard = on_call_event;
    if (!c || !app_watch_signals(app, false, on_signal, c, &c->signals)) {
        app->log.overheard = NULL;
        log_event(&app->log, LOG_LEVEL_ERROR, "There is no memory to start with", NULL);
        free(c);
        return EXIT_UNREACHABLE;
    }
    c->app = app;
    c->report = &app->report;
    c->dynamodb.name = "DynamoDB";
    c->sqs.name = "Amazon SQS";
    run_checks(c);
    app->log.overheard = NULL;
    enum exit_code code = exit_of(c);
    app_unwatch_signals(&c->signals);
    free(c);
    return code;
}
