/* What SIGHUP changes of the settings, and what it can't. */
#include "settings.h"

#include <string.h>

_Static_assert(sizeof(enum log_level) == sizeof(unsigned) && sizeof(enum log_format) == sizeof(unsigned),
               "settings that are taken over are unsigned");

static bool is_same_text(const char *a, const char *b) {
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Copies one setting's field. False: it is the same already. */
static bool take_field(const struct setting *setting, struct settings *settings, const struct settings *fresh) {
    char *old = (char *)settings + setting->offset;
    const char *new = (const char *)fresh + setting->offset;
    bool same = memcmp(old, new, sizeof(unsigned)) == 0;
    memcpy(old, new, sizeof(unsigned));
    return !same;
}

void settings_take_over(struct settings *settings, const struct settings *fresh, const struct environment *before,
                        const struct environment *after, struct log *log) {
    struct log_field changed[SETTINGS_MAX + 1];
    size_t count = 0;
    bool restart = false;
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct setting *s = &SETTINGS[i];
        const char *value = environment_get(after, s->name);
        if (s->reloadable && take_field(s, settings, fresh) && count < SETTINGS_MAX) {
            changed[count++] = LOG_C(s->name, value ? value : s->standard ? s->standard : s->standard_text);
        } else if (!s->reloadable && !is_same_text(environment_get(before, s->name), value)) {
            LOG_EVENT(log, LOG_LEVEL_WARNING,
                      "A setting has changed that needs a restart; until then it stays as it was",
                      LOG_C("setting", s->name));
            restart = true;
        }
    }
    changed[count] = (struct log_field){0};
    log->level = settings->log_level;
    log->format = settings->log_format;
    log_event(log, LOG_LEVEL_INFO,
              count     ? "SIGHUP: settings were read again, and these have changed"
              : restart ? "SIGHUP: settings were read again; none that can change without a restart has changed"
                        : "SIGHUP: settings were read again; none has changed",
              changed);
}
