#include "sqs_request.h"

#include "json_writer.h"

#define ENTRY_SIZE 1024 /* of a message to be sent, without its body, envelope and attribute values */
#define HANDLE_SIZE 96 /* of an entry with a receipt handle, without that */
#define HEAD_SIZE 512 /* of a request without its queue's URL and its entries */

/* Reserves the room for a request at once, so that its buffer isn't grown by doubling (unless escapes need more).
 * False: no memory. */
static bool reserve(struct buf *out, const char *queue_url, size_t entries_size) {
    size_t size = HEAD_SIZE + strlen(queue_url) + entries_size;
    return size > out->max - out->len || buf_reserve(out, size);
}

static void text_member(struct json_writer *w, struct span name, struct span value) {
    json_name(w, name);
    json_string(w, value);
}

static void optional_member(struct json_writer *w, struct span name, struct span value) {
    if (value.data) {
        text_member(w, name, value);
    }
}

static void number_member(struct json_writer *w, struct span name, unsigned value) {
    json_name(w, name);
    json_integer(w, value);
}

static void names_member(struct json_writer *w, struct span name, const char *const *values, size_t count) {
    json_name(w, name);
    json_array_begin(w);
    for (size_t i = 0; i < count; i++) {
        json_string(w, span_cstr(values[i]));
    }
    json_array_end(w);
}

static void begin(struct json_writer *w, const char *queue_url, struct buf *out) {
    json_writer_init(w, out);
    json_object_begin(w);
    text_member(w, SPAN("QueueUrl"), span_cstr(queue_url));
}

static bool end(struct json_writer *w) {
    json_object_end(w);
    return buf_ok(w->out);
}

static void begin_entry(struct json_writer *w, size_t index) {
    char id = (char)('0' + index);
    json_object_begin(w);
    text_member(w, SPAN("Id"), span_of(&id, 1));
}

bool sqs_write_receive(const struct sqs_receive_request *request, struct buf *out) {
    static const char *const attributes[] = {"ApproximateReceiveCount", "SentTimestamp", "MessageGroupId",
                                             "SequenceNumber", "AWSTraceHeader"};
    static const char *const message_attributes[] = {"All"};
    if (!reserve(out, request->queue_url, 0)) {
        return false;
    }
    struct json_writer w;
    begin(&w, request->queue_url, out);
    number_member(&w, SPAN("MaxNumberOfMessages"), request->max_messages);
    number_member(&w, SPAN("WaitTimeSeconds"), request->wait_seconds);
    number_member(&w, SPAN("VisibilityTimeout"), request->visibility_seconds);
    names_member(&w, SPAN("MessageSystemAttributeNames"), attributes, ARRAY_LENGTH(attributes));
    names_member(&w, SPAN("MessageAttributeNames"), message_attributes, ARRAY_LENGTH(message_attributes));
    optional_member(&w, SPAN("ReceiveRequestAttemptId"), span_cstr(request->attempt_id));
    return end(&w);
}

static void begin_batch(struct json_writer *w, const char *queue_url, struct buf *out) {
    begin(w, queue_url, out);
    json_name(w, SPAN("Entries"));
    json_array_begin(w);
}

static bool end_batch(struct json_writer *w) {
    json_array_end(w);
    return end(w);
}

bool sqs_write_delete(const char *queue_url, const struct span *receipt_handles, size_t count, struct buf *out) {
    size_t size = count * HANDLE_SIZE;
    for (size_t i = 0; i < count; i++) {
        size += receipt_handles[i].len;
    }
    if (!reserve(out, queue_url, size)) {
        return false;
    }
    struct json_writer w;
    begin_batch(&w, queue_url, out);
    for (size_t i = 0; i < count; i++) {
        begin_entry(&w, i);
        text_member(&w, SPAN("ReceiptHandle"), receipt_handles[i]);
        json_object_end(&w);
    }
    return end_batch(&w);
}

bool sqs_write_change_visibility(const char *queue_url, const struct sqs_visibility_entry *entries, size_t count,
                                 struct buf *out) {
    size_t size = count * HANDLE_SIZE;
    for (size_t i = 0; i < count; i++) {
        size += entries[i].receipt_handle.len;
    }
    if (!reserve(out, queue_url, size)) {
        return false;
    }
    struct json_writer w;
    begin_batch(&w, queue_url, out);
    for (size_t i = 0; i < count; i++) {
        begin_entry(&w, i);
        text_member(&w, SPAN("ReceiptHandle"), entries[i].receipt_handle);
        number_member(&w, SPAN("VisibilityTimeout"), entries[i].visibility_seconds);
        json_object_end(&w);
    }
    return end_batch(&w);
}

static void message_attribute(struct json_writer *w, struct span name, struct span type, struct span value) {
    if (!value.data) {
        return;
    }
    json_name(w, name);
    json_object_begin(w);
    text_member(w, SPAN("DataType"), type);
    text_member(w, SPAN("StringValue"), value);
    json_object_end(w);
}

static void kept_attribute(struct json_writer *w, const struct message_attribute *a) {
    json_name(w, a->name);
    json_object_begin(w);
    text_member(w, SPAN("DataType"), a->type);
    text_member(w, a->binary ? SPAN("BinaryValue") : SPAN("StringValue"), a->value);
    json_object_end(w);
}

static void send_attributes(struct json_writer *w, const struct sqs_send_entry *e) {
    if (!e->error_type.data && !e->status_code.data && !e->error_envelope.data && !e->attribute_count) {
        return;
    }
    json_name(w, SPAN("MessageAttributes"));
    json_object_begin(w);
    message_attribute(w, SPAN("ErrorType"), SPAN("String"), e->error_type);
    message_attribute(w, SPAN("StatusCode"), SPAN("Number"), e->status_code);
    message_attribute(w, SPAN("ErrorEnvelope"), SPAN("String"), e->error_envelope);
    for (size_t i = 0; i < e->attribute_count; i++) {
        kept_attribute(w, &e->attributes[i]);
    }
    json_object_end(w);
}

static void send_entry(struct json_writer *w, size_t index, const struct sqs_send_entry *e) {
    begin_entry(w, index);
    text_member(w, SPAN("MessageBody"), e->body);
    if (e->delay_seconds) {
        number_member(w, SPAN("DelaySeconds"), e->delay_seconds);
    }
    optional_member(w, SPAN("MessageGroupId"), e->group_id);
    optional_member(w, SPAN("MessageDeduplicationId"), e->deduplication_id);
    send_attributes(w, e);
    if (e->trace_header.data) {
        json_name(w, SPAN("MessageSystemAttributes"));
        json_object_begin(w);
        message_attribute(w, SPAN("AWSTraceHeader"), SPAN("String"), e->trace_header);
        json_object_end(w);
    }
    json_object_end(w);
}

bool sqs_write_send(const char *queue_url, const struct sqs_send_entry *entries, size_t count, struct buf *out) {
    size_t size = count * ENTRY_SIZE;
    for (size_t i = 0; i < count; i++) {
        size += entries[i].body.len + entries[i].error_envelope.len;
        for (size_t k = 0; k < entries[i].attribute_count; k++) {
            size += entries[i].attributes[k].value.len;
        }
    }
    if (!reserve(out, queue_url, size)) {
        return false;
    }
    struct json_writer w;
    begin_batch(&w, queue_url, out);
    for (size_t i = 0; i < count; i++) {
        send_entry(&w, i, &entries[i]);
    }
    return end_batch(&w);
}

bool sqs_write_get_attributes(const char *queue_url, struct buf *out) {
    /* All: some names belong to one kind of queue only (FifoQueue), and may be refused if they are asked for by
     * name. */
    static const char *const names[] = {"All"};
    struct json_writer w;
    begin(&w, queue_url, out);
    names_member(&w, SPAN("AttributeNames"), names, ARRAY_LENGTH(names));
    return end(&w);
}

bool sqs_write_get_queue_url(const char *queue_name, const char *owner_account, struct buf *out) {
    struct json_writer w;
    json_writer_init(&w, out);
    json_object_begin(&w);
    text_member(&w, SPAN("QueueName"), span_cstr(queue_name));
    if (owner_account[0]) {
        text_member(&w, SPAN("QueueOwnerAWSAccountId"), span_cstr(owner_account));
    }
    return end(&w);
}
