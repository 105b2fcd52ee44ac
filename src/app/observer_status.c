/* /status: what the page shows, as JSON. */
#include "observer.h"

#include "app.h"
#include "json_writer.h"

struct writer {
    struct json_writer json;
    const struct observer *o;
};

static void name(struct writer *w, const char *text) {
    json_name(&w->json, span_cstr(text));
}

static void text(struct writer *w, const char *member, const char *value) {
    name(w, member);
    json_string(&w->json, span_cstr(value));
}

static void number(struct writer *w, const char *member, int64_t value) {
    name(w, member);
    if (value == METRICS_ABSENT) {
        json_null(&w->json);
    } else {
        json_integer(&w->json, value);
    }
}

static void moment(struct writer *w, const char *member, int64_t wall) {
    char iso[ISO8601_SIZE];
    name(w, member);
    if (wall == METRICS_ABSENT) {
        json_null(&w->json);
        return;
    }
    clock_iso8601(wall, iso);
    json_string(&w->json, span_cstr(iso));
}

static int64_t seconds(int64_t microseconds) {
    return microseconds == METRICS_ABSENT ? METRICS_ABSENT : microseconds / MICROSECONDS;
}

static int64_t milliseconds(int64_t microseconds) {
    return microseconds == METRICS_ABSENT ? METRICS_ABSENT : microseconds / MILLISECOND;
}

static void append_reasons(struct writer *w) {
    struct observer_reason reasons[METRICS_PARTS];
    size_t count = observer_reasons(w->o, reasons);
    int64_t now = clock_monotonic(w->o->app->platform.clock), wall = clock_wall(w->o->app->platform.clock);
    name(w, "troubles");
    json_array_begin(&w->json);
    for (size_t i = 0; i < count; i++) {
        const struct observer_reason *r = &reasons[i];
        json_object_begin(&w->json);
        text(w, "part", METRICS_PART_NAMES[r->part]);
        text(w, "what", observer_part_sentence(r->part));
        text(w, "cause", METRICS_CAUSE_NAMES[r->cause]);
        text(w, "code", r->code);
        moment(w, "since", wall - (now - r->since));
        number(w, "seconds", (now - r->since) / MICROSECONDS);
        number(w, "messages", r->messages);
        text(w, "what_to_do", observer_advice(r->part, r->cause));
        json_object_end(&w->json);
    }
    json_array_end(&w->json);
}

static void append_errors(struct writer *w, const uint64_t errors[static METRICS_ERRORS]) {
    json_object_begin(&w->json);
    for (size_t i = 0; i < METRICS_ERRORS; i++) {
        number(w, METRICS_ERROR_NAMES[i], (int64_t)errors[i]);
    }
    json_object_end(&w->json);
}

static void append_totals(struct writer *w) {
    const struct metrics *m = &w->o->app->metrics;
    name(w, "totals");
    json_object_begin(&w->json);
    number(w, "received", (int64_t)m->received);
    number(w, "applied", (int64_t)m->applied);
    number(w, "returned", (int64_t)m->returned);
    number(w, "set_aside", (int64_t)m->set_aside);
    number(w, "undeleted", (int64_t)m->undeleted);
    number(w, "throttles", (int64_t)metrics_throttles(m));
    name(w, "dead_lettered");
    append_errors(w, m->dead_lettered);
    json_object_end(&w->json);
    name(w, "in_flight");
    json_object_begin(&w->json);
    for (size_t i = 0; i < METRICS_STATES; i++) {
        number(w, METRICS_STATE_NAMES[i], m->in_flight[i]);
    }
    json_object_end(&w->json);
    number(w, "max_in_flight", m->max_in_flight);
    number(w, "rate_limit", m->rate_limit);
    number(w, "oldest_message_age_seconds", seconds(m->oldest_age));
}

static void append_depth(struct writer *w, const char *member, const char *queue, const struct metrics_depth *depth) {
    name(w, member);
    json_object_begin(&w->json);
    text(w, "name", queue);
    number(w, "visible", depth->visible);
    number(w, "in_flight", depth->in_flight);
    number(w, "delayed", depth->delayed);
    json_object_end(&w->json);
}

static void append_surroundings(struct writer *w) {
    const struct app *app = w->o->app;
    const struct metrics *m = &app->metrics;
    const struct discovery_facts *facts = w->o->facts;
    text(w, "table", facts ? facts->table.name : app->settings.table_name);
    append_depth(w, "queue", facts ? facts->queue.name : "", &m->queue);
    append_depth(w, "dlq", facts ? facts->dlq.name : "", &m->dlq);
    name(w, "credentials");
    json_object_begin(&w->json);
    text(w, "provider", services_credentials_name(&app->services));
    moment(w, "expire", m->credentials_expire);
    json_object_end(&w->json);
    number(w, "clock_offset_seconds", seconds(m->clock_offset));
    number(w, "log_lines_lost", m->log_lines_lost);
    number(w, "resident_bytes", m->resident_bytes);
    moment(w, "started", m->started_at);
}

/* The newest first. */
static void append_dead_letters(struct writer *w) {
    const struct metrics *m = &w->o->app->metrics;
    uint64_t count =
        m->dead_letters_seen < METRICS_LAST_DEAD_LETTERS ? m->dead_letters_seen : METRICS_LAST_DEAD_LETTERS;
    name(w, "last_dead_letters");
    json_array_begin(&w->json);
    for (uint64_t i = 0; i < count; i++) {
        size_t at = (size_t)((m->dead_letters_seen - 1 - i) % METRICS_LAST_DEAD_LETTERS);
        json_object_begin(&w->json);
        moment(w, "time", m->last_dead_letters[at].wall);
        text(w, "error", METRICS_ERROR_NAMES[m->last_dead_letters[at].error - 1]);
        json_object_end(&w->json);
    }
    json_array_end(&w->json);
}

static void append_step(struct writer *w, const struct history_step *s) {
    json_object_begin(&w->json);
    moment(w, "end", s->wall);
    number(w, "milliseconds", s->duration / MILLISECOND);
    number(w, "received", (int64_t)s->received);
    number(w, "applied", (int64_t)s->applied);
    number(w, "returned", (int64_t)s->returned);
    number(w, "throttles", (int64_t)s->throttles);
    name(w, "dead_lettered");
    append_errors(w, s->dead_lettered);
    number(w, "median_ms", milliseconds(s->median));
    number(w, "p99_ms", milliseconds(s->p99));
    number(w, "in_flight", s->in_flight);
    number(w, "oldest_message_age_seconds", seconds(s->oldest_age));
    number(w, "backlog", s->backlog);
    number(w, "dlq", s->dlq);
    json_object_end(&w->json);
}

void observer_append_status(const struct observer *o, struct buf *out) {
    struct writer w = {.o = o};
    json_writer_init(&w.json, out);
    json_object_begin(&w.json);
    text(&w, "version", TABLE_UPDATER_VERSION);
    moment(&w, "time", clock_wall(o->app->platform.clock));
    name(&w, "ready");
    json_boolean(&w.json, o->app->metrics.ready == 1);
    name(&w, "draining");
    json_boolean(&w.json, o->draining);
    append_reasons(&w);
    append_surroundings(&w);
    append_totals(&w);
    append_dead_letters(&w);
    name(&w, "history");
    json_array_begin(&w.json);
    for (size_t i = 0; i < metrics_history_length(&o->history); i++) {
        append_step(&w, metrics_history_at(&o->history, i));
    }
    json_array_end(&w.json);
    json_object_end(&w.json);
    (void)buf_append_char(out, '\n');
}
