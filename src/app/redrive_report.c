#include "redrive_report.h"

#include "json_writer.h"
#include "letter_holds.h"

#include <inttypes.h>
#include <stdio.h>

void redrive_report_log(struct log *log, const struct redrive_result *r) {
    const struct redrive_counts *c = &r->counts;
    if (r->no_memory) {
        log_event(log, LOG_LEVEL_ERROR, "There is no memory to move more", NULL);
    }
    if (r->failure) {
        LOG_EVENT(log, LOG_LEVEL_ERROR, "The redrive ends early, or leaves messages hidden: SQS fails",
                  LOG_C("doing", r->failed_at), LOG_C("code", call_word(r->failure)),
                  LOG_I("status", r->failure->status));
    }
    if (c->sent > c->moved) {
        LOG_EVENT(log, LOG_LEVEL_WARNING,
                  "Messages were sent and couldn't be deleted from the DLQ: they stand in both queues. Redrive them "
                  "once more: they go under the same keys, and audited ones are applied once",
                  LOG_I("messages", c->sent - c->moved));
    }
    if (c->behind > 0) {
        LOG_EVENT(log, LOG_LEVEL_WARNING, "Messages stay behind one of their FIFO group that couldn't be sent",
                  LOG_I("messages", c->behind));
    }
    if (r->full) {
        LOG_EVENT(log, LOG_LEVEL_WARNING,
                  "SQS hides no more of a queue at a time: what is beyond was not looked at; redrive by other choices, "
                  "or all",
                  LOG_I("passed_over", c->passed_over));
    }
    if (r->left_hidden > 0) {
        LOG_EVENT(log, LOG_LEVEL_WARNING,
                  "Some of what stays in the DLQ couldn't be given back: it is visible again within the time told",
                  LOG_I("messages", r->left_hidden), LOG_I("seconds", HOLDS_VISIBILITY));
    }
}

bool redrive_report_append_json(const struct redrive_counts *c, int64_t microseconds, struct buf *out) {
    const struct {
        struct span name;
        uint64_t count;
    } members[] = {{SPAN("moved"), c->moved},
                   {SPAN("failed"), c->failed},
                   {SPAN("behind"), c->behind},
                   {SPAN("sent_not_deleted"), c->sent - c->moved},
                   {SPAN("passed_over"), c->passed_over},
                   {SPAN("came_meanwhile"), c->later}};
    struct json_writer w;
    json_writer_init(&w, out);
    json_object_begin(&w);
    for (size_t i = 0; i < ARRAY_LENGTH(members); i++) {
        json_name(&w, members[i].name);
        json_integer(&w, (int64_t)members[i].count);
    }
    char seconds[48];
    (void)snprintf(seconds, sizeof seconds, "%lld.%03lld", microseconds / MICROSECONDS,
                   microseconds % MICROSECONDS / MILLISECOND);
    json_name(&w, SPAN("seconds"));
    json_raw(&w, span_cstr(seconds));
    json_object_end(&w);
    return buf_append_char(out, '\n');
}

bool redrive_report_append_sum(const struct redrive_counts *c, const char *dlq, const char *queue, struct buf *out) {
    return buf_printf(out, "Moved %" PRIu64 " message%s from %s to %s; %" PRIu64 " failed.", c->moved,
                      c->moved == 1 ? "" : "s", dlq, queue, c->failed + c->behind);
}
