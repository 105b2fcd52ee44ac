#include "unwrap_event.h"
#include "update_hints.h"
#include "update_parts.h"

#include <string.h>

/* We never send an envelope in an envelope. Where somebody has wrapped one by hand, a few layers are taken off. */
#define UNWRAPS_MAX 8
#define EVENTS_MAX 2 /* EventBridge through SNS */

enum unwrapped { UNWRAP_OURS, UNWRAP_NOT_OURS, UNWRAP_NO_MEMORY };

/* The member's text, absent where it is no string. False: no memory. */
static bool read_string(const struct value_tape *t, tape_node object, const char *name, struct arena *a,
                        struct span *ret_text) {
    tape_node n = tape_find(t, object, name);
    *ret_text = (struct span){NULL, 0};
    if (n == TAPE_ROOT || tape_type_of(t, n) != TAPE_STRING)
        return true;
    struct json_string s = tape_string(t, n);
    if (!s.escaped) {
        *ret_text = arena_copy(a, s.raw);
        return ret_text->data != NULL;
    }
    *ret_text = json_string_text(s, a);
    return ret_text->data != NULL;
}

static bool is_type(const struct value_tape *t, tape_node n, enum tape_type type) {
    return n != TAPE_ROOT && tape_type_of(t, n) == type;
}

tape_node update_envelope_source(const struct value_tape *t) {
    if (!is_type(t, tape_find(t, TAPE_ROOT, "success"), TAPE_FALSE) ||
        !is_type(t, tape_find(t, TAPE_ROOT, "error"), TAPE_STRING))
        return TAPE_ROOT;
    tape_node details = tape_find(t, TAPE_ROOT, "details");
    if (!is_type(t, details, TAPE_OBJECT))
        return TAPE_ROOT;
    tape_node source = tape_find(t, details, "source");
    if (!is_type(t, source, TAPE_OBJECT))
        return TAPE_ROOT;
    tape_node key = tape_find(t, source, "idempotency_key");
    if (!is_type(t, key, TAPE_STRING))
        return TAPE_ROOT;
    /* Keys have no upper bound here: those that we make of events may be longer than producers' keys may. */
    return tape_string(t, key).raw.len > 0 ? source : TAPE_ROOT;
}

/* All of the source but its body. */
static enum unwrapped read_source(const struct value_tape *t, tape_node source, struct arena *a,
                                  struct update_source *ret_source) {
    struct update_source s = {0};
    if (!read_string(t, source, "message_id", a, &s.message_id) || !read_string(t, source, "queue", a, &s.queue) ||
        !read_string(t, source, "sent_at", a, &s.sent_at) ||
        !read_string(t, source, "idempotency_key", a, &s.idempotency_key) ||
        !read_string(t, source, "group_id", a, &s.group_id))
        return UNWRAP_NO_MEMORY;
    *ret_source = s;
    return UNWRAP_OURS;
}

/* Reads the attribute ErrorEnvelope of a message whose body is the original. Anything but an envelope of ours is passed
 * over: anyone can set an attribute. */
static enum unwrapped read_attribute(const struct update_context *ctx, struct span envelope, struct arena *a,
                                     struct update_source *ret_source) {
    struct value_tape t;
    struct tape_error error;
    enum tape_status status = tape_read(envelope, ctx->hash_seed, &t, &error);
    if (status != TAPE_READ)
        return status == TAPE_NO_MEMORY ? UNWRAP_NO_MEMORY : UNWRAP_NOT_OURS;
    tape_node source = update_envelope_source(&t);
    enum unwrapped result = source == TAPE_ROOT ? UNWRAP_NOT_OURS : read_source(&t, source, a, ret_source);
    tape_free(&t);
    return result;
}

/* Makes the decoded text the new p->body: written over the delivered bytes where that is allowed, else in p->inner.
 * False: no memory. */
static bool replace_body(struct update_parts *p, struct json_string text, const struct delivery *delivery) {
    if (delivery->body_space) {
        char *at = delivery->body_space + (text.raw.data - delivery->body.data);
        p->body = span_of(at, json_string_decode_to(text, at));
        return true;
    }
    struct buf inner;
    buf_init(&inner, text.raw.len);
    if (!buf_reserve(&inner, json_string_size(text)) || !json_string_decode(text, &inner)) {
        buf_free(&inner);
        return false;
    }
    buf_free(&p->inner);
    p->inner = inner;
    p->body = buf_span(&p->inner);
    return true;
}

/* Replaces p->body by the body in p->tape's envelope. */
static enum unwrapped unwrap_body(struct update_parts *p, const struct delivery *delivery,
                                  struct update_source *ret_source) {
    const struct value_tape *t = &p->tape;
    tape_node source = update_envelope_source(t);
    tape_node body = source == TAPE_ROOT ? TAPE_ROOT : tape_find(t, source, "body");
    if (!is_type(t, body, TAPE_STRING))
        return UNWRAP_NOT_OURS;
    struct update_source s;
    if (read_source(t, source, &p->arena, &s) == UNWRAP_NO_MEMORY || !replace_body(p, tape_string(t, body), delivery))
        return UNWRAP_NO_MEMORY;
    s.body = p->body;
    *ret_source = s;
    return UNWRAP_OURS;
}

static void refuse_text(const struct tape_error *error, struct span text, struct failure *f) {
    static const char *const sentences[] = {
        [JSON_SYNTAX] = "The message is not valid JSON (RFC 8259, UTF-8)",
        [JSON_DUPLICATE] = "The message has an object with two members of one name",
        [JSON_TOO_DEEP] = "The message nests too many arrays and objects",
    };
    const char *hint = error->error == JSON_SYNTAX ? update_text_hint(text) : NULL;
    failure_set(f, ERROR_INVALID_INPUT, "%s: see position %zu%s%s", sentences[error->error], error->position,
                hint ? ". " : "", hint ? hint : "");
    buf_printf(&f->details, "\"position\":%zu", error->position);
}

static enum step read_text(const struct update_context *ctx, struct update *u) {
    struct tape_error error;
    struct update_parts *p = u->parts;
    switch (tape_read_into(p->body, ctx->hash_seed, &p->arena, &p->tape, &error)) {
    case TAPE_READ: return STEP_FINE;
    case TAPE_REFUSED: refuse_text(&error, p->body, &u->failure); return STEP_REFUSED;
    default: return STEP_NO_MEMORY;
    }
}

/* Makes the decoded text of a notification the new p->body. It stands beside the delivered body, which the DLQ's
 * message keeps. False: no memory. */
static bool take_message(struct update_parts *p, struct json_string text) {
    if (p->message.data && text.raw.data >= p->message.data && text.raw.data < p->message.data + p->message.len) {
        char *at = p->message.data + (text.raw.data - p->message.data);
        p->body = span_of(at, json_string_decode_to(text, at));
        return true;
    }
    buf_init(&p->message, text.raw.len + 1);
    if (!buf_reserve(&p->message, json_string_size(text) + 1) || !json_string_decode(text, &p->message))
        return false;
    p->body = buf_span(&p->message);
    return true;
}

/* Replaces p->body and the tape by what an event holds, up to EVENTS_MAX times. */
static enum step unwrap_events(const struct update_context *ctx, struct update *u) {
    struct update_parts *p = u->parts;
    for (int i = 0; i < EVENTS_MAX; i++) {
        tape_node inner = TAPE_ROOT;
        enum wrapping wrapping = wrapping_of(&p->tape, &inner);
        if (wrapping == WRAPPING_NONE)
            break;
        struct span key = wrapping_key(&p->tape, wrapping, &p->arena);
        if (!key.data)
            return STEP_NO_MEMORY;
        if (wrapping == WRAPPING_EVENTBRIDGE)
            p->body = wrapping_object_text(&p->tape, inner);
        else if (!take_message(p, tape_string(&p->tape, inner)))
            return STEP_NO_MEMORY;
        u->idempotency_key = key;
        tape_free(&p->tape);
        enum step step = read_text(ctx, u);
        if (step != STEP_FINE)
            return step;
    }
    return STEP_FINE;
}

enum step update_unwrap(const struct update_context *ctx, const struct delivery *delivery, struct update *u) {
    struct update_parts *p = u->parts;
    p->body = delivery->body;
    u->idempotency_key = delivery->message_id;
    enum unwrapped result = UNWRAP_NOT_OURS;
    if (delivery->error_envelope.len > 0)
        result = read_attribute(ctx, delivery->error_envelope, &p->arena, &u->source);
    if (result == UNWRAP_OURS)
        u->source.body = delivery->body;
    u->unwrapped = result == UNWRAP_OURS;
    enum step step = STEP_NO_MEMORY;
    for (int i = 0; result != UNWRAP_NO_MEMORY; i++) {
        step = read_text(ctx, u);
        if (step != STEP_FINE || i == UNWRAPS_MAX)
            break;
        result = unwrap_body(p, delivery, &u->source);
        if (result == UNWRAP_NOT_OURS)
            break;
        step = STEP_NO_MEMORY;
        u->unwrapped = true;
        tape_free(&p->tape);
    }
    if (step == STEP_FINE)
        step = unwrap_events(ctx, u);
    if (u->unwrapped && u->source.idempotency_key.data)
        u->idempotency_key = u->source.idempotency_key;
    return step;
}

bool update_keep_origin(struct update *u, struct update *earlier) {
    struct update_source *to = &u->source;
    const struct update_source *from = &earlier->source;
    const struct {
        struct span from, *to;
    } texts[] = {{earlier->idempotency_key, u->own_key ? NULL : &u->idempotency_key},
                 {from->message_id, &to->message_id},
                 {from->queue, &to->queue},
                 {from->sent_at, &to->sent_at},
                 {from->idempotency_key, &to->idempotency_key},
                 {from->group_id, &to->group_id}};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        if (texts[i].to && texts[i].from.data && !(*texts[i].to = arena_copy(&u->parts->arena, texts[i].from)).data)
            return false;
    u->unwrapped = earlier->unwrapped;
    to->body = from->body;
    u->parts->inner = earlier->parts->inner;
    earlier->parts->inner = (struct buf){0};
    u->parts->message = earlier->parts->message;
    earlier->parts->message = (struct buf){0};
    return true;
}
