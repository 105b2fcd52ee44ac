/* One call over a simulated network: a request that arrives (or doesn't), runs at the server, and an answer that comes
 * (or doesn't). A call that is cancelled or past its deadline may still run. Repeats as the real client does, up to
 * options.max_attempts. */
#pragma once

#include "call.h"
#include "sim_path.h"
#include "timers.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct world;
struct sim_call;

enum sim_mode {
    SIM_UP,
    SIM_DOWN, /* no connection */
    SIM_SILENT, /* the request vanishes: each attempt takes its time */
    SIM_BROKEN, /* 500 InternalServerError, as the service's own */
    SIM_PROXY, /* 503, not the service's own */
    SIM_THROTTLED,
    SIM_DENIED,
    SIM_EXPIRED, /* the credentials are */
    SIM_SKEWED, /* our clock is wrong, and the Date header did not mend it */
    SIM_STRANGE, /* 400 of the service's own, with a code that nobody knows */
    SIM_FOREIGN /* 200, and it isn't the service that says so */
};

/* What is wrong with one operation of one service. */
struct sim_operation {
    enum sim_mode mode;
    unsigned lost_requests, lost_answers; /* per mille; the connection breaks */
    unsigned refusals; /* per mille; half of them are throttles, half 500s of the service's own */
    int64_t retry_after; /* microseconds that whoever is refused is asked to wait; 0: not asked */
    int64_t latency, jitter; /* microseconds, there and back together */
    int64_t bytes_per_second; /* that all answers together come with; 0: at once */
    int64_t free_at; /* when those under way are through */
    unsigned default_attempts;
    /* What the way there does to a call (NULL: nothing). It is asked when the request arrives (executed: false), and,
     * where that was let through, when the service has answered. */
    enum sim_path (*path)(void *ctx, const struct sim_call *call, bool executed);
    void *path_ctx;
    /* Counted: */
    uint64_t calls, attempts, executed;
    uint64_t requests_lost, answers_lost, refused, stopped_on_the_way;
    int64_t last_attempt;
    unsigned running, most_running;
    unsigned last_max_attempts;
};

enum sim_executed {
    SIM_EXECUTED, /* call->result is the answer */
    SIM_WAITS, /* sim_call_executed() follows */
    SIM_CUT /* done, and the answer never comes */
};

/* A client's process. While it stands (suspended, or its machine is), its timers don't fire and no answer reaches it;
 * time and the services go on. */
struct sim_client {
    struct timers timers; /* its own */
    int64_t stands_until; /* in the past: it doesn't */
};

struct sim_call_kind {
    enum sim_executed (*execute)(struct sim_call *call);
    void (*deliver)(struct sim_call *call); /* the client's callback; what is borrowed is valid until it returns */
    void (*release)(struct sim_call *call); /* frees it */
    /* It waits at the server, and nobody waits for it any more. NULL: it never waits. False: the server doesn't notice,
     * and it waits on. */
    bool (*abandon)(struct sim_call *call);
};

struct sim_call {
    struct world *world;
    const struct sim_call_kind *kind;
    struct sim_operation *operation;
    struct sim_client *client; /* NULL: one that never stands */
    LIST_ENTRY(sim_call) link;
    struct timer arrives, answers, deadline;
    int64_t deadline_at;
    int64_t began, waits_for; /* microseconds that the service was asked to wait (long polls) */
    int64_t silence; /* microseconds beyond the wait that the client waits for an answer's beginning; 0: by its deadline
                        alone */
    size_t answer_bytes; /* of the answer, where that counts */
    bool begun; /* its first byte was there */
    bool waits; /* at the server */
    bool client_gone; /* nobody hears the answer */
    unsigned attempts, max_attempts;
    struct call_result result;
};
LIST_HEAD(sim_call_list, sim_call);

/* Whether something of so many per mille happens now. 0 costs no randomness. */
bool sim_happens(struct world *w, unsigned per_mille);
/* Starts a call that its kind's release will free. */
struct call *sim_call_start(struct world *w, struct sim_call *call, const struct sim_call_kind *kind,
                            struct sim_operation *operation, const struct call_options *options);
/* A request without a client: nobody hears the answer. It arrives at `at`. */
void sim_call_ghost(struct world *w, struct sim_call *call, const struct sim_call_kind *kind,
                    struct sim_operation *operation, int64_t at);
void sim_call_cancel(struct call *call);
/* One that waited has run. */
void sim_call_executed(struct sim_call *call);
/* A failure as the client would report it, of a status and a code; the class follows from them. */
void sim_call_fail(struct call_result *result, int status, const char *code, const char *message);
/* Frees all that still is under way. */
void sim_calls_end(struct world *w);
