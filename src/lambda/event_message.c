#include "event_message.h"

#include "clock.h"
#include "iso8601.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Where a text goes. It is either in the event itself, or decoded in scratch, whose memory may still move until all is
 * decoded. */
struct placed {
    struct span *at;
    size_t begin, len; /* in scratch */
};

#define PLACED_MAX (6 + 3 * MESSAGE_ATTRIBUTES_MAX)

struct placing {
    struct buf *scratch;
    struct placed placed[PLACED_MAX];
    size_t count;
};

/* Sets *at to the token's text; absent if the token is none. */
static void place(struct placing *p, const struct json_token *token, struct span *at) {
    if (token->event != JSON_STRING && token->event != JSON_NAME) {
        *at = (struct span){NULL, 0};
    } else if (!token->escaped) {
        *at = token->raw;
    } else {
        struct placed *placed = &p->placed[p->count++];
        *placed = (struct placed){.at = at, .begin = p->scratch->len};
        (void)json_unescape(token->raw, p->scratch);
        placed->len = p->scratch->len - placed->begin;
    }
}

/* A string of digits alone, at most max; anything else gives otherwise. */
static uint64_t number_of(const struct json_token *token, uint64_t max, uint64_t otherwise) {
    uint64_t number = 0;
    if (token->event != JSON_STRING || token->raw.len == 0) {
        return otherwise;
    }
    for (size_t i = 0; i < token->raw.len; i++) {
        unsigned digit = (unsigned)(unsigned char)token->raw.data[i] - '0';
        if (digit > 9 || number > (max - digit) / 10) {
            return otherwise;
        }
        number = number * 10 + digit;
    }
    return number;
}

static int64_t sent_at(const struct lambda_event *event, const struct lambda_record *record) {
    int64_t wall = 0;
    if (event->kind == LAMBDA_SQS) {
        return (int64_t)number_of(&record->sent_at, INT64_MAX / MILLISECOND, 0) * MILLISECOND;
    }
    bool known = record->sent_at.event == JSON_STRING && iso8601_parse(record->sent_at.raw, &wall);
    return known && wall > 0 ? wall : 0; /* nothing was sent before 1970: then it counts as unknown */
}

struct sqs_message *event_message_new(const struct lambda_event *event, const struct lambda_record *record,
                                      size_t number, bool group_by_id, struct buf *scratch) {
    struct placing p = {.scratch = scratch};
    struct message_attribute attributes[MESSAGE_ATTRIBUTES_MAX];
    char handle[24];
    struct sqs_message m = {.sent_at = sent_at(event, record),
                            .receive_count = (unsigned)number_of(&record->receive_count, UINT_MAX, 1)};
    m.receive_count = m.receive_count ? m.receive_count : 1;
    buf_reset(scratch);
    place(&p, &record->id, &m.message_id);
    place(&p, &record->body, &m.body);
    place(&p, &record->group_id, &m.group_id);
    place(&p, &record->sequence_number, &m.sequence_number);
    place(&p, &record->error_envelope, &m.error_envelope);
    place(&p, &record->trace_header, &m.trace_header);
    for (size_t i = 0; i < record->attribute_count; i++) {
        const struct lambda_attribute *from = &record->attributes[i];
        attributes[i].binary = from->base64.event == JSON_STRING;
        place(&p, &from->name, &attributes[i].name);
        place(&p, &from->type, &attributes[i].type);
        place(&p, attributes[i].binary ? &from->base64 : &from->text, &attributes[i].value);
    }
    if (!buf_ok(scratch)) {
        return NULL;
    }
    for (size_t i = 0; i < p.count; i++) {
        *p.placed[i].at = span_of(scratch->data + p.placed[i].begin, p.placed[i].len);
    }
    (void)snprintf(handle, sizeof handle, "%zu", number);
    m.receipt_handle = span_cstr(handle);
    m.body = event->kind != LAMBDA_SQS ? record->whole : m.body.data ? m.body : SPAN("");
    m.group_id = m.group_id.data || !group_by_id ? m.group_id : m.message_id;
    m.attributes = attributes;
    m.attribute_count = message_attributes_keep_valid(attributes, record->attribute_count);
    return sqs_message_new(&m);
}

void event_message_origin(const struct lambda_event *event, const struct lambda_record *record, char *ret_name,
                          size_t size) {
    struct span name = record->origin.event == JSON_STRING ? record->origin.raw : SPAN("");
    const char *colon = event->kind != LAMBDA_EVENTBRIDGE && name.len ? memrchr(name.data, ':', name.len) : NULL;
    if (colon) {
        size_t head = (size_t)(colon + 1 - name.data);
        name = span_of(name.data + head, name.len - head);
    }
    (void)snprintf(ret_name, size, "%.*s", (int)(name.len < size ? name.len : size), name.len ? name.data : "");
}
