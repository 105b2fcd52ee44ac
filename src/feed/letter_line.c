#include "letter_report.h"

#include "clock.h"
#include "failure.h"
#include "json_writer.h"
#include "letter_choice.h"
#include "mending.h"

static void text_member(struct json_writer *w, struct span name, struct span value) {
    if (!value.data)
        return;
    json_name(w, name);
    json_string(w, value);
}

static void moment_member(struct json_writer *w, struct span name, int64_t wall) {
    char text[ISO8601_SIZE];
    if (wall <= 0)
        return;
    clock_iso8601(wall, text);
    text_member(w, name, span_cstr(text));
}

static int status_of(struct span error) {
    for (int type = ERROR_INVALID_INPUT; type <= ERROR_DATABASE; type++)
        if (error.data && span_is(error, error_type_name((enum error_type)type)))
            return error_type_status((enum error_type)type);
    return 0;
}

static void write_failure(struct json_writer *w, const struct letter *l, int64_t sent_at) {
    int status = status_of(l->error);
    json_name(w, SPAN("error"));
    if (l->error.data)
        json_string(w, l->error);
    else
        json_null(w);
    if (status) {
        json_name(w, SPAN("status"));
        json_integer(w, status);
    }
    text_member(w, SPAN("message"), l->message);
    if (l->details.data) {
        json_name(w, SPAN("details"));
        json_raw(w, l->details);
    }
    moment_member(w, SPAN("failed_at"), letter_failed_at(l, sent_at));
    text_member(w, SPAN("mending"), span_cstr(mending_of(l)));
}

/* Where it came from: only its envelope tells. */
static void write_source(struct json_writer *w, const struct letter *l) {
    if (!l->source.idempotency_key.data)
        return;
    json_name(w, SPAN("source"));
    json_object_begin(w);
    text_member(w, SPAN("message_id"), l->source.message_id);
    text_member(w, SPAN("queue"), l->source.queue);
    if (l->receive_count) {
        json_name(w, SPAN("receive_count"));
        json_integer(w, l->receive_count);
    }
    text_member(w, SPAN("sent_at"), l->source.sent_at);
    json_object_end(w);
}

static void write_attributes(struct json_writer *w, const struct sqs_message *m) {
    if (!m->attribute_count)
        return;
    json_name(w, SPAN("attributes"));
    json_object_begin(w);
    for (size_t i = 0; i < m->attribute_count; i++)
        text_member(w, m->attributes[i].name, m->attributes[i].value);
    json_object_end(w);
}

bool letter_line_append(const struct letter *l, const struct sqs_message *m, struct buf *out) {
    struct json_writer w;
    json_writer_init(&w, out);
    json_object_begin(&w);
    text_member(&w, SPAN("message_id"), m->message_id);
    write_failure(&w, l, m->sent_at);
    moment_member(&w, SPAN("sent_at"), m->sent_at);
    json_name(&w, SPAN("receive_count"));
    json_integer(&w, m->receive_count);
    if (l->id.data) {
        json_name(&w, SPAN("id"));
        json_raw(&w, l->id);
    }
    text_member(&w, SPAN("idempotency_key"), l->idempotency_key);
    text_member(&w, SPAN("group_id"), m->group_id);
    write_source(&w, l);
    write_attributes(&w, m);
    text_member(&w, SPAN("body"), l->source.body);
    json_object_end(&w);
    return buf_append_char(out, '\n');
}
