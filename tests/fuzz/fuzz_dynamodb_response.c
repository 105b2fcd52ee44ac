/* Reads any bytes as each of DynamoDB's answers; once more with one allocation failing, which is said as such or does
 * no harm. */
#include "decode.h"
#include "dynamodb_response.h"
#include "scarce.h"

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
    if (dynamodb_read_cancellation(text, &c) != DECODE_FINE) {
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
    if (dynamodb_read_table(text, &s, &active) != DECODE_FINE)
        return;
    check(s.attribute_count >= 1 && s.attribute_count <= TABLE_ATTRIBUTES_MAX);
    for (size_t i = 0; i < s.attribute_count; i++)
        check(terminated(s.attributes[i].name, sizeof s.attributes[i].name) &&
              strchr("SNB", (int)s.attributes[i].type));
    check(terminated(s.own_name, sizeof s.own_name));
    bool whole = s.attribute_count < TABLE_ATTRIBUTES_MAX;
    check(!whole || (is_defined(&s, &s.partition) && (!s.sort.name[0] || is_defined(&s, &s.sort))));
}

/* What is read with one allocation failing is what is read with none, or no memory. */
static void read_scarce(struct span text, const char *log_id, enum decode_status item, enum decode_status table,
                        enum decode_status cancelled) {
    static struct table_shape s;
    static struct cancellation c;
    char hash[REQUEST_HASH_TEXT_SIZE];
    bool found, active;
    enum decode_status status = dynamodb_read_item(text, log_id, &found, hash);
    check(status == item || (status == DECODE_NO_MEMORY && failing_calls_failed()));
    status = dynamodb_read_table(text, &s, &active);
    check(status == table || (status == DECODE_NO_MEMORY && failing_calls_failed()));
    status = dynamodb_read_cancellation(text, &c);
    check(status == cancelled || (status == DECODE_NO_MEMORY && failing_calls_failed()));
}

/* Numbers as attributes and policies have them. */
static void read_number(struct span text) {
    uint64_t number;
    if (decode_number(text, 1000, &number))
        check(number <= 1000 && text.len >= 1);
    if (decode_number(text, UINT64_MAX, &number))
        check(text.len >= 1 && (number == strtoull(text.data, NULL, 10) || text.len > 20));
    const struct json_token string = {.event = JSON_STRING, .raw = text};
    check(decode_number_text(&string, UINT64_MAX, &number) == decode_number(text, UINT64_MAX, &number));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = span_of((const char *)data, size);
    char hash[REQUEST_HASH_TEXT_SIZE], log_id[LOG_ID_TEXT_SIZE] = "l";
    char number[24] = "";
    static struct table_shape s;
    static struct cancellation c;
    bool found, active;
    enum decode_status any = dynamodb_read_asked(text, log_id), put = dynamodb_read_put(text);
    check(terminated(log_id, sizeof log_id) && (put != DECODE_FINE || any == DECODE_FINE));
    check(dynamodb_read_committed(text) != DECODE_FINE || put == DECODE_FINE);
    plenty_begin();
    enum decode_status item = dynamodb_read_item(text, log_id, &found, hash),
                       table = dynamodb_read_table(text, &s, &active);
    enum decode_status cancelled = dynamodb_read_cancellation(text, &c);
    uint64_t calls = failing_calls_end();
    if (item == DECODE_FINE)
        check(any == DECODE_FINE && terminated(hash, sizeof hash) && (found || !hash[0]));
    read_cancellation(text);
    read_table(text);
    memcpy(number, text.data, size < sizeof number ? size : sizeof number - 1);
    read_number(span_cstr(number));
    scarce_begin(calls, data, size);
    read_scarce(text, log_id, item, table, cancelled);
    (void)failing_calls_end();
    return 0;
}
