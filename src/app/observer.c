#include "observer.h"

#include "app.h"
#include "observer_page.h"

#include <errno.h>
#include <string.h>

static const unsigned STEPS_A_LINE = 6; /* a minute */
static const int64_t REMINDED_EVERY = 3600 * MICROSECONDS;
static const size_t REPLY_MAX = (size_t)512 * 1024;

static int64_t now_of(const struct observer *o) {
    return clock_monotonic(o->app->platform.clock);
}

/* When a trouble begins, the part that has it logs it. This reminds of it once an hour while it lasts. */
static void remind(struct observer *o) {
    struct observer_reason reasons[METRICS_PARTS];
    size_t count = observer_reasons(o, reasons);
    int64_t now = now_of(o);
    bool in_trouble[METRICS_PARTS] = {false};
    for (size_t i = 0; i < count; i++) {
        const struct observer_reason *r = &reasons[i];
        in_trouble[r->part] = true;
        if (!o->told_at[r->part]) {
            o->told_at[r->part] = r->since;
        }
        if (now - o->told_at[r->part] >= REMINDED_EVERY) {
            o->told_at[r->part] = now;
            LOG_EVENT(&o->app->log, LOG_LEVEL_WARNING, "A trouble lasts", LOG_C("part", METRICS_PART_NAMES[r->part]),
                      LOG_C("cause", METRICS_CAUSE_NAMES[r->cause]), LOG_C("code", r->code),
                      LOG_I("seconds", (now - r->since) / MICROSECONDS), LOG_I("messages", r->messages),
                      LOG_C("what_to_do", observer_advice(r->part, r->cause)));
        }
    }
    for (size_t i = 0; i < METRICS_PARTS; i++) {
        o->told_at[i] = in_trouble[i] ? o->told_at[i] : 0;
    }
}

static void write_figures(struct observer *o) {
    const struct settings *s = &o->app->settings;
    o->ticks = 0;
    emf_file_write(&o->emf, &o->app->metrics, o->facts ? o->facts->queue.name : "",
                   o->facts ? o->facts->table.name : s->table_name, clock_wall(o->app->platform.clock));
}

static void on_tick(void *user) {
    struct observer *o = user;
    int64_t now = now_of(o);
    observer_collect(o);
    metrics_history_step(&o->history, &o->app->metrics, now, clock_wall(o->app->platform.clock));
    remind(o);
    if (++o->ticks >= STEPS_A_LINE && o->facts) {
        write_figures(o);
    }
    timer_start(o->app->platform.timers, &o->tick, now + HISTORY_STEP);
}

static bool is_set(const struct app *app) {
    return environment_get(&app->environment, "METRICS_ADDRESS") != NULL;
}

/* An address that can't be had is an error only where it was set: the default one may well be taken by another
 * process. */
static enum exit_code serve(struct observer *o) {
    struct app *app = o->app;
    const char *address = app->settings.metrics_address;
    if (strcmp(address, "off") == 0) {
        return EXIT_FINE;
    }
    int fd = http_server_listen(address);
    int error = fd < 0 ? -fd : ENOMEM;
    const struct http_server_options options = {.clients = app->visitors};
    o->server = fd < 0 ? NULL : http_server_new(app->loop, fd, &options, observer_answer, o);
    if (o->server) {
        LOG_EVENT(&app->log, LOG_LEVEL_INFO, "Metrics and health are served", LOG_C("address", address));
        return EXIT_FINE;
    }
    bool set = is_set(app);
    LOG_EVENT(&app->log, set ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
              set ? "METRICS_ADDRESS can't be listened at: it has to be an address of this machine with a port that is "
                    "free, or off"
                  : "Metrics and health are not served: the default METRICS_ADDRESS can't be listened at. Another one, "
                    "or off, ends this warning",
              LOG_C("address", address), LOG_C("why", strerrordesc_np(error)));
    return set ? EXIT_SETTINGS : EXIT_FINE;
}

enum exit_code observer_start(struct observer *o, struct app *app) {
    *o = (struct observer){.app = app};
    o->began = now_of(o);
    buf_init(&o->reply, REPLY_MAX);
    timer_init(&o->tick, on_tick, o);
    if (!observer_page_policy(app->digest, o->page_policy)) {
        o->page_policy[0] = '\0';
    }
    if (!emf_file_open(&o->emf, app->settings.metrics_emf, &app->log)) {
        return EXIT_SETTINGS;
    }
    metrics_history_begin(&o->history, &app->metrics, o->began);
    timer_start(app->platform.timers, &o->tick, o->began + HISTORY_STEP);
    return serve(o);
}

void observer_works(struct observer *o, const struct discovery_facts *facts, const struct queue_worker *worker) {
    o->facts = facts;
    o->worker = worker;
    if (o->server) {
        queue_depths_start(&o->depths, &o->app->platform, facts, &o->app->metrics);
    }
}

void observer_drains(struct observer *o) {
    o->draining = true;
}

void observer_stop(struct observer *o) {
    if (!o->app) {
        return;
    }
    if (o->facts) {
        observer_collect(o);
        write_figures(o);
    }
    queue_depths_stop(&o->depths);
    timer_stop(o->app->platform.timers, &o->tick);
    http_server_free(o->server);
    buf_free(&o->reply);
    *o = (struct observer){0};
}
