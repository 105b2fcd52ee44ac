#include "letter.h"

#include "failure.h"
#include "iso8601.h"
#include "unwrap_event.h"
#include "update_parts.h"

#include <limits.h>
#include <stdlib.h>

/* The envelope is read twice: once for what it says of the failure, and once as the worker reads it, for the message in
 * it. */
struct letter_parts {
    struct update update;
    struct update_parts parts;
    struct arena arena;
    struct value_tape envelope; /* empty where there is none */
    struct buf details;
};

struct whole {
    struct letter letter;
    struct letter_parts parts;
};

enum found { FOUND, NOT_FOUND, NO_MEMORY };

/* The text of a member of the object, absent where it is no string. False: no memory. */
static bool read_text(const struct value_tape *t, tape_node object, const char *name, struct arena *a,
                      struct span *ret_text) {
    tape_node n = tape_find(t, object, name);
    *ret_text = (struct span){NULL, 0};
    if (n == TAPE_ROOT || tape_type_of(t, n) != TAPE_STRING)
        return true;
    *ret_text = json_string_text(tape_string(t, n), a);
    return ret_text->data != NULL;
}

/* Reads text as an envelope of ours; where it stands as a body, it has to hold the original. */
static enum found read_envelope(const uint64_t hash_seed[static 2], struct span text, bool is_body,
                                struct value_tape *ret_tape, tape_node *ret_source) {
    struct tape_error error;
    enum tape_status status = tape_read(text, hash_seed, ret_tape, &error);
    if (status != TAPE_READ) {
        *ret_tape = (struct value_tape){0};
        return status == TAPE_NO_MEMORY ? NO_MEMORY : NOT_FOUND;
    }
    *ret_source = update_envelope_source(ret_tape);
    tape_node body = *ret_source == TAPE_ROOT ? TAPE_ROOT : tape_find(ret_tape, *ret_source, "body");
    bool has_body = body != TAPE_ROOT && tape_type_of(ret_tape, body) == TAPE_STRING;
    if (*ret_source != TAPE_ROOT && (has_body || !is_body))
        return FOUND;
    tape_free(ret_tape);
    *ret_tape = (struct value_tape){0};
    return NOT_FOUND;
}

/* Appends the members of the object but for the source, on one line: in strict JSON, line breaks stand between values
 * alone. */
static bool append_details(struct span object, struct buf *out) {
    const struct json_options options = {.max_depth = JSON_MAX_DEPTH};
    struct json_reader r;
    struct json_token name, value;
    json_reader_init(&r, object, &options);
    (void)json_next(&r, &name);
    buf_append_char(out, '{');
    for (const char *before = ""; json_next(&r, &name) == JSON_NAME;) {
        if (json_next(&r, &value) == JSON_FAILED || !json_skip(&r, &value))
            break;
        if (json_token_is(&name, "source"))
            continue;
        buf_append_cstr(out, before);
        for (size_t i = name.offset; i < r.at; i++)
            buf_append_char(out, (unsigned char)object.data[i] < ' ' ? ' ' : object.data[i]);
        before = ",";
    }
    json_reader_done(&r);
    return buf_append_char(out, '}');
}

static unsigned read_count(const struct value_tape *t, tape_node source) {
    tape_node n = tape_find(t, source, "receive_count");
    unsigned count = 0;
    if (n == TAPE_ROOT || tape_type_of(t, n) != TAPE_NUMBER)
        return 0;
    struct span text = tape_number(t, n);
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned)(text.data[i] - '0');
        if (text.data[i] < '0' || text.data[i] > '9' || count > (UINT_MAX - digit) / 10)
            return 0;
        count = count * 10 + digit;
    }
    return count;
}

/* What the envelope says of the failure. False: no memory. */
static bool read_failure(struct letter *l, tape_node source) {
    struct letter_parts *p = l->parts;
    const struct value_tape *t = &p->envelope;
    tape_node details = tape_find(t, TAPE_ROOT, "details");
    struct span timestamp;
    if (!read_text(t, TAPE_ROOT, "error", &p->arena, &l->error) ||
        !read_text(t, TAPE_ROOT, "message", &p->arena, &l->message) ||
        !read_text(t, details, "code", &p->arena, &l->code) ||
        !read_text(t, TAPE_ROOT, "timestamp", &p->arena, &timestamp))
        return false;
    if (!timestamp.data || !iso8601_parse(timestamp, &l->failed_at))
        l->failed_at = 0;
    l->receive_count = read_count(t, source);
    struct span object = wrapping_object_text(t, details);
    buf_init(&p->details, object.len + 2);
    if (!append_details(object, &p->details))
        return false;
    l->details = buf_span(&p->details);
    return true;
}

static bool is_error_type(struct span text) {
    for (int type = ERROR_INVALID_INPUT; type <= ERROR_DATABASE; type++)
        if (span_is(text, error_type_name((enum error_type)type)))
            return true;
    return false;
}

/* False: no memory. */
static bool find_form(const uint64_t hash_seed[static 2], const struct letter_delivery *d, struct letter *l) {
    struct letter_parts *p = l->parts;
    tape_node source = TAPE_ROOT;
    enum found found = NOT_FOUND;
    if (d->error_envelope.len > 0)
        found = read_envelope(hash_seed, d->error_envelope, false, &p->envelope, &source);
    l->form = LETTER_BESIDE;
    if (found == NOT_FOUND) {
        found = read_envelope(hash_seed, d->body, true, &p->envelope, &source);
        l->form = LETTER_WRAPPED;
    }
    if (found == FOUND)
        return read_failure(l, source);
    l->form = is_error_type(d->error_type) ? LETTER_BARE : LETTER_FOREIGN;
    if (l->form == LETTER_BARE)
        l->error = d->error_type;
    return found == NOT_FOUND;
}

/* Whether the value can be an id: a key, or an object of keys. */
static bool is_id(const struct value_tape *t, tape_node n) {
    if (n == TAPE_ROOT)
        return false;
    enum tape_type type = tape_type_of(t, n);
    if (type != TAPE_OBJECT)
        return type == TAPE_STRING || type == TAPE_NUMBER;
    TAPE_FOREACH_MEMBER(t, n, name) {
        type = tape_type_of(t, name + 1);
        if (type != TAPE_STRING && type != TAPE_NUMBER)
            return false;
    }
    return true;
}

/* What the update message itself says: its id, and whether its key is its own. */
static bool read_update(struct letter *l) {
    struct letter_parts *p = l->parts;
    const struct value_tape *t = &p->parts.tape;
    if (!t->words || tape_type_of(t, TAPE_ROOT) != TAPE_OBJECT)
        return true;
    tape_node key = tape_find(t, TAPE_ROOT, "idempotency_key"), id = tape_find(t, TAPE_ROOT, "id");
    size_t size = key != TAPE_ROOT && tape_type_of(t, key) == TAPE_STRING ? json_string_size(tape_string(t, key)) : 0;
    if (size > 0 && size <= KEY_SIZE_MAX) {
        l->has_key = true;
        if (!read_text(t, TAPE_ROOT, "idempotency_key", &p->arena, &l->idempotency_key))
            return false;
    }
    if (!is_id(t, id))
        return true;
    l->id = update_id_text(t, id, &p->arena);
    return l->id.data != NULL;
}

static bool read_letter(const uint64_t hash_seed[static 2], const struct letter_delivery *d, struct letter *l) {
    struct update *u = &l->parts->update;
    const struct update_context context = {.hash_seed = {hash_seed[0], hash_seed[1]}};
    const struct delivery delivery = {
        .body = d->body, .message_id = d->message_id, .error_envelope = d->error_envelope};
    if (!find_form(hash_seed, d, l) || update_unwrap(&context, &delivery, u) == STEP_NO_MEMORY)
        return false;
    l->source = u->source;
    if (!l->source.body.data)
        l->source.body = d->body;
    l->idempotency_key = u->idempotency_key;
    l->has_key = !span_equal(u->idempotency_key, d->message_id) || u->unwrapped;
    return read_update(l);
}

struct letter *letter_read(const uint64_t hash_seed[static 2], const struct letter_delivery *delivery) {
    struct whole *whole = calloc(1, sizeof *whole);
    if (!whole)
        return NULL;
    struct letter *l = &whole->letter;
    l->parts = &whole->parts;
    whole->parts.update.parts = &whole->parts.parts;
    failure_init(&whole->parts.update.failure);
    if (read_letter(hash_seed, delivery, l))
        return l;
    letter_free(l);
    return NULL;
}

void letter_free(struct letter *letter) {
    if (!letter)
        return;
    struct letter_parts *p = letter->parts;
    update_free_parts(&p->parts);
    arena_free(&p->parts.arena);
    buf_free(&p->parts.inner);
    buf_free(&p->parts.message);
    failure_free(&p->update.failure);
    tape_free(&p->envelope);
    arena_free(&p->arena);
    buf_free(&p->details);
    /* It is the first member of its block. */
    free(letter);
}
