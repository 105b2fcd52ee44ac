/* SendMessageBatch. */
#include "sim_sqs_private.h"

#include <stdio.h>
#include <string.h>

static size_t attribute_size(const char *name, const char *type, const char *value) {
    return value[0] ? strlen(name) + strlen(type) + strlen(value) : 0;
}

static size_t size_of(const struct sim_message *m) {
    size_t others = 0;
    for (size_t i = 0; i < m->attribute_count; i++)
        others += message_attribute_size(&m->attributes[i]);
    return others + strlen(m->body) + attribute_size("ErrorType", "String", m->error_type) +
           attribute_size("StatusCode", "Number", m->status_code) +
           attribute_size("ErrorEnvelope", "String", m->error_envelope);
}

/* One character of a text: its bytes, or 0 where SQS takes none such (SendMessage: "#x9 | #xA | #xD | #x20 to #xD7FF |
 * …"). */
static size_t character_length(const unsigned char *at) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = at[0] < 0x80 ? 1 : at[0] >> 5 == 6 ? 2 : at[0] >> 4 == 14 ? 3 : at[0] >> 3 == 30 ? 4 : 0;
    uint32_t c = len == 1 ? at[0] : at[0] & (0x7FU >> len);
    for (size_t i = 1; i < len; i++) {
        if (at[i] >> 6 != 2)
            return 0;
        c = c << 6 | (at[i] & 0x3FU);
    }
    bool fine = c == 9 || c == 10 || c == 13 || (c >= 0x20 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) ||
                (c >= 0x10000 && c <= 0x10FFFF);
    return len && c >= least[len] && fine ? len : 0;
}

static bool is_sendable(const char *text) {
    for (size_t len = 0; *text; text += len)
        if (!(len = character_length((const unsigned char *)text)))
            return false;
    return true;
}

/* What a message is refused with for what it holds; NULL: nothing. */
static const char *fault_of(const struct sim_message *m) {
    if (!m->body[0])
        return "MissingParameter";
    if (m->attribute_count + !!m->error_type[0] + !!m->status_code[0] + !!m->error_envelope[0] > MESSAGE_ATTRIBUTES_MAX)
        return "InvalidParameterValue";
    return is_sendable(m->body) && is_sendable(m->error_envelope) && is_sendable(m->error_type)
               ? NULL
               : "InvalidMessageContents";
}

static void send_one(struct sqs_call *call, size_t i) {
    struct sim_sqs *sqs = call->sqs;
    const char *code = fault_of(call->sends[i]);
    size_t size = size_of(call->sends[i]);
    if (code) {
        sim_entry_refused(&call->results[i], code);
        return;
    }
    if (size > call->queue->attributes.max_message_size) {
        sim_entry_refused(&call->results[i], "InvalidParameterValue");
        return;
    }
    uint64_t before = call->queue->sent;
    struct sim_message *m =
        sim_queue_offer(call->queue, sim_message_copy(call->sends[i]), &code); /* the client may send it once more */
    if (!m) {
        sim_entry_refused(&call->results[i], code);
        return;
    }
    call->results[i].ok = true;
    snprintf(sqs->last_sent[i], sizeof sqs->last_sent[i], "%s", m->id);
    if (sqs->was_sent && call->queue->sent > before)
        sqs->was_sent(sqs->observer, m);
}

enum sim_executed sim_send_execute(struct sim_call *base) {
    struct sqs_call *call = (struct sqs_call *)base;
    struct sim_sqs *sqs = call->sqs;
    size_t bytes = 0;
    base->result = (struct call_result){.status = 200};
    if (sim_queue_refuses(call))
        return SIM_EXECUTED;
    for (size_t i = 0; i < call->count; i++) {
        size_t size = size_of(call->sends[i]);
        bytes += size;
        sqs->largest_send_entry = size > sqs->largest_send_entry ? size : sqs->largest_send_entry;
    }
    sqs->largest_send_batch = bytes > sqs->largest_send_batch ? bytes : sqs->largest_send_batch;
    if (sqs->most_send_bytes && bytes > sqs->most_send_bytes) {
        sim_call_fail(&base->result, 413, "", "HTTP status 413");
        return SIM_EXECUTED;
    }
    if (bytes > SQS_MESSAGE_SIZE_MAX) {
        sim_call_fail(&base->result, 400, "BatchRequestTooLong", "too long");
        return SIM_EXECUTED;
    }
    uint32_t mask = sqs->fail_sends;
    sqs->fail_sends = 0;
    sqs->last_send_count = call->count;
    memset(call->results, 0, sizeof call->results);
    memset(sqs->last_sent, 0, sizeof sqs->last_sent);
    for (size_t i = 0; i < call->count; i++)
        if (!sim_entry_fails(sqs, mask, i, &call->results[i]))
            send_one(call, i);
    return SIM_EXECUTED;
}
