#include "settings.h"

#include "buf.h"
#include "closest_name.h"
#include "settings_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENTENCE_MAX 1024
#define NAME_SHOWN_MAX 65 /* with its NUL; a longer name is close to none of ours */
#define QUOTED_MAX 60 /* bytes of a bad value that are quoted */

static void log_buf(struct log *log, enum log_level level, struct buf *sentence) {
    log_event(log, level,
              buf_ok(sentence) ? sentence->data : "A setting is not valid, and there is no memory to say which", NULL);
    buf_free(sentence);
}

/* Appends the value in quotes, cut short at a character's end. A URL with a user in it may hold a password, and is not
 * quoted. */
static void append_given(const char *value, struct buf *out) {
    if (strchr(value, '@')) {
        (void)buf_append_cstr(out, " has a value that is not valid");
        return;
    }
    size_t length = strlen(value), kept = length;
    if (length > QUOTED_MAX) {
        for (kept = QUOTED_MAX; kept > 0 && ((unsigned char)value[kept] & 0xC0) == 0x80;) {
            kept--;
        }
    }
    (void)buf_append_cstr(out, " is \"");
    (void)buf_append(out, value, kept);
    (void)buf_append_cstr(out, kept < length ? "...\"" : "\"");
}

static void log_bad_value(struct log *log, const struct setting *setting, const char *value) {
    struct buf sentence;
    buf_init(&sentence, SENTENCE_MAX);
    (void)buf_append_cstr(&sentence, setting->name);
    append_given(value, &sentence);
    (void)buf_append_cstr(&sentence, "; it may be ");
    (void)append_expected(setting, &sentence);
    log_buf(log, LOG_LEVEL_ERROR, &sentence);
}

static bool read_one(const struct setting *setting, const struct environment *environment, struct log *log,
                     struct settings *settings) {
    void *field = (char *)settings + setting->offset;
    const char *value = environment_get(environment, setting->name);
    if (value && setting->parse(setting, value, field)) {
        return true;
    }
    if (setting->standard && !setting->parse(setting, setting->standard, field)) {
        return false;
    }
    if (value && log) {
        log_bad_value(log, setting, value);
    }
    return !value;
}

static bool need_setting(bool given, const char *name, const char *what, struct log *log) {
    if (!given) {
        char sentence[192];
        (void)snprintf(sentence, sizeof sentence, "%s is not set; it is required: %s", name, what);
        log_event(log, LOG_LEVEL_ERROR, sentence, NULL);
    }
    return given;
}

static bool check_together(const struct settings *settings, struct log *log) {
    if (settings->queue && settings->dlq && strcmp(settings->queue, settings->dlq) == 0) {
        log_event(log, LOG_LEVEL_ERROR, "DLQ_URL is the same queue as QUEUE_URL; it may be any other one", NULL);
        return false;
    }
    return true;
}

bool settings_use_queue(const struct environment *environment, enum settings_need need) {
    return (need & (NEED_QUEUE | NEED_DLQ)) ||
           ((need & NEED_QUEUE_WHERE_SET) && environment_get(environment, "QUEUE_URL"));
}

bool settings_read(const struct environment *environment, enum settings_need need, struct log *log,
                   struct settings *ret_settings) {
    struct settings settings = {0};
    bool fine = true;
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        if (SETTINGS[i].parse) {
            fine = read_one(&SETTINGS[i], environment, log, &settings) && fine;
        }
    }
    /* This asks the environment, not the settings: a bad value was reported already, and isn't missing. */
    if (need & NEED_TABLE) {
        fine =
            need_setting(environment_get(environment, "TABLE_NAME"), "TABLE_NAME", "the table to update", log) && fine;
    }
    if (need & (NEED_QUEUE | NEED_QUEUE_WHERE_SET)) {
        fine = check_together(&settings, log) && fine;
    }
    if (need & NEED_QUEUE) {
        fine = need_setting(environment_get(environment, "QUEUE_URL"), "QUEUE_URL",
                            "the queue to read, its URL or name", log) &&
               fine;
    }
    if (need & NEED_DLQ) {
        bool given = environment_get(environment, "DLQ_URL") || environment_get(environment, "QUEUE_URL");
        fine =
            need_setting(given, "DLQ_URL",
                         "the dead-letter queue, its URL or name (or QUEUE_URL, whose redrive policy names it)", log) &&
            check_together(&settings, log) && fine;
    }
    *ret_settings = settings;
    return fine;
}

void settings_read_log(const struct environment *environment, struct log *log) {
    struct settings settings = {0};
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        if (SETTINGS[i].parse) {
            (void)read_one(&SETTINGS[i], environment, NULL, &settings);
        }
    }
    log->level = settings.log_level;
    log->format = settings.log_format;
}

static const char *find_name(const char *name) {
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        if (strcmp(SETTINGS[i].name, name) == 0) {
            return SETTINGS[i].name;
        }
    }
    return NULL;
}

bool settings_option(const struct setting *setting, char ret_option[static SETTINGS_OPTION_SIZE]) {
    static const char *const of_aws[] = {
        "AWS_REGION",   "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_DYNAMODB",
        "AWS_CA_BUNDLE"};
    const char *name = setting->name;
    bool can_be = setting->parse != NULL;
    for (size_t i = 0; !can_be && i < ARRAY_LENGTH(of_aws); i++) {
        can_be = strcmp(setting->name, of_aws[i]) == 0;
    }
    if (!setting->parse) {
        name += can_be ? sizeof "AWS_" - 1 : 0;
    }
    size_t length = strlen(name);
    if (!can_be || length + sizeof "--" > SETTINGS_OPTION_SIZE) {
        return false;
    }
    ret_option[0] = ret_option[1] = '-';
    for (size_t i = 0; i <= length; i++) {
        char c = name[i];
        ret_option[i + 2] = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return true;
}

bool settings_know(const char *name) {
    return find_name(name) != NULL;
}

/* The name that was probably meant. */
static const char *suggest(const char *given) {
    /* The SDKs have such a name for every service, and most differ from another by three letters at most. So only close
     * ones count. */
    static const char urls[] = "AWS_ENDPOINT_URL_";
    if (strncmp(given, urls, sizeof urls - 1) == 0) {
        static const char *const services[] = {"SQS", "DYNAMODB"};
        static const char *const names[] = {"AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_DYNAMODB"};
        const char *service = given + sizeof urls - 1;
        const char *closest = strlen(service) > 3 ? closest_name(service, services, ARRAY_LENGTH(services)) : NULL;
        return closest ? names[closest == services[1]] : NULL;
    }
    const char *names[SETTINGS_MAX];
    size_t count = 0;
    while (count < SETTINGS_COUNT && count < SETTINGS_MAX) {
        names[count] = SETTINGS[count].name;
        count++;
    }
    return closest_name(given, names, count);
}

static int compare_entries(const void *a, const void *b) {
    const struct settings_file_entry *x = a, *y = b;
    int names = strcmp(x->name, y->name);
    return names ? names : (x->line > y->line) - (x->line < y->line);
}

/* Warns of names that are given twice: whoever reads the file from its top sees the value that doesn't count. */
static void warn_of_repeats(const struct settings_file *file, const char *path, struct log *log) {
    struct settings_file_entry *sorted = file->count > 1 ? calloc(file->count, sizeof *sorted) : NULL;
    if (!sorted) {
        return;
    }
    memcpy(sorted, file->entries, file->count * sizeof *sorted);
    qsort(sorted, file->count, sizeof *sorted, compare_entries);
    for (size_t i = 1; i < file->count; i++) {
        if (strcmp(sorted[i].name, sorted[i - 1].name) != 0) {
            continue;
        }
        struct buf sentence;
        buf_init(&sentence, SENTENCE_MAX);
        (void)buf_printf(&sentence, "%s:%u: %.100s is given again; line %u gives it as well, and the last one counts",
                         path, sorted[i].line, sorted[i].name, sorted[i - 1].line);
        log_buf(log, LOG_LEVEL_WARNING, &sentence);
    }
    free(sorted);
}

bool settings_check_names(const struct settings_file *file, const char *path, struct log *log) {
    bool fine = true;
    warn_of_repeats(file, path, log);
    for (size_t i = 0; i < file->count; i++) {
        const struct settings_file_entry *entry = &file->entries[i];
        if (settings_know(entry->name)) {
            continue;
        }
        const char *meant = suggest(entry->name);
        struct buf sentence;
        buf_init(&sentence, SENTENCE_MAX);
        (void)buf_printf(&sentence,
                         meant ? "%s:%u: there is no setting %.100s; did you mean %s?"
                               : "%s:%u: %.100s is no setting of table-updater%s",
                         path, entry->line, entry->name, meant ? meant : "");
        log_buf(log, meant ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, &sentence);
        fine = fine && !meant;
    }
    return fine;
}

void settings_check_environment(char *const *variables, struct log *log) {
    for (; *variables; variables++) {
        char name[NAME_SHOWN_MAX];
        size_t length = strcspn(*variables, "=");
        if (length >= sizeof name) {
            continue;
        }
        memcpy(name, *variables, length);
        name[length] = '\0';
        const char *meant = settings_know(name) ? NULL : suggest(name);
        if (meant) {
            char sentence[2 * NAME_SHOWN_MAX + 64];
            (void)snprintf(sentence, sizeof sentence,
                           "There is no setting %s, which the environment has; did you mean %s?", name, meant);
            log_event(log, LOG_LEVEL_WARNING, sentence, NULL);
        }
    }
}
