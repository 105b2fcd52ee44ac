/* The log: one event a line on standard error, as text or as JSON. A line is never waited for: where the reader doesn't
 * take it, it is dropped and counted, and the count is logged once there is room again. Bodies, attribute values and
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
    uint64_t lost_in_all; /* … since the start */
    bool torn; /* the last line was taken only in part: the next one begins on a new line */
    /* Where it isn't NULL, lines go here instead of fd (tests). The line has no newline. */
    void (*sink)(void *ctx, struct span line);
    void *sink_ctx;
    const struct log_field *always; /* fields of every line, before its own; ended as those are. NULL: none */
    /* Hears of every event first, whether it is written or not. True: it tells of it itself, and nothing is written.
     * NULL: nobody hears. */
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
 * number 0: pass only what is there. Values that make the line too long are cut, the longest first, and end in "…"
 * then. Whatever the bytes, the line is valid UTF-8 without control characters, and without such as are not seen or
 * change the order of others. errno is left as it was. */
void log_event(struct log *log, enum log_level level, const char *message, const struct log_field *fields);
/* Appends text as a line has it: valid UTF-8 without control characters, and without such as are not seen. in_quotes:
 * as it stands between the quotes of a JSON string. */
void log_append_clean(struct buf *out, struct span text, bool in_quotes);
static inline bool log_wants(const struct log *log, enum log_level level) {
    return level >= log->level;
}
