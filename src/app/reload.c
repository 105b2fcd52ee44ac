/* SIGHUP: all settings are read again. Where all are fine, those that can change are taken over; else none is. */
#include "app.h"

/* Reads and checks them as at the start. */
static bool read_anew(struct app *app, struct log *log, struct configuration *fresh, struct settings *ret_settings) {
    fresh->started = &app->configuration.file;
    const struct environment environment = configuration_environment(fresh);
    const struct services_options options = {.environment = &environment,
                                             .profile = app_option(app, "AWS_PROFILE"),
                                             .with_queue = app->platform.sqs != NULL,
                                             .loop = app->loop,
                                             .random = &app->random,
                                             .digest = app->digest,
                                             .log = log};
    struct services services;
    bool settings_fine = settings_read(&environment, app->cli->command->needs, log, ret_settings);
    bool services_fine = services_find(&services, &options);
    services_free(&services);
    return settings_fine && services_fine && !fresh->faulty;
}

bool app_reload(struct app *app) {
    struct configuration fresh;
    struct settings settings;
    struct log log = app->log; /* what the file says of it counts only where all is well */
    bool loaded = configuration_load(app->cli->config.text, false, app->cli->settings, &log, &fresh);
    bool fine = loaded && read_anew(app, &log, &fresh, &settings);
    app->log.lost = log.lost;
    app->log.lost_in_all = log.lost_in_all;
    app->log.torn = log.torn;
    if (fine) {
        const struct environment after = configuration_environment(&fresh);
        settings_take_over(&app->settings, &settings, &app->environment, &after, &app->log);
        services_renew_credentials(&app->services);
    } else {
        log_event(&app->log, LOG_LEVEL_ERROR,
                  "SIGHUP: something is wrong with the settings, and all of them stay as they were", NULL);
    }
    if (loaded) {
        configuration_free(&fresh);
    }
    return fine;
}
