/* The scrape: the table and its values as Prometheus reads them. */
#include "metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct writer {
    const struct metrics *metrics;
    const struct metrics_row *row;
    bool open_metrics;
    struct buf *out;
};

/* Microseconds as seconds, exactly. */
static void append_seconds(struct buf *out, int64_t microseconds) {
    uint64_t size = microseconds < 0 ? 0 - (uint64_t)microseconds : (uint64_t)microseconds;
    char digits[8];
    (void)snprintf(digits, sizeof digits, "%06u", (unsigned)(size % MICROSECONDS));
    size_t len = 6;
    while (len > 1 && digits[len - 1] == '0')
        len--;
    (void)buf_printf(out, "%s%" PRIu64 ".%.*s", microseconds < 0 ? "-" : "", size / (uint64_t)MICROSECONDS, (int)len,
                     digits);
}

static void append_value(const struct writer *w, int64_t value) {
    if (w->row->unit == METRICS_SECONDS)
        append_seconds(w->out, value);
    else
        (void)buf_append_integer(w->out, value);
    (void)buf_append_char(w->out, '\n');
}

/* Appends the name, and the labels of the row's series number `at`. le: the value of one more label; NULL: none. */
static void append_series(const struct writer *w, const char *suffix, size_t at, const char *le) {
    const struct metrics_row *row = w->row;
    size_t last = row->labels[1].name ? row->labels[1].count : 1;
    const size_t places[] = {at / last, at % last};
    const char *before = "{";
    (void)buf_printf(w->out, "%s%s", row->name, suffix);
    for (size_t i = 0; i < 2 && row->labels[i].name; i++) {
        (void)buf_printf(w->out, "%s%s=\"%s\"", before, row->labels[i].name, row->labels[i].values[places[i]]);
        before = ",";
    }
    if (le)
        (void)buf_printf(w->out, "%sle=\"%s\"", before, le);
    (void)buf_append_cstr(w->out, le || row->labels[0].name ? "} " : " ");
}

static void append_bucket(const struct writer *w, size_t at, size_t bucket, uint64_t count) {
    char storage[32];
    struct buf le = {.data = storage, .capacity = sizeof storage, .max = sizeof storage - 1};
    if (w->row->kind == METRICS_DURATIONS)
        append_seconds(&le, HISTOGRAM_DURATIONS[bucket]);
    else
        (void)buf_printf(&le, "%zu.0", bucket);
    append_series(w, "_bucket", at, storage);
    (void)buf_printf(w->out, "%" PRIu64 "\n", count);
}

static void append_histogram(const struct writer *w, size_t at) {
    const struct histogram *h = (const void *)((const char *)w->metrics + w->row->offset);
    size_t buckets = w->row->kind == METRICS_DURATIONS ? HISTOGRAM_BUCKETS : HISTOGRAM_BATCH + 1;
    uint64_t count = 0;
    h += at;
    for (size_t bucket = 0; bucket < buckets; bucket++) {
        count += h->counts[bucket];
        append_bucket(w, at, bucket, count);
    }
    count = histogram_count(h);
    append_series(w, "_bucket", at, "+Inf");
    (void)buf_printf(w->out, "%" PRIu64 "\n", count);
    append_series(w, "_sum", at, NULL);
    if (w->row->kind == METRICS_DURATIONS)
        append_seconds(w->out, h->sum);
    else
        (void)buf_append_integer(w->out, h->sum);
    (void)buf_append_char(w->out, '\n');
    append_series(w, "_count", at, NULL);
    (void)buf_printf(w->out, "%" PRIu64 "\n", count);
}

static void append_row(const struct writer *w) {
    static const char *const types[] = {"counter", "gauge", "histogram", "histogram"};
    const struct metrics_row *row = w->row;
    int len = (int)strlen(row->name);
    if (w->open_metrics && row->kind == METRICS_COUNTER)
        len -= (int)strlen("_total");
    (void)buf_printf(w->out, "# HELP %.*s %s\n# TYPE %.*s %s\n", len, row->name, row->help, len, row->name,
                     types[row->kind]);
    const int64_t *values = (const void *)((const char *)w->metrics + row->offset);
    size_t count = (row->labels[0].name ? row->labels[0].count : 1) * (row->labels[1].name ? row->labels[1].count : 1);
    for (size_t at = 0; at < count; at++) {
        if (row->kind == METRICS_DURATIONS || row->kind == METRICS_FILL) {
            append_histogram(w, at);
        } else if (values[at] != METRICS_ABSENT) {
            append_series(w, "", at, NULL);
            append_value(w, values[at]);
        }
    }
}

bool metrics_append_text(const struct metrics *m, bool open_metrics, struct buf *out) {
    for (size_t i = 0; i < METRICS_COUNT; i++)
        append_row(&(struct writer){m, &METRICS[i], open_metrics, out});
    if (open_metrics)
        (void)buf_append_cstr(out, "# EOF\n");
    return buf_ok(out);
}
