#include "lambda_event.h"

#include <string.h>
#include <strings.h>

static const struct json_options OPTIONS = {.max_depth = JSON_MAX_DEPTH};

/* Reads one member's value to its end. value is its first token. */
typedef bool take_member(void *user, struct json_reader *r, const struct json_token *name,
                         const struct json_token *value);

/* Calls take for each member of the object that starts with begin; any other value is skipped. False: it is no JSON. */
static bool each_member(struct json_reader *r, const struct json_token *begin, take_member *take, void *user) {
    struct json_token name, value;
    if (begin->event != JSON_OBJECT_BEGIN) {
        return json_skip(r, begin);
    }
    while (json_next(r, &name) == JSON_NAME) {
        if (json_next(r, &value) == JSON_FAILED || !take(user, r, &name, &value)) {
            return false;
        }
    }
    return name.event == JSON_OBJECT_END;
}

/* A member that is kept if it is a string. */
struct wanted {
    const char *name;
    struct json_token *at;
};

static bool keep(struct json_reader *r, const struct wanted *wanted, size_t count, const struct json_token *name,
                 const struct json_token *value) {
    for (size_t i = 0; i < count; i++) {
        if (value->event == JSON_STRING && json_token_is(name, wanted[i].name)) {
            *wanted[i].at = *value;
        }
    }
    return json_skip(r, value);
}

/* The raw text of a value that was just read to its end. */
static struct span text_of(const struct json_reader *r, const struct json_token *begin) {
    return span_of(r->text.data + begin->offset, r->at - begin->offset);
}

static bool sqs_attribute(void *user, struct json_reader *r, const struct json_token *name,
                          const struct json_token *value) {
    struct lambda_record *record = user;
    const struct wanted wanted[] = {{"SentTimestamp", &record->sent_at},
                                    {"ApproximateReceiveCount", &record->receive_count},
                                    {"MessageGroupId", &record->group_id},
                                    {"SequenceNumber", &record->sequence_number},
                                    {"AWSTraceHeader", &record->trace_header}};
    return keep(r, wanted, ARRAY_LENGTH(wanted), name, value);
}

static bool attribute_member(void *user, struct json_reader *r, const struct json_token *name,
                             const struct json_token *value) {
    struct lambda_attribute *a = user;
    const struct wanted wanted[] = {{"dataType", &a->type}, {"stringValue", &a->text}, {"binaryValue", &a->base64}};
    return keep(r, wanted, ARRAY_LENGTH(wanted), name, value);
}

/* SQS has no more than ten attributes in a message, none without a type, and none with both kinds of value. */
static bool message_attribute(void *user, struct json_reader *r, const struct json_token *name,
                              const struct json_token *value) {
    struct lambda_record *record = user;
    struct lambda_attribute a = {.name = *name};
    if (!each_member(r, value, attribute_member, &a)) {
        return false;
    }
    bool one_value = (a.text.event == JSON_STRING) != (a.base64.event == JSON_STRING);
    if (json_token_is(name, "ErrorEnvelope")) {
        record->error_envelope = a.text;
    } else if (a.type.event == JSON_STRING && one_value && record->attribute_count < MESSAGE_ATTRIBUTES_MAX) {
        record->attributes[record->attribute_count++] = a;
    }
    return true;
}

static bool sns_member(void *user, struct json_reader *r, const struct json_token *name,
                       const struct json_token *value) {
    struct lambda_record *record = user;
    const struct wanted wanted[] = {
        {"MessageId", &record->id}, {"TopicArn", &record->origin}, {"Timestamp", &record->sent_at}};
    return keep(r, wanted, ARRAY_LENGTH(wanted), name, value);
}

static bool record_member(void *user, struct json_reader *r, const struct json_token *name,
                          const struct json_token *value) {
    struct lambda_record *record = user;
    if (json_token_is(name, "attributes")) {
        return each_member(r, value, sqs_attribute, record);
    }
    if (json_token_is(name, "messageAttributes")) {
        return each_member(r, value, message_attribute, record);
    }
    if (json_token_is(name, "Sns")) {
        bool read = each_member(r, value, sns_member, record);
        record->whole = text_of(r, value);
        return read;
    }
    const struct wanted wanted[] = {{"eventSource", &record->source},
                                    {"EventSource", &record->source},
                                    {"messageId", &record->id},
                                    {"body", &record->body},
                                    {"eventSourceARN", &record->origin}};
    return keep(r, wanted, ARRAY_LENGTH(wanted), name, value);
}

static enum lambda_event_kind kind_of(const struct lambda_record *record) {
    return json_token_is(&record->source, "aws:sqs")   ? LAMBDA_SQS
           : json_token_is(&record->source, "aws:sns") ? LAMBDA_SNS
                                                       : LAMBDA_UNFIT;
}

static void unfit(struct lambda_event *event, const char *problem) {
    event->kind = LAMBDA_UNFIT;
    event->problem = event->problem ? event->problem : problem;
}

/* Checks a record while the event is read: all must be from one known source, and each needs an id. */
static void judge(struct lambda_event *event, const struct lambda_record *record) {
    enum lambda_event_kind kind = kind_of(record);
    if (kind == LAMBDA_UNFIT) {
        unfit(event, "The event has Records of a source that isn't known: there are aws:sqs and aws:sns");
    } else if (event->record_count > 0 && event->kind != kind) {
        unfit(event, "The event has Records of several sources");
    } else if (record->id.event != JSON_STRING || record->id.raw.len == 0) {
        unfit(event, kind == LAMBDA_SQS ? "A record of SQS has no messageId, so that it couldn't be named as failed"
                                        : "A record of SNS has no MessageId");
    } else if (kind == LAMBDA_SNS && record->origin.event != JSON_STRING) {
        unfit(event, "A record of SNS has no TopicArn");
    } else {
        event->kind = kind;
    }
    event->record_count++;
}

static bool read_records(struct lambda_event *event, struct json_reader *r, const struct json_token *begin) {
    struct json_token element;
    event->records_at = begin->offset;
    event->record_count = 0;
    event->kind = LAMBDA_DIRECT;
    event->problem = NULL; /* of an earlier member Records */
    while (json_next(r, &element) != JSON_ARRAY_END) {
        struct lambda_record record = {.attribute_count = 0};
        if (element.event == JSON_FAILED || !each_member(r, &element, record_member, &record)) {
            return false;
        }
        judge(event, &record);
    }
    if (event->record_count == 0) {
        unfit(event, "The event has no Records");
    }
    return true;
}

/* What is known about the event while its members are read. */
struct reading {
    struct lambda_event *event;
    struct json_token method; /* httpMethod */
    bool has_records, has_context, has_route, has_detail_type, has_detail;
};

static bool context_member(void *user, struct json_reader *r, const struct json_token *name,
                           const struct json_token *value) {
    struct reading *reading = user;
    reading->has_route = reading->has_route || json_token_is(name, "http") || json_token_is(name, "routeKey");
    return json_skip(r, value);
}

static bool is_key_header(const struct json_token *name) {
    const struct span wanted = SPAN("idempotency-key");
    return name->raw.len == wanted.len && strncasecmp(name->raw.data, wanted.data, wanted.len) == 0;
}

/* Keeps a header's value; of several values the first. */
static bool header(void *user, struct json_reader *r, const struct json_token *name, const struct json_token *value) {
    struct reading *reading = user;
    struct json_token first = *value;
    if (!is_key_header(name) || reading->event->key.event == JSON_STRING) {
        return json_skip(r, value);
    }
    if (value->event == JSON_ARRAY_BEGIN && json_next(r, &first) != JSON_ARRAY_END) {
        struct json_token rest = first;
        do {
            if (rest.event == JSON_FAILED || !json_skip(r, &rest)) {
                return false;
            }
        } while (json_next(r, &rest) != JSON_ARRAY_END);
    } else if (value->event != JSON_ARRAY_BEGIN && !json_skip(r, value)) {
        return false;
    }
    if (first.event == JSON_STRING) {
        reading->event->key = first;
    }
    return true;
}

static bool event_member(void *user, struct json_reader *r, const struct json_token *name,
                         const struct json_token *value) {
    struct reading *reading = user;
    struct lambda_event *event = reading->event;
    if (json_token_is(name, "Records") && value->event == JSON_ARRAY_BEGIN) {
        reading->has_records = true;
        return read_records(event, r, value);
    }
    if (json_token_is(name, "requestContext") && value->event == JSON_OBJECT_BEGIN) {
        reading->has_context = true;
        return each_member(r, value, context_member, reading);
    }
    if (json_token_is(name, "headers") || json_token_is(name, "multiValueHeaders")) {
        return each_member(r, value, header, reading);
    }
    if (json_token_is(name, "body")) {
        event->body = *value;
    } else if (json_token_is(name, "isBase64Encoded")) {
        event->is_base64 = value->event == JSON_TRUE;
    } else if (json_token_is(name, "detail-type")) {
        reading->has_detail_type = value->event == JSON_STRING;
    } else if (json_token_is(name, "detail")) {
        reading->has_detail = value->event == JSON_OBJECT_BEGIN;
    }
    const struct wanted wanted[] = {
        {"httpMethod", &reading->method}, {"id", &event->id}, {"source", &event->source}, {"time", &event->time}};
    return keep(r, wanted, ARRAY_LENGTH(wanted), name, value);
}

void lambda_event_read(struct span text, struct lambda_event *ret_event) {
    *ret_event = (struct lambda_event){.kind = LAMBDA_DIRECT, .text = text};
    struct reading reading = {.event = ret_event};
    struct json_reader r;
    struct json_token token;
    json_reader_init(&r, text, &OPTIONS);
    bool whole = json_next(&r, &token) == JSON_OBJECT_BEGIN && each_member(&r, &token, event_member, &reading) &&
                 json_next(&r, &token) == JSON_END;
    ret_event->broken = !whole;
    json_reader_done(&r);
    bool is_event = reading.has_detail_type && reading.has_detail && ret_event->source.event == JSON_STRING &&
                    ret_event->id.event == JSON_STRING && ret_event->id.raw.len > 0;
    if (reading.has_records) {
        if (!whole) {
            unfit(ret_event, "The event has Records, but is not valid JSON (RFC 8259, UTF-8)");
        }
    } else if (reading.has_context && (reading.has_route || reading.method.event == JSON_STRING)) {
        ret_event->kind = LAMBDA_HTTP;
    } else if (is_event) {
        ret_event->kind = LAMBDA_EVENTBRIDGE;
        ret_event->record_count = 1;
    }
}

void lambda_records_begin(struct lambda_records *records, const struct lambda_event *event) {
    struct json_token bracket;
    *records = (struct lambda_records){.event = event};
    struct span rest = span_of(event->text.data + event->records_at, event->text.len - event->records_at);
    json_reader_init(&records->reader, rest, &OPTIONS);
    if (event->kind != LAMBDA_EVENTBRIDGE) {
        (void)json_next(&records->reader, &bracket);
    }
}

bool lambda_records_next(struct lambda_records *records, struct lambda_record *ret_record) {
    const struct lambda_event *event = records->event;
    struct json_token element;
    if (records->next == event->record_count) {
        return false;
    }
    records->next++;
    *ret_record = (struct lambda_record){.whole = event->text};
    if (event->kind == LAMBDA_EVENTBRIDGE) {
        ret_record->id = event->id;
        ret_record->origin = event->source;
        ret_record->sent_at = event->time;
        return true;
    }
    return json_next(&records->reader, &element) != JSON_FAILED &&
           each_member(&records->reader, &element, record_member, ret_record);
}
