#include "progress_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BAR_MAX 30 /* columns inside the brackets */
#define BAR_MIN 8
#define PARTS 6

static const char RED[] = "\033[31m", GREEN[] = "\033[32m", PLAIN[] = "\033[0m";

void progress_append_number(uint64_t number, struct buf *out) {
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, number);
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            (void)buf_append_char(out, ',');
        }
        (void)buf_append_char(out, digits[i]);
    }
}

void progress_append_time(double seconds, struct buf *out) {
    static const struct {
        uint64_t size;
        const char *large, *small;
        uint64_t small_size;
    } units[] = {{86400, "d", "h", 3600}, {3600, "h", "min", 60}, {60, "min", "s", 1}};
    uint64_t whole = seconds < 1e9 ? (uint64_t)(seconds + 0.5) : 1000000000;
    for (size_t i = 0; i < ARRAY_LENGTH(units); i++) {
        if (whole >= units[i].size) {
            buf_printf(out, "%" PRIu64 " %s %02" PRIu64 " %s", whole / units[i].size, units[i].large,
                       whole % units[i].size / units[i].small_size, units[i].small);
            return;
        }
    }
    buf_printf(out, "%" PRIu64 " s", whole);
}

struct part {
    char text[64];
    struct buf out;
    unsigned worth; /* the least goes first where there is no room */
    const char *color;
};

static struct buf *begin(struct part *part, unsigned worth) {
    part->worth = worth;
    part->color = NULL;
    part->out =
        (struct buf){.data = part->text, .capacity = sizeof part->text, .max = sizeof part->text - 1, .lent = true};
    part->text[0] = '\0';
    return &part->out;
}

static double share_of(const struct progress_view *view) {
    double share = view->whole ? (double)view->done / (double)view->whole : -1;
    return share > 1 ? 1 : share;
}

static size_t make_parts(const struct progress_options *o, const struct progress_view *view,
                         const struct progress_figures *figures, struct part parts[static PARTS]) {
    size_t count = 0;
    (void)buf_append_cstr(begin(&parts[count++], 6), o->what);
    if (view->whole) {
        /* 100% is told only once all is done. */
        buf_printf(begin(&parts[count++], 5), "%3u%%",
                   view->done >= view->whole ? 100 : (unsigned)(share_of(view) * 100 < 99 ? share_of(view) * 100 : 99));
    }
    struct buf *rows = begin(&parts[count++], 4);
    progress_append_number(view->rows, rows);
    buf_printf(rows, " %s", o->unit);
    if (view->rejected) {
        struct buf *bad = begin(&parts[count++], 3);
        progress_append_number(view->rejected, bad);
        buf_printf(bad, " %s", o->bad);
        parts[count - 1].color = RED;
    }
    if (view->waiting) {
        (void)buf_append_cstr(begin(&parts[count], 2), "waiting");
        parts[count++].color = RED;
    } else if (figures->rate >= 0) {
        struct buf *rate = begin(&parts[count++], 2);
        progress_append_number((uint64_t)(figures->rate + 0.5), rate);
        (void)buf_append_cstr(rate, "/s");
    }
    if (!view->waiting && figures->seconds_left >= 0) {
        struct buf *left = begin(&parts[count++], 1);
        progress_append_time(figures->seconds_left, left);
        (void)buf_append_cstr(left, " left");
    }
    return count;
}

static size_t width_of(const struct part *parts, size_t count) {
    size_t width = 0;
    for (size_t i = 0; i < count; i++) {
        width += parts[i].out.len ? parts[i].out.len + (width ? 2 : 0) : 0;
    }
    return width;
}

static void drop_least(struct part *parts, size_t count) {
    struct part *least = NULL;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].out.len && (!least || parts[i].worth < least->worth)) {
            least = &parts[i];
        }
    }
    if (least) {
        least->out.len = 0;
    }
}

static void append_bar(double share, size_t columns, bool color, struct buf *out) {
    size_t full = (size_t)(share * (double)columns);
    (void)buf_append_cstr(out, "  [");
    (void)buf_append_cstr(out, color ? GREEN : "");
    for (size_t i = 0; i < columns; i++) {
        (void)buf_append_char(out, i < full ? '#' : '-');
    }
    (void)buf_append_cstr(out, color ? PLAIN : "");
    (void)buf_append_char(out, ']');
}

void progress_line_append(const struct progress_options *o, const struct progress_view *view,
                          const struct progress_figures *figures, size_t width, bool color, struct buf *out) {
    struct part parts[PARTS];
    size_t count = make_parts(o, view, figures, parts);
    while (width_of(parts, count) > width) {
        drop_least(parts, count);
    }
    size_t used = width_of(parts, count), room = width - used;
    size_t bar = room < BAR_MIN + 4 || !view->whole ? 0 : room - 4 < BAR_MAX ? room - 4 : BAR_MAX;
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (!parts[i].out.len) {
            continue;
        }
        bool colored = color && parts[i].color;
        (void)buf_append_cstr(out, any ? "  " : "");
        (void)buf_append_cstr(out, colored ? parts[i].color : "");
        (void)buf_append_span(out, buf_span(&parts[i].out));
        (void)buf_append_cstr(out, colored ? PLAIN : "");
        any = true;
        if (i == 0 && bar) {
            append_bar(share_of(view), bar, color, out);
        }
    }
}
