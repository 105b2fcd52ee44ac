#include "dead_letter.h"

#include "clock.h"
#include "sqs_text.h"

#define ENVELOPE_MAX ((size_t)64 << 20)
/* What every envelope has around the body. */
#define WRAPPING_LEAST                                                                                                 \
    (sizeof "{'success':false,'error':'','message':'','details':{'source':{'body':''}},'timestamp':'2024-01-08T01:34:" \
            "32.343Z'}" -                                                                                              \
     1)
#define STRING_ATTRIBUTE_SIZE(name) (sizeof(name) - 1 + sizeof "String" - 1)
#define NUMBER_ATTRIBUTE_SIZE(name) (sizeof(name) - 1 + sizeof "Number" - 1)

/* What details.source says. */
struct source {
    struct update_source facts; /* its body is what all forms carry */
    char sent_at[ISO8601_SIZE];
    unsigned receive_count;
};

/* The original's facts where it came wrapped; else the delivery is the original. */
static void find_source(const struct update *u, const struct delivery *delivery, const struct delivery_facts *facts,
                        struct source *ret) {
    ret->receive_count = facts->receive_count;
    if (u->unwrapped) {
        ret->facts = u->source;
        return;
    }
    clock_iso8601(facts->sent_at, ret->sent_at);
    ret->facts = (struct update_source){.body = delivery->body,
                                        .message_id = facts->message_id,
                                        .queue = facts->queue,
                                        .sent_at = span_cstr(ret->sent_at),
                                        .idempotency_key = u->idempotency_key,
                                        .group_id = facts->group_id};
}

static void append_member(struct buf *out, const char *name, struct span text, const char **before) {
    if (!text.data)
        return;
    buf_printf(out, "%s\"%s\":", *before, name);
    sqs_text_append_json(text, out);
    *before = ",";
}

static void append_source(const struct source *source, bool with_body, struct buf *out) {
    const char *before = "";
    buf_append_cstr(out, "\"source\":{");
    if (with_body)
        append_member(out, "body", source->facts.body, &before);
    append_member(out, "message_id", source->facts.message_id, &before);
    append_member(out, "queue", source->facts.queue, &before);
    buf_printf(out, "%s\"receive_count\":%u", before, source->receive_count);
    before = ",";
    append_member(out, "sent_at", source->facts.sent_at, &before);
    append_member(out, "idempotency_key", source->facts.idempotency_key, &before);
    append_member(out, "group_id", source->facts.group_id, &before);
    buf_append_char(out, '}');
}

enum made { MADE, TOO_LARGE, NO_MEMORY };

static enum made made_of(const struct buf *b) {
    return buf_ok(b) ? MADE : b->failure == BUF_FULL ? TOO_LARGE : NO_MEMORY;
}

/* Appends the envelope with the source among its details, of at most limit bytes; out is empty, and bounded to that.
 * Names in the details may hold characters that SQS refuses: then they are escaped in a second pass. */
static enum made append_envelope(const struct update *u, const struct source *source, bool with_body, int64_t wall,
                                 struct buf *out) {
    struct buf extra;
    struct buf escaped;
    buf_init(&extra, out->max);
    buf_init(&escaped, out->max);
    append_source(source, with_body, &extra);
    enum made made = made_of(&extra);
    if (made == MADE) {
        bool told = failure_append_envelope(&u->failure, buf_span(&extra), wall, out);
        made = told || !buf_ok(out) ? made_of(out) : NO_MEMORY;
    }
    buf_free(&extra);
    if (made == MADE && !sqs_text_is_valid(buf_span(out))) {
        sqs_text_append_escaped(buf_span(out), &escaped);
        made = made_of(&escaped);
        buf_free(out);
        *out = escaped;
        return made;
    }
    return made;
}

/* Adds ErrorType and StatusCode; they are a few dozen bytes. */
static void add_attributes(const struct update *u, struct dead_letter *letter) {
    unsigned status = (unsigned)error_type_status(u->failure.type) % 1000;
    letter->error_type = error_type_name(u->failure.type);
    letter->status_code[0] = (char)('0' + status / 100);
    letter->status_code[1] = (char)('0' + status / 10 % 10);
    letter->status_code[2] = (char)('0' + status % 10);
    letter->status_code[3] = '\0';
}

static size_t error_type_size(const struct update *u) {
    return STRING_ATTRIBUTE_SIZE("ErrorType") + strlen(error_type_name(u->failure.type));
}

#define STATUS_CODE_SIZE (NUMBER_ATTRIBUTE_SIZE("StatusCode") + 3)

/* Whether it is one of the original's own attributes. The names that we set are ours, also where the message has been
 * in the DLQ before. */
static bool is_own(const struct message_attribute *a) {
    static const char *const ours[] = {"ErrorType", "StatusCode", "ErrorEnvelope"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (span_is(a->name, ours[i]))
            return false;
    return true;
}

/* Bytes of the original's attributes that find a place beside so many of ours. */
static size_t size_of_all(const struct delivery_facts *facts, size_t ours) {
    size_t size = 0, places = MESSAGE_ATTRIBUTES_MAX - ours;
    for (size_t i = 0; i < facts->attribute_count && places > 0; i++)
        if (is_own(&facts->attributes[i])) {
            size += message_attribute_size(&facts->attributes[i]);
            places--;
        }
    return size;
}

/* Keeps those attributes for which there is a place and room. */
static void keep_attributes(const struct delivery_facts *facts, size_t limit, struct dead_letter *letter) {
    const bool have[] = {letter->error_type != NULL, letter->status_code[0] != '\0', letter->error_envelope.len > 0};
    size_t ours = 0;
    for (size_t i = 0; i < sizeof have / sizeof *have; i++)
        ours += have[i];
    for (size_t i = 0; i < facts->attribute_count && letter->attribute_count < MESSAGE_ATTRIBUTES_MAX - ours; i++) {
        const struct message_attribute *a = &facts->attributes[i];
        size_t size = message_attribute_size(a);
        if (!is_own(a) || letter->size >= limit || size > limit - letter->size)
            continue;
        letter->attributes[letter->attribute_count++] = *a;
        letter->size += size;
    }
}

static enum made make_wrapped(const struct update *u, const struct source *source, int64_t wall, size_t limit,
                              struct dead_letter *letter) {
    size_t attributes = error_type_size(u) + STATUS_CODE_SIZE;
    /* No escape makes a body shorter: so the largest bodies needn't be escaped to see that they don't fit. */
    if (source->facts.body.len + WRAPPING_LEAST + attributes > limit)
        return TOO_LARGE;
    letter->form = DEAD_LETTER_WRAPPED;
    buf_init(&letter->body, limit - attributes);
    enum made made = append_envelope(u, source, true, wall, &letter->body);
    add_attributes(u, letter);
    letter->size = letter->body.len + attributes;
    return made;
}

/* SQS takes no empty body, and none with characters that it refuses. */
static bool can_be_body(struct span body) {
    return body.len > 0 && sqs_text_is_valid(body);
}

static enum made make_beside(const struct update *u, const struct source *source, int64_t wall, size_t limit,
                             struct dead_letter *letter) {
    struct span body = source->facts.body;
    size_t others = body.len + error_type_size(u) + STATUS_CODE_SIZE + STRING_ATTRIBUTE_SIZE("ErrorEnvelope");
    if (!can_be_body(body) || others >= limit)
        return TOO_LARGE;
    letter->form = DEAD_LETTER_BESIDE;
    buf_init(&letter->error_envelope, limit - others);
    enum made made = append_envelope(u, source, false, wall, &letter->error_envelope);
    if (made != MADE)
        return made;
    buf_init(&letter->body, body.len);
    if (!buf_append_span(&letter->body, body))
        return NO_MEMORY;
    add_attributes(u, letter);
    letter->size = others + letter->error_envelope.len;
    return MADE;
}

/* An original that can't be a body, in the least envelope that is one. The delivered message, which SQS took, was no
 * smaller. */
static void append_least_envelope(const struct update_source *facts, struct buf *out) {
    buf_append_cstr(out, "{\"success\":false,\"error\":\"\",\"details\":{\"source\":{\"body\":");
    sqs_text_append_json(facts->body, out);
    buf_append_cstr(out, ",\"idempotency_key\":");
    sqs_text_append_json(facts->idempotency_key, out);
    buf_append_cstr(out, "}}}");
}

/* This form can always be sent: SQS has taken such a body before. */
static enum made make_bare(const struct update *u, const struct delivery *delivery, const struct source *source,
                           size_t limit, struct dead_letter *letter) {
    struct span body = source->facts.body;
    bool was_inside = body.len < delivery->body.len;
    letter->form = DEAD_LETTER_BARE;
    buf_init(&letter->body, ENVELOPE_MAX);
    if (was_inside && !can_be_body(body))
        append_least_envelope(&source->facts, &letter->body);
    else
        buf_append_span(&letter->body, body);
    if (!buf_ok(&letter->body))
        return NO_MEMORY;
    add_attributes(u, letter);
    letter->size = letter->body.len;
    size_t left = limit > letter->body.len ? limit - letter->body.len : 0;
    if (error_type_size(u) <= left) {
        letter->size += error_type_size(u);
        left -= error_type_size(u);
    } else {
        letter->error_type = NULL;
    }
    if (STATUS_CODE_SIZE <= left)
        letter->size += STATUS_CODE_SIZE;
    else
        letter->status_code[0] = '\0';
    return MADE;
}

/* The first form, except the last one, that has at most limit bytes; all: together with all of the original's
 * attributes that find a place. */
static enum made make_enveloped(const struct update *u, const struct delivery_facts *facts, const struct source *source,
                                int64_t wall, size_t limit, enum dead_letter_form at_least, bool all,
                                struct dead_letter *letter) {
    size_t beside_two = all ? size_of_all(facts, 2) : 0, beside_three = all ? size_of_all(facts, 3) : 0;
    enum made made = TOO_LARGE;
    if (at_least <= DEAD_LETTER_WRAPPED && beside_two < limit)
        made = make_wrapped(u, source, wall, limit - beside_two, letter);
    if (made == TOO_LARGE && at_least <= DEAD_LETTER_BESIDE && beside_three < limit) {
        dead_letter_free(letter);
        made = make_beside(u, source, wall, limit - beside_three, letter);
    }
    if (made == TOO_LARGE)
        dead_letter_free(letter);
    return made;
}

bool dead_letter_make(const struct update *u, const struct delivery *delivery, const struct delivery_facts *facts,
                      int64_t wall, size_t limit, enum dead_letter_form at_least, struct dead_letter *ret_letter) {
    struct source source;
    find_source(u, delivery, facts, &source);
    if (limit > ENVELOPE_MAX)
        limit = ENVELOPE_MAX;
    struct dead_letter letter = {0};
    enum made made = make_enveloped(u, facts, &source, wall, limit, at_least, true, &letter);
    if (made == TOO_LARGE && size_of_all(facts, 2) > 0)
        made = make_enveloped(u, facts, &source, wall, limit, at_least, false, &letter);
    if (made == TOO_LARGE)
        made = make_bare(u, delivery, &source, limit, &letter);
    if (made != MADE) {
        dead_letter_free(&letter);
        return false;
    }
    keep_attributes(facts, limit, &letter);
    *ret_letter = letter;
    return true;
}

void dead_letter_free(struct dead_letter *letter) {
    if (!letter)
        return;
    buf_free(&letter->body);
    buf_free(&letter->error_envelope);
    *letter = (struct dead_letter){0};
}
