#include "dynamodb_response.h"

#include <string.h>

/* The parts of an item that are kept. */
struct item {
    bool found;
    bool has_hash;
    char hash[REQUEST_HASH_TEXT_SIZE];
    char log_id[LOG_ID_TEXT_SIZE]; /* "" if it has none that fits */
};

/* The text of a typed value. */
struct text {
    char *at; /* size bytes; unchanged if the value isn't of type S, or doesn't fit */
    size_t size;
    bool is_there;
};

static enum decode_status text_member(void *user, struct json_reader *r, const struct json_token *name,
                                      const struct json_token *value) {
    struct text *text = user;
    if (value->event != JSON_STRING || !json_token_is(name, "S")) {
        return decode_skip(r, value);
    }
    enum decode_status status = decode_text(value, text->at, text->size);
    if (status == DECODE_NO_MEMORY) {
        return status;
    }
    text->is_there = status == DECODE_FINE; /* one that doesn't fit isn't ours */
    return DECODE_FINE;
}

static enum decode_status item_member(void *user, struct json_reader *r, const struct json_token *name,
                                      const struct json_token *value) {
    struct item *item = user;
    bool is_hash = json_token_is(name, "request_hash");
    if (value->event != JSON_OBJECT_BEGIN || !(is_hash || json_token_is(name, "log_id"))) {
        return decode_skip(r, value);
    }
    struct text hash = {item->hash, sizeof item->hash, item->has_hash},
                log_id = {item->log_id, sizeof item->log_id, false};
    enum decode_status status = decode_object(r, value, text_member, is_hash ? &hash : &log_id);
    item->has_hash = hash.is_there;
    return status;
}

static enum decode_status read_item(struct json_reader *r, const struct json_token *value, struct item *item) {
    item->found = value->event == JSON_OBJECT_BEGIN;
    return decode_object(r, value, item_member, item);
}

static enum decode_status reason_member(void *user, struct json_reader *r, const struct json_token *name,
                                        const struct json_token *value) {
    struct cancellation_reason *reason = user;
    if (json_token_is(name, "Item")) {
        struct item item = {.found = false};
        enum decode_status status = read_item(r, value, &item);
        reason->has_item = item.found;
        reason->has_request_hash = item.has_hash;
        memcpy(reason->request_hash, item.hash, sizeof item.hash);
        return status;
    }
    if (json_token_is(name, "Code")) {
        return decode_text(value, reason->code, sizeof reason->code);
    }
    if (json_token_is(name, "Message")) {
        decode_text_cut(value, reason->message, sizeof reason->message);
    }
    return decode_skip(r, value);
}

static bool is_failure(const struct cancellation_reason *reason) {
    return strcmp(reason->code, "None") != 0;
}

static enum decode_status reason(void *user, struct json_reader *r, const struct json_token *value) {
    struct cancellation *c = user;
    if (c->count == CANCELLATION_REASONS_MAX || value->event != JSON_OBJECT_BEGIN) {
        return DECODE_GARBAGE;
    }
    struct cancellation_reason *next = &c->reasons[c->count++];
    enum decode_status status = decode_object(r, value, reason_member, next);
    return status == DECODE_FINE && !next->code[0] ? DECODE_GARBAGE : status;
}

static enum decode_status cancellation_member(void *user, struct json_reader *r, const struct json_token *name,
                                              const struct json_token *value) {
    return json_token_is(name, "CancellationReasons") ? decode_array(r, value, reason, user) : decode_skip(r, value);
}

enum decode_status dynamodb_read_cancellation(struct span body, struct cancellation *ret_cancellation) {
    struct cancellation c = {.count = 0};
    enum decode_status status = decode_read(body, cancellation_member, &c);
    if (status != DECODE_FINE) {
        return status;
    }
    bool failed = false;
    for (size_t i = 0; i < c.count; i++) {
        failed = failed || is_failure(&c.reasons[i]);
    }
    if (!failed) {
        return DECODE_GARBAGE;
    }
    *ret_cancellation = c;
    return DECODE_FINE;
}

static bool has_code(const struct cancellation *c, const char *const *codes, size_t count) {
    for (size_t i = 0; i < c->count * count; i++) {
        if (strcmp(c->reasons[i / count].code, codes[i % count]) == 0) {
            return true;
        }
    }
    return false;
}

enum call_class dynamodb_cancellation_class(const struct cancellation *c) {
    static const char *const throttles[] = {"ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"};
    static const char *const conflicts[] = {"TransactionConflict"};
    if (has_code(c, throttles, ARRAY_LENGTH(throttles))) {
        return CALL_THROTTLED;
    }
    return has_code(c, conflicts, ARRAY_LENGTH(conflicts)) ? CALL_RETRY : CALL_PERMANENT;
}

static enum decode_status asked_member(void *user, struct json_reader *r, const struct json_token *name,
                                       const struct json_token *value) {
    return json_token_is(name, "Key") ? read_item(r, value, user) : decode_skip(r, value);
}

enum decode_status dynamodb_read_asked(struct span request, char ret_log_id[static LOG_ID_TEXT_SIZE]) {
    struct item key = {.found = false};
    enum decode_status status = decode_read(request, asked_member, &key);
    if (status == DECODE_FINE) {
        memcpy(ret_log_id, key.log_id, sizeof key.log_id);
    }
    return status;
}

/* The error of a proxy, or an answer to another request, may also come as a 200 with JSON. If we believed it, an update
 * would count as done, or as never done. Unknown members alone are no sign of that: the API may grow. */
static bool is_foreign(const struct json_token *name) {
    static const char *const names[] = {
        "__type",           "error", "Error",    "message",    "Message", "CancellationReasons", "Table",
        "TableDescription", "Items", "Messages", "Successful", "Failed",  "Responses",           "success"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (json_token_is(name, names[i])) {
            return true;
        }
    }
    return false;
}

static enum decode_status get_item_member(void *user, struct json_reader *r, const struct json_token *name,
                                          const struct json_token *value) {
    if (json_token_is(name, "Item")) {
        return read_item(r, value, user);
    }
    return is_foreign(name) || json_token_is(name, "Attributes") ? DECODE_GARBAGE : decode_skip(r, value);
}

enum decode_status dynamodb_read_item(struct span body, const char *log_id, bool *ret_found,
                                      char ret_hash[static REQUEST_HASH_TEXT_SIZE]) {
    struct item item = {.found = false};
    enum decode_status status = decode_read(body, get_item_member, &item);
    if (status != DECODE_FINE) {
        return status;
    }
    if (item.found && strcmp(item.log_id, log_id) != 0) {
        return DECODE_GARBAGE;
    }
    *ret_found = item.found;
    ret_hash[0] = '\0';
    if (item.has_hash) {
        memcpy(ret_hash, item.hash, sizeof item.hash);
    }
    return DECODE_FINE;
}

static enum decode_status put_member(void *user, struct json_reader *r, const struct json_token *name,
                                     const struct json_token *value) {
    (void)user;
    return is_foreign(name) || json_token_is(name, "Item") ? DECODE_GARBAGE : decode_skip(r, value);
}

enum decode_status dynamodb_read_put(struct span body) {
    return decode_read(body, put_member, NULL);
}

static enum decode_status committed_member(void *user, struct json_reader *r, const struct json_token *name,
                                           const struct json_token *value) {
    return json_token_is(name, "Attributes") ? DECODE_GARBAGE : put_member(user, r, name, value);
}

enum decode_status dynamodb_read_committed(struct span body) {
    return decode_read(body, committed_member, NULL);
}
