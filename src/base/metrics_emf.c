#include "metrics_emf.h"

#include "json_writer.h"

static uint64_t errors_of(const struct metrics *m) {
    uint64_t sum = 0;
    for (size_t i = 0; i < METRICS_ERRORS; i++)
        sum += m->dead_lettered[i];
    return sum;
}

static void name(struct json_writer *w, const char *text) {
    json_name(w, span_cstr(text));
}

static void number(struct json_writer *w, const char *member, int64_t value) {
    name(w, member);
    json_integer(w, value);
}

static void define(struct json_writer *w, const char *metric, const char *unit) {
    json_object_begin(w);
    name(w, "Name");
    json_string(w, span_cstr(metric));
    name(w, "Unit");
    json_string(w, span_cstr(unit));
    json_object_end(w);
}

static int64_t in_flight_of(const struct metrics *m) {
    int64_t sum = 0;
    for (size_t i = 0; i < METRICS_STATES; i++)
        sum += m->in_flight[i];
    return sum;
}

static void append_definitions(struct json_writer *w, const struct metrics *m, bool durations, bool with_queue) {
    name(w, "CloudWatchMetrics");
    json_array_begin(w);
    json_object_begin(w);
    name(w, "Namespace");
    json_string(w, SPAN(METRICS_NAMESPACE));
    name(w, "Dimensions");
    json_raw(w, with_queue ? SPAN("[[\"Queue\",\"Table\"]]") : SPAN("[[\"Table\"]]"));
    name(w, "Metrics");
    json_array_begin(w);
    define(w, "Applied", "Count");
    define(w, "Errors", "Count");
    define(w, "Throttles", "Count");
    if (durations)
        define(w, "DurationMs", "Milliseconds");
    if (m->max_in_flight != METRICS_ABSENT)
        define(w, "InFlight", "Count");
    if (m->oldest_age != METRICS_ABSENT)
        define(w, "OldestMessageAge", "Seconds");
    if (m->credentials_expire != METRICS_ABSENT)
        define(w, "CredentialsLeft", "Seconds");
    json_array_end(w);
    json_object_end(w);
    json_array_end(w);
}

/* In tenths of a millisecond. What is above the last bound counts as twice that bound. */
static int64_t bound_of(size_t bucket) {
    return (bucket < HISTOGRAM_BUCKETS ? HISTOGRAM_DURATIONS[bucket] : 2 * HISTOGRAM_DURATIONS[HISTOGRAM_BUCKETS - 1]) /
           100;
}

static void append_durations(struct json_writer *w, const struct histogram *now, const struct histogram *then) {
    name(w, "DurationMs");
    json_object_begin(w);
    name(w, "Values");
    json_array_begin(w);
    for (size_t i = 0; i <= HISTOGRAM_BUCKETS; i++)
        if (now->counts[i] > then->counts[i]) {
            int64_t tenths = bound_of(i); /* of a millisecond */
            char text[32];
            struct buf out;
            buf_init_lent(&out, text, sizeof text, sizeof text - 1);
            (void)buf_append_integer(&out, tenths / 10);
            if (tenths % 10) {
                (void)buf_append_char(&out, '.');
                (void)buf_append_integer(&out, tenths % 10);
            }
            json_raw(w, buf_span(&out));
        }
    json_array_end(w);
    name(w, "Counts");
    json_array_begin(w);
    for (size_t i = 0; i <= HISTOGRAM_BUCKETS; i++)
        if (now->counts[i] > then->counts[i])
            json_integer(w, (int64_t)(now->counts[i] - then->counts[i]));
    json_array_end(w);
    json_object_end(w);
}

bool metrics_emf_append(struct metrics_emf *e, const struct metrics *m, const char *queue, const char *table,
                        int64_t wall, struct buf *out) {
    const struct metrics *then = &e->told;
    const struct histogram *took = &m->received_to_applied;
    bool durations = histogram_count(took) > histogram_count(&then->received_to_applied);
    struct json_writer w;
    json_writer_init(&w, out);
    json_object_begin(&w);
    name(&w, "_aws");
    json_object_begin(&w);
    number(&w, "Timestamp", wall / MILLISECOND);
    append_definitions(&w, m, durations, queue[0] != '\0');
    json_object_end(&w);
    if (queue[0]) {
        name(&w, "Queue");
        json_string(&w, span_cstr(queue));
    }
    name(&w, "Table");
    json_string(&w, span_cstr(table));
    number(&w, "Applied", (int64_t)(m->applied - then->applied));
    number(&w, "Errors", (int64_t)(errors_of(m) - errors_of(then)));
    number(&w, "Throttles", (int64_t)(metrics_throttles(m) - metrics_throttles(then)));
    if (durations)
        append_durations(&w, took, &then->received_to_applied);
    if (m->max_in_flight != METRICS_ABSENT)
        number(&w, "InFlight", in_flight_of(m));
    if (m->oldest_age != METRICS_ABSENT)
        number(&w, "OldestMessageAge", m->oldest_age / MICROSECONDS);
    if (m->credentials_expire != METRICS_ABSENT)
        number(&w, "CredentialsLeft", (m->credentials_expire - wall) / MICROSECONDS);
    json_object_end(&w);
    (void)buf_append_char(out, '\n');
    if (!buf_ok(out))
        return false;
    e->told = *m;
    return true;
}
