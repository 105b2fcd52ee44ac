/* The lines of a stream: each is kept until its response stands in the output, in the order of the input. */
#include "stream_private.h"

#include <stdio.h>
#include <stdlib.h>

static const size_t RESPONSE_MAX = (size_t)16 << 20;

void stream_changed_soon(struct stream_worker *w) {
    if (!w->changed_timer.running)
        timer_start(w->platform.timers, &w->changed_timer, clock_monotonic(w->platform.clock));
}

struct line *stream_line_new(struct stream_worker *w, size_t number, struct span body) {
    struct line *line = calloc(1, sizeof *line);
    if (!line)
        return NULL;
    line->number = number;
    buf_init(&line->body, STREAM_MESSAGE_MAX);
    buf_init(&line->response, RESPONSE_MAX);
    snprintf(line->key, sizeof line->key, "%016llx%016llx", (unsigned long long)random_next(w->platform.random),
             (unsigned long long)random_next(w->platform.random));
    TAILQ_INSERT_TAIL(&w->lines, line, in_order);
    w->line_count++;
    if (buf_append_span(&line->body, body)) {
        w->body_bytes += line->body.len;
        struct delivery delivery = {
            .body = buf_span(&line->body), .body_space = line->body.data, .message_id = span_cstr(line->key)};
        line->update = update_read(w->context, &delivery);
    }
    if (line->update)
        return line;
    stream_line_free(w, line);
    return NULL;
}

void stream_line_free(struct stream_worker *w, struct line *line) {
    TAILQ_REMOVE(&w->lines, line, in_order);
    w->line_count--;
    w->body_bytes -= line->body.len;
    update_free(line->update);
    buf_free(&line->body);
    buf_free(&line->response);
    free(line);
}

void stream_is_over(struct stream_worker *w, struct outcome outcome) {
    if (w->ended)
        return;
    w->ended = true;
    w->outcome = outcome;
    timer_stop(w->platform.timers, &w->tick);
    timer_start(w->platform.timers, &w->end_timer, clock_monotonic(w->platform.clock));
}

/* Gives up: only a lack of memory can't be answered with a response on the line itself. */
void stream_out_of_memory(struct stream_worker *w, const struct line *line) {
    LOG_EVENT(w->platform.log, LOG_LEVEL_ERROR, "Giving up: no memory",
              LOG_I("line", line ? line->number : w->splitter.line));
    applier_stop(&w->applier);
    stream_is_over(w, outcome_by(CAUSE_UNREACHABLE));
}

bool stream_append_response(struct stream_worker *w, const struct line *line) {
    struct span response = buf_span(&line->response);
    if (!w->options.line_numbers)
        return buf_append_span(&w->output, response) && buf_append_char(&w->output, '\n');
    /* A response is an object with members: its opening brace is replaced. */
    return buf_printf(&w->output, "{\"line\":%zu,", line->number) &&
           buf_append_span(&w->output, span_of(response.data + 1, response.len - 1)) &&
           buf_append_char(&w->output, '\n');
}

/* Moves the responses that are next in the order of the input to the output. */
void stream_put_out(struct stream_worker *w) {
    struct line *next;
    bool any = false;
    for (struct line *line = TAILQ_FIRST(&w->lines); line && line->finished; line = next) {
        next = TAILQ_NEXT(line, in_order);
        any = true;
        if (!stream_append_response(w, line)) {
            stream_out_of_memory(w, line);
            return;
        }
        stream_line_free(w, line);
    }
    if (any)
        stream_changed_soon(w);
}

void stream_finish(struct stream_worker *w, struct line *line) {
    int64_t wall = clock_wall(w->platform.clock);
    bool failed = line->update->failure.type != ERROR_NONE, told;
    if (failed)
        told = failure_append_envelope(&line->update->failure, (struct span){NULL, 0}, wall, &line->response);
    else
        told = update_append_success(line->update, wall, &line->response);
    if (!told) {
        stream_out_of_memory(w, line);
        return;
    }
    w->counts.answered++;
    w->counts.failed += failed;
    line->finished = true;
    /* Frees what a finished line needs no longer while it waits for its turn. */
    update_free(line->update);
    line->update = NULL;
    w->body_bytes -= line->body.len;
    buf_free(&line->body);
}
