#include "redrive_entry.h"

#include "clock.h"
#include "json_writer.h"

#define ENVELOPE_MAX ((size_t)64 * 1024)
#define ENVELOPE_NAME "ErrorEnvelope"

/* What differs between the forms that are tried one after the other. */
struct form {
    bool unwrapped; /* the body is what the envelope held, and the rest of the envelope an attribute */
    bool without_ours; /* ErrorType and StatusCode are left out: nothing is lost with them */
};

static void member(struct json_writer *w, struct span name, struct span value) {
    if (!value.data)
        return;
    json_name(w, name);
    json_string(w, value);
}

/* The least that the worker takes for an envelope, with where the message came from. */
static bool append_envelope(const struct update_source *source, struct span error, struct buf *out) {
    struct json_writer w;
    json_writer_init(&w, out);
    json_object_begin(&w);
    json_name(&w, SPAN("success"));
    json_boolean(&w, false);
    json_name(&w, SPAN("error"));
    json_string(&w, error.data ? error : SPAN(""));
    json_name(&w, SPAN("details"));
    json_object_begin(&w);
    json_name(&w, SPAN("source"));
    json_object_begin(&w);
    member(&w, SPAN("message_id"), source->message_id);
    member(&w, SPAN("queue"), source->queue);
    member(&w, SPAN("sent_at"), source->sent_at);
    member(&w, SPAN("idempotency_key"), source->idempotency_key);
    member(&w, SPAN("group_id"), source->group_id);
    json_object_end(&w);
    json_object_end(&w);
    json_object_end(&w);
    return buf_ok(out);
}

/* For a message without a key: its MessageId becomes its key. Where SQS moved it itself, the MessageId stayed the same:
 * it is also the key under which the worker has tried it. */
static bool append_key(const struct sqs_message *m, const struct letter *letter, const char *queue, struct buf *out) {
    char sent_at[ISO8601_SIZE];
    clock_iso8601(m->sent_at, sent_at);
    const struct update_source source = {.message_id = m->message_id,
                                         .queue = span_cstr(queue),
                                         .sent_at = m->sent_at ? span_cstr(sent_at) : (struct span){NULL, 0},
                                         .idempotency_key = m->message_id,
                                         .group_id = m->sequence_number.data ? m->group_id : (struct span){NULL, 0}};
    return append_envelope(&source, letter->error, out);
}

static bool is_ours(struct span name) {
    return span_is(name, "ErrorType") || span_is(name, "StatusCode");
}

/* At most ten, the envelope among them. The last by name are left out. */
static void take_attributes(const struct sqs_message *m, const struct form *form, struct redrive_entry *e) {
    size_t places = MESSAGE_ATTRIBUTES_MAX - (e->send.error_envelope.data != NULL);
    for (size_t i = 0; i < m->attribute_count; i++) {
        const struct message_attribute *a = &m->attributes[i];
        if (form->without_ours && is_ours(a->name))
            continue;
        if (e->send.attribute_count == places) {
            e->left_out++;
            continue;
        }
        e->attributes[e->send.attribute_count++] = *a;
        e->size += message_attribute_size(a);
    }
    e->send.attributes = e->attributes;
}

static bool make_form(const struct sqs_message *m, const struct letter *letter, const char *queue,
                      const struct form *form, struct redrive_entry *e) {
    bool made = true;
    e->send.body = m->body;
    e->send.error_envelope = m->error_envelope;
    if (form->unwrapped) {
        made = append_envelope(&letter->source, letter->error, &e->envelope) &&
               buf_append_span(&e->body, letter->source.body);
        e->send.body = buf_span(&e->body);
        e->send.error_envelope = buf_span(&e->envelope);
    } else if (!letter->has_key) {
        made = append_key(m, letter, queue, &e->envelope);
        e->send.error_envelope = buf_span(&e->envelope);
    }
    e->size = e->send.body.len;
    if (e->send.error_envelope.data)
        e->size += sizeof ENVELOPE_NAME - 1 + sizeof "String" - 1 + e->send.error_envelope.len;
    take_attributes(m, form, e);
    return made;
}

enum redrive_entry_status redrive_entry_make(const struct sqs_message *m, const struct letter *letter,
                                             const char *queue, bool fifo, size_t limit,
                                             struct redrive_entry *ret_entry) {
    static const struct form forms[] = {{false, false}, {false, true}, {true, false}, {true, true}};
    for (size_t i = 0; i < ARRAY_LENGTH(forms); i++) {
        if (forms[i].unwrapped && letter->form != LETTER_WRAPPED)
            break;
        /* Its own attributes have precedence over ErrorType and StatusCode. */
        bool crowded = !letter->has_key && m->attribute_count >= MESSAGE_ATTRIBUTES_MAX;
        if (crowded && !forms[i].without_ours)
            continue;
        struct redrive_entry e = {0};
        buf_init(&e.body, letter->source.body.len);
        buf_init(&e.envelope, ENVELOPE_MAX);
        bool made = make_form(m, letter, queue, &forms[i], &e);
        if (made && e.size <= limit) {
            e.send.group_id = m->group_id;
            /* The MessageId is new for each stay in the DLQ: SQS drops a second send from one stay, but not a send from
             * the next. */
            e.send.deduplication_id = fifo ? m->message_id : (struct span){NULL, 0};
            e.send.trace_header = m->trace_header;
            *ret_entry = e;
            ret_entry->send.attributes = ret_entry->attributes;
            return REDRIVE_ENTRY_FINE;
        }
        bool full = e.envelope.failure == BUF_FULL;
        redrive_entry_free(&e);
        if (!made && !full)
            return REDRIVE_ENTRY_NO_MEMORY;
    }
    return REDRIVE_ENTRY_TOO_LARGE;
}

void redrive_entry_free(struct redrive_entry *entry) {
    buf_free(&entry->body);
    buf_free(&entry->envelope);
    *entry = (struct redrive_entry){0};
}
