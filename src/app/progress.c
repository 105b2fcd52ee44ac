#include "progress.h"

#include "clock.h"
#include "progress_line.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DRAW_EVERY (200 * MILLISECOND)
#define LINE_EVERY (10 * MICROSECONDS)
#define USUAL_WIDTH 80
#define LINE_SIZE ((size_t)1024)
#define SMOOTHING 0.1 /* weight of the newest rate: about the last two seconds count */

static const char WIPE[] = "\r\033[K";

static int64_t now_of(const struct progress *p) {
    struct clock clock = loop_clock(p->options.loop);
    return clock_monotonic(&clock);
}

/* Nothing waits for a progress line: what a slow terminal doesn't take is lost. Where the terminal is gone, only the
 * drawing ends. */
static void put(struct progress *p, struct span text) {
    size_t taken = 0;
    while (text.len > 0) {
        if (output_write(&p->output, text, &taken) != OUTPUT_TOOK) {
            p->drawing = false;
            return;
        }
        if (taken == 0) {
            return;
        }
        text = span_of(text.data + taken, text.len - taken);
    }
}

static void wipe(struct progress *p) {
    if (p->drawn) {
        put(p, SPAN("\r\033[K"));
        p->drawn = false;
    }
}

/* One column stays free: at the last one terminals may begin the next line. */
static size_t width_of(const struct progress *p) {
    struct winsize size = {0};
    size_t width = ioctl(p->output.fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : USUAL_WIDTH;
    return (width < PROGRESS_WIDTH_MAX ? width : PROGRESS_WIDTH_MAX) - 1;
}

static void measure(struct progress *p, const struct progress_view *view, int64_t now) {
    double seconds = (double)(now - p->looked) / MICROSECONDS;
    if (seconds <= 0) {
        return;
    }
    double rate = (double)(view->rows - p->last_rows) / seconds;
    double weight = p->options.lines && !p->drawing ? 1 : SMOOTHING;
    p->rate = p->rate < 0 ? rate : p->rate + weight * (rate - p->rate);
    p->last_rows = view->rows;
    p->looked = now;
}

/* From what was done since the beginning; -1: not known. */
static double seconds_left(const struct progress *p, const struct progress_view *view, int64_t now) {
    double done = (double)(view->done - p->first_done), seconds = (double)(now - p->started) / MICROSECONDS;
    if (!view->whole || view->done <= p->first_done || view->done > view->whole || seconds < 1) {
        return -1;
    }
    return (double)(view->whole - view->done) * seconds / done;
}

static void draw(struct progress *p, const struct progress_view *view, const struct progress_figures *figures) {
    char text[LINE_SIZE];
    struct buf out = {.data = text, .capacity = sizeof text, .max = sizeof text - 1, .lent = true};
    (void)buf_append_cstr(&out, WIPE);
    progress_line_append(&p->options, view, figures, width_of(p), p->colored, &out);
    put(p, buf_span(&out));
    p->drawn = true;
}

static void tell(const struct progress *p, const struct progress_view *view, const struct progress_figures *figures) {
    struct log_field fields[7];
    size_t count = 0;
    fields[count++] = LOG_C("command", p->options.what);
    fields[count++] = LOG_I(p->options.unit, view->rows);
    fields[count++] = LOG_I(p->options.bad, view->rejected);
    if (view->whole) {
        fields[count++] = LOG_I("percent", view->done >= view->whole ? 100 : view->done * 100 / view->whole);
    }
    fields[count++] = LOG_I("rate", figures->rate + 0.5);
    if (figures->seconds_left >= 0) {
        fields[count++] = LOG_I("seconds_left", figures->seconds_left);
    }
    fields[count] = (struct log_field){0};
    log_event(p->options.log, LOG_LEVEL_INFO,
              view->waiting ? "In progress, and waiting for the services" : "In progress", fields);
}

static void look(struct progress *p, bool again) {
    struct progress_view view = {0};
    int64_t now = now_of(p);
    p->options.look(p->options.user, &view);
    if (view.rows == 0) { /* what an earlier run has done is passed over, and tells nothing of the pace */
        p->started = now;
        p->first_done = view.done;
    }
    if (again) {
        measure(p, &view, now);
    }
    const struct progress_figures figures = {p->rate, seconds_left(p, &view, now)};
    if (p->drawing) {
        draw(p, &view, &figures);
    } else if (again) {
        tell(p, &view, &figures);
    }
}

static void go_on(struct progress *p) {
    timer_start(loop_timers(p->options.loop), &p->timer, now_of(p) + (p->drawing ? DRAW_EVERY : LINE_EVERY));
}

static void on_timer(void *user) {
    struct progress *p = user;
    bool was_drawing = p->drawing;
    look(p, true);
    if (p->drawing || (p->options.lines && !was_drawing)) {
        go_on(p);
    }
}

/* The log's lines stand above the drawn one. */
static void on_log_line(void *ctx, struct span line) {
    struct progress *p = ctx;
    wipe(p);
    put(p, line);
    put(p, SPAN("\n"));
}

static bool is_capable(int fd) {
    const char *term = getenv("TERM");
    return isatty(fd) == 1 && term && term[0] && strcmp(term, "dumb") != 0;
}

void progress_start(struct progress *p, const struct progress_options *options) {
    struct progress_view view = {0};
    const char *no_color = getenv("NO_COLOR");
    *p = (struct progress){.options = *options, .output = output_of(STDERR_FILENO), .rate = -1};
    timer_init(&p->timer, on_timer, p);
    if (options->quiet) {
        return;
    }
    p->drawing = is_capable(p->output.fd);
    p->colored = p->drawing && !(no_color && no_color[0]);
    p->started = p->looked = now_of(p);
    options->look(options->user, &view);
    p->first_done = view.done;
    p->last_rows = view.rows;
    if (p->drawing) {
        options->log->sink = on_log_line;
        options->log->sink_ctx = p;
        look(p, false);
    }
    if (p->drawing || options->lines) {
        go_on(p);
    }
}

void progress_end(struct progress *p) {
    if (!p->options.loop) {
        return;
    }
    timer_stop(loop_timers(p->options.loop), &p->timer);
    wipe(p);
    if (p->options.log->sink == on_log_line && p->options.log->sink_ctx == p) {
        p->options.log->sink = NULL;
        p->options.log->sink_ctx = NULL;
    }
    p->options.loop = NULL;
}

void progress_say(struct progress *p, const char *line) {
    if (p->drawing) {
        wipe(p);
        put(p, span_cstr(line));
        put(p, SPAN("\n"));
    }
}
