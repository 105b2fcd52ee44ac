/* Reads any bytes as an event of AWS Lambda, and makes messages of its records. */
#include "event_message.h"

#include "clock.h"
#include "digest.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
    if (!holds)
        abort();
}

/* Reads every byte. */
static void check_span(struct span s, size_t most) {
    check(s.len <= most && (s.data || !s.len));
    (void)digest_crc32(s);
}

static void check_token(const struct json_token *token, struct span text) {
    bool is_text = token->event == JSON_STRING || token->event == JSON_NAME;
    check(!is_text || (token->raw.data >= text.data && token->raw.data + token->raw.len <= text.data + text.len));
}

static void make_message(const struct lambda_event *event, const struct lambda_record *record, size_t number) {
    struct buf scratch;
    char name[16];
    buf_init(&scratch, (size_t)1 << 20);
    event_message_origin(event, record, name, sizeof name);
    struct sqs_message *m = event_message_new(event, record, number, number % 2, &scratch);
    buf_free(&scratch);
    if (!m)
        return;
    size_t most = event->text.len + 24;
    check_span(m->message_id, most);
    check_span(m->body, most);
    check_span(m->group_id, most);
    check_span(m->error_envelope, most);
    check_span(m->trace_header, most);
    check(m->message_id.len && m->receive_count >= 1 && m->sent_at >= 0 && m->body.data);
    for (size_t i = 0; i < m->attribute_count; i++) {
        check_span(m->attributes[i].name, most);
        check_span(m->attributes[i].value, most);
        check(i == 0 || !message_attribute_before(&m->attributes[i], &m->attributes[i - 1]));
    }
    sqs_message_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = span_of((const char *)data, size);
    struct lambda_event event;
    struct lambda_records records;
    struct lambda_record record;
    size_t count = 0;
    lambda_event_read(text, &event);
    check((event.kind == LAMBDA_UNFIT) == (event.problem != NULL) || event.kind == LAMBDA_DIRECT);
    check_token(&event.body, text);
    check_token(&event.key, text);
    if (event.kind != LAMBDA_SQS && event.kind != LAMBDA_SNS && event.kind != LAMBDA_EVENTBRIDGE)
        return 0;
    lambda_records_begin(&records, &event);
    for (; lambda_records_next(&records, &record); count++) {
        check_token(&record.id, text);
        check_token(&record.body, text);
        check(record.attribute_count <= MESSAGE_ATTRIBUTES_MAX);
        make_message(&event, &record, count);
    }
    check(count == event.record_count);
    return 0;
}
