#include "app.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define CONNECTIONS_MAX ((size_t)1024)
#define OTHER_DESCRIPTORS ((size_t)224) /* beside connections: of the loop, the resolver, files, HTTP clients */
#define VISITORS_MAX ((size_t)1024)
#define VISITORS_MIN ((size_t)32)

static const char no_memory[] = "There is no memory to start with";

static enum exit_code fail(struct app *app, const char *sentence) {
    log_event(&app->log, LOG_LEVEL_ERROR, sentence, NULL);
    return EXIT_UNREACHABLE;
}

/* How many connections the limit of descriptors leaves room for, once it is raised as far as it may be. HTTP clients
 * (visitors) get the descriptors that are left. */
static size_t connections_possible(struct app *app) {
    struct rlimit limit;
    app->visitors = VISITORS_MIN;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return CONNECTIONS_MAX;
    }
    rlim_t needed = CONNECTIONS_MAX + OTHER_DESCRIPTORS, wanted = needed + VISITORS_MAX;
    if (limit.rlim_cur < wanted) {
        struct rlimit raised = {limit.rlim_max < wanted ? limit.rlim_max : wanted, limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0) {
            limit = raised;
        }
    }
    if (limit.rlim_cur >= needed + VISITORS_MIN) {
        rlim_t left = limit.rlim_cur - needed;
        app->visitors = left < VISITORS_MAX ? (size_t)left : VISITORS_MAX;
    }
    if (limit.rlim_cur >= needed) {
        return CONNECTIONS_MAX;
    }
    /* Where the limit is low, half of it are connections and an eighth HTTP clients: a connection that can't be opened
     * would look like an outage. */
    size_t files = (size_t)limit.rlim_cur;
    size_t possible = files > 2 * OTHER_DESCRIPTORS ? files - OTHER_DESCRIPTORS : files / 2;
    app->visitors = files / 8 < VISITORS_MIN ? files / 8 : VISITORS_MIN;
    if (possible > app->settings.max_in_flight + OTHER_DESCRIPTORS) {
        return possible;
    }
    LOG_EVENT(&app->log, LOG_LEVEL_WARNING,
              "The limit of open files (RLIMIT_NOFILE) leaves room for fewer connections than usual",
              LOG_I("connections", possible), LOG_I("usual", CONNECTIONS_MAX));
    return possible;
}

static bool is_dry(const struct app *app) {
    const struct cli_command *command = app->cli->command;
    return command->is_dry && command->is_dry(app->cli);
}

/* Whether the command needs nothing of AWS. */
static bool is_alone(const struct app *app) {
    return is_dry(app) && !app->settings.table_name;
}

/* Reads our own settings and those of AWS; all their problems are told. */
static bool read_settings(struct app *app, const struct services_options *options) {
    bool file_fine = !app->configuration.faulty;
    enum settings_need needs = is_dry(app) ? NEED_NOTHING : app->cli->command->needs;
    bool settings_fine = settings_read(&app->environment, needs, &app->log, &app->settings);
    bool services_fine = (settings_fine && is_alone(app)) || services_find(&app->services, options);
    return services_fine && settings_fine && file_fine;
}

static bool load_configuration(struct app *app) {
    /* The environment says how to log where the file can't be read. */
    app->configuration.options = app->cli->settings;
    app->environment = configuration_environment(&app->configuration);
    settings_read_log(&app->environment, &app->log);
    if (!configuration_load(app->cli->config.text, true, app->cli->settings, &app->log, &app->configuration)) {
        return false;
    }
    settings_check_environment(environ, &app->log);
    return true;
}

static void copy_queue(const char *given, char ret_copy[static QUEUE_URL_SIZE]) {
    int len = given ? (int)strlen(given) : 0;
    while (len > 0 && given[len - 1] == '/') {
        len--;
    }
    (void)snprintf(ret_copy, QUEUE_URL_SIZE, "%.*s", len, given ? given : "");
}

/* Notes which endpoints and queues will be asked, and warns of those that don't fit together. */
static void look_at_places(struct app *app, bool with_queue, bool warns) {
    const struct services *services = &app->services;
    url_origin(services->dynamodb_url, app->dynamodb_origin);
    if (!with_queue) {
        return;
    }
    copy_queue(app->settings.queue, app->queue_url);
    copy_queue(app->settings.dlq, app->dlq_url);
    url_origin(services->sqs_url, app->sqs_origin);
    if (!warns) {
        return;
    }
    queue_place_warn(&app->log, "QUEUE_URL", app->settings.queue, services->sqs_url, services->region);
    queue_place_warn(&app->log, "DLQ_URL", app->settings.dlq, services->sqs_url, services->region);
}

const char *app_option(const struct app *app, const char *setting) {
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const char *value = strcmp(SETTINGS[i].name, setting) == 0 ? app->cli->settings[i] : NULL;
        if (value && value[0]) {
            return value;
        }
    }
    return NULL;
}

/* Whether SQS will be asked. It looks into the environment, as the settings aren't read yet. */
static bool asks_queues(const struct app *app) {
    enum settings_need needs = app->cli->command->needs;
    const char *dlq = environment_get(&app->environment, "DLQ_URL");
    return (settings_use_queue(&app->environment, needs) && !is_dry(app)) || ((needs & MAY_HAVE_DLQ) && dlq);
}

/* The way to AWS, as far as the settings are fine. */
static enum exit_code connect_services(struct app *app, struct services_options *options, bool goes_on) {
    const struct services *s = &app->services;
    bool by_sts = s->plan.role_count || s->plan.kind == CREDENTIALS_WEB_IDENTITY;
    if (goes_on && !(s->fine.config && s->fine.plan && s->fine.ca_file && (s->fine.region || !by_sts))) {
        return EXIT_FINE;
    }
    options->max_connections = connections_possible(app);
    if (services_connect(&app->services, options) || (goes_on && s->http && !s->fine.credentials)) {
        return EXIT_FINE;
    }
    return s->http && !s->fine.credentials ? EXIT_SETTINGS : fail(app, no_memory);
}

enum exit_code app_init(struct app *app, const struct cli *cli) {
    *app = (struct app){.cli = cli, .log = {.fd = STDERR_FILENO, .clock = clock_system()}};
    app->log.overheard = problems_overhear;
    app->log.overheard_ctx = &app->problems;
    bool goes_on = cli->command->prepare != NULL;
    if (goes_on) {
        cli->command->prepare(app);
    }
    if (!load_configuration(app) && !goes_on) {
        return EXIT_SETTINGS;
    }
    if (!configuration_export(&app->configuration)) {
        return fail(app, no_memory);
    }
    if (!random_seed_from_system(&app->random)) {
        return fail(app, "The system gives no random numbers");
    }
    app->loop = loop_new();
    app->digest = digest_new();
    if (!app->loop || !app->digest) {
        return fail(app, "The event loop or the cryptographic library can't be set up: no memory, or no descriptors");
    }
    struct services_options options = {.environment = &app->environment,
                                       .profile = app_option(app, "AWS_PROFILE"),
                                       .with_queue = asks_queues(app),
                                       .notes_dates = goes_on,
                                       .loop = app->loop,
                                       .random = &app->random,
                                       .digest = app->digest,
                                       .log = &app->log,
                                       .metrics = &app->metrics};
    metrics_init(&app->metrics);
    if (!read_settings(app, &options) && !goes_on) {
        return EXIT_SETTINGS;
    }
    if (is_alone(app)) {
        app->services.clock = loop_clock(app->loop);
        app->platform = (struct platform){
            .clock = &app->services.clock, .timers = loop_timers(app->loop), .random = &app->random, .log = &app->log};
        return EXIT_FINE;
    }
    look_at_places(app, options.with_queue, !goes_on);
    enum exit_code code = connect_services(app, &options, goes_on);
    if (code != EXIT_FINE) {
        return code;
    }
    app->platform = (struct platform){.sqs = options.with_queue ? &app->services.sqs : NULL,
                                      .dynamodb = &app->services.dynamodb,
                                      .clock = &app->services.clock,
                                      .timers = loop_timers(app->loop),
                                      .random = &app->random,
                                      .log = &app->log,
                                      .metrics = &app->metrics};
    return EXIT_FINE;
}

void app_free(struct app *app) {
    services_free(&app->services);
    digest_free(app->digest);
    loop_free(app->loop);
    configuration_free(&app->configuration);
    *app = (struct app){0};
}

struct discovery_options app_discovery_options(const struct app *app, int64_t patience) {
    const struct settings *s = &app->settings;
    bool with_queue = app->platform.sqs != NULL;
    return (struct discovery_options){
        .table = s->table_name,
        .audit_table = s->audit_table,
        .audit = s->audit,
        .audit_ttl_days = s->audit_ttl_days,
        .queue = with_queue ? app->queue_url : NULL,
        .dlq = with_queue && s->dlq ? app->dlq_url : NULL,
        .visibility = s->visibility,
        .max_attempts = s->max_attempts,
        .patience = patience,
    };
}

size_t app_start_fields(struct app *app, const struct discovery_facts *facts,
                        struct log_field ret_fields[static APP_START_FIELDS]) {
    size_t count = 0;
    ret_fields[count++] = LOG_C("version", TABLE_UPDATER_VERSION);
    ret_fields[count++] = LOG_C("table", facts->table.name);
    ret_fields[count++] = LOG_C("partition_key", facts->table.partition.name);
    if (facts->table.sort.name[0]) {
        ret_fields[count++] = LOG_C("sort_key", facts->table.sort.name);
    }
    /* DynamoDB may have a host for each account, and the account is known since the first call. */
    url_origin(aws_client_url(app->services.dynamodb_client), app->dynamodb_origin);
    services_account(&app->services, app->account);
    ret_fields[count++] = LOG_C("region", app->services.region);
    ret_fields[count++] = LOG_C("dynamodb", app->dynamodb_origin);
    if (app->platform.sqs) {
        ret_fields[count++] = LOG_C("sqs", app->sqs_origin);
    }
    ret_fields[count++] = LOG_C("credentials", services_credentials_name(&app->services));
    if (app->account[0]) {
        ret_fields[count++] = LOG_C("account", app->account);
    }
    ret_fields[count++] = LOG_C("audit", app->settings.audit == AUDIT_OFF  ? "false"
                                         : app->settings.audit == AUDIT_ON ? "true"
                                                                           : "always");
    ret_fields[count++] = LOG_C("audit_table", facts->audit_table_exists ? app->settings.audit_table : "none");
    if (app->settings.audit_ttl_days) {
        ret_fields[count++] = LOG_I("audit_ttl_days", app->settings.audit_ttl_days);
    }
    return count;
}

/* Whether an audit record can be gone while the queue still has its message. */
static bool audit_ends_early(const struct settings *s, const struct discovery_facts *facts) {
    const uint64_t day = 86400;
    return s->audit_ttl_days > 0 && s->audit_ttl_days * day < facts->queue.attributes.retention;
}

struct update_context app_update_context(struct app *app, const struct discovery_facts *facts) {
    return (struct update_context){
        .table = &facts->table,
        .audit_table = app->settings.audit_table,
        .audit_table_exists = facts->audit_table_exists,
        .audit = app->settings.audit,
        .audit_ttl_days = app->settings.audit_ttl_days,
        .audit_ends_early = audit_ends_early(&app->settings, facts),
        .user_agent = "table-updater/" TABLE_UPDATER_VERSION,
        .digest = app->digest,
        .hash_seed = {random_next(&app->random), random_next(&app->random)},
    };
}

enum exit_code app_code_of_signal(int number) {
    return (enum exit_code)(EXIT_INTERRUPTED - SIGINT + number);
}

static bool is_ignored(int number) {
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void mask_hangup(int how) {
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGHUP);
    (void)sigprocmask(how, &set, NULL);
}

void app_hold_hangup(void) {
    mask_hangup(SIG_BLOCK);
}

static void on_signal(void *user) {
    const struct app_signal *signal = user;
    signal->all->arrived(signal->all->user, signal->number);
}

bool app_watch_signals(struct app *app, bool hangup_is_ours, void (*arrived)(void *user, int number), void *user,
                       struct app_signals *signals) {
    static const int numbers[APP_SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
    *signals = (struct app_signals){.arrived = arrived, .user = user};
    for (size_t i = 0; i < APP_SIGNALS; i++) {
        if (is_ignored(numbers[i]) && (numbers[i] != SIGHUP || !hangup_is_ours)) {
            continue;
        }
        signals->of[i] = (struct app_signal){.all = signals, .number = numbers[i]};
        signals->of[i].watch = loop_watch_signal(app->loop, numbers[i], on_signal, &signals->of[i]);
        if (!signals->of[i].watch) {
            app_unwatch_signals(signals);
            return false;
        }
    }
    mask_hangup(SIG_UNBLOCK);
    return true;
}

void app_unwatch_signals(struct app_signals *signals) {
    mask_hangup(SIG_BLOCK);
    for (size_t i = 0; i < APP_SIGNALS; i++) {
        loop_watch_free(signals->of[i].watch);
    }
    *signals = (struct app_signals){0};
}
