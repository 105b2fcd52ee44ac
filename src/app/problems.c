#include "problems.h"

#include "buf.h"

#include <inttypes.h>

static void append(char *text, size_t size, const char *message, const struct log_field *fields) {
    size_t len = strlen(text);
    const char *between = " (";
    struct buf out;
    buf_init_lent(&out, text + len, size - len, size - len - 1);
    (void)buf_printf(&out, "%s%s", len ? "\n" : "", message);
    for (const struct log_field *field = fields; field && field->name; field++) {
        if (field->text.data) {
            (void)buf_printf(&out, "%s%s: %.*s", between, field->name, (int)field->text.len, field->text.data);
        } else {
            (void)buf_printf(&out, "%s%s: %" PRId64, between, field->name, field->number);
        }
        between = ", ";
    }
    (void)buf_append_cstr(&out, between[0] == ',' ? ")" : "");
}

bool problems_overhear(void *ctx, enum log_level level, const char *message, const struct log_field *fields) {
    struct problems *problems = ctx;
    if (level == LOG_LEVEL_ERROR) {
        append(problems->errors, sizeof problems->errors, message, fields);
    } else if (level == LOG_LEVEL_WARNING) {
        problems->warning[0] = '\0';
        append(problems->warning, sizeof problems->warning, message, fields);
    }
    return false;
}

const char *problems_sentence(const struct problems *problems) {
    return problems->errors[0]    ? problems->errors
           : problems->warning[0] ? problems->warning
                                  : "The function can't start, and doesn't know why";
}
