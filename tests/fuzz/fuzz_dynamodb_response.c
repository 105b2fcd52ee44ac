/* Reads any bytes as each of DynamoDB's answers. */
#include "dynamodb_response.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
    if (!holds)
        abort();
}

static bool terminated(const char *text, size_t size) {
    return memchr(text, '\0', size) != NULL;
}

static void read_cancellation(struct span text) {
    struct cancellation c = {.count = SIZE_MAX};
    if (dynamodb_read_cancellation(text, &c) != ANSWER_FINE) {
        check(c.count == SIZE_MAX);
        return;
    }
    check(c.count >= 1 && c.count <= CANCELLATION_REASONS_MAX);
    for (size_t i = 0; i < c.count; i++) {
        const struct cancellation_reason *r = &c.reasons[i];
        check(terminated(r->code, sizeof r->code) && r->code[0] && terminated(r->message, sizeof r->message));
        check(terminated(r->request_hash, sizeof r->request_hash) && (r->has_item || !r->has_request_hash));
    }
    enum call_class class = dynamodb_cancellation_class(&c);
    check(class == CALL_PERMANENT || class == CALL_RETRY || class == CALL_THROTTLED);
}

static bool is_defined(const struct table_shape *s, const struct key_attribute *key) {
    for (size_t i = 0; i < s->attribute_count; i++)
        if (strcmp(s->attributes[i].name, key->name) == 0 && s->attributes[i].type == key->type)
            return true;
    return false;
}

static void read_table(struct span text) {
    static struct table_shape s;
    bool active;
    if (dynamodb_read_table(text, &s, &active) != ANSWER_FINE)
        return;
    check(s.attribute_count >= 1 && s.attribute_count <= TABLE_ATTRIBUTES_MAX);
    for (size_t i = 0; i < s.attribute_count; i++)
        check(terminated(s.attributes[i].name, sizeof s.attributes[i].name) && strchr("SNB", (int)s.attributes[i].type));
    check(is_defined(&s, &s.partition) && (!s.sort.name[0] || is_defined(&s, &s.sort)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = span_of((const char *)data, size);
    char hash[REQUEST_HASH_TEXT_SIZE];
    bool found;
    enum answer_status any = dynamodb_read_nothing(text);
    if (dynamodb_read_item(text, &found, hash) == ANSWER_FINE)
        check(any == ANSWER_FINE && terminated(hash, sizeof hash) && (found || !hash[0]));
    read_cancellation(text);
    read_table(text);
    return 0;
}
