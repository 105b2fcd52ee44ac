/* What an operator sees of `run`: its page, metrics and health over HTTP, and its figures as Embedded Metric Format.
 * All of them, the log's reminders and the service manager's line tell of the same troubles. */
#pragma once

#include "emf_file.h"
#include "exit_code.h"
#include "http_server.h"
#include "metrics_history.h"
#include "observer_page.h"
#include "queue_depths.h"
#include "queue_worker_view.h"
#include "span.h"

#include <stdbool.h>
#include <stdint.h>

struct app;

/* A reason why `run` isn't ready. */
struct observer_reason {
    enum metrics_part part;
    enum metrics_cause cause;
    const char *code; /* in a few words; borrowed until the loop goes on */
    int64_t since; /* monotonic */
    unsigned messages; /* that wait for it */
};

struct observer {
    struct app *app;
    const struct discovery_facts *facts; /* NULL: the tables and queues haven't been seen yet */
    const struct queue_worker *worker; /* NULL: there is none yet */
    bool draining;
    int64_t began; /* monotonic */
    struct http_server *server; /* NULL: none */
    struct metrics_history history;
    struct emf_file emf;
    struct queue_depths depths;
    struct timer tick; /* a step of the history */
    unsigned ticks; /* since the last line of figures */
    int64_t told_at[METRICS_PARTS]; /* monotonic: when the log heard of a trouble that lasts; 0: it is in none */
    struct buf reply; /* the last one served */
    char page_policy[OBSERVER_POLICY_SIZE]; /* the page's Content-Security-Policy; "": it couldn't be made */
};

/* Listens, and begins to collect. EXIT_FINE, or what is wrong with the settings, said in the log. o must stay where it
 * is; observer_stop() is needed in any case. */
MUST_USE enum exit_code observer_start(struct observer *o, struct app *app);
/* The tables and queues were found, and the worker is at work; both must outlive the observer. */
void observer_works(struct observer *o, const struct discovery_facts *facts, const struct queue_worker *worker);
/* `run` was told to stop. */
void observer_drains(struct observer *o);
/* Writes the last figures, and ends all. Takes a zeroed one too. */
void observer_stop(struct observer *o);

/* The reasons why `run` isn't ready, at most one for each part. A drain isn't among them. */
size_t observer_reasons(const struct observer *o, struct observer_reason ret_reasons[static METRICS_PARTS]);
/* Sets the gauges. */
void observer_collect(struct observer *o);
/* What holds a part back, and what to do about it, each as a sentence. */
const char *observer_part_sentence(enum metrics_part part);
const char *observer_advice(enum metrics_part part, enum metrics_cause cause);

/* observer_pages.c: answers a request. */
void observer_answer(void *observer, const struct http_server_request *request, struct http_server_reply *reply);
/* Whether a request for this Host is meant for us: an address, localhost, or this machine's name. Otherwise a web page
 * may have had a browser ask us under a name of its own (DNS rebinding). */
bool observer_knows_host(const char *host);
/* observer_status.c: /status, all of it as one JSON object. */
void observer_append_status(const struct observer *o, struct buf *out);
