/* Messages that are made from parts, not read from an answer. */
#include "sqs.h"

#include <stdlib.h>

static size_t size_of_parts(const struct sqs_message *m) {
    const struct span texts[] = {m->message_id,      m->receipt_handle, m->body,        m->group_id,
                                 m->sequence_number, m->error_envelope, m->trace_header};
    size_t size = sizeof *m + m->attribute_count * sizeof *m->attributes;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        size += texts[i].len;
    }
    for (size_t i = 0; i < m->attribute_count; i++) {
        size += m->attributes[i].name.len + m->attributes[i].type.len + m->attributes[i].value.len;
    }
    return size;
}

/* Copies a text to *at, and moves *at behind it. */
static void copy_in(struct span *text, char **at) {
    if (!text->data) {
        return;
    }
    if (text->len > 0) {
        memcpy(*at, text->data, text->len);
    }
    text->data = *at;
    *at += text->len;
}

struct sqs_message *sqs_message_new(const struct sqs_message *parts) {
    char *block = malloc(size_of_parts(parts));
    if (!block) {
        return NULL;
    }
    struct sqs_message *m = (struct sqs_message *)(void *)block;
    struct message_attribute *attributes = (struct message_attribute *)(void *)(m + 1);
    *m = *parts;
    m->attributes = m->attribute_count > 0 ? attributes : NULL;
    char *at = (char *)(attributes + m->attribute_count);
    struct span *const texts[] = {&m->message_id,      &m->receipt_handle, &m->body,        &m->group_id,
                                  &m->sequence_number, &m->error_envelope, &m->trace_header};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        copy_in(texts[i], &at);
    }
    m->attribute_bytes = m->error_envelope.len + m->trace_header.len;
    for (size_t i = 0; i < m->attribute_count; i++) {
        attributes[i] = parts->attributes[i];
        copy_in(&attributes[i].name, &at);
        copy_in(&attributes[i].type, &at);
        copy_in(&attributes[i].value, &at);
        m->attribute_bytes +=
            sizeof *attributes + attributes[i].name.len + attributes[i].type.len + attributes[i].value.len;
    }
    return m;
}

struct sqs_message *sqs_message_without_body(struct sqs_message *m) {
    struct sqs_message *rest = sqs_message_new(&(struct sqs_message){.message_id = m->message_id,
                                                                     .receipt_handle = m->receipt_handle,
                                                                     .body = SPAN(""),
                                                                     .group_id = m->group_id,
                                                                     .sequence_number = m->sequence_number,
                                                                     .sent_at = m->sent_at,
                                                                     .receive_count = m->receive_count});
    sqs_message_free(m);
    return rest;
}

size_t sqs_message_bytes(const struct sqs_message *m) {
    return m->body.len + m->attribute_bytes;
}
