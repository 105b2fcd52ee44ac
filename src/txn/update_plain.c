#include "update_plain.h"

#include "json_scan.h"

#include <stddef.h>
#include <string.h>

/* Within these bounds no limit of DynamoDB's or ours is near: a value counts in an item at most twice as many bytes as
 * its text has, and an audit record holds the values once more. */
#define BODY_MAX ((size_t)32 * 1024)
#define NAMES_MAX 64
#define NAME_MAX_SIZE 255 /* as long as a key's, with which it is compared */
#define KEY_MAX 1024
#define IDEMPOTENCY_KEY_MAX 256
#define NUMBER_MAX 38 /* characters without an exponent: no more digits, and no magnitude out of range */
#define DEPTH_MAX 8

struct looking {
    const struct update_context *ctx;
    struct span text;
    size_t at;
};

/* Names of one object; none is empty. */
struct names {
    struct span list[NAMES_MAX];
    size_t count;
};

/* The next byte that is no white space; NUL: there is none. */
static char peek(struct looking *l) {
    for (; l->at < l->text.len; l->at++) {
        char c = l->text.data[l->at];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
            return c;
        }
    }
    return '\0';
}

static bool take(struct looking *l, char c) {
    bool there = peek(l) == c;
    l->at += there;
    return there;
}

/* A string between its quotes. */
static bool take_string(struct looking *l, struct span *ret_raw, bool *ret_escaped) {
    if (peek(l) != '"') {
        return false;
    }
    struct json_scan scan = json_scan_string(l->text, l->at);
    if (!scan.ok) {
        return false;
    }
    *ret_raw = span_of(l->text.data + l->at + 1, scan.at - l->at - 2);
    *ret_escaped = scan.escaped;
    l->at = scan.at;
    return true;
}

static bool take_plain_string(struct looking *l, struct span *ret_text) {
    bool escaped = false;
    return take_string(l, ret_text, &escaped) && !escaped && ret_text->len > 0;
}

static bool take_number(struct looking *l) {
    struct json_scan scan = json_scan_number(l->text, l->at);
    struct span text = span_of(l->text.data + l->at, scan.at - l->at);
    l->at = scan.at;
    return scan.ok && text.len <= NUMBER_MAX && !memchr(text.data, 'e', text.len) && !memchr(text.data, 'E', text.len);
}

static bool take_word(struct looking *l, struct span word) {
    struct json_scan scan = json_scan_literal(l->text, l->at, word);
    l->at = scan.at;
    return scan.ok;
}

static bool is_among(const struct names *names, struct span name) {
    for (size_t i = 0; i < names->count; i++) {
        struct span other = names->list[i];
        if (other.len == name.len && other.data[0] == name.data[0] && memcmp(other.data, name.data, name.len) == 0) {
            return true;
        }
    }
    return false;
}

/* A name that its object doesn't have yet, and the colon. */
static bool take_name(struct looking *l, struct names *names) {
    struct span name;
    if (names->count == NAMES_MAX || !take_plain_string(l, &name) || name.len > NAME_MAX_SIZE ||
        is_among(names, name)) {
        return false;
    }
    names->list[names->count++] = name;
    return take(l, ':');
}

static bool take_value(struct looking *l, unsigned depth_left, size_t *ret_members);

static bool take_array(struct looking *l, unsigned depth_left) {
    size_t members = 0;
    l->at++;
    if (take(l, ']')) {
        return true;
    }
    do {
        if (!take_value(l, depth_left, &members)) {
            return false;
        }
    } while (take(l, ','));
    return take(l, ']');
}

static bool take_object(struct looking *l, unsigned depth_left, size_t *ret_members) {
    struct names names;
    size_t members = 0;
    names.count = 0; /* the list needs no zeros */
    l->at++;
    *ret_members = 0;
    if (take(l, '}')) {
        return true;
    }
    do {
        if (!take_name(l, &names) || !take_value(l, depth_left, &members)) {
            return false;
        }
    } while (take(l, ','));
    *ret_members = names.count;
    return take(l, '}');
}

/* *ret_members: of an object, how many it has. Depth is bounded by depth_left. */
static bool take_value(struct looking *l, unsigned depth_left, size_t *ret_members) {
    struct span text;
    bool escaped = false;
    char c = peek(l);
    switch (c) {
    case '"': return take_string(l, &text, &escaped);
    case 't': return take_word(l, SPAN("true"));
    case 'f': return take_word(l, SPAN("false"));
    case 'n': return take_word(l, SPAN("null"));
    case '[': return depth_left > 0 && take_array(l, depth_left - 1);
    case '{': return depth_left > 0 && take_object(l, depth_left - 1, ret_members);
    default: return (c == '-' || (c >= '0' && c <= '9')) && take_number(l);
    }
}

/* key is a key attribute's name; name has at most NAME_MAX_SIZE bytes. */
static bool is_name(struct span name, const char key[static NAME_MAX_SIZE + 1]) {
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

static bool take_attributes(struct looking *l) {
    struct names names;
    names.count = 0;
    if (!take(l, '{')) {
        return false;
    }
    do {
        size_t members = 0;
        /* An object of one member may be DynamoDB's JSON, or an operator. */
        if (!take_name(l, &names) || is_any_key(l->ctx->table, names.list[names.count - 1]) ||
            !take_value(l, DEPTH_MAX, &members) || members == 1) {
            return false;
        }
    } while (take(l, ','));
    return take(l, '}');
}

static bool take_id(struct looking *l) {
    const struct table_shape *table = l->ctx->table;
    bool is_string = peek(l) == '"';
    struct span text;
    if (table->sort.name[0] != '\0' ||
        (!table->any_key && table->partition.type != (is_string ? KEY_STRING : KEY_NUMBER))) {
        return false;
    }
    if (is_string) {
        return take_plain_string(l, &text) && text.len <= KEY_MAX;
    }
    char c = peek(l);
    return (c == '-' || (c >= '0' && c <= '9')) && take_number(l);
}

static bool take_boolean(struct looking *l, bool *ret_value) {
    *ret_value = peek(l) == 't';
    return *ret_value ? take_word(l, SPAN("true")) : peek(l) == 'f' && take_word(l, SPAN("false"));
}

/* What was found of a message's members. */
struct found {
    bool id, attributes, key, enable_logging;
    bool logs; /* the value of enable_logging */
};

/* The four names differ in length, which is compared first. */
static bool take_member(struct looking *l, struct span name, struct found *found) {
    struct span key;
    if (span_is(name, "id")) {
        found->id = true;
        return take_id(l);
    }
    if (span_is(name, "attributes")) {
        found->attributes = true;
        return take_attributes(l);
    }
    if (span_is(name, "idempotency_key")) {
        found->key = true;
        return take_plain_string(l, &key) && key.len <= IDEMPOTENCY_KEY_MAX;
    }
    if (span_is(name, "enable_logging")) {
        found->enable_logging = true;
        return take_boolean(l, &found->logs);
    }
    return false;
}

static bool take_message(struct looking *l, struct found *found) {
    struct names names;
    names.count = 0;
    if (!take(l, '{')) {
        return false;
    }
    do {
        if (!take_name(l, &names) || !take_member(l, names.list[names.count - 1], found)) {
            return false;
        }
    } while (take(l, ','));
    return take(l, '}') && peek(l) == '\0' && l->at == l->text.len;
}

bool update_is_plain(const struct update_context *ctx, struct span body, struct update_plain *ret_plain) {
    struct looking l = {ctx, body, 0};
    struct found found = {0};
    if (body.len > BODY_MAX || !take_message(&l, &found) || !found.id || !found.attributes) {
        return false;
    }
    bool audited = ctx->audit != AUDIT_OFF || found.logs;
    if (audited && !ctx->audit_table_exists) {
        return false;
    }
    *ret_plain = (struct update_plain){.has_key = found.key, .has_enable_logging = found.enable_logging};
    return true;
}
