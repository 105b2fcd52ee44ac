#include "lambda.h"

#include "invocation.h"
#include "lambda_answer.h"
#include "runtime_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t ANSWER_BEFORE = 500 * MILLISECOND; /* this long before the deadline */
static const int64_t UNCOUNTED = MICROSECONDS; /* the two clocks may differ by this much without a thaw */

#define NO_MEMORY SPAN("{\"errorMessage\":\"There is no memory for the event\",\"errorType\":\"Runtime.OutOfMemory\"}")

struct lambda {
    const struct lambda_options *options;
    struct runtime_api *api;
    struct invocation *invocation; /* under way; NULL: we wait for the next */
    struct runtime_invocation current;
    struct timer done_timer;
    struct outcome outcome;
    int64_t offset; /* wall clock minus monotonic clock, when the last invocation ended */
    bool stopping, ended, answered_briefly;
};

static int64_t offset_now(const struct lambda *l) {
    const struct clock *clock = &l->options->clock;
    return clock_wall(clock) - clock_monotonic(clock);
}

static void on_done(void *user) {
    struct lambda *l = user;
    l->options->host.done(l->options->host.ctx, l->outcome);
}

static void end(struct lambda *l, struct outcome outcome) {
    l->ended = true;
    l->outcome = outcome;
    timer_start(l->options->platform->timers, &l->done_timer, clock_monotonic(&l->options->clock));
}

static void on_next(void *user, struct runtime_invocation *invocation);

static void forget_invocation(struct lambda *l) {
    char queue[QUEUE_NAME_SIZE] = "";
    const char *name = l->invocation ? invocation_queue(l->invocation) : "";
    if (name[0]) {
        (void)snprintf(queue, sizeof queue, "%s", name);
    }
    invocation_free(l->invocation);
    l->invocation = NULL;
    buf_free(&l->current.event);
    if (l->current.request_id[0]) {
        l->options->host.ended(l->options->host.ctx, queue);
    }
    l->current.request_id[0] = '\0';
}

static void ask(struct lambda *l) {
    forget_invocation(l);
    l->offset = offset_now(l);
    if (l->stopping) {
        end(l, outcome_of(ENDED_WELL));
    } else if (!runtime_api_next(l->api, on_next, l)) {
        end(l, outcome_by(CAUSE_UNREACHABLE));
    }
}

static void on_told(void *user, bool accepted, bool too_large) {
    struct lambda *l = user;
    if (accepted) {
        ask(l);
    } else if (too_large && !l->answered_briefly && l->invocation) {
        const struct invocation_answer *brief = invocation_answer_briefly(l->invocation);
        l->answered_briefly = true;
        LOG_EVENT(l->options->platform->log, LOG_LEVEL_ERROR,
                  "The answer is larger than Lambda takes: the caller is told so instead",
                  LOG_C("error", brief->error_type));
        if (!runtime_api_answer(l->api, l->current.request_id, brief->error_type, brief->body, on_told, l)) {
            end(l, outcome_by(CAUSE_UNREACHABLE));
        }
    } else {
        end(l, outcome_by(CAUSE_UNREACHABLE));
    }
}

static void on_invoked(void *user, const struct invocation_answer *answer) {
    struct lambda *l = user;
    if (answer->error_type) {
        LOG_EVENT(l->options->platform->log, LOG_LEVEL_ERROR, "The invocation ends in a function error",
                  LOG_C("error", answer->error_type), LOG_S("reason", answer->reason));
    }
    if (!runtime_api_answer(l->api, l->current.request_id, answer->error_type, answer->body, on_told, l)) {
        end(l, outcome_by(CAUSE_UNREACHABLE));
    }
}

static void on_next(void *user, struct runtime_invocation *invocation) {
    struct lambda *l = user;
    if (!invocation) {
        end(l, outcome_by(CAUSE_UNREACHABLE));
        return;
    }
    const struct clock *clock = &l->options->clock;
    int64_t uncounted = offset_now(l) - l->offset, now = clock_monotonic(clock);
    l->current = *invocation;
    l->answered_briefly = false;
    if (uncounted > UNCOUNTED || uncounted < -UNCOUNTED) {
        l->options->host.thawed(l->options->host.ctx);
    }
    l->options->host.began(l->options->host.ctx, l->current.request_id, span_cstr(l->current.trace_id));
    int64_t left = invocation->deadline == NEVER ? NEVER : invocation->deadline - clock_wall(clock) - ANSWER_BEFORE;
    int64_t until = left > NEVER - now ? NEVER : now + left;
    l->invocation = invocation_start(l->options, l->current.request_id, &l->current.event, until, on_invoked, l);
    if (!l->invocation &&
        !runtime_api_answer(l->api, l->current.request_id, "Runtime.OutOfMemory", NO_MEMORY, on_told, l)) {
        end(l, outcome_by(CAUSE_UNREACHABLE));
    }
}

bool lambda_address_fits(const char *address) {
    return runtime_api_address_fits(address);
}

static struct runtime_api *new_api(const struct lambda_options *o) {
    return runtime_api_new(&(struct runtime_options){.address = o->runtime_api,
                                                     .http = o->http,
                                                     .clock = o->clock,
                                                     .timers = o->platform->timers,
                                                     .log = o->platform->log});
}

struct lambda *lambda_start(const struct lambda_options *options) {
    struct lambda *l = calloc(1, sizeof *l);
    if (!l) {
        return NULL;
    }
    l->options = options;
    l->offset = offset_now(l);
    timer_init(&l->done_timer, on_done, l);
    l->api = new_api(options);
    if (!l->api || !runtime_api_next(l->api, on_next, l)) {
        lambda_free(l);
        return NULL;
    }
    return l;
}

void lambda_stop(struct lambda *l) {
    l->stopping = true;
    if (!l->current.request_id[0] && !l->ended) {
        end(l, outcome_of(ENDED_WELL));
    }
}

void lambda_free(struct lambda *l) {
    if (!l) {
        return;
    }
    timer_stop(l->options->platform->timers, &l->done_timer);
    runtime_api_free(l->api);
    forget_invocation(l);
    free(l);
}

struct lambda_refusal {
    const struct lambda_options *options;
    struct runtime_api *api;
    struct buf body;
};

static void on_refused(void *user, bool accepted, bool too_large) {
    const struct lambda_refusal *r = user;
    (void)accepted, (void)too_large;
    r->options->host.done(r->options->host.ctx, outcome_of(ENDED_STOPPED));
}

struct lambda_refusal *lambda_refuse(const struct lambda_options *options, const char *type, const char *message) {
    struct lambda_refusal *r = calloc(1, sizeof *r);
    if (!r) {
        return NULL;
    }
    r->options = options;
    buf_init(&r->body, (size_t)64 << 10);
    r->api = new_api(options);
    if (!r->api || !lambda_append_error(span_cstr(type), span_cstr(message), &r->body) ||
        !runtime_api_answer(r->api, NULL, type, buf_span(&r->body), on_refused, r)) {
        lambda_refusal_free(r);
        return NULL;
    }
    return r;
}

void lambda_refusal_free(struct lambda_refusal *r) {
    if (!r) {
        return;
    }
    runtime_api_free(r->api);
    buf_free(&r->body);
    free(r);
}
