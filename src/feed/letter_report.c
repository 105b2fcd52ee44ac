#include "letter_report.h"

#include "clock.h"
#include "letter_choice.h"

#include <inttypes.h>
#include <stdio.h>

#define INDENT 7 /* columns below a group's count */
#define MOMENT_SIZE (sizeof "2026-11-29T08:30:00Z")
#define FOOTER "Looking is a delivery: the receive counts of what was looked at have risen by one.\n"

/* Characters that aren't seen, or change the order of others: U+007F-9F, U+200B-F, U+2028-E, U+2060-F, U+FEFF. */
static size_t hidden_size(const unsigned char *at, size_t left) {
    if (at[0] < 0x20 || at[0] == 0x7f)
        return 1;
    if (left >= 2 && at[0] == 0xc2 && at[1] < 0xa0)
        return 2;
    if (left >= 3 && at[0] == 0xe2 && at[1] == 0x80 &&
        ((at[2] >= 0x8b && at[2] <= 0x8f) || (at[2] >= 0xa8 && at[2] <= 0xae)))
        return 3;
    if (left >= 3 && at[0] == 0xe2 && at[1] == 0x81 && at[2] >= 0xa0 && at[2] <= 0xaf)
        return 3;
    return left >= 3 && at[0] == 0xef && at[1] == 0xbb && at[2] == 0xbf ? 3 : 0;
}

bool letter_clean_append(struct span text, struct buf *out) {
    for (size_t i = 0; i < text.len;) {
        size_t hidden = hidden_size((const unsigned char *)text.data + i, text.len - i);
        buf_append_char(out, hidden ? '?' : text.data[i]);
        i += hidden ? hidden : 1;
    }
    return buf_ok(out);
}

static void moment_text(int64_t wall, char ret_text[static MOMENT_SIZE]) {
    char whole[ISO8601_SIZE];
    clock_iso8601(wall, whole);
    (void)snprintf(ret_text, MOMENT_SIZE, "%.19sZ", whole);
}

/* Appends the words in as many lines as they take, all indented. */
static void append_wrapped(struct span text, unsigned width, struct buf *out) {
    size_t column = INDENT;
    buf_printf(out, "%*s", INDENT, "");
    for (size_t at = 0; at < text.len;) {
        const char *blank = memchr(text.data + at, ' ', text.len - at);
        size_t len = blank ? (size_t)(blank - text.data) - at : text.len - at;
        if (width && column > INDENT && column + 1 + len > width) {
            buf_printf(out, "\n%*s", INDENT, "");
            column = INDENT;
        } else if (column > INDENT) {
            buf_append_char(out, ' ');
            column++;
        }
        (void)letter_clean_append(span_of(text.data + at, len), out);
        column += len;
        at += len + 1;
    }
    buf_append_char(out, '\n');
}

static void append_labelled(const char *label, struct span text, unsigned width, struct buf *out) {
    struct buf line;
    buf_init(&line, (size_t)64 * 1024);
    if (buf_append_cstr(&line, label) && buf_append_span(&line, text))
        append_wrapped(buf_span(&line), width, out);
    else
        out->failure = BUF_NO_MEMORY;
    buf_free(&line);
}

#define ERROR_COLUMN 22

static void append_group(const struct letter_report *r, const struct letter_group *group, struct buf *out) {
    char oldest[MOMENT_SIZE], newest[MOMENT_SIZE];
    moment_text(group->oldest, oldest);
    moment_text(group->newest, newest);
    struct span error = group->error.data ? group->error : SPAN(LETTER_ERROR_NONE);
    buf_printf(out, "%6" PRIu64 " %s", group->count, r->bold ? "\033[1m" : "");
    (void)letter_clean_append(error, out);
    int pad = error.len < ERROR_COLUMN ? (int)(ERROR_COLUMN - error.len) : 0;
    buf_printf(out, "%s%*s  %s  %s\n", r->bold ? "\033[0m" : "", pad, "", oldest, newest);
    append_wrapped(group->reason, r->width, out);
    append_labelled("To mend it: ", span_cstr(group->mending), r->width, out);
    for (unsigned i = 0; i < group->sample_count; i++)
        append_labelled(i == 0 ? "Such as: " : "         ", span_cstr(group->samples[i]), 0, out);
}

/* How many of how many. */
static void append_head(const struct letter_report *r, const struct letter_groups *groups, struct buf *out) {
    char oldest[MOMENT_SIZE], newest[MOMENT_SIZE];
    buf_append_cstr(out, "DLQ ");
    (void)letter_clean_append(span_cstr(r->dlq), out);
    if (r->looked_at == 0) {
        bool hidden = r->counted != SQS_COUNT_UNKNOWN && r->counted > 0;
        buf_append_cstr(out, hidden ? ": nothing to be seen, though SQS counts messages: others look at them now, or "
                                      "its count lags; try again in a minute\n"
                                    : ": empty\n");
        return;
    }
    buf_printf(out, ": looked at %" PRIu64, r->looked_at);
    if (r->counted != SQS_COUNT_UNKNOWN && r->counted > r->looked_at)
        buf_printf(out, " of about %" PRIu64, r->counted);
    if (r->filtered)
        buf_printf(out, ", %" PRIu64 " as asked for", groups->count);
    if (groups->count > 0) {
        moment_text(groups->oldest, oldest);
        moment_text(groups->newest, newest);
        buf_printf(out, "; the oldest failed at %s, the newest at %s", oldest, newest);
    }
    buf_append_char(out, '\n');
    if (r->counted == SQS_COUNT_UNKNOWN || r->counted <= r->looked_at || r->limited)
        return;
    buf_append_cstr(out, r->whole_groups ? "The others are hidden by whoever received them last, or SQS's count lags.\n"
                                         : "Of a FIFO group SQS shows the first ten at most, until those are gone.\n");
}

bool letter_report_append(const struct letter_report *r, struct letter_groups *groups, struct buf *out) {
    append_head(r, groups, out);
    if (groups->count > 0)
        buf_printf(out, "\n%6s %-*s  %-*s  %s\n", "COUNT", ERROR_COLUMN, "ERROR, REASON", (int)MOMENT_SIZE - 1,
                   "OLDEST", "NEWEST");
    letter_groups_sort(groups);
    const struct letter_group *group;
    TAILQ_FOREACH(group, &groups->list, link) {
        append_group(r, group, out);
    }
    if (r->looked_at > 0)
        buf_append_cstr(out, groups->count > 0 ? "\n" FOOTER : FOOTER);
    return buf_ok(out);
}
