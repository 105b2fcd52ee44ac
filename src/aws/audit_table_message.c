#include "audit_table_message.h"

#include "clock.h"
#include "iso8601.h"
#include "json_writer.h"

#include <string.h>

#define EXPIRES_MAX ((uint64_t)INT64_MAX / MICROSECONDS)
#define NUMBER_TEXT_SIZE 32

static void write_text(struct json_writer *w, struct span name, const char *value) {
    json_name(w, name);
    json_string(w, span_cstr(value));
}

bool audit_write_looks(const char *table, const struct audit_look *looks, size_t count, bool with_times,
                       struct buf *out) {
    struct json_writer w;
    json_writer_init(&w, out);
    json_object_begin(&w);
    json_name(&w, SPAN("RequestItems"));
    json_object_begin(&w);
    json_name(&w, span_cstr(table));
    json_object_begin(&w);
    json_name(&w, SPAN("ConsistentRead"));
    json_boolean(&w, true);
    write_text(&w, SPAN("ProjectionExpression"), with_times ? "log_id,#0,#1,expires_at" : "log_id,#0");
    json_name(&w, SPAN("ExpressionAttributeNames"));
    json_object_begin(&w);
    write_text(&w, SPAN("#0"), "error"); /* `error` and `timestamp` are reserved words of DynamoDB */
    if (with_times) {
        write_text(&w, SPAN("#1"), "timestamp");
    }
    json_object_end(&w);
    json_name(&w, SPAN("Keys"));
    json_array_begin(&w);
    for (size_t i = 0; i < count; i++) {
        json_object_begin(&w);
        json_name(&w, SPAN("log_id"));
        json_object_begin(&w);
        write_text(&w, SPAN("S"), looks[i].log_id);
        json_object_end(&w);
        json_object_end(&w);
    }
    json_array_end(&w);
    json_object_end(&w);
    json_object_end(&w);
    json_object_end(&w);
    return buf_ok(out);
}

bool audit_write_describe_ttl(const char *table, struct buf *out) {
    struct json_writer w;
    json_writer_init(&w, out);
    json_object_begin(&w);
    write_text(&w, SPAN("TableName"), table);
    json_object_end(&w);
    return buf_ok(out);
}

#define BUCKETS 256
#define NO_LOOK UINT8_MAX

_Static_assert(AUDIT_LOOKS_MAX < NO_LOOK, "an index of a look is a byte");

/* An answer while it is read. Records come in any order, so looks are found by a hash of their keys. */
struct reading {
    struct audit_look *looks;
    uint8_t first[BUCKETS], next[AUDIT_LOOKS_MAX]; /* indices of looks; NO_LOOK: none */
    bool has_responses;
};

/* The keys are SHA-256 hashes in hex: a few of their characters are random enough. */
static uint8_t bucket_of(const char *log_id) {
    uint8_t hash = 0;
    for (size_t i = 0; i < 4 && log_id[i]; i++) {
        hash = (uint8_t)(hash * 37U + (uint8_t)log_id[i]);
    }
    return hash;
}

static void begin_reading(struct reading *reading, struct audit_look *looks, size_t count) {
    reading->looks = looks;
    reading->has_responses = false;
    memset(reading->first, NO_LOOK, sizeof reading->first);
    for (size_t i = 0; i < count; i++) {
        uint8_t bucket = bucket_of(looks[i].log_id);
        looks[i].state = AUDIT_ABSENT;
        looks[i].error[0] = '\0';
        looks[i].written = looks[i].expires = 0;
        reading->next[i] = reading->first[bucket];
        reading->first[bucket] = (uint8_t)i;
    }
}

/* The parts of a record that are kept. */
struct record {
    char log_id[AUDIT_KEY_SIZE];
    char error[AUDIT_ERROR_SIZE];
    char timestamp[NUMBER_TEXT_SIZE], expires[NUMBER_TEXT_SIZE];
};

/* Where one typed value goes: {"S": text} or {"N": digits}. */
struct slot {
    const char *type;
    char *at; /* "" if there is no value that fits */
    size_t size;
};

static enum decode_status typed_member(void *user, struct json_reader *r, const struct json_token *name,
                                       const struct json_token *value) {
    const struct slot *slot = user;
    if (value->event != JSON_STRING || !json_token_is(name, slot->type)) {
        return decode_skip(r, value);
    }
    enum decode_status status = decode_text(value, slot->at, slot->size);
    return status == DECODE_NO_MEMORY ? status : DECODE_FINE; /* a value that doesn't fit isn't one of ours */
}

static enum decode_status record_member(void *user, struct json_reader *r, const struct json_token *name,
                                        const struct json_token *value) {
    struct record *record = user;
    struct slot slot = {.at = NULL};
    if (json_token_is(name, "log_id")) {
        slot = (struct slot){"S", record->log_id, sizeof record->log_id};
    } else if (json_token_is(name, "error")) {
        slot = (struct slot){"S", record->error, sizeof record->error};
    } else if (json_token_is(name, "timestamp")) {
        slot = (struct slot){"S", record->timestamp, sizeof record->timestamp};
    } else if (json_token_is(name, "expires_at")) {
        slot = (struct slot){"N", record->expires, sizeof record->expires};
    }
    return slot.at ? decode_object(r, value, typed_member, &slot) : decode_skip(r, value);
}

static struct audit_look *find(const struct reading *reading, const char *log_id) {
    for (uint8_t i = reading->first[bucket_of(log_id)]; i != NO_LOOK; i = reading->next[i]) {
        if (strcmp(reading->looks[i].log_id, log_id) == 0) {
            return &reading->looks[i];
        }
    }
    return NULL;
}

static enum decode_status read_record(struct json_reader *r, const struct json_token *value, struct reading *reading,
                                      struct record *ret_record, struct audit_look **ret_look) {
    if (value->event != JSON_OBJECT_BEGIN) {
        return DECODE_GARBAGE;
    }
    ret_record->log_id[0] = ret_record->error[0] = ret_record->timestamp[0] = ret_record->expires[0] = '\0';
    enum decode_status status = decode_object(r, value, record_member, ret_record);
    *ret_look = status == DECODE_FINE ? find(reading, ret_record->log_id) : NULL;
    return status == DECODE_FINE && !*ret_look ? DECODE_GARBAGE : status;
}

static enum decode_status found_element(void *user, struct json_reader *r, const struct json_token *value) {
    struct record record;
    struct audit_look *look;
    enum decode_status status = read_record(r, value, user, &record, &look);
    if (status != DECODE_FINE) {
        return status;
    }
    look->state = AUDIT_FOUND;
    memcpy(look->error, record.error, strlen(record.error) + 1);
    uint64_t seconds = 0;
    look->expires =
        decode_number(span_cstr(record.expires), EXPIRES_MAX, &seconds) ? (int64_t)seconds * MICROSECONDS : 0;
    look->written = 0;
    if (!iso8601_parse(span_cstr(record.timestamp), &look->written)) {
        look->written = 0;
    }
    return DECODE_FINE;
}

static enum decode_status left_element(void *user, struct json_reader *r, const struct json_token *value) {
    struct record record;
    struct audit_look *look;
    enum decode_status status = read_record(r, value, user, &record, &look);
    if (status == DECODE_FINE) {
        look->state = AUDIT_UNPROCESSED;
    }
    return status;
}

/* The one table that was asked for, whatever its name. */
static enum decode_status responses_member(void *user, struct json_reader *r, const struct json_token *name,
                                           const struct json_token *value) {
    (void)name;
    return decode_array(r, value, found_element, user);
}

static enum decode_status left_request_member(void *user, struct json_reader *r, const struct json_token *name,
                                              const struct json_token *value) {
    return json_token_is(name, "Keys") ? decode_array(r, value, left_element, user) : decode_skip(r, value);
}

static enum decode_status left_member(void *user, struct json_reader *r, const struct json_token *name,
                                      const struct json_token *value) {
    (void)name;
    return decode_object(r, value, left_request_member, user);
}

static bool is_foreign(const struct json_token *name) {
    static const char *const names[] = {"__type", "error", "Error",      "message", "Message", "Item",
                                        "Table",  "Items", "Attributes", "success", "Failed",  "CancellationReasons"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (json_token_is(name, names[i])) {
            return true;
        }
    }
    return false;
}

static enum decode_status looks_member(void *user, struct json_reader *r, const struct json_token *name,
                                       const struct json_token *value) {
    struct reading *reading = user;
    if (json_token_is(name, "Responses")) {
        reading->has_responses = value->event == JSON_OBJECT_BEGIN;
        return reading->has_responses ? decode_object(r, value, responses_member, reading) : DECODE_GARBAGE;
    }
    if (json_token_is(name, "UnprocessedKeys")) {
        return decode_object(r, value, left_member, reading);
    }
    return is_foreign(name) ? DECODE_GARBAGE : decode_skip(r, value);
}

enum decode_status audit_read_looks(struct span body, struct audit_look *looks, size_t count) {
    struct reading reading;
    begin_reading(&reading, looks, count);
    enum decode_status status = decode_read(body, looks_member, &reading);
    return status == DECODE_FINE && !reading.has_responses ? DECODE_GARBAGE : status;
}

static enum decode_status description_member(void *user, struct json_reader *r, const struct json_token *name,
                                             const struct json_token *value) {
    struct slot *slot = user;
    return json_token_is(name, "TimeToLiveStatus") ? decode_text(value, slot->at, slot->size) : decode_skip(r, value);
}

static enum decode_status ttl_member(void *user, struct json_reader *r, const struct json_token *name,
                                     const struct json_token *value) {
    return json_token_is(name, "TimeToLiveDescription") ? decode_object(r, value, description_member, user)
                                                        : decode_skip(r, value);
}

enum decode_status audit_read_ttl(struct span body, enum audit_ttl *ret_ttl) {
    char text[NUMBER_TEXT_SIZE] = "";
    struct slot slot = {NULL, text, sizeof text};
    enum decode_status status = decode_read(body, ttl_member, &slot);
    if (status != DECODE_FINE) {
        return status;
    }
    if (!text[0]) {
        return DECODE_GARBAGE;
    }
    *ret_ttl = strcmp(text, "DISABLED") == 0 ? AUDIT_TTL_OFF : AUDIT_TTL_ON;
    return DECODE_FINE;
}
