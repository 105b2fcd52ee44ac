/* All settings stand in one table: reading, checking, help and manual come from it. */
#pragma once

#include "compiler.h"
#include "environment.h"
#include "log.h"
#include "settings_file.h"
#include "update.h"

#include <stdbool.h>
#include <stddef.h>

#define SETTINGS_DEFAULT_FILE "/etc/table-updater/table-updater.conf"

/* The texts are borrowed from the environment that was read. */
struct settings {
    const char *table_name;
    const char *queue; /* NULL: not set */
    const char *dlq; /* NULL: the target of the queue's redrive policy */
    enum log_level log_level;
    enum log_format log_format;
    enum audit_mode audit;
    const char *audit_table;
    unsigned audit_ttl_days; /* 0: none */
    unsigned max_in_flight;
    unsigned max_rate; /* 0: none */
    unsigned visibility; /* seconds; 0: the queue's, at least 10 */
    unsigned max_attempts;
    unsigned shutdown_timeout; /* seconds */
    const char *metrics_address; /* "off": none */
    const char *metrics_emf; /* NULL: not wanted */
};

struct setting_choice {
    const char *word;
    unsigned value;
};

/* A row of the table. */
struct setting {
    const char *name;
    const char *standard; /* the default, as it would be written; NULL: none */
    const char
        *standard_text; /* where standard is NULL: what holds then; "-": the setting is required, or simply not set */
    const char *text; /* one or two sentences for people, plain ASCII */
    /* Checks a value and stores it. NULL: the setting is not ours alone, and is checked where it is used (as the AWS
     * SDKs have it). */
    bool (*parse)(const struct setting *setting, const char *value, void *ret_field);
    size_t offset;
    unsigned min, max; /* parse_integer */
    const struct setting_choice *choices; /* parse_choice; the last has no word */
    bool is_file; /* its value is a file's path */
    bool reloadable; /* SIGHUP takes it over; its field is an unsigned or an enum */
    const char *expected; /* all other parsers: what the value may be, to follow "it may be" */
};
extern const struct setting SETTINGS[];
extern const size_t SETTINGS_COUNT;
#define SETTINGS_PATH_SIZE 4096
#define SETTINGS_MAX 64 /* what SETTINGS_COUNT may be */

enum settings_need {
    NEED_NOTHING = 0,
    NEED_TABLE = 1,
    NEED_QUEUE = 2,
    NEED_TABLE_AND_QUEUE = NEED_TABLE | NEED_QUEUE,
    NEED_DLQ = 4, /* or a queue, which may tell its own */
    MAY_HAVE_DLQ = 8, /* DLQ_URL counts where it is set, whatever the queue */
    NEED_TABLE_PERHAPS_DLQ = NEED_TABLE | MAY_HAVE_DLQ,
    NEED_QUEUE_WHERE_SET = 16 /* it is used where QUEUE_URL names one */
};
/* Whether a command with this need uses the queue. */
bool settings_use_queue(const struct environment *environment, enum settings_need need);

/* Reads and checks all settings. Every problem is logged as a sentence that names the setting; false where there is
 * one. What is wrong has its default then, or is NULL. */
MUST_USE bool settings_read(const struct environment *environment, enum settings_need need, struct log *log,
                            struct settings *ret_settings);
/* Takes over from fresh what may change while the process runs. Says what did, and which settings have changed that
 * need a restart. before and after: what settings and fresh were read from. */
void settings_take_over(struct settings *settings, const struct settings *fresh, const struct environment *before,
                        const struct environment *after, struct log *log);
/* How to log while the settings are read: LOG_LEVEL and LOG_FORMAT, or their defaults where they are not valid. */
void settings_read_log(const struct environment *environment, struct log *log);
/* Looks for names in the file that are none of ours: misspelt ones are an error (false), others a warning, as are those
 * that are given twice. path is for the log. */
bool settings_check_names(const struct settings_file *file, const char *path, struct log *log);
/* Warns of names in an environment (NAME=value each, NULL at its end) that are none of ours, but close to one: others
 * may own them. */
void settings_check_environment(char *const *variables, struct log *log);
#define SETTINGS_OPTION_SIZE 48
/* How a setting is given on the command line: --table-name for TABLE_NAME, --region for AWS_REGION. False: it can't be
 * (secrets would be seen by all, and what only stands in for another setting is of no use there). */
bool settings_option(const struct setting *setting, char ret_option[static SETTINGS_OPTION_SIZE]);
/* Whether a name is in the table. */
bool settings_know(const char *name);
