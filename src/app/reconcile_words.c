#include "reconcile_words.h"

#include <inttypes.h>

static void append_row(struct buf *out, const char *name, uint64_t count) {
    (void)buf_printf(out, "%-9s %15" PRIu64 "\n", name, count);
}

bool reconcile_append_table(const struct reconcile_counts *counts, struct buf *out) {
    append_row(out, "applied", counts->applied);
    append_row(out, "failed", counts->failed);
    for (size_t i = 0; i < RECONCILE_ERRORS && counts->errors[i].rows; i++) {
        (void)buf_printf(out, "%25" PRIu64 "  %s\n", counts->errors[i].rows, counts->errors[i].error);
    }
    append_row(out, "pending", counts->pending);
    if (counts->unknown) {
        append_row(out, "unknown", counts->unknown);
    }
    append_row(out, "rows", counts->rows);
    return buf_ok(out);
}

bool reconcile_append_json(const struct reconcile_counts *counts, struct buf *out) {
    (void)buf_printf(out, "{\"applied\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"pending\":%" PRIu64, counts->applied,
                     counts->failed, counts->pending);
    if (counts->unknown) {
        (void)buf_printf(out, ",\"unknown\":%" PRIu64, counts->unknown);
    }
    return buf_printf(out, ",\"rows\":%" PRIu64 "}\n", counts->rows);
}
