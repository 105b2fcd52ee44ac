#include "stream_worker.h"

#include "applier.h"
#include "message_splitter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t BODIES_MAX = (size_t)64 << 20; /* bytes of lines in memory */
static const size_t OUTPUT_MAX = (size_t)64 << 20; /* bytes of responses that nobody takes */
static const size_t OUTPUT_HIGH = (size_t)1 << 20; /* from here on no more input is wanted */
static const size_t RESPONSE_MAX = (size_t)16 << 20;
static const unsigned RUNNING_MAX = 900; /* of 1,024 connections */
static const int64_t TICK = MICROSECONDS;
static const int64_t PATIENCE = 45 * MICROSECONDS; /* without any answer of a DynamoDB that works */

/* One line, until its response stands in the output. */
struct line {
    struct job job; /* first: the applier gives it back to us */
    TAILQ_ENTRY(line) in_order;
    size_t number;
    struct buf body;
    char key[33]; /* its default idempotency key */
    struct update *update;
    struct buf response; /* where it is known */
    bool finished;
};
TAILQ_HEAD(line_list, line);

struct stream_worker {
    struct platform platform;
    struct stream_worker_options options;
    struct update_context own_context; /* with the table as the last look found it */
    const struct update_context *context; /* … this one */
    struct stream_worker_host host;
    struct applier applier;
    struct message_splitter splitter;
    struct line_list lines; /* in the order of the input */
    unsigned line_count;
    size_t body_bytes;
    uint64_t arrivals;
    struct buf output;
    size_t output_at;
    bool some_failed, input_over, stopping, ended, warned_of_repeats;
    enum exit_code code;
    uint64_t verdicts_seen;
    int64_t last_progress;
    int64_t stop_until; /* once stopping: when what was begun has had its time */
    struct timer changed_timer, end_timer, tick;
};

static bool may_start(void *ctx, struct job *job) {
    (void)ctx, (void)job;
    return true;
}

static void changed_soon(struct stream_worker *w) {
    if (!w->changed_timer.running)
        timer_start(w->platform.timers, &w->changed_timer, clock_monotonic(w->platform.clock));
}

static void applier_changed(void *ctx) {
    changed_soon(ctx);
}

static void line_free(struct stream_worker *w, struct line *line) {
    TAILQ_REMOVE(&w->lines, line, in_order);
    w->line_count--;
    w->body_bytes -= line->body.len;
    update_free(line->update);
    buf_free(&line->body);
    buf_free(&line->response);
    free(line);
}

static void end(struct stream_worker *w, enum exit_code code) {
    if (w->ended)
        return;
    w->ended = true;
    w->code = code;
    timer_stop(w->platform.timers, &w->tick);
    timer_start(w->platform.timers, &w->end_timer, clock_monotonic(w->platform.clock));
}

/* No memory for a response is the one thing that can't be answered on its line. */
static void give_up_for_memory(struct stream_worker *w, const struct line *line) {
    LOG_EVENT(w->platform.log, LOG_LEVEL_ERROR, "Giving up: no memory",
              LOG_I("line", line ? line->number : w->splitter.line));
    applier_stop(&w->applier);
    end(w, EXIT_UNREACHABLE);
}

static bool append_response(struct stream_worker *w, const struct line *line) {
    struct span response = buf_span(&line->response);
    if (!w->options.line_numbers)
        return buf_append_span(&w->output, response) && buf_append_char(&w->output, '\n');
    /* A response is an object of several members: its brace is replaced. */
    return buf_printf(&w->output, "{\"line\":%zu,", line->number) &&
           buf_append_span(&w->output, span_of(response.data + 1, response.len - 1)) &&
           buf_append_char(&w->output, '\n');
}

/* Responses leave in the order of the input. */
static void put_out(struct stream_worker *w) {
    struct line *next;
    bool any = false;
    for (struct line *line = TAILQ_FIRST(&w->lines); line && line->finished; line = next) {
        next = TAILQ_NEXT(line, in_order);
        any = true;
        if (!append_response(w, line)) {
            give_up_for_memory(w, line);
            return;
        }
        line_free(w, line);
    }
    if (any)
        changed_soon(w);
}

static void finish(struct stream_worker *w, struct line *line) {
    int64_t wall = clock_wall(w->platform.clock);
    bool failed = line->update->failure.type != ERROR_NONE, told;
    if (failed)
        told = failure_append_envelope(&line->update->failure, (struct span){NULL, 0}, wall, &line->response);
    else
        told = update_append_success(line->update, wall, &line->response);
    if (!told) {
        give_up_for_memory(w, line);
        return;
    }
    w->some_failed = w->some_failed || failed;
    line->finished = true;
    /* What is done with needs no memory while it waits for its turn. */
    update_free(line->update);
    line->update = NULL;
    w->body_bytes -= line->body.len;
    buf_free(&line->body);
}

static bool read_again(void *ctx, struct job *job) {
    const struct stream_worker *w = ctx;
    struct line *line = (struct line *)job;
    struct update *again = update_read_again(w->context, line->update);
    if (!again)
        return false;
    line->update = job->update = again;
    return true;
}

static void job_ended(void *ctx, struct job *job, enum job_outcome outcome) {
    struct stream_worker *w = ctx;
    struct line *line = (struct line *)job;
    if (outcome == JOB_RETURN) /* there is no queue to give it to: the key is random, so that this can't be its token */
        failure_database(&line->update->failure, SPAN("IdempotentParameterMismatchException"));
    if (job->failed_as == VERDICT_NO_ANSWER && line->update->failure.type == ERROR_DATABASE)
        LOG_EVENT(w->platform.log, LOG_LEVEL_WARNING,
                  "A line gets no answer from DynamoDB, while others do: look at what the network path does to it",
                  LOG_I("line", line->number), LOG_C("failure", job->signature));
    finish(w, line);
    put_out(w);
}

/* The first line without a response; where all that were read have one, the next of the input. */
static size_t next_line(const struct stream_worker *w) {
    const struct line *line = TAILQ_FIRST(&w->lines);
    return line ? line->number : message_splitter_next_line(&w->splitter);
}

/* The last line that was begun and whose response stands behind one that is missing: it may have been applied. NULL:
 * there is none. */
static const struct line *last_begun(const struct stream_worker *w) {
    const struct line *line;
    TAILQ_FOREACH_REVERSE(line, &w->lines, line_list, in_order)
    if (line->finished || line->job.started > 0)
        return line;
    return NULL;
}

#define DONE_SIZE 200

/* Which lines behind the first without a response have theirs: "7 9-12"; as many as there is room for. */
static const char *done_behind(const struct stream_worker *w, char ret_text[static DONE_SIZE]) {
    const struct line *line, *next;
    size_t first = 0;
    struct buf text = {.data = ret_text, .capacity = DONE_SIZE, .max = DONE_SIZE - sizeof " …"};
    ret_text[0] = '\0';
    TAILQ_FOREACH(line, &w->lines, in_order) {
        next = TAILQ_NEXT(line, in_order);
        if (!line->finished)
            continue;
        first = first ? first : line->number;
        if (next && next->finished && next->number == line->number + 1)
            continue;
        size_t len = text.len;
        const char *before = len ? " " : "";
        bool fits = first < line->number ? buf_printf(&text, "%s%zu-%zu", before, first, line->number)
                                         : buf_printf(&text, "%s%zu", before, first);
        first = 0;
        if (!fits) {
            memcpy(ret_text + len, " …", sizeof " …");
            break;
        }
    }
    return ret_text[0] ? ret_text : "none";
}

/* At the end, behind a line that has no response: those that have a number of their own can't be taken for another
 * line's. */
static void answer_what_is_known(struct stream_worker *w) {
    struct line *line;
    TAILQ_FOREACH(line, &w->lines, in_order)
    if (line->finished && w->options.line_numbers && !append_response(w, line))
        return; /* no memory, and the end anyway */
}

/* Ends a stop. Where what was begun could be finished, the lines that are left are one piece, from one line to the end.
 */
static void end_stopped(struct stream_worker *w) {
    const struct line *begun = last_begun(w);
    char done[DONE_SIZE];
    if (w->line_count == 0 && message_splitter_is_done(&w->splitter)) {
        end(w, w->some_failed ? EXIT_SOME_FAILED : EXIT_FINE);
        return;
    }
    if (begun)
        LOG_EVENT(w->platform.log, LOG_LEVEL_WARNING,
                  "Stopped: all lines before this one are done; of those from it to the last one begun, some may have "
                  "been applied",
                  LOG_I("line", next_line(w)), LOG_I("last_begun", begun->number), LOG_C("done", done_behind(w, done)));
    else
        LOG_EVENT(w->platform.log, LOG_LEVEL_WARNING,
                  "Stopped: all lines before this one are done, and none from it on was begun: go on with it",
                  LOG_I("line", next_line(w)));
    answer_what_is_known(w);
    applier_stop(&w->applier);
    end(w, EXIT_INTERRUPTED);
}

static void review_end(struct stream_worker *w) {
    if (w->stopping && applier_count(&w->applier) == 0)
        end_stopped(w);
    else if (w->input_over && w->line_count == 0)
        end(w, w->some_failed ? EXIT_SOME_FAILED : EXIT_FINE);
}

static struct line *line_new(struct stream_worker *w, size_t number, struct span body) {
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
    line_free(w, line);
    return NULL;
}

/* Where the key is random, the same line in another run is another message. */
static void warn_of_repeats(struct stream_worker *w, const struct line *line) {
    const struct update *u = line->update;
    if (w->warned_of_repeats || !u->repeats || u->failure.type != ERROR_NONE || u->idempotency_key.data != line->key)
        return;
    w->warned_of_repeats = true;
    LOG_EVENT(w->platform.log, LOG_LEVEL_WARNING,
              "A message counts, appends or uses a list's index and has no idempotency_key of its own: applied in "
              "another run, it would do so again",
              LOG_I("line", line->number));
}

static bool take_message(struct stream_worker *w, size_t number, struct span body, bool too_long) {
    struct line *line = line_new(w, number, body);
    if (!line)
        return false;
    struct update *u = line->update;
    if (too_long) {
        failure_set(&u->failure, ERROR_INVALID_INPUT, "A line may have at most %zu bytes", STREAM_MESSAGE_MAX);
        buf_printf(&u->failure.details, "\"position\":%zu", STREAM_MESSAGE_MAX);
    }
    warn_of_repeats(w, line);
    line->job.update = u;
    line->job.receive_count = 1;
    line->job.arrival = w->arrivals++;
    if (u->failure.type != ERROR_NONE && (too_long || !(u->confirm_refusal || u->of_index)))
        finish(w, line);
    else if (!applier_add(&w->applier, &line->job))
        return false;
    return true;
}

static bool has_room(const struct stream_worker *w) {
    return !w->ended && !w->stopping && w->line_count < w->options.max_in_flight && w->body_bytes < BODIES_MAX &&
           w->output.len - w->output_at < OUTPUT_HIGH;
}

static void take_messages(struct stream_worker *w) {
    while (has_room(w)) {
        struct span body = SPAN("");
        size_t number = 0;
        enum split split = message_splitter_next(&w->splitter, &body, &number);
        if (split == SPLIT_END)
            w->input_over = true;
        if (split == SPLIT_END || split == SPLIT_MORE)
            break;
        if (!take_message(w, number, body, split == SPLIT_TOO_LONG)) {
            give_up_for_memory(w, NULL);
            return;
        }
    }
    put_out(w);
    applier_pump(&w->applier);
    review_end(w);
}

static void on_changed(void *user) {
    struct stream_worker *w = user;
    if (!w->ended)
        take_messages(w);
    w->host.changed(w->host.user);
}

static void report_end(void *user) {
    struct stream_worker *w = user;
    w->host.done(w->host.user, w->code);
}

/* The environment's fault, after a while without any answer that shows health. */
static void give_up(struct stream_worker *w) {
    const struct applier *e = &w->applier;
    enum exit_code blame = e->breaker.active        ? e->breaker.blame
                           : applier_unconfirmed(e) ? e->confirm_blame
                                                    : EXIT_UNREACHABLE;
    bool suspects = e->breaker.active && verdict_may_be_its_own(e->breaker.why.kind);
    const struct line *begun = last_begun(w);
    char done[DONE_SIZE];
    LOG_EVENT(w->platform.log, LOG_LEVEL_ERROR,
              suspects ? "Giving up: what is left fails, and nothing succeeds that would tell whether it is its own "
                         "fault. All lines before this one are "
                         "done; of those from it to the last one begun, some may have been applied"
                       : "Giving up: the environment fails for every message. All lines before this one are done; of "
                         "those from it to the last one "
                         "begun, some may have been applied",
              LOG_I("line", next_line(w)), LOG_I("last_begun", begun ? begun->number : next_line(w) - 1),
              LOG_C("done", done_behind(w, done)), LOG_C("failure", e->breaker.cause[0] ? e->breaker.cause : "none"));
    answer_what_is_known(w);
    applier_stop(&w->applier);
    end(w, blame);
}

static void on_tick(void *user) {
    struct stream_worker *w = user;
    int64_t now = clock_monotonic(w->platform.clock);
    timer_start(w->platform.timers, &w->tick, now + TICK);
    if (w->applier.verdicts != w->verdicts_seen || applier_count(&w->applier) == 0) {
        w->verdicts_seen = w->applier.verdicts;
        w->last_progress = now;
    } else if (now - w->last_progress >= PATIENCE) {
        give_up(w);
    }
    if (w->stopping && !w->ended && now >= w->stop_until)
        end_stopped(w);
}

struct stream_worker *stream_worker_start(const struct platform *platform, const struct stream_worker_options *options,
                                          const struct discovery_facts *facts, const struct update_context *context,
                                          const struct stream_worker_host *host) {
    struct stream_worker *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->platform = *platform;
    w->options = *options;
    w->own_context = *context;
    w->own_context.table = &w->applier.look.table;
    w->context = &w->own_context;
    w->host = *host;
    TAILQ_INIT(&w->lines);
    message_splitter_init(&w->splitter);
    buf_init(&w->output, OUTPUT_MAX);
    struct applier_options applier_options = {
        .max_running = options->max_in_flight < RUNNING_MAX ? options->max_in_flight : RUNNING_MAX,
        .max_rate = options->max_rate,
        .max_attempts = options->max_attempts,
        .can_return = false};
    struct applier_host applier_host = {
        .may_start = may_start, .read_again = read_again, .ended = job_ended, .changed = applier_changed, .ctx = w};
    applier_init(&w->applier, &w->platform, w->context, &applier_options, facts, &applier_host);
    timer_init(&w->changed_timer, on_changed, w);
    timer_init(&w->end_timer, report_end, w);
    timer_init(&w->tick, on_tick, w);
    w->last_progress = clock_monotonic(platform->clock);
    timer_start(w->platform.timers, &w->tick, w->last_progress + TICK);
    return w;
}

bool stream_worker_wants_input(const struct stream_worker *w) {
    return has_room(w) && !w->splitter.ended && message_splitter_pending(&w->splitter) <= STREAM_MESSAGE_MAX;
}

void stream_worker_feed(struct stream_worker *w, struct span piece) {
    if (w->ended || w->stopping)
        return;
    if (!message_splitter_feed(&w->splitter, piece))
        give_up_for_memory(w, NULL);
    else
        changed_soon(w);
}

void stream_worker_end_input(struct stream_worker *w) {
    message_splitter_end(&w->splitter);
    changed_soon(w);
}

struct span stream_worker_output(const struct stream_worker *w) {
    return span_of(w->output.data ? w->output.data + w->output_at : "", w->output.len - w->output_at);
}

void stream_worker_took_output(struct stream_worker *w, size_t count) {
    if (count == 0)
        return;
    w->output_at += count;
    if (w->output_at == w->output.len) {
        buf_reset(&w->output);
        w->output_at = 0;
    } else if (w->output_at > w->output.len / 2) { /* who takes less than all must not make it grow for ever */
        w->output.len -= w->output_at;
        memmove(w->output.data, w->output.data + w->output_at, w->output.len);
        w->output_at = 0;
    }
    changed_soon(w);
}

/* What was begun is finished, and every line before it, so that nothing is applied behind a line that isn't. The rest
 * is left. */
static void leave_the_rest(struct stream_worker *w) {
    struct line *line;
    TAILQ_FOREACH_REVERSE(line, &w->lines, line_list, in_order) {
        if (line->finished || line->job.started > 0)
            return;
        applier_withdraw(&w->applier, &line->job);
    }
}

void stream_worker_stop(struct stream_worker *w) {
    if (w->ended)
        return;
    if (w->stopping) {
        end_stopped(w);
        return;
    }
    w->stopping = true;
    w->stop_until = clock_monotonic(w->platform.clock) + w->options.shutdown_timeout * MICROSECONDS;
    leave_the_rest(w);
    changed_soon(w);
}

void stream_worker_free(struct stream_worker *w) {
    if (!w)
        return;
    applier_stop(&w->applier);
    struct line *next;
    for (struct line *line = TAILQ_FIRST(&w->lines); line; line = next) {
        next = TAILQ_NEXT(line, in_order);
        if (line->job.state != JOB_OUTSIDE)
            applier_withdraw(&w->applier, &line->job);
        line_free(w, line);
    }
    applier_done(&w->applier);
    message_splitter_free(&w->splitter);
    buf_free(&w->output);
    timer_stop(w->platform.timers, &w->changed_timer);
    timer_stop(w->platform.timers, &w->end_timer);
    timer_stop(w->platform.timers, &w->tick);
    free(w);
}
