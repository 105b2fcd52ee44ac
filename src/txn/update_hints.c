#include "update_hints.h"

#include "base64.h"
#include "compiler.h"

#include <string.h>

static bool begins_with(struct span text, const char *begin) {
    size_t len = strlen(begin);
    return text.len >= len && memcmp(text.data, begin, len) == 0;
}

static struct span without_blanks(struct span text) {
    while (text.len > 0 && memchr(" \t\n\r", text.data[0], 4))
        text = span_of(text.data + 1, text.len - 1);
    return text;
}

/* The first bytes that the text spells in base64; 0: its beginning isn't base64. */
static size_t decode_begin(struct span text, char ret_bytes[static 3]) {
    char storage[8];
    struct buf bytes;
    buf_init_lent(&bytes, storage, sizeof storage, sizeof storage - 1);
    if (text.len < 8 || !base64_decode(span_of(text.data, 4), &bytes))
        return 0;
    memcpy(ret_bytes, bytes.data, bytes.len);
    return bytes.len;
}

const char *update_text_hint(struct span text) {
    static const struct {
        const char *begin, *hint;
    } begins[] = {
        {"\xEF\xBB\xBF", "It begins with a byte order mark: send the text without it"},
        {"\x1F\x8B", "It is compressed with gzip: send the JSON text itself"},
        {"[object ", "It is what JavaScript makes of an object as a string: send JSON.stringify(message)"},
        {"<", "It looks like XML or HTML: send JSON"},
        {"{'", "It looks like a Python dict as a string: send json.dumps(message)"},
        {"{\\\"", "Its quotes are escaped once too often: send the JSON text as it is"},
    };
    text = without_blanks(text);
    if (text.len == 0)
        return "It is empty";
    for (size_t i = 0; i < ARRAY_LENGTH(begins); i++)
        if (begins_with(text, begins[i].begin))
            return begins[i].hint;
    char bytes[3];
    size_t count = decode_begin(text, bytes);
    if (count == 3 && bytes[0] == '\x1F' && bytes[1] == '\x8B')
        return "It looks like base64 of what gzip compressed: send the JSON text itself";
    if (count > 0 && (bytes[0] == '{' || bytes[0] == '['))
        return "It looks like base64 of JSON: send the JSON text itself";
    return NULL;
}

/* What the Extended Client Library for Java and its kin send where the message itself is too large for SQS. */
static bool is_s3_pointer(const struct value_tape *t) {
    tape_node first = tape_first(TAPE_ROOT);
    if (tape_is_empty(t, TAPE_ROOT) || tape_type_of(t, first) != TAPE_STRING)
        return false;
    struct json_string class_name = tape_string(t, first);
    return json_string_is(class_name, "software.amazon.payloadoffloading.PayloadS3Pointer") ||
           json_string_is(class_name, "com.amazon.sqs.javamessaging.MessageS3Pointer");
}

const char *update_value_hint(const struct value_tape *t) {
    if (tape_type_of(t, TAPE_ROOT) == TAPE_ARRAY)
        return is_s3_pointer(t) ? "It is a pointer to the message, which the SQS Extended Client has put into S3: send "
                                  "the update message itself, which fits SQS"
                                : "It is an array: each update is a message of its own";
    if (tape_type_of(t, TAPE_ROOT) != TAPE_STRING)
        return NULL;
    struct span inside = without_blanks(tape_string(t, TAPE_ROOT).raw);
    if (begins_with(inside, "{"))
        return "It is a string that holds JSON, encoded twice: send the object itself";
    return update_text_hint(inside);
}

static bool has(const struct value_tape *t, const char *name) {
    return tape_find(t, TAPE_ROOT, name) != TAPE_ROOT;
}

static bool is_text(const struct value_tape *t, const char *name, const char *text) {
    tape_node n = tape_find(t, TAPE_ROOT, name);
    return n != TAPE_ROOT && tape_type_of(t, n) == TAPE_STRING && json_string_is(tape_string(t, n), text);
}

const char *update_members_hint(const struct value_tape *t) {
    if (is_text(t, "Event", "s3:TestEvent"))
        return "It is the test event that S3 sends once to where its notifications go";
    if (is_text(t, "Type", "SubscriptionConfirmation"))
        return "It is the message by which SNS has a subscription confirmed: open its SubscribeURL";
    if (is_text(t, "Type", "UnsubscribeConfirmation"))
        return "It is the message by which SNS tells that a subscription has ended: its SubscribeURL begins it anew";
    if (has(t, "Type") && has(t, "Message"))
        return "It looks like an SNS notification, but is not whole: Type, TopicArn, MessageId and Message are strings";
    if (has(t, "detail-type") || has(t, "detail"))
        return "It looks like an EventBridge event, but is not whole: detail-type, source and id are strings, detail "
               "is an object";
    if (has(t, "Records"))
        return "It looks like an event with Records, as S3 and Lambda have them, and is no update message";
    if (has(t, "headers") && has(t, "body") && has(t, "properties"))
        return "It looks like a task of Celery: send the update message itself, not a task";
    if (has(t, "TableName") || has(t, "UpdateExpression"))
        return "It looks like a request to DynamoDB: an update message has id and attributes, in plain JSON";
    return NULL;
}
