#include "sqs_response.h"

#include "clock.h"
#include "error_body.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

/* If a message's block has more unused bytes than this, they are given back: the message may be held for long. */
#define SLACK_MAX 4096

/* Where one message attribute stands. */
struct attribute_parts {
    struct json_token name, type, text, base64;
};

struct attribute_list {
    struct attribute_parts parts[MESSAGE_ATTRIBUTES_MAX];
    size_t count;
};

/* Where one message's parts stand in the answer; a missing one is a zeroed token. */
struct parts {
    struct json_token message_id, receipt_handle, md5, body;
    struct json_token group_id, sequence_number, error_envelope, trace_header;
    struct json_token sent_at, receive_count;
    struct attribute_list *attributes; /* most messages have none */
};

struct reading {
    struct digest *digest;
    struct attribute_list attributes; /* of the message being read */
    size_t max;
    struct sqs_messages messages;
    bool has_list, has_others; /* whether the answer has Messages, and any other members */
    struct span broken[SQS_BATCH_MAX]; /* raw group ids of the messages left out; absent: it isn't known */
    size_t broken_count;
};

/* A member that is kept if it is a string. */
struct wanted {
    struct span name;
    struct json_token *at;
};

static enum decode_status keep(struct json_reader *r, const struct wanted *wanted, size_t count,
                               const struct json_token *name, const struct json_token *value) {
    for (size_t i = 0; value->event == JSON_STRING && i < count; i++) {
        if (name->escaped ? json_escaped_is(name->raw, wanted[i].name) : span_equal(name->raw, wanted[i].name)) {
            *wanted[i].at = *value;
            return DECODE_FINE;
        }
    }
    return decode_skip(r, value);
}

static enum decode_status attribute(void *user, struct json_reader *r, const struct json_token *name,
                                    const struct json_token *value) {
    struct parts *p = user;
    const struct wanted wanted[] = {{SPAN("MessageGroupId"), &p->group_id},
                                    {SPAN("SequenceNumber"), &p->sequence_number},
                                    {SPAN("AWSTraceHeader"), &p->trace_header},
                                    {SPAN("SentTimestamp"), &p->sent_at},
                                    {SPAN("ApproximateReceiveCount"), &p->receive_count}};
    return keep(r, wanted, ARRAY_LENGTH(wanted), name, value);
}

static enum decode_status error_envelope(void *user, struct json_reader *r, const struct json_token *name,
                                         const struct json_token *value) {
    struct parts *p = user;
    const struct wanted wanted[] = {{SPAN("StringValue"), &p->error_envelope}};
    return keep(r, wanted, ARRAY_LENGTH(wanted), name, value);
}

static enum decode_status attribute_member(void *user, struct json_reader *r, const struct json_token *name,
                                           const struct json_token *value) {
    struct attribute_parts *a = user;
    const struct wanted wanted[] = {
        {SPAN("DataType"), &a->type}, {SPAN("StringValue"), &a->text}, {SPAN("BinaryValue"), &a->base64}};
    return keep(r, wanted, ARRAY_LENGTH(wanted), name, value);
}

/* SQS has no more than ten attributes in a message, none without a type, and none with both kinds of value. */
static enum decode_status message_attribute(void *user, struct json_reader *r, const struct json_token *name,
                                            const struct json_token *value) {
    struct parts *p = user;
    struct attribute_list *list = p->attributes;
    if (json_token_is(name, "ErrorEnvelope")) {
        return decode_object(r, value, error_envelope, p);
    }
    if (list->count == MESSAGE_ATTRIBUTES_MAX) {
        return decode_skip(r, value);
    }
    struct attribute_parts *a = &list->parts[list->count];
    *a = (struct attribute_parts){.name = *name};
    enum decode_status status = decode_object(r, value, attribute_member, a);
    bool one_value = (a->text.event == JSON_STRING) != (a->base64.event == JSON_STRING);
    list->count += status == DECODE_FINE && a->type.event == JSON_STRING && one_value;
    return status;
}

static enum decode_status message_member(void *user, struct json_reader *r, const struct json_token *name,
                                         const struct json_token *value) {
    struct parts *p = user;
    if (json_token_is(name, "Attributes")) {
        return decode_object(r, value, attribute, p);
    }
    if (json_token_is(name, "MessageAttributes")) {
        return decode_object(r, value, message_attribute, p);
    }
    const struct wanted wanted[] = {{SPAN("MessageId"), &p->message_id},
                                    {SPAN("ReceiptHandle"), &p->receipt_handle},
                                    {SPAN("MD5OfBody"), &p->md5},
                                    {SPAN("Body"), &p->body}};
    return keep(r, wanted, ARRAY_LENGTH(wanted), name, value);
}

static void read_numbers(const struct parts *p, struct sqs_message *m) {
    uint64_t number;
    m->sent_at = decode_number_text(&p->sent_at, INT64_MAX / MILLISECOND, &number) ? (int64_t)number * MILLISECOND : 0;
    m->receive_count = decode_number_text(&p->receive_count, UINT_MAX, &number) && number ? (unsigned)number : 1;
}

/* Gives unused memory back if it is much: escapes are longer than what they stand for. */
static void give_back_slack(struct buf *block) {
    if (block->capacity - block->len > SLACK_MAX) {
        buf_trim(block);
    }
}

/* A text of the message, and the span that is to point to it. */
struct text {
    const struct json_token *token;
    struct span *at;
};

#define OWN_TEXTS 7
#define TEXTS_MAX (OWN_TEXTS + 3 * MESSAGE_ATTRIBUTES_MAX)

static size_t list_texts(const struct parts *p, struct sqs_message *m, struct message_attribute *attributes,
                         struct text ret_texts[static TEXTS_MAX]) {
    const struct text own[OWN_TEXTS] = {{&p->message_id, &m->message_id},
                                        {&p->receipt_handle, &m->receipt_handle},
                                        {&p->body, &m->body},
                                        {&p->group_id, &m->group_id},
                                        {&p->sequence_number, &m->sequence_number},
                                        {&p->error_envelope, &m->error_envelope},
                                        {&p->trace_header, &m->trace_header}};
    memcpy(ret_texts, own, sizeof own);
    size_t count = OWN_TEXTS;
    for (size_t i = 0; i < p->attributes->count; i++) {
        const struct attribute_parts *from = &p->attributes->parts[i];
        attributes[i].binary = from->base64.event == JSON_STRING;
        ret_texts[count++] = (struct text){&from->name, &attributes[i].name};
        ret_texts[count++] = (struct text){&from->type, &attributes[i].type};
        ret_texts[count++] = (struct text){attributes[i].binary ? &from->base64 : &from->text, &attributes[i].value};
    }
    return count;
}

/* The block holds the message, then the attributes, then the texts. */
static void set_attributes(struct sqs_message *m, char *block, struct message_attribute *attributes, size_t count) {
    m->attribute_count = message_attributes_keep_valid(attributes, count);
    m->attribute_bytes = m->error_envelope.len + m->trace_header.len;
    for (size_t i = 0; i < m->attribute_count; i++) {
        m->attribute_bytes +=
            sizeof *attributes + attributes[i].name.len + attributes[i].type.len + attributes[i].value.len;
    }
    if (m->attribute_count > 0) {
        memcpy(block + sizeof *m, attributes, m->attribute_count * sizeof *attributes);
        m->attributes = (const struct message_attribute *)(const void *)(block + sizeof *m);
    }
}

static_assert(sizeof(struct sqs_message) % _Alignof(struct message_attribute) == 0,
              "attributes stand behind their message");

/* NULL: no memory. */
static struct sqs_message *make_message(const struct parts *p) {
    struct sqs_message m = {.receive_count = 1};
    struct message_attribute attributes[MESSAGE_ATTRIBUTES_MAX];
    struct text texts[TEXTS_MAX];
    size_t count = list_texts(p, &m, attributes, texts), head = sizeof m + p->attributes->count * sizeof *attributes;
    /* Large enough: escapes are longer than what they stand for. */
    size_t size = head;
    for (size_t i = 0; i < count; i++) {
        size += texts[i].token->raw.len;
    }
    struct buf block;
    buf_init(&block, size);
    if (!buf_reserve(&block, size)) {
        buf_free(&block);
        return NULL;
    }
    buf_advance(&block, head);
    for (size_t i = 0; i < count; i++) {
        size_t from = block.len;
        const struct json_token *text = texts[i].token;
        (void)(text->escaped ? json_unescape(text->raw, &block) : buf_append_span(&block, text->raw));
        texts[i].at->len = block.len - from;
    }
    give_back_slack(&block);
    char *at = block.data + head;
    for (size_t i = 0; i < count; i++) {
        bool there = texts[i].token->event == JSON_STRING || texts[i].token->event == JSON_NAME;
        texts[i].at->data = there ? at : NULL;
        at += texts[i].at->len;
    }
    read_numbers(p, &m);
    set_attributes(&m, block.data, attributes, p->attributes->count);
    memcpy(block.data, &m, sizeof m);
    return (struct sqs_message *)(void *)block.data;
}

void sqs_message_free(struct sqs_message *m) {
    free(m); /* a struct buf's memory is malloc's */
}

static bool is_whole(const struct parts *p) {
    return p->message_id.event == JSON_STRING && p->receipt_handle.event == JSON_STRING &&
           p->body.event == JSON_STRING && p->message_id.raw.len && p->receipt_handle.raw.len;
}

/* *ret_same: the body fits the MD5 that came with it (or the library has no MD5). False: the library failed. */
static bool check_md5(struct digest *digest, const struct parts *p, struct span body, bool *ret_same) {
    if (!digest_has_md5(digest)) {
        *ret_same = true;
        return true;
    }
    char md5[MD5_HEX_SIZE + 1];
    if (!digest_md5_hex(digest, body, md5)) {
        return false;
    }
    *ret_same = json_token_is(&p->md5, md5);
    return true;
}

static void leave_out(struct reading *reading, const struct parts *p, const char *why) {
    if (reading->messages.corrupt++ == 0) {
        char id[SQS_SPOILT_SIZE / 2];
        error_copy_text(p->message_id.raw, id, sizeof id);
        (void)snprintf(reading->messages.spoilt, sizeof reading->messages.spoilt, "%s: %s", id[0] ? id : "no MessageId",
                       why);
    }
    if (reading->broken_count < SQS_BATCH_MAX) {
        reading->broken[reading->broken_count++] = p->group_id.raw;
    }
}

/* Whether, on a FIFO queue, an earlier message of its group was left out: this one would overtake it. */
static bool would_overtake(const struct reading *reading, const struct parts *p) {
    if (p->sequence_number.event != JSON_STRING) {
        return false;
    }
    for (size_t i = 0; i < reading->broken_count; i++) {
        if (!reading->broken[i].data || span_equal(reading->broken[i], p->group_id.raw)) {
            return true;
        }
    }
    return false;
}

static enum decode_status message(void *user, struct json_reader *r, const struct json_token *value) {
    struct reading *reading = user;
    struct sqs_messages *all = &reading->messages;
    struct parts p = {.attributes = &reading->attributes};
    reading->attributes.count = 0;
    enum decode_status status = decode_object(r, value, message_member, &p);
    if (status != DECODE_FINE) {
        return status;
    }
    const char *why = !is_whole(&p)                 ? "it lacks its id, its receipt handle or its body"
                      : all->count == reading->max  ? "more messages came than were asked for"
                      : would_overtake(reading, &p) ? "an earlier message of its group could not be used"
                                                    : NULL;
    if (why) {
        leave_out(reading, &p, why);
        return DECODE_FINE;
    }
    struct sqs_message *m = make_message(&p);
    bool same;
    if (!m || !check_md5(reading->digest, &p, m->body, &same)) {
        sqs_message_free(m);
        return DECODE_NO_MEMORY;
    }
    if (!same) {
        sqs_message_free(m);
        leave_out(reading, &p, p.md5.event == JSON_STRING ? "its body doesn't fit its MD5" : "it has no MD5OfBody");
        return DECODE_FINE;
    }
    all->message[all->count++] = m;
    return DECODE_FINE;
}

static enum decode_status receive_member(void *user, struct json_reader *r, const struct json_token *name,
                                         const struct json_token *value) {
    struct reading *reading = user;
    if (json_token_is(name, "Messages")) {
        reading->has_list = true;
        return decode_array(r, value, message, reading);
    }
    reading->has_others = true;
    return decode_skip(r, value);
}

enum decode_status sqs_read_messages(struct span body, size_t max, struct digest *digest,
                                     struct sqs_messages *ret_messages) {
    struct reading reading = {.digest = digest, .max = max < SQS_BATCH_MAX ? max : SQS_BATCH_MAX};
    enum decode_status status = decode_read(body, receive_member, &reading);
    if (status == DECODE_FINE && reading.has_others && !reading.has_list) {
        status = DECODE_GARBAGE;
    }
    if (status != DECODE_FINE) {
        sqs_messages_free(&reading.messages);
        return status;
    }
    *ret_messages = reading.messages;
    return DECODE_FINE;
}

void sqs_messages_free(struct sqs_messages *messages) {
    for (size_t i = 0; i < messages->count; i++) {
        sqs_message_free(messages->message[i]);
    }
    *messages = (struct sqs_messages){.count = 0};
}
