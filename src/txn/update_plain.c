#include "update_plain.h"

#include "plain_value.h"

#include <stddef.h>
#include <string.h>

/* Within these bounds no limit of DynamoDB's or ours is near: a value counts in an item at most twice as many bytes as
 * its text has, and an audit record holds the values once more. */
#define BODY_MAX ((size_t)32 * 1024)
#define IDEMPOTENCY_KEY_MAX 256
#define DEPTH_MAX 8

/* key is a key attribute's name; name has at most PLAIN_NAME_SIZE bytes. */
static bool is_name(struct span name, const char key[static PLAIN_NAME_SIZE + 1]) {
    return key[0] == name.data[0] && memcmp(name.data, key, name.len) == 0 && key[name.len] == '\0';
}

/* Whether the table or one of its indexes has it as a key: those have rules of their own. */
static bool is_any_key(const struct table_shape *table, struct span name) {
    for (size_t i = 0; i < table->attribute_count; i++) {
        if (is_name(name, table->attributes[i].name)) {
            return true;
        }
    }
    return is_name(name, table->partition.name) || is_name(name, table->sort.name);
}

/* An object of one member may be DynamoDB's JSON, or an operator. */
static inline size_t take_attribute(struct span text, size_t at) {
    size_t members = 0;
    at = plain_skip_blanks(text, at);
    if (plain_is_at(text, at, '"')) {
        return plain_take_string(text, at);
    }
    at = plain_take_value(text, at, DEPTH_MAX, &members);
    return members == 1 ? 0 : at;
}

static inline bool begins_number(struct span text, size_t at) {
    return at < text.len && (text.data[at] == '-' || (text.data[at] >= '0' && text.data[at] <= '9'));
}

static size_t take_id(const struct table_shape *table, struct span text, size_t at) {
    at = plain_skip_blanks(text, at);
    bool is_string = plain_is_at(text, at, '"');
    if (table->sort.name[0] != '\0' ||
        (!table->any_key && table->partition.type != (is_string ? KEY_STRING : KEY_NUMBER))) {
        return 0;
    }
    if (is_string) {
        struct span id;
        at = plain_take_text(text, at, &id);
        return at > 0 && id.len <= UPDATE_PLAIN_KEY_MAX ? at : 0;
    }
    return begins_number(text, at) ? plain_take_number(text, at) : 0;
}

static size_t take_idempotency_key(struct span text, size_t at) {
    struct span key;
    at = plain_take_text(text, at, &key);
    return at > 0 && key.len <= IDEMPOTENCY_KEY_MAX ? at : 0;
}

static size_t take_boolean(struct span text, size_t at, bool *ret_value) {
    at = plain_skip_blanks(text, at);
    *ret_value = plain_is_at(text, at, 't');
    return *ret_value                   ? plain_take_word(text, at, SPAN("true"))
           : plain_is_at(text, at, 'f') ? plain_take_word(text, at, SPAN("false"))
                                        : 0;
}

enum kind { KIND_ATTRIBUTE, KIND_ID, KIND_KEY, KIND_LOGS };

/* What is found out of a message. */
struct looking {
    const struct table_shape *table;
    struct span text;
    bool id, attributes, key, enable_logging;
    bool logs; /* the value of enable_logging */
    /* Where its values stand, for its pattern. */
    struct place {
        size_t begin, end;
        enum kind kind;
    } places[UPDATE_PATTERN_VALUES];
    size_t count; /* may be more */
};

static inline size_t take_kind(struct looking *l, enum kind kind, size_t at) {
    switch (kind) {
    case KIND_ATTRIBUTE: return take_attribute(l->text, at);
    case KIND_ID: return take_id(l->table, l->text, at);
    case KIND_KEY: return take_idempotency_key(l->text, at);
    case KIND_LOGS: return take_boolean(l->text, at, &l->logs);
    }
    return 0;
}

/* A value whose place is noted. */
static inline size_t take_place(struct looking *l, enum kind kind, size_t at) {
    size_t end = take_kind(l, kind, at);
    if (l->count < UPDATE_PATTERN_VALUES) {
        l->places[l->count] = (struct place){at, end, kind};
    }
    l->count++;
    return end;
}

static size_t take_attributes(struct looking *l, size_t at) {
    struct plain_names names;
    names.count = 0;
    at = plain_take(l->text, at, '{');
    if (at == 0) {
        return 0;
    }
    do {
        at = plain_take_name(l->text, at, &names);
        at = at > 0 && !is_any_key(l->table, names.list[names.count - 1]) ? take_place(l, KIND_ATTRIBUTE, at) : 0;
    } while (at > 0 && plain_goes_on(l->text, &at));
    return at > 0 ? plain_take(l->text, at, '}') : 0;
}

/* The four names differ in length, which is compared first. */
static inline size_t take_member(struct looking *l, struct span name, size_t at) {
    if (span_is(name, "id")) {
        l->id = true;
        return take_place(l, KIND_ID, at);
    }
    if (span_is(name, "attributes")) {
        l->attributes = true;
        return take_attributes(l, at);
    }
    if (span_is(name, "idempotency_key")) {
        l->key = true;
        return take_place(l, KIND_KEY, at);
    }
    if (span_is(name, "enable_logging")) {
        l->enable_logging = true;
        return take_place(l, KIND_LOGS, at);
    }
    return 0;
}

static bool is_message(struct looking *l) {
    struct plain_names names;
    names.count = 0;
    size_t at = plain_take(l->text, 0, '{');
    if (at == 0) {
        return false;
    }
    do {
        at = plain_take_name(l->text, at, &names);
        at = at > 0 ? take_member(l, names.list[names.count - 1], at) : 0;
    } while (at > 0 && plain_goes_on(l->text, &at));
    at = at > 0 ? plain_take(l->text, at, '}') : 0;
    return at > 0 && plain_skip_blanks(l->text, at) == l->text.len && l->id && l->attributes;
}

/* Whether the pattern's text stands there. The blocks of the pattern may end behind its text, which is inside it. */
static inline bool begins(struct span text, size_t at, const char *with, size_t len) {
    if (text.len - at < len) {
        return false;
    }
    for (; len > 0 && text.len - at >= BLOCK_SIZE; at += BLOCK_SIZE, with += BLOCK_SIZE) {
        unsigned same = block_bits((block)(block_load(text.data + at) == block_load(with)));
        if (len <= BLOCK_SIZE) {
            return (~same & ((1U << len) - 1)) == 0;
        }
        if (same != 0xFFFF) {
            return false;
        }
        len -= BLOCK_SIZE;
    }
    return memcmp(text.data + at, with, len) == 0;
}

/* Whether the message is the pattern's, with other values of the same kinds. */
static bool follows(struct looking *l, const struct update_pattern *pattern) {
    const char *before = pattern->text, *end = pattern->text + pattern->len;
    size_t at = 0;
    for (unsigned i = 0; i < pattern->count; i++) {
        size_t len = pattern->values[i].before;
        if (!begins(l->text, at, before, len)) {
            return false;
        }
        before += len;
        at = take_kind(l, (enum kind)pattern->values[i].kind, at + len);
        if (at == 0) {
            return false;
        }
    }
    return l->text.len - at == (size_t)(end - before) && begins(l->text, at, before, (size_t)(end - before));
}

/* Appends what stands before a value, or behind the last. False: it is too much. */
static bool keep(struct update_pattern *pattern, struct span text) {
    if (text.len > UPDATE_PATTERN_TEXT - pattern->len) {
        return false;
    }
    memcpy(pattern->text + pattern->len, text.data, text.len);
    pattern->len += text.len;
    return true;
}

/* Of a plain message; leaves no pattern where that has too much for one. */
static void learn(const struct looking *l, struct update_pattern *pattern) {
    size_t at = 0;
    pattern->plain = (struct update_plain){.has_key = l->key, .has_enable_logging = l->enable_logging};
    pattern->count = 0;
    pattern->len = 0;
    if (l->count > UPDATE_PATTERN_VALUES) {
        return;
    }
    for (size_t i = 0; i < l->count; i++) {
        const struct place *place = &l->places[i];
        struct span before = span_of(l->text.data + at, place->begin - at);
        if (!keep(pattern, before)) {
            return;
        }
        pattern->values[i].before = (uint16_t)before.len;
        pattern->values[i].kind = (uint8_t)place->kind;
        at = place->end;
    }
    if (keep(pattern, span_of(l->text.data + at, l->text.len - at))) {
        pattern->count = (unsigned)l->count;
    }
}

bool update_is_plain_number(struct span text) {
    return begins_number(text, 0) && plain_take_number(text, 0) == text.len;
}

bool update_is_plain(const struct update_context *ctx, struct span body, struct update_pattern *pattern,
                     struct update_plain *ret_plain) {
    struct looking l;
    l.table = ctx->table;
    l.text = body;
    l.id = l.attributes = l.key = l.enable_logging = l.logs = false;
    l.count = 0; /* the places need no zeros */
    if (body.len > BODY_MAX) {
        return false;
    }
    if (pattern->count == 0 || !follows(&l, pattern)) {
        l.logs = false;
        if (!is_message(&l)) {
            return false;
        }
        learn(&l, pattern);
    }
    bool audited = ctx->audit != AUDIT_OFF || l.logs;
    if (audited && !ctx->audit_table_exists) {
        return false;
    }
    *ret_plain = pattern->plain;
    return true;
}
