#include "result_writer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define WAITING_MAX ((size_t)1 << 20) /* bytes; when so many wait, no more results are made */
#define TEXT_MAX ((size_t)64 << 20)

static void on_ready(void *user, unsigned events) {
    (void)events;
    struct result_writer *w = user;
    result_writer_flush(w);
    w->went_on(w->ctx);
}

bool result_writer_init(struct result_writer *w, struct loop *loop, struct log *log, void (*went_on)(void *ctx),
                        void *ctx) {
    *w = (struct result_writer){.log = log, .output = output_of(STDOUT_FILENO), .went_on = went_on, .ctx = ctx};
    buf_init(&w->text, TEXT_MAX);
    if (!output_is_open(&w->output)) {
        LOG_EVENT(log, LOG_LEVEL_ERROR, "Standard output can't be written: nothing is begun",
                  LOG_C("reason", strerrordesc_np(errno)));
        return false;
    }
    w->watch = loop_watch_fd(loop, w->output.fd, 0, on_ready, w);
    if (!w->watch) {
        log_event(log, LOG_LEVEL_ERROR, "There is no memory to start with", NULL);
    }
    return w->watch != NULL;
}

static void fail(struct result_writer *w, const char *sentence, const char *reason) {
    w->failed = true;
    LOG_EVENT(w->log, LOG_LEVEL_ERROR, sentence, LOG_C("reason", reason));
}

static void write_some(struct result_writer *w) {
    struct span left = span_of(w->text.data + w->written, w->text.len - w->written);
    size_t taken = 0;
    enum output_status status = output_write(&w->output, left, &taken);
    if (status != OUTPUT_TOOK) {
        fail(w,
             status == OUTPUT_CLOSED ? "Standard output was closed by its reader" : "Standard output can't be written",
             strerrordesc_np(errno));
    }
    w->written += taken;
}

void result_writer_flush(struct result_writer *w) {
    if (!buf_ok(&w->text) && !w->failed) {
        fail(w, "There is no memory for the results", "out of memory");
    }
    if (!w->failed && w->written < w->text.len) {
        write_some(w);
    }
    if (w->failed || w->written == w->text.len) {
        buf_reset(&w->text);
        w->written = 0;
    }
    bool wanted = w->written < w->text.len;
    if (wanted != w->watching) {
        w->watching = wanted;
        loop_watch_events(w->watch, wanted ? LOOP_WRITE : 0);
    }
}

bool result_writer_has_room(const struct result_writer *w) {
    return w->text.len - w->written < WAITING_MAX;
}

bool result_writer_is_idle(const struct result_writer *w) {
    return w->failed || w->written == w->text.len;
}

void result_writer_done(struct result_writer *w) {
    loop_watch_free(w->watch);
    buf_free(&w->text);
    *w = (struct result_writer){0};
}
