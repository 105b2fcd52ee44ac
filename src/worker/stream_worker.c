#include "stream_private.h"

#include <stdlib.h>
#include <string.h>

static const size_t BODIES_MAX = (size_t)64 << 20; /* bytes of lines in memory */
static const size_t OUTPUT_MAX = (size_t)64 << 20; /* bytes of responses not taken yet */
static const size_t OUTPUT_HIGH = (size_t)1 << 20; /* with this many bytes of output, no more input is wanted */
static const unsigned RUNNING_MAX = 900; /* of 1,024 connections */
static const int64_t TICK = MICROSECONDS;
static const int64_t PATIENCE = 45 * MICROSECONDS; /* without any answer of a DynamoDB that works */

static bool may_start(void *ctx, struct job *job) {
    (void)ctx, (void)job;
    return true;
}

static void applier_changed(void *ctx) {
    stream_changed_soon(ctx);
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
    if (outcome == JOB_RETURN) /* its token is taken, and there is no queue to return it to. Its default key is random,
                                  so that this hardly ever happens */
        failure_database(&line->update->failure, SPAN("IdempotentParameterMismatchException"));
    if (job->failed_as == VERDICT_NO_ANSWER && line->update->failure.type == ERROR_DATABASE)
        LOG_EVENT(w->platform.log, LOG_LEVEL_WARNING,
                  "A line gets no answer from DynamoDB, while others do: look at what the network path does to it",
                  LOG_I("line", line->number), LOG_C("failure", job->signature));
    stream_finish(w, line);
    stream_put_out(w);
}

static void review_end(struct stream_worker *w) {
    if (w->stopping && applier_count(&w->applier) == 0)
        stream_end_stopped(w);
    else if (w->input_over && w->line_count == 0)
        stream_is_over(w, outcome_of(w->counts.failed ? ENDED_SOME_FAILED : ENDED_WELL));
}

/* With a random key, the same line in another run is another message. */
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
    struct line *line = stream_line_new(w, number, body);
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
        stream_finish(w, line);
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
            stream_out_of_memory(w, NULL);
            return;
        }
    }
    stream_put_out(w);
    applier_turn(&w->applier);
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
    w->host.done(w->host.user, w->outcome);
}

static void on_tick(void *user) {
    struct stream_worker *w = user;
    int64_t now = clock_monotonic(w->platform.clock);
    timer_start(w->platform.timers, &w->tick, now + TICK);
    if (w->applier.verdicts != w->verdicts_seen || applier_count(&w->applier) == 0) {
        w->verdicts_seen = w->applier.verdicts;
        w->last_progress = now;
    } else if (now - w->last_progress >= PATIENCE) {
        stream_give_up(w);
    }
    if (w->stopping && !w->ended && now >= w->stop_until)
        stream_end_stopped(w);
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
        stream_out_of_memory(w, NULL);
    else
        stream_changed_soon(w);
}

void stream_worker_end_input(struct stream_worker *w) {
    message_splitter_end(&w->splitter);
    stream_changed_soon(w);
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
    } else if (w->output_at > w->output.len / 2) { /* a host that never takes all must not make it grow for ever */
        w->output.len -= w->output_at;
        memmove(w->output.data, w->output.data + w->output_at, w->output.len);
        w->output_at = 0;
    }
    stream_changed_soon(w);
}

void stream_worker_stop(struct stream_worker *w) {
    if (w->ended)
        return;
    if (w->stopping) {
        stream_end_stopped(w);
        return;
    }
    w->stopping = true;
    w->stop_until = clock_monotonic(w->platform.clock) + w->options.shutdown_timeout * MICROSECONDS;
    stream_leave_the_rest(w);
    stream_changed_soon(w);
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
        stream_line_free(w, line);
    }
    applier_done(&w->applier);
    message_splitter_free(&w->splitter);
    buf_free(&w->output);
    timer_stop(w->platform.timers, &w->changed_timer);
    timer_stop(w->platform.timers, &w->end_timer);
    timer_stop(w->platform.timers, &w->tick);
    free(w);
}

struct stream_counts stream_worker_counts(const struct stream_worker *w) {
    return w->counts;
}
