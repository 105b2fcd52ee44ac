/* Reads any bytes as each of SQS's answers. The first byte says how many messages or entries were asked for. */
#include "sqs_response.h"

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

static void check_span(struct span s, size_t most) {
    check(s.len <= most && (s.data || !s.len));
    (void)digest_crc32(s); /* reads every byte */
}

static void read_messages(struct span text, size_t max, struct digest *digest) {
    struct sqs_messages all = {.count = SIZE_MAX};
    if (sqs_read_messages(text, max, digest, &all) != DECODE_FINE) {
        check(all.count == SIZE_MAX);
        return;
    }
    check(all.count <= max && all.count <= SQS_BATCH_MAX);
    for (size_t i = 0; i < all.count; i++) {
        const struct sqs_message *m = all.message[i];
        char md5[MD5_HEX_SIZE + 1];
        check_span(m->message_id, text.len);
        check_span(m->receipt_handle, text.len);
        check_span(m->body, text.len);
        check_span(m->group_id, text.len);
        check_span(m->sequence_number, text.len);
        check_span(m->error_envelope, text.len);
        check_span(m->trace_header, text.len);
        check(m->attribute_count <= MESSAGE_ATTRIBUTES_MAX &&
              m->attribute_bytes <= text.len + MESSAGE_ATTRIBUTES_MAX * sizeof *m->attributes);
        for (size_t k = 0; k < m->attribute_count; k++) {
            const struct message_attribute *a = &m->attributes[k];
            check_span(a->name, text.len);
            check_span(a->type, text.len);
            check_span(a->value, text.len);
            check(k == 0 || !message_attribute_before(a, a - 1));
            check(message_attribute_size(a) <= a->name.len + a->type.len + a->value.len);
        }
        check(m->message_id.len && m->receipt_handle.len && m->receive_count >= 1 && m->sent_at >= 0);
        check(digest_md5_hex(digest, m->body, md5) && memmem(text.data, text.len, "MD5", 3));
    }
    sqs_messages_free(&all);
}

static void read_batch(struct span text, size_t count) {
    struct sqs_entry_result entries[SQS_BATCH_MAX] = {{.ok = false}};
    if (sqs_read_batch(text, count, entries) != DECODE_FINE)
        return;
    for (size_t i = 0; i < count; i++)
        check(terminated(entries[i].code, sizeof entries[i].code) && (!entries[i].ok || !entries[i].code[0]));
}

/* A letter is taken only where its entry is, and not for another body's MD5. */
static void read_sent(struct span text, size_t count, struct digest *digest) {
    static const struct sqs_sent any = {.md5 = {""}};
    struct sqs_sent of_a;
    struct sqs_send_entry bodies[SQS_BATCH_MAX] = {{.body = {NULL, 0}}};
    struct sqs_entry_result entries[SQS_BATCH_MAX], taken[SQS_BATCH_MAX], taken_a[SQS_BATCH_MAX];
    for (size_t i = 0; i < SQS_BATCH_MAX; i++)
        bodies[i].body = SPAN("a");
    check(sqs_hash_sent(digest, bodies, SQS_BATCH_MAX, &of_a));
    enum decode_status status = sqs_read_batch(text, count, entries);
    check(sqs_read_sent(text, count, &any, taken) == status && sqs_read_sent(text, count, &of_a, taken_a) == status);
    for (size_t i = 0; i < count && status == DECODE_FINE; i++) {
        check((!taken_a[i].ok || taken[i].ok) && (!taken[i].ok || entries[i].ok));
        check(strcmp(entries[i].code, taken[i].code) == 0 && strcmp(entries[i].code, taken_a[i].code) == 0);
    }
}

static bool is_count(uint64_t count) {
    return count <= INT64_MAX || count == SQS_COUNT_UNKNOWN;
}

static void read_others(struct span text) {
    struct sqs_queue_attributes a;
    if (sqs_read_attributes(text, &a) == DECODE_FINE) {
        check(terminated(a.arn, sizeof a.arn) && terminated(a.dead_letter_target_arn, sizeof a.dead_letter_target_arn));
        check(!a.max_receive_count == !a.dead_letter_target_arn[0]);
        check(a.visibility_timeout <= SQS_VISIBILITY_MAX && a.max_message_size >= 1024 &&
              a.max_message_size <= (size_t)64 * 1024 * 1024);
        check(is_count(a.visible) && is_count(a.in_flight) && is_count(a.delayed));
    }
    char url[SQS_URL_SIZE];
    if (sqs_read_queue_url(text, url) == DECODE_FINE)
        check(terminated(url, sizeof url) && url[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size)
        return 0;
    static struct digest *digest;
    if (!digest)
        digest = digest_new();
    check(digest != NULL);
    size_t count = data[0] % (SQS_BATCH_MAX + 1);
    struct span text = span_of((const char *)data + 1, size - 1);
    read_messages(text, count, digest);
    read_batch(text, count);
    read_sent(text, count, digest);
    read_others(text);
    return 0;
}
