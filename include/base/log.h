/* The log: one event a line on standard error, as text or as JSON. Writing never waits: a line that the reader doesn't
 * take at once is dropped and counted, and the count is logged once there is room again. Bodies, attribute values and
 * secrets never go here. */
#pragma once

#include "clock.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct log_field;
struct buf;

struct log {
    int fd;
    enum log_level level; /* the least that is written */
    enum log_format format;
    struct clock clock;
    uint64_t lost; /* lines since the last one that was taken */
    uint64_t lost_in_all; /* lines lost since the start */
    bool torn; /* only a part of the last line was taken: the next one begins on a new line */
    /* Where it isn't NULL, lines go here instead of fd (tests). The line has no newline. */
    void (*sink)(void *ctx, struct span line);
    void *sink_ctx;
    const struct log_field *always; /* fields of every line, before its own; the last one's name is NULL. NULL: none */
    /* Called first for every event, whether it is written or not. True: it reports the event itself, and nothing is
     * written. NULL: not called. */
    bool (*overheard)(void *ctx, enum log_level level, const char *message, const struct log_field *fields);
    void *overheard_ctx;
};

struct log_field {
    const char *name; /* snake_case */
    struct span text; /* absent: the field is the number */
    int64_t number;
};

#define LOG_S(name, span) ((struct log_field){(name), (span), 0})
#define LOG_C(name, cstr) ((struct log_field){(name), span_cstr(cstr), 0})
#define LOG_I(name, integer) ((struct log_field){(name), {NULL, 0}, (int64_t)(integer)})

/* Logs message (a fixed sentence) with one or more fields:
 *   LOG_EVENT(log, LOG_LEVEL_INFO, "Started", LOG_C("table", name), LOG_I("rate", 5));
 * A line without fields: log_event(log, level, message, NULL). */
#define LOG_EVENT(log, level, message, ...)                                                                            \
    log_event((log), (level), (message), (const struct log_field[]){__VA_ARGS__, {NULL, {NULL, 0}, 0}})

#define LOG_LINE_MAX 4096 /* bytes, with the newline: one write(2), which a pipe takes whole */

/* fields end with one whose name is NULL; NULL for none. An absent text (NULL data) of LOG_C/LOG_S is written as a
 * number 0: pass only what is there. Values that make the line too long are cut, the longest first, and then end in
 * "…". Whatever the bytes, the line is valid UTF-8 without control characters, and without characters that are
 * invisible or change the order of others. errno is left as it was. */
void log_event(struct log *log, enum log_level level, const char *message, const struct log_field *fields);
/* Appends text as a line has it: valid UTF-8 without control characters, and without invisible ones. in_quotes: as it
 * stands between the quotes of a JSON string. */
void log_append_clean(struct buf *out, struct span text, bool in_quotes);
static inline bool log_wants(const struct log *log, enum log_level level) {
    return level >= log->level;
}
