#include "sqs_response.h"

#include "base64.h"

struct entry {
    bool named;
    struct sqs_entry_result result;
};

struct batch {
    size_t count;
    struct entry entries[SQS_BATCH_MAX];
    const struct sqs_sent *sent; /* NULL: it is no send */
    bool successful; /* whether the list being read is Successful */
};

/* What one element of Successful or Failed says. */
struct verdict {
    size_t index; /* SQS_BATCH_MAX: it isn't an entry of ours */
    bool has_message_id;
    struct json_token md5, attributes_md5; /* of the body, of the attributes; a zeroed token if it isn't given */
    struct sqs_entry_result result;
};

static enum decode_status verdict_member(void *user, struct json_reader *r, const struct json_token *name,
                                         const struct json_token *value) {
    struct verdict *v = user;
    if (json_token_is(name, "Id")) {
        for (size_t i = 0; i < SQS_BATCH_MAX; i++) {
            const char id[] = {(char)('0' + i), '\0'};
            v->index = value->event == JSON_STRING && json_token_is(value, id) ? i : v->index;
        }
    } else if (json_token_is(name, "Code")) {
        decode_text_cut(value, v->result.code, sizeof v->result.code);
    } else if (json_token_is(name, "MessageId")) {
        v->has_message_id = value->event == JSON_STRING && value->raw.len;
    } else if (json_token_is(name, "MD5OfMessageBody")) {
        v->md5 = *value;
    } else if (json_token_is(name, "MD5OfMessageAttributes")) {
        v->attributes_md5 = *value;
    }
    return decode_skip(r, value);
}

/* What counts as acknowledged is then deleted at its origin. If we believed a bare "successful", or one for another
 * body, the message could be lost. */
static bool is_acknowledged(const struct batch *b, const struct verdict *v) {
    if (!b->sent) {
        return true;
    }
    const char *md5 = b->sent->md5[v->index], *attributes = b->sent->attributes_md5[v->index];
    bool told = v->attributes_md5.event == JSON_STRING && attributes[0];
    return v->has_message_id && (!md5[0] || json_token_is(&v->md5, md5)) &&
           (!told || json_token_is(&v->attributes_md5, attributes));
}

static enum decode_status verdict(void *user, struct json_reader *r, const struct json_token *value) {
    struct batch *b = user;
    struct verdict v = {.index = SQS_BATCH_MAX};
    enum decode_status status = decode_object(r, value, verdict_member, &v);
    if (status != DECODE_FINE || v.index >= b->count) {
        return status;
    }
    struct entry *e = &b->entries[v.index];
    if (b->successful) {
        e->result.ok = is_acknowledged(b, &v) && (e->result.ok || !e->named);
    } else {
        e->result = v.result;
    }
    e->named = true;
    return DECODE_FINE;
}

static enum decode_status batch_member(void *user, struct json_reader *r, const struct json_token *name,
                                       const struct json_token *value) {
    struct batch *b = user;
    b->successful = json_token_is(name, "Successful");
    return b->successful || json_token_is(name, "Failed") ? decode_array(r, value, verdict, b) : decode_skip(r, value);
}

static bool hash_piece(struct digest *digest, struct span piece) {
    const unsigned char length[4] = {(unsigned char)(piece.len >> 24), (unsigned char)(piece.len >> 16),
                                     (unsigned char)(piece.len >> 8), (unsigned char)piece.len};
    return digest_md5_update(digest, span_of((const char *)length, sizeof length)) && digest_md5_update(digest, piece);
}

/* A binary value is hashed as its decoded bytes. */
static bool hash_value(struct digest *digest, const struct message_attribute *a) {
    if (!digest_md5_update(digest, a->binary ? SPAN("\2") : SPAN("\1"))) {
        return false;
    }
    if (!a->binary) {
        return hash_piece(digest, a->value);
    }
    struct buf bytes;
    buf_init(&bytes, a->value.len);
    bool fine = base64_decode(a->value, &bytes) && hash_piece(digest, buf_span(&bytes));
    buf_free(&bytes);
    return fine;
}

/* SQS Developer Guide, "Calculating the MD5 message digest for message attributes". */
static bool hash_attributes(struct digest *digest, const struct sqs_send_entry *e,
                            char ret_md5[static MD5_HEX_SIZE + 1]) {
    if (!e->error_envelope.data && !e->error_type.data && !e->status_code.data && e->attribute_count == 0) {
        return true;
    }
    struct message_attribute all[MESSAGE_ATTRIBUTES_MAX + 3] = {{.name = {NULL, 0}}};
    const struct message_attribute own[] = {{SPAN("ErrorEnvelope"), SPAN("String"), e->error_envelope, false},
                                            {SPAN("ErrorType"), SPAN("String"), e->error_type, false},
                                            {SPAN("StatusCode"), SPAN("Number"), e->status_code, false}};
    size_t count = 0;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (own[i].value.data) {
            all[count++] = own[i];
        }
    }
    for (size_t i = 0; i < e->attribute_count && i < MESSAGE_ATTRIBUTES_MAX; i++) {
        all[count++] = e->attributes[i];
    }
    message_attributes_sort(all, count);
    bool fine = digest_md5_begin(digest);
    for (size_t i = 0; i < count && fine; i++) {
        fine = hash_piece(digest, all[i].name) && hash_piece(digest, all[i].type) && hash_value(digest, &all[i]);
    }
    return fine && digest_md5_end(digest, ret_md5);
}

bool sqs_hash_sent(struct digest *digest, const struct sqs_send_entry *entries, size_t count,
                   struct sqs_sent *ret_sent) {
    struct sqs_sent sent = {{""}, {""}};
    for (size_t i = 0; i < count && digest_has_md5(digest); i++) {
        if (!digest_md5_hex(digest, entries[i].body, sent.md5[i]) ||
            !hash_attributes(digest, &entries[i], sent.attributes_md5[i])) {
            return false;
        }
    }
    *ret_sent = sent;
    return true;
}

static enum decode_status read_batch(struct span body, size_t count, const struct sqs_sent *sent,
                                     struct sqs_entry_result *ret_entries) {
    struct batch b = {.count = count < SQS_BATCH_MAX ? count : SQS_BATCH_MAX, .sent = sent};
    enum decode_status status = decode_read(body, batch_member, &b);
    if (status != DECODE_FINE) {
        return status;
    }
    bool is_ours = false;
    for (size_t i = 0; i < b.count; i++) {
        is_ours = is_ours || b.entries[i].named;
    }
    if (!is_ours) {
        return DECODE_GARBAGE;
    }
    for (size_t i = 0; i < b.count; i++) {
        ret_entries[i] = b.entries[i].result;
    }
    return DECODE_FINE;
}

enum decode_status sqs_read_batch(struct span body, size_t count, struct sqs_entry_result *ret_entries) {
    return read_batch(body, count, NULL, ret_entries);
}

enum decode_status sqs_read_sent(struct span body, size_t count, const struct sqs_sent *sent,
                                 struct sqs_entry_result *ret_entries) {
    return read_batch(body, count, sent, ret_entries);
}

static enum decode_status url_member(void *user, struct json_reader *r, const struct json_token *name,
                                     const struct json_token *value) {
    return json_token_is(name, "QueueUrl") ? decode_text(value, user, SQS_URL_SIZE) : decode_skip(r, value);
}

enum decode_status sqs_read_queue_url(struct span body, char ret_url[static SQS_URL_SIZE]) {
    char url[SQS_URL_SIZE] = "";
    enum decode_status status = decode_read(body, url_member, url);
    if (status != DECODE_FINE) {
        return status;
    }
    if (!url[0]) {
        return DECODE_GARBAGE;
    }
    memcpy(ret_url, url, sizeof url);
    return DECODE_FINE;
}
