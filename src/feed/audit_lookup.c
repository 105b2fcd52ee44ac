#include "audit_lookup.h"

#include "backoff.h"
#include "limiter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define REQUESTS 8 /* at once: each costs DynamoDB a hundred reads */
#define DEADLINE (30 * MICROSECONDS) /* of one request */

static const int64_t RETRY_BASE = 100 * MILLISECOND, RETRY_CAP = 5 * MICROSECONDS;

enum request_state {
    REQUEST_EMPTY,
    REQUEST_FILLING, /* at most one */
    REQUEST_WAITING, /* to be sent */
    REQUEST_SENT
};

struct request {
    struct audit_lookup *lookup;
    enum request_state state;
    struct call *call;
    size_t count;
    uint64_t tags[AUDIT_LOOKS_MAX];
    struct audit_look looks[AUDIT_LOOKS_MAX];
};

struct audit_lookup {
    struct audit_lookup_options options;
    struct audit_lookup_host host;
    struct limiter limiter;
    struct timer timer; /* for what waits */
    int64_t not_before; /* monotonic: nothing is sent sooner */
    int64_t trouble_since; /* monotonic; 0: there is none */
    unsigned failures; /* since the last answer */
    uint64_t sent;
    bool gave_up;
    struct request requests[REQUESTS];
};

static int64_t now_of(const struct audit_lookup *l) {
    return clock_monotonic(l->options.clock);
}

static struct request *find(const struct audit_lookup *l, enum request_state state) {
    for (size_t i = 0; i < REQUESTS; i++) {
        if (l->requests[i].state == state) {
            return (struct request *)&l->requests[i];
        }
    }
    return NULL;
}

static void give_up(struct audit_lookup *l, const struct call_result *result) {
    l->gave_up = true;
    timer_stop(l->options.timers, &l->timer);
    l->host.failed(l->host.user, result);
}

static void end_trouble(struct audit_lookup *l) {
    if (l->trouble_since) {
        log_event(l->options.log, LOG_LEVEL_INFO, "DynamoDB answers again", NULL);
    }
    l->trouble_since = 0;
    l->failures = 0;
}

/* A request failed: all wait for a while. False: patience is at its end. */
static bool note_trouble(struct audit_lookup *l, const struct call_result *result) {
    int64_t now = now_of(l);
    if (!l->trouble_since) {
        l->trouble_since = now;
        LOG_EVENT(l->options.log, LOG_LEVEL_WARNING, "Waiting: audit records can't be read at present",
                  LOG_C("table", l->options.table),
                  LOG_C("why", call_why(result)[0] ? call_why(result) : call_word(result)),
                  LOG_I("status", result->status));
    }
    if (now - l->trouble_since >= l->options.patience) {
        give_up(l, result);
        return false;
    }
    l->not_before = now + backoff_full_jitter(l->options.random, l->failures++, RETRY_BASE, RETRY_CAP);
    return true;
}

static void send_waiting(struct audit_lookup *l);

/* Tells what is known, and keeps what was left. Returns how many were told. */
static size_t tell(struct request *r) {
    struct audit_lookup *l = r->lookup;
    size_t count = r->count, left = 0;
    for (size_t i = 0; i < count; i++) {
        if (r->looks[i].state != AUDIT_UNPROCESSED) {
            l->host.looked(l->host.user, r->tags[i], &r->looks[i]);
        } else {
            r->looks[left] = r->looks[i];
            r->tags[left++] = r->tags[i];
        }
    }
    r->count = left;
    r->state = left ? REQUEST_WAITING : REQUEST_EMPTY;
    return count - left;
}

static bool is_final(const struct call_result *result) {
    return result->class == CALL_DENIED || result->class == CALL_PERMANENT;
}

static void on_looked(void *user, const struct call_result *result) {
    struct request *r = user;
    struct audit_lookup *l = r->lookup;
    static const struct call_result throttled = {.class = CALL_THROTTLED, .code = "UnprocessedKeys"};
    r->call = NULL;
    if (l->gave_up) {
        return;
    }
    if (is_final(result)) {
        give_up(l, result);
        return;
    }
    r->state = REQUEST_WAITING;
    if (result->class != CALL_OK) {
        if (note_trouble(l, result)) {
            send_waiting(l);
        }
        return;
    }
    size_t told = tell(r);
    if (told > 0) {
        end_trouble(l);
    } else if (!note_trouble(l, &throttled)) {
        return;
    }
    /* What is left unprocessed is a sign of throttling: the next request goes a little later. */
    if (told > 0 && r->state == REQUEST_WAITING) {
        l->not_before = now_of(l) + backoff_full_jitter(l->options.random, 0, RETRY_BASE, RETRY_CAP);
    }
    send_waiting(l);
    l->host.changed(l->host.user);
}

static void send_request(struct request *r) {
    struct audit_lookup *l = r->lookup;
    const struct audit_table_api *api = l->options.api;
    const struct call_options options = {.deadline = now_of(l) + DEADLINE, .max_attempts = 1};
    static const struct call_result no_memory = {.class = CALL_RETRY, .message = "no memory"};
    r->call = api->look(api->ctx, l->options.table, r->looks, r->count, l->options.with_times, &options, on_looked, r);
    if (r->call) {
        r->state = REQUEST_SENT;
        l->sent++;
    } else {
        (void)note_trouble(l, &no_memory);
    }
}

static void send_waiting(struct audit_lookup *l) {
    struct request *r;
    while (!l->gave_up && (r = find(l, REQUEST_WAITING))) {
        int64_t now = now_of(l), wait = 0;
        if (now < l->not_before) {
            timer_start(l->options.timers, &l->timer, l->not_before);
            return;
        }
        if (!limiter_take(&l->limiter, now, &wait)) {
            timer_start(l->options.timers, &l->timer, now + wait);
            return;
        }
        send_request(r);
    }
}

static void on_timer(void *user) {
    send_waiting(user);
}

struct audit_lookup *audit_lookup_new(const struct audit_lookup_options *options,
                                      const struct audit_lookup_host *host) {
    struct audit_lookup *l = calloc(1, sizeof *l);
    if (!l) {
        return NULL;
    }
    l->options = *options;
    l->host = *host;
    limiter_init(&l->limiter, options->rate, now_of(l));
    timer_init(&l->timer, on_timer, l);
    for (size_t i = 0; i < REQUESTS; i++) {
        l->requests[i].lookup = l;
    }
    return l;
}

void audit_lookup_free(struct audit_lookup *l) {
    if (!l) {
        return;
    }
    timer_stop(l->options.timers, &l->timer);
    for (size_t i = 0; i < REQUESTS; i++) {
        if (l->requests[i].call) {
            l->options.api->cancel(l->options.api->ctx, l->requests[i].call);
        }
    }
    free(l);
}

bool audit_lookup_has_room(const struct audit_lookup *l) {
    return !l->gave_up && (find(l, REQUEST_FILLING) || find(l, REQUEST_EMPTY));
}

void audit_lookup_add(struct audit_lookup *l, const char *log_id, uint64_t tag) {
    struct request *r = find(l, REQUEST_FILLING);
    if (!r) {
        r = find(l, REQUEST_EMPTY);
        assert(r); /* audit_lookup_has_room() was asked */
        if (!r)
            return;
        r->state = REQUEST_FILLING;
        r->count = 0;
    }
    r->tags[r->count] = tag;
    size_t len = strnlen(log_id, AUDIT_KEY_SIZE - 1);
    memcpy(r->looks[r->count].log_id, log_id, len);
    r->looks[r->count].log_id[len] = '\0';
    r->count++;
    if (r->count == AUDIT_LOOKS_MAX) {
        r->state = REQUEST_WAITING;
        send_waiting(l);
    }
}

void audit_lookup_flush(struct audit_lookup *l) {
    struct request *r = find(l, REQUEST_FILLING);
    if (r) {
        r->state = REQUEST_WAITING;
        send_waiting(l);
    }
}

bool audit_lookup_is_busy(const struct audit_lookup *l) {
    return find(l, REQUEST_WAITING) || find(l, REQUEST_SENT);
}

uint64_t audit_lookup_requests(const struct audit_lookup *l) {
    return l->sent;
}
