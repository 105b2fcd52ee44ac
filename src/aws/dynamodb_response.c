#include "dynamodb_response.h"

#include <string.h>

/* What is kept of an item. */
struct item {
    bool found;
    bool has_hash;
    char hash[REQUEST_HASH_TEXT_SIZE];
};

static enum answer_status hash_member(void *user, struct json_reader *r, const struct json_token *name, const struct json_token *value) {
    struct item *item = user;
    if (value->event != JSON_STRING || !json_token_is(name, "S")) {
        return answer_skip(r, value);
    }
    enum answer_status status = answer_text(value, item->hash, sizeof item->hash);
    if (status == ANSWER_NO_MEMORY) {
        return status;
    }
    item->has_hash = status == ANSWER_FINE; /* one that doesn't fit is none of ours */
    return ANSWER_FINE;
}

static enum answer_status item_member(void *user, struct json_reader *r, const struct json_token *name, const struct json_token *value) {
    bool is_hash = value->event == JSON_OBJECT_BEGIN && json_token_is(name, "request_hash");
    return is_hash ? answer_object(r, value, hash_member, user) : answer_skip(r, value);
}

static enum answer_status read_item(struct json_reader *r, const struct json_token *value, struct item *item) {
    item->found = value->event == JSON_OBJECT_BEGIN;
    return answer_object(r, value, item_member, item);
}

static enum answer_status reason_member(void *user, struct json_reader *r, const struct json_token *name, const struct json_token *value) {
    struct cancellation_reason *reason = user;
    if (json_token_is(name, "Item")) {
        struct item item = {.found = false};
        enum answer_status status = read_item(r, value, &item);
        reason->has_item = item.found;
        reason->has_request_hash = item.has_hash;
        memcpy(reason->request_hash, item.hash, sizeof item.hash);
        return status;
    }
    if (json_token_is(name, "Code")) {
        return answer_text(value, reason->code, sizeof reason->code);
    }
    if (json_token_is(name, "Message")) {
        answer_text_cut(value, reason->message, sizeof reason->message);
    }
    return answer_skip(r, value);
}

static bool is_failure(const struct cancellation_reason *reason) {
    return strcmp(reason->code, "None") != 0;
}

static enum answer_status reason(void *user, struct json_reader *r, const struct json_token *value) {
    struct cancellation *c = user;
    if (c->count == CANCELLATION_REASONS_MAX || value->event != JSON_OBJECT_BEGIN) {
        return ANSWER_GARBAGE;
    }
    struct cancellation_reason *next = &c->reasons[c->count++];
    enum answer_status status = answer_object(r, value, reason_member, next);
    return status == ANSWER_FINE && !next->code[0] ? ANSWER_GARBAGE : status;
}

static enum answer_status cancellation_member(void *user, struct json_reader *r, const struct json_token *name, const struct json_token *value) {
    return json_token_is(name, "CancellationReasons") ? answer_array(r, value, reason, user) : answer_skip(r, value);
}

enum answer_status dynamodb_read_cancellation(struct span body, struct cancellation *ret_cancellation) {
    struct cancellation c = {.count = 0};
    enum answer_status status = answer_read(body, cancellation_member, &c);
    if (status != ANSWER_FINE) {
        return status;
    }
    bool failed = false;
    for (size_t i = 0; i < c.count; i++) {
        failed = failed || is_failure(&c.reasons[i]);
    }
    if (!failed) {
        return ANSWER_GARBAGE;
    }
    *ret_cancellation = c;
    return ANSWER_FINE;
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

static enum answer_status get_item_member(void *user, struct json_reader *r, const struct json_token *name, const struct json_token *value) {
    return json_token_is(name, "Item") ? read_item(r, value, user) : answer_skip(r, value);
}

enum answer_status dynamodb_read_item(struct span body, bool *ret_found, char ret_hash[static REQUEST_HASH_TEXT_SIZE]) {
    struct item item = {.found = false};
    enum answer_status status = answer_read(body, get_item_member, &item);
    if (status == ANSWER_FINE) {
        *ret_found = item.found;
        ret_hash[0] = '\0';
        if (item.has_hash) {
            memcpy(ret_hash, item.hash, sizeof item.hash);
        }
    }
    return status;
}

static enum answer_status any_member(void *user, struct json_reader *r, const struct json_token *name, const struct json_token *value) {
    (void)user;
    (void)name;
    return answer_skip(r, value);
}

enum answer_status dynamodb_read_nothing(struct span body) {
    return answer_read(body, any_member, NULL);
}
