/* The settings, each with who gives it. What is wrong with them was told while they were read. */
#include "check.h"

#include "buf.h"
#include "emf_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DEFAULTS_MAX ((size_t)4096)

static void origin_text(const struct check *c, const struct setting_origin *origin,
                        char ret_text[static CHECK_SOURCE_SIZE]) {
    switch (origin->by) {
    case SETTING_NOWHERE: (void)snprintf(ret_text, CHECK_SOURCE_SIZE, "nowhere"); break;
    case SETTING_BY_OPTION: (void)snprintf(ret_text, CHECK_SOURCE_SIZE, "option"); break;
    case SETTING_BY_ENVIRONMENT: (void)snprintf(ret_text, CHECK_SOURCE_SIZE, "environment"); break;
    case SETTING_BY_FILE:
        (void)snprintf(ret_text, CHECK_SOURCE_SIZE, "%.400s, line %u", c->app->configuration.path, origin->line);
        break;
    }
}

void check_origin(const struct check *c, const char *variable, char ret_text[static CHECK_SOURCE_SIZE]) {
    const struct setting_origin origin = configuration_origin(&c->app->configuration, variable);
    origin_text(c, &origin, ret_text);
}

void check_source(const struct check *c, const struct aws_setting *setting, char ret_text[static CHECK_SOURCE_SIZE]) {
    char origin[CHECK_SOURCE_SIZE];
    const char *path = NULL;
    size_t line = 0;
    if (shared_config_place(&c->app->services.config, setting->value, &path, &line)) {
        (void)snprintf(ret_text, CHECK_SOURCE_SIZE, "%s (%.300s, line %zu)", setting->name, path, line);
        return;
    }
    check_origin(c, setting->name, origin);
    (void)snprintf(ret_text, CHECK_SOURCE_SIZE, "%s (%.380s)", setting->name, origin);
}

static bool is_secret(const char *name) {
    static const char *const names[] = {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* A URL may hold a password before its @. */
static bool may_be_shown(const char *name, const char *value) {
    return !is_secret(name) && !strchr(value, '@');
}

/* A value that isn't fine was reported while the settings were read. */
static bool is_fine(const struct setting *setting, const char *value) {
    struct settings scratch;
    return !setting->parse || setting->parse(setting, value, (char *)&scratch + setting->offset);
}

/* Reports a value that `run` would not start with. */
static bool is_possible(const struct check *c, const struct setting *setting, const char *value) {
    if (strcmp(setting->name, "METRICS_EMF") != 0 || emf_file_is_possible(value)) {
        return true;
    }
    check_problem(c->report, EXIT_SETTINGS, "setting", setting->name,
                  "Name a file that can be made or added to, or - for standard output", "%s can't be written: %s",
                  value, strerrordesc_np(errno));
    return false;
}

static void check_profile(struct check *c) {
    const struct shared_config *config = &c->app->services.config;
    const struct shared_file *files[] = {&config->config, &config->credentials};
    char texts[2][CHECK_SOURCE_SIZE];
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
        (void)snprintf(texts[i], CHECK_SOURCE_SIZE, "%.400s%s", files[i]->path ? files[i]->path : "no file",
                       files[i]->path && !files[i]->file ? " (isn't there)" : "");
    }
    check_fine(c->report, "profile", config->profile, "of %s and %s", texts[0], texts[1]);
}

void check_settings(struct check *c) {
    struct buf defaults;
    buf_init(&defaults, DEFAULTS_MAX);
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct setting *s = &SETTINGS[i];
        const struct setting_origin origin = configuration_origin(&c->app->configuration, s->name);
        char from[CHECK_SOURCE_SIZE];
        if (origin.value && origin.value[0]) {
            if (!is_fine(s, origin.value) || !is_possible(c, s, origin.value)) {
                continue;
            }
            origin_text(c, &origin, from);
            check_fine(c->report, "setting", s->name, "%s (%s)",
                       may_be_shown(s->name, origin.value) ? origin.value : "set, and not shown", from);
        } else if (s->parse && s->standard) {
            (void)buf_printf(&defaults, "%s%s=%s", defaults.len ? " " : "", s->name, s->standard);
        }
    }
    if (defaults.len && buf_ok(&defaults)) {
        check_fine(c->report, "setting", NULL, "by default %s", defaults.data);
    }
    buf_free(&defaults);
    if (c->app->services.fine.config) {
        check_profile(c);
    }
}
