#include "sim_call.h"

#include "retry.h"
#include "world.h"

#include <stdio.h>

static const int64_t BROKEN_AFTER = 20 * MILLISECOND; /* what a refused or cut connection takes */
static const int64_t ATTEMPT_TIMEOUT = 10 * MICROSECONDS;
static const int64_t RETRY_BASE = 50 * MILLISECOND;

static struct timers *client_timers(struct sim_call *call) {
    return call->client ? &call->client->timers : &call->world->timers;
}

static void end(struct sim_call *call) {
    struct timers *timers = &call->world->timers;
    timer_stop(timers, &call->arrives);
    timer_stop(timers, &call->answers);
    timer_stop(client_timers(call), &call->deadline);
    LIST_REMOVE(call, link);
    call->kind->release(call);
}

static int64_t half_of_latency(struct sim_call *call) {
    int64_t jitter = call->operation->jitter;
    int64_t all =
        call->operation->latency + (jitter ? (int64_t)random_below(&call->world->random, (uint64_t)jitter) : 0);
    return all / 2;
}

static void transport_failure(struct call_result *result, const char *message) {
    *result = (struct call_result){.class = CALL_RETRY, .attempts = result->attempts};
    snprintf(result->message, sizeof result->message, "%s", message);
}

void sim_call_fail(struct call_result *result, int status, const char *code, const char *message) {
    *result = (struct call_result){.status = status, .from_service = code[0] != '\0', .attempts = result->attempts};
    snprintf(result->code, sizeof result->code, "%s", code);
    snprintf(result->message, sizeof result->message, "%s", message);
    result->class = retry_classify(status, code, result->from_service);
}

bool sim_happens(struct world *w, unsigned per_mille) {
    return per_mille > 0 && random_below(&w->random, 1000) < per_mille;
}

static void send_answer(struct sim_call *call, int64_t after) {
    if (call->client_gone)
        end(call);
    else
        timer_start(&call->world->timers, &call->answers, call->world->now + after);
}

/* Whether the way there stops the call; then its answer is on its way. */
static bool is_stopped(struct sim_call *call, bool executed) {
    struct sim_operation *o = call->operation;
    enum sim_path path = o->path ? o->path(o->path_ctx, call, executed) : SIM_PATH_CLEAR;
    if (path == SIM_PATH_CLEAR)
        return false;
    o->stopped_on_the_way++;
    sim_path_answer(path, &call->result);
    int64_t silent_until = call->began + call->waits_for + ATTEMPT_TIMEOUT, now = call->world->now;
    if (path == SIM_PATH_SILENT)
        send_answer(call, silent_until > now ? silent_until - now : ATTEMPT_TIMEOUT);
    else
        send_answer(call, path == SIM_PATH_RESET ? BROKEN_AFTER : half_of_latency(call));
    return true;
}

void sim_call_executed(struct sim_call *call) {
    call->waits = false;
    call->operation->executed++;
    if (is_stopped(call, true))
        return;
    if (sim_happens(call->world, call->operation->lost_answers)) {
        call->operation->answers_lost++;
        transport_failure(&call->result, "the connection broke before the answer");
        send_answer(call, BROKEN_AFTER);
        return;
    }
    send_answer(call, half_of_latency(call));
}

/* False: the service is there. */
static bool refuse(struct sim_call *call) {
    struct call_result *r = &call->result;
    switch (call->operation->mode) {
    case SIM_UP:
        if (!sim_happens(call->world, call->operation->refusals))
            return false;
        if (random_below(&call->world->random, 2))
            sim_call_fail(r, 500, "InternalServerError", "Internal server error");
        else
            sim_call_fail(r, 400, "ThrottlingException", "Rate exceeded");
        break;
    case SIM_SILENT: transport_failure(r, "no answer in time"); break;
    case SIM_DOWN:
        transport_failure(r, SIM_NO_CONNECTION);
        r->unsent = true;
        break;
    case SIM_BROKEN: sim_call_fail(r, 500, "InternalServerError", "Internal server error"); break;
    case SIM_PROXY: sim_call_fail(r, 503, "", "HTTP status 503"); break;
    case SIM_THROTTLED: sim_call_fail(r, 400, "ThrottlingException", "Rate exceeded"); break;
    case SIM_DENIED: sim_call_fail(r, 400, "AccessDeniedException", "not authorized"); break;
    case SIM_EXPIRED: sim_call_fail(r, 400, "ExpiredTokenException", "expired"); break;
    case SIM_SKEWED: sim_call_fail(r, 403, "RequestTimeTooSkewed", "the clock is off"); break;
    case SIM_STRANGE: sim_call_fail(r, 400, "SomethingNew", "who knows"); break;
    case SIM_FOREIGN: sim_path_answer(SIM_PATH_FOREIGN, r); break;
    }
    call->operation->refused++;
    r->retry_after = call->operation->retry_after;
    return true;
}

static void on_arrives(void *user) {
    struct sim_call *call = user;
    struct world *w = call->world;
    world_enter();
    call->operation->last_attempt = w->now;
    if (sim_happens(w, call->operation->lost_requests)) {
        call->operation->requests_lost++;
        transport_failure(&call->result, "the connection broke");
        send_answer(call, BROKEN_AFTER);
    } else if (call->operation->mode == SIM_SILENT) {
        call->operation->refused++;
        transport_failure(&call->result, "no answer in time");
        send_answer(call, call->waits_for + ATTEMPT_TIMEOUT);
    } else if (refuse(call)) {
        send_answer(call, half_of_latency(call));
    } else if (!is_stopped(call, false)) {
        enum sim_executed executed = call->kind->execute(call);
        call->waits = executed == SIM_WAITS;
        if (executed == SIM_EXECUTED) {
            sim_call_executed(call);
        } else if (executed == SIM_CUT) {
            call->operation->executed++;
            transport_failure(&call->result, "the connection broke before the answer");
            send_answer(call, BROKEN_AFTER);
        }
    }
    world_leave();
}

static void deliver(struct sim_call *call) {
    call->result.attempts = call->attempts;
    call->operation->running--;
    world_own_memory--;
    call->kind->deliver(call);
    world_own_memory++;
    call->client_gone = true;
}

static bool try_again(struct sim_call *call) {
    struct world *w = call->world;
    if ((call->result.class != CALL_RETRY && call->result.class != CALL_THROTTLED) ||
        call->attempts >= call->max_attempts)
        return false;
    int64_t ceiling = RETRY_BASE << call->attempts;
    int64_t at = w->now + (int64_t)random_below(&w->random, (uint64_t)ceiling) + half_of_latency(call);
    if (at >= call->deadline_at)
        return false;
    call->attempts++;
    call->operation->attempts++;
    timer_start(&w->timers, &call->arrives, at);
    return true;
}

/* Its answer's first byte is there, and the rest comes as fast as the answers of the operation may. */
static void begin_answer(struct sim_call *call) {
    struct world *w = call->world;
    struct sim_operation *o = call->operation;
    call->begun = true;
    int64_t from = o->free_at > w->now ? o->free_at : w->now;
    o->free_at = from + (int64_t)call->answer_bytes * MICROSECONDS / o->bytes_per_second;
    timer_start(&w->timers, &call->answers, o->free_at);
    if (call->deadline_at == NEVER)
        timer_stop(client_timers(call), &call->deadline);
    else
        timer_start(client_timers(call), &call->deadline, call->deadline_at);
}

static void on_answers(void *user) {
    struct sim_call *call = user;
    if (call->result.status && call->result.answered == 0)
        call->result.answered = call->world->now;
    if (call->operation->bytes_per_second && call->answer_bytes && !call->begun && call->result.class == CALL_OK) {
        begin_answer(call);
        return;
    }
    if (call->client && call->client->stands_until > call->world->now) {
        /* It lies in the socket; whether that or a timer is looked at first is nobody's promise. */
        int64_t later = (int64_t)random_below(&call->world->random, 2);
        timer_start(&call->world->timers, &call->answers, call->client->stands_until + later);
        return;
    }
    world_enter();
    if (!try_again(call)) {
        deliver(call);
        end(call);
    }
    world_leave();
}

static bool stays_at_server(struct sim_call *call) {
    call->waits = call->waits && call->kind->abandon && !call->kind->abandon(call);
    return call->waits;
}

static void on_deadline(void *user) {
    struct sim_call *call = user;
    world_enter();
    struct call_result at_server = call->result;
    transport_failure(&call->result, "no answer before the call's deadline");
    deliver(call);
    call->result = at_server;
    if (!stays_at_server(call) && !call->arrives.running)
        end(call);
    world_leave();
}

void sim_call_ghost(struct world *w, struct sim_call *call, const struct sim_call_kind *kind,
                    struct sim_operation *operation, int64_t at) {
    call->world = w;
    call->kind = kind;
    call->operation = operation;
    call->deadline_at = NEVER;
    call->attempts = call->max_attempts = 1;
    call->client_gone = true;
    timer_init(&call->arrives, on_arrives, call);
    timer_init(&call->answers, on_answers, call);
    timer_init(&call->deadline, on_deadline, call);
    LIST_INSERT_HEAD(&w->calls, call, link);
    timer_start(&w->timers, &call->arrives, at);
}

struct call *sim_call_start(struct world *w, struct sim_call *call, const struct sim_call_kind *kind,
                            struct sim_operation *operation, const struct call_options *options) {
    call->world = w;
    call->kind = kind;
    call->operation = operation;
    call->client = w->client;
    call->began = w->now;
    call->deadline_at = options->deadline;
    call->attempts = 1;
    call->max_attempts = options->max_attempts ? options->max_attempts : operation->default_attempts;
    operation->last_max_attempts = options->max_attempts;
    operation->calls++;
    operation->attempts++;
    operation->running++;
    if (operation->running > operation->most_running)
        operation->most_running = operation->running;
    timer_init(&call->arrives, on_arrives, call);
    timer_init(&call->answers, on_answers, call);
    timer_init(&call->deadline, on_deadline, call);
    LIST_INSERT_HEAD(&w->calls, call, link);
    timer_start(&w->timers, &call->arrives, w->now + half_of_latency(call));
    int64_t silent_at = call->silence ? w->now + call->waits_for + call->silence : NEVER;
    int64_t until = silent_at < options->deadline ? silent_at : options->deadline;
    if (until != NEVER)
        timer_start(client_timers(call), &call->deadline, until);
    return (struct call *)call;
}

void sim_call_cancel(struct call *opaque) {
    struct sim_call *call = (struct sim_call *)opaque;
    if (!call || call->client_gone)
        return;
    struct world *w = call->world;
    world_enter();
    call->client_gone = true;
    call->operation->running--;
    timer_stop(client_timers(call), &call->deadline);
    /* What was sent may have left already. */
    if (!stays_at_server(call) && (!call->arrives.running || random_below(&w->random, 2)))
        end(call);
    world_leave();
}

void sim_calls_end(struct world *w) {
    for (struct sim_call *call; (call = LIST_FIRST(&w->calls));) {
        end(call); /* the servers end with it */
    }
}
