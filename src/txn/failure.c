#include "failure.h"

#include "clock.h"
#include "json_writer.h"

#include <stdarg.h>
#include <stdio.h>

/* Far above what a message of SQS can make of its member names, so that a failure can always be told. */
#define TEXT_MAX ((size_t)32 << 20)
/* Of a field's name in the sentence; the details have the whole. Attribute names may have 64 KiB. */
#define FIELD_SHOWN_MAX 200

static const struct {
    const char *name;
    int status;
} types[] = {
    [ERROR_NONE] = {"None", 200},
    [ERROR_INVALID_INPUT] = {"InvalidInputError", 400},
    [ERROR_VALIDATION] = {"ValidationError", 400},
    [ERROR_RECORD_NOT_FOUND] = {"RecordNotFoundError", 404},
    [ERROR_CONDITIONAL_CHECK] = {"ConditionalCheckFailed", 412},
    [ERROR_DATABASE] = {"DatabaseError", 500},
};

const char *error_type_name(enum error_type type) {
    return types[type].name;
}

int error_type_status(enum error_type type) {
    return types[type].status;
}

void failure_init(struct failure *f) {
    f->type = ERROR_NONE;
    f->path.at = f->path.end = 0;
    f->reason_at = 0;
    buf_init(&f->message, TEXT_MAX);
    buf_init(&f->details, TEXT_MAX);
}

void failure_free(struct failure *f) {
    if (!f)
        return;
    buf_free(&f->message);
    buf_free(&f->details);
}

static void begin(struct failure *f, enum error_type type) {
    f->type = type;
    buf_reset(&f->message);
    buf_reset(&f->details);
    f->path.at = f->path.end = 0;
}

PRINTF_LIKE(2, 0) static void append_formatted(struct buf *out, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0) {
        buf_fail(out, BUF_NO_MEMORY);
        return;
    }
    char *text = buf_reserve(out, (size_t)len + 1);
    if (!text)
        return;
    (void)vsnprintf(text, (size_t)len + 1, format, arguments);
    buf_advance(out, (size_t)len);
}

void failure_set(struct failure *f, enum error_type type, const char *format, ...) {
    begin(f, type);
    va_list arguments;
    va_start(arguments, format);
    append_formatted(&f->message, format, arguments);
    va_end(arguments);
}

static void append_member(struct buf *out, const char *name, struct span text) {
    buf_printf(out, "%s\"%s\":", out->len > 0 ? "," : "", name);
    json_append_string(out, text);
}

/* The field as the sentence shows it: cut between two characters where it is long. */
static void append_field(struct buf *out, struct span field) {
    size_t len = field.len;
    if (len > FIELD_SHOWN_MAX) {
        len = FIELD_SHOWN_MAX;
        while (len > 0 && ((unsigned char)field.data[len] & 0xc0) == 0x80)
            len--;
    }
    buf_append_span(out, span_of(field.data, len));
    if (len < field.len)
        buf_append_cstr(out, "…");
}

/* How much of a field is the name of an update message's member; the rest was named by who made the message. */
static size_t member_of(struct span field) {
    static const char *const members[] = {"id",
                                          "attributes",
                                          "condition_expression",
                                          "expression_attribute_names",
                                          "expression_attribute_values",
                                          "enable_logging",
                                          "idempotency_key",
                                          "set",
                                          "increment",
                                          "append",
                                          "remove",
                                          "typed_attributes",
                                          "create_if_missing"};
    size_t len = 0;
    while (len < field.len && !memchr(".[`", field.data[len], 3))
        len++;
    for (size_t i = 0; i < ARRAY_LENGTH(members); i++)
        if (span_is(span_of(field.data, len), members[i]))
            return len;
    return 0;
}

void failure_validation(struct failure *f, struct span field, const char *reason_format, ...) {
    begin(f, ERROR_VALIDATION);
    buf_append_cstr(&f->message, "Invalid ");
    f->path.at = f->message.len + member_of(field);
    append_field(&f->message, field);
    f->path.end = f->message.len;
    buf_append_cstr(&f->message, ": ");
    f->reason_at = f->message.len;
    va_list arguments;
    va_start(arguments, reason_format);
    append_formatted(&f->message, reason_format, arguments);
    va_end(arguments);
    if (!buf_ok(&f->message))
        return;
    struct span message = buf_span(&f->message);
    /* A field may be as long as the message. Room for all, so that what comes behind it doesn't make it grow. */
    if (!buf_reserve(&f->details, field.len + message.len + sizeof "'field':'','reason':''"))
        return;
    append_member(&f->details, "field", field);
    append_member(&f->details, "reason", failure_reason(f));
}

static void set_for_id(struct failure *f, enum error_type type, const char *sentence, struct span id) {
    begin(f, type);
    buf_append_cstr(&f->message, sentence);
    buf_append_cstr(&f->details, "\"id\":");
    buf_append_span(&f->details, id);
}

void failure_for_id(struct failure *f, enum error_type type, struct span id) {
    set_for_id(f, type,
               type == ERROR_RECORD_NOT_FOUND ? "No record has this id"
                                              : "The record exists, but its condition_expression is false",
               id);
}

void failure_of_condition(struct failure *f, struct span id) {
    set_for_id(f, ERROR_CONDITIONAL_CHECK, "The condition_expression is false", id);
}

void failure_database(struct failure *f, struct span code) {
    begin(f, ERROR_DATABASE);
    buf_append_cstr(&f->message, "The database refuses this message for good: ");
    append_field(&f->message, code);
    append_member(&f->details, "code", code);
}

void failure_unanswered(struct failure *f, struct span code, struct span what) {
    begin(f, ERROR_DATABASE);
    buf_append_cstr(&f->message, "The database gives no answer to this message, while others are answered; whether it "
                                 "was applied isn't known: ");
    append_field(&f->message, what);
    append_member(&f->details, "code", code);
}

void failure_environment(struct failure *f, struct span code) {
    begin(f, ERROR_DATABASE);
    buf_append_cstr(&f->message, "The database is out of reach, or refuses for a reason that isn't this message's; "
                                 "whether it was applied isn't known: ");
    append_field(&f->message, code);
    append_member(&f->details, "code", code);
}

bool failure_ok(const struct failure *f) {
    return buf_ok(&f->message) && buf_ok(&f->details);
}

bool failure_append_envelope(const struct failure *f, struct span extra, int64_t wall, struct buf *out) {
    char timestamp[ISO8601_SIZE];
    clock_iso8601(wall, timestamp);
    if (!failure_ok(f))
        return false;
    buf_printf(out, "{\"success\":false,\"error\":\"%s\",\"message\":", error_type_name(f->type));
    json_append_string(out, buf_span(&f->message));
    buf_append_cstr(out, ",\"details\":{");
    buf_append_span(out, buf_span(&f->details));
    if (extra.len > 0) {
        if (f->details.len > 0)
            buf_append_char(out, ',');
        buf_append_span(out, extra);
    }
    buf_printf(out, "},\"timestamp\":\"%s\"}", timestamp);
    return buf_ok(out);
}

void failure_append_for_log(const struct failure *f, struct buf *out) {
    struct span message = buf_span(&f->message);
    size_t at = f->path.at < message.len ? f->path.at : message.len;
    size_t end = f->path.end > at && f->path.end < message.len ? f->path.end : at;
    buf_append_span(out, span_of(message.data, at));
    if (end > at)
        buf_append_cstr(out, "…");
    buf_append_span(out, span_of(message.data + end, message.len - end));
}
