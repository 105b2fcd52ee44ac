/* An environment for conditions, read from JSON: {"condition": "…", "names": {"#n": "name"}, "values": {":v":
 * {"S":"x"}}}, values in the compact DynamoDB JSON that condition.h asks for. For tests and test tools. */
#pragma once

#include "condition.h"
#include "json_reader.h"
#include "number.h"

#include <stdlib.h>

#define TEXT_MAX ((size_t)64 << 20)

struct term {
    struct buf name; /* with its sigil */
    struct buf meaning;
    bool used;
};

struct terms {
    struct term *entries;
    size_t count, capacity;
};

struct json_terms {
    struct buf condition;
    struct terms names, values;
};

static inline int terms_find(struct terms *terms, struct span name) {
    for (size_t i = 0; i < terms->count; i++) {
        if (span_equal(buf_span(&terms->entries[i].name), name)) {
            terms->entries[i].used = true;
            return (int)i;
        }
    }
    return -1;
}

static inline int terms_find_name(void *ctx, struct span placeholder, struct span *ret_attribute_name) {
    struct json_terms *terms = ctx;
    int found = terms_find(&terms->names, placeholder);
    if (found >= 0)
        *ret_attribute_name = buf_span(&terms->names.entries[found].meaning);
    return found;
}

/* Of {"S":… and the like. */
static inline char terms_type_of(struct span json) {
    if (json.len < 4 || json.data[3] == '"')
        return json.len < 4 ? 'M' : json.data[2];
    return json.data[2] == 'B' ? '0' : '-';
}

static inline int terms_find_value(void *ctx, struct span placeholder, char *ret_type) {
    struct json_terms *terms = ctx;
    int found = terms_find(&terms->values, placeholder);
    if (found >= 0)
        *ret_type = terms_type_of(buf_span(&terms->values.entries[found].meaning));
    return found;
}

static inline bool terms_append_value(void *ctx, int value, enum number_form form, struct buf *out) {
    const struct json_terms *terms = ctx;
    struct span json = buf_span(&terms->values.entries[value].meaning), before = SPAN("{\"N\":\""), after = SPAN("\"}");
    if (json.len <= before.len + after.len || memcmp(json.data, before.data, before.len) != 0)
        return buf_append_span(out, json);
    struct number number;
    return number_read(span_of(json.data + before.len, json.len - before.len - after.len), &number) == NUMBER_FINE &&
           buf_append_span(out, before) && number_append(&number, form, out) && buf_append_span(out, after);
}

static inline struct condition_environment terms_environment(struct json_terms *terms) {
    return (struct condition_environment){terms_find_name, terms_find_value, terms_append_value, terms, false, NULL};
}

static inline struct term *terms_add(struct terms *terms) {
    if (terms->count == terms->capacity) {
        size_t capacity = terms->capacity ? terms->capacity * 2 : 16;
        struct term *entries = realloc(terms->entries, capacity * sizeof *entries);
        if (!entries)
            return NULL;
        terms->entries = entries;
        terms->capacity = capacity;
    }
    struct term *term = &terms->entries[terms->count++];
    term->used = false;
    buf_init(&term->name, TEXT_MAX);
    buf_init(&term->meaning, TEXT_MAX);
    return term;
}

static inline bool terms_read_one(struct json_reader *reader, const struct json_token *name, struct terms *terms) {
    struct term *term = terms_add(terms);
    if (!term || !json_unescape(name->raw, &term->name))
        return false;
    struct json_token value;
    if (json_next(reader, &value) == JSON_STRING)
        return json_unescape(value.raw, &term->meaning);
    return json_skip(reader, &value) &&
           buf_append(&term->meaning, reader->text.data + value.offset, reader->at - value.offset);
}

static inline bool terms_read_object(struct json_reader *reader, struct terms *terms) {
    struct json_token token;
    if (json_next(reader, &token) != JSON_OBJECT_BEGIN)
        return false;
    while (json_next(reader, &token) == JSON_NAME) {
        if (!terms_read_one(reader, &token, terms))
            return false;
    }
    return token.event == JSON_OBJECT_END;
}

static inline void json_terms_init(struct json_terms *terms) {
    *terms = (struct json_terms){0};
    buf_init(&terms->condition, TEXT_MAX);
}

/* False: text is no such object, or no memory. */
static inline bool json_terms_read(struct json_terms *terms, struct span text) {
    struct json_reader reader;
    json_reader_init(&reader, text, &(struct json_options){.max_depth = JSON_MAX_DEPTH});
    struct json_token token;
    bool good = json_next(&reader, &token) == JSON_OBJECT_BEGIN;
    while (good && json_next(&reader, &token) == JSON_NAME) {
        if (json_token_is(&token, "condition"))
            good = json_next(&reader, &token) == JSON_STRING && json_unescape(token.raw, &terms->condition);
        else
            good = terms_read_object(&reader, json_token_is(&token, "names") ? &terms->names : &terms->values);
    }
    good = good && token.event == JSON_OBJECT_END && json_next(&reader, &token) == JSON_END;
    json_reader_done(&reader);
    return good;
}

static inline void terms_free(struct terms *terms) {
    for (size_t i = 0; i < terms->count; i++) {
        buf_free(&terms->entries[i].name);
        buf_free(&terms->entries[i].meaning);
    }
    free(terms->entries);
}

static inline void json_terms_free(struct json_terms *terms) {
    buf_free(&terms->condition);
    terms_free(&terms->names);
    terms_free(&terms->values);
}
