#include "check_report.h"

#include "buf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#define LINE_MAX_BYTES ((size_t)16 * 1024)
#define PHRASE_MAX ((size_t)4096)

struct entry {
    const char *status, *check, *subject, *mend;
    struct span what;
};

static void append_member(struct buf *out, const char *name, struct span text) {
    (void)buf_printf(out, "%s\"%s\":\"", out->len > 1 ? "," : "", name);
    log_append_clean(out, text, true);
    (void)buf_append_char(out, '"');
}

static void append_json(struct buf *out, const struct entry *e) {
    (void)buf_append_char(out, '{');
    append_member(out, "status", span_cstr(e->status));
    append_member(out, "check", span_cstr(e->check));
    if (e->subject) {
        append_member(out, "subject", span_cstr(e->subject));
    }
    append_member(out, "what", e->what);
    if (e->mend) {
        append_member(out, "mend", span_cstr(e->mend));
    }
    (void)buf_append_char(out, '}');
}

static void append_text(struct buf *out, const struct entry *e) {
    (void)buf_printf(out, "%-8s %s", e->status, e->check);
    if (e->subject) {
        (void)buf_append_char(out, ' ');
        log_append_clean(out, span_cstr(e->subject), false);
    }
    (void)buf_append_cstr(out, ": ");
    log_append_clean(out, e->what, false);
    if (e->mend) {
        (void)buf_append_cstr(out, ". ");
        log_append_clean(out, span_cstr(e->mend), false);
    }
}

static void write_entry(struct check_report *r, const struct entry *e) {
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    if (r->json) {
        append_json(&line, e);
    } else {
        append_text(&line, e);
    }
    (void)buf_append_char(&line, '\n');
    bool written = buf_ok(&line) && fwrite(line.data, 1, line.len, r->out) == line.len && fflush(r->out) == 0;
    if (!written && !r->broken) {
        r->broken = true;
        r->error = buf_ok(&line) ? errno : ENOMEM;
    }
    buf_free(&line);
}

/* What vsnprintf() wrote, or as much of it as there was room for. */
static struct span phrase_of(const char phrase[static PHRASE_MAX], int length) {
    return span_of(phrase, length < 0 ? 0 : (size_t)length < PHRASE_MAX ? (size_t)length : PHRASE_MAX - 1);
}

void check_fine(struct check_report *r, const char *check, const char *subject, const char *format, ...) {
    char phrase[PHRASE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(phrase, sizeof phrase, format, arguments);
    va_end(arguments);
    write_entry(r, &(struct entry){"ok", check, subject, NULL, phrase_of(phrase, length)});
    r->fine++;
}

void check_warn(struct check_report *r, const char *check, const char *subject, const char *mend, const char *format,
                ...) {
    char phrase[PHRASE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(phrase, sizeof phrase, format, arguments);
    va_end(arguments);
    write_entry(r, &(struct entry){"warning", check, subject, mend, phrase_of(phrase, length)});
    r->warnings++;
}

static void count_problem(struct check_report *r, enum exit_code code) {
    r->problems++;
    r->code = worse_exit(r->code, code);
}

void check_problem(struct check_report *r, enum exit_code code, const char *check, const char *subject,
                   const char *mend, const char *format, ...) {
    char phrase[PHRASE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(phrase, sizeof phrase, format, arguments);
    va_end(arguments);
    write_entry(r, &(struct entry){"problem", check, subject, mend, phrase_of(phrase, length)});
    count_problem(r, code);
}

static void append_fields(struct buf *out, const struct log_field *fields) {
    for (const struct log_field *f = fields; f && f->name; f++) {
        (void)buf_printf(out, "%s%s: ", f == fields ? " (" : ", ", f->name);
        if (f->text.data) {
            (void)buf_append_span(out, f->text);
        } else {
            (void)buf_printf(out, "%" PRId64, f->number);
        }
    }
    if (fields && fields->name) {
        (void)buf_append_char(out, ')');
    }
}

void check_event(struct check_report *r, enum exit_code code, const char *check, enum log_level level,
                 const char *message, const struct log_field *fields) {
    struct buf phrase;
    buf_init(&phrase, PHRASE_MAX);
    (void)buf_append_cstr(&phrase, message);
    append_fields(&phrase, fields);
    struct span text = buf_ok(&phrase) ? buf_span(&phrase) : span_cstr(message);
    if (level == LOG_LEVEL_ERROR) {
        write_entry(r, &(struct entry){"problem", check, NULL, NULL, text});
        count_problem(r, code);
    } else {
        write_entry(r, &(struct entry){"warning", check, NULL, NULL, text});
        r->warnings++;
    }
    buf_free(&phrase);
}
