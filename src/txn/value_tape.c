#include "value_tape.h"

#include <stdlib.h>

/* Words of a short tape, as nearly all are: they are written on the stack, and then put where they stay. */
#define SHORT_WORDS 256
/* More unused words than this are given back once the text is read: a message may wait long for its turn. */
#define SLACK_MAX 1024

OUT_OF_LINE static bool grow(struct value_tape *t) {
    /* A closed container has at least two bytes for its two words; those still open are bounded by the depth. */
    size_t most = t->text.len + (size_t)2 * JSON_MAX_DEPTH;
    /* It grows in few steps, so that the last copy isn't made beside a block nearly as large. */
    size_t capacity = t->lent ? t->text.len / 16 + (size_t)2 * SHORT_WORDS : (size_t)t->capacity * 4;
    if (capacity > most)
        capacity = most;
    uint32_t *words = realloc(t->lent ? NULL : t->words, capacity * sizeof *words);
    if (!words)
        return false;
    if (t->lent)
        memcpy(words, t->words, t->count * sizeof *words);
    t->words = words;
    t->capacity = (uint32_t)capacity;
    t->lent = false;
    return true;
}

static inline bool append(struct value_tape *t, uint32_t word) {
    if (t->count == t->capacity && !grow(t))
        return false;
    t->words[t->count++] = word;
    return true;
}

static uint32_t word_of(const struct json_token *token, enum tape_type type) {
    size_t offset = token->offset + (type == TAPE_NAME || type == TAPE_STRING);
    /* Nothing but a name or a string has escapes. */
    return (uint32_t)offset << 4 | (token->escaped ? TAPE_ESCAPED : 0) | (uint32_t)type;
}

struct building {
    struct value_tape tape;
    tape_node open[JSON_MAX_DEPTH];
    unsigned depth;
    bool in_array; /* what is open innermost is an array */
    bool in_run; /* the last event was a scalar of the array that is open */
};

/* False only where the reader's events were unbalanced. */
static bool close_container(struct building *b) {
    struct value_tape *t = &b->tape;
    if (b->depth == 0 || !t->words)
        return false;
    tape_node container = b->open[--b->depth];
    t->words[container + 1] = t->count - container;
    b->in_array = b->depth > 0 && tape_type_of(t, b->open[b->depth - 1]) == TAPE_ARRAY;
    return true;
}

static bool append_scalar(struct building *b, uint32_t word) {
    if (b->in_run)
        return true;
    b->in_run = b->in_array;
    return append(&b->tape, word);
}

static bool append_event(struct building *b, const struct json_token *token) {
    static const enum tape_type types[] = {
        [JSON_OBJECT_BEGIN] = TAPE_OBJECT, [JSON_ARRAY_BEGIN] = TAPE_ARRAY, [JSON_NAME] = TAPE_NAME,
        [JSON_STRING] = TAPE_STRING,       [JSON_NUMBER] = TAPE_NUMBER,     [JSON_TRUE] = TAPE_TRUE,
        [JSON_FALSE] = TAPE_FALSE,         [JSON_NULL] = TAPE_NULL,
    };
    struct value_tape *t = &b->tape;
    switch (token->event) {
    case JSON_OBJECT_BEGIN:
    case JSON_ARRAY_BEGIN:
        b->in_run = false;
        b->in_array = token->event == JSON_ARRAY_BEGIN;
        b->open[b->depth++] = t->count;
        return append(t, word_of(token, types[token->event])) && append(t, 0);
    case JSON_OBJECT_END:
    case JSON_ARRAY_END: b->in_run = false; return close_container(b);
    case JSON_NAME: return append(t, word_of(token, TAPE_NAME));
    default: return append_scalar(b, word_of(token, types[token->event]));
    }
}

static void give_back_slack(struct value_tape *t) {
    if (t->capacity - t->count <= SLACK_MAX)
        return;
    uint32_t *words = realloc(t->words, t->count * sizeof *words);
    if (!words)
        return;
    t->words = words;
    t->capacity = t->count;
}

/* Puts the words of a short tape where they stay. NULL for the arena: into a block of their own. */
static bool settle(struct value_tape *t, struct arena *arena) {
    size_t size = t->count * sizeof *t->words;
    uint32_t *words = arena ? arena_alloc(arena, size) : malloc(size + (size == 0));
    if (!words)
        return false;
    memcpy(words, t->words, size);
    t->words = words;
    t->capacity = t->count;
    t->lent = arena != NULL;
    return true;
}

static enum tape_status read_events(struct json_reader *reader, struct building *b, struct tape_error *ret_error) {
    struct json_token token;
    for (;;) {
        switch (json_next(reader, &token)) {
        case JSON_END: return TAPE_READ;
        case JSON_FAILED:
            if (reader->error == JSON_NO_MEMORY)
                return TAPE_NO_MEMORY;
            *ret_error = (struct tape_error){reader->error, reader->error_offset};
            return TAPE_REFUSED;
        default:
            if (!append_event(b, &token))
                return TAPE_NO_MEMORY;
        }
    }
}

enum tape_status tape_read(struct span text, const uint64_t hash_seed[static 2], struct value_tape *ret_tape,
                           struct tape_error *ret_error) {
    return tape_read_into(text, hash_seed, NULL, ret_tape, ret_error);
}

enum tape_status tape_read_into(struct span text, const uint64_t hash_seed[static 2], struct arena *arena,
                                struct value_tape *ret_tape, struct tape_error *ret_error) {
    if (text.len > TAPE_TEXT_MAX) {
        *ret_error = (struct tape_error){JSON_SYNTAX, TAPE_TEXT_MAX};
        return TAPE_REFUSED;
    }
    const struct json_options options = {
        .max_depth = JSON_MAX_DEPTH, .reject_duplicates = true, .hash_seed = {hash_seed[0], hash_seed[1]}};
    struct building b;
    uint32_t short_words[SHORT_WORDS];
    b.tape = (struct value_tape){.text = text, .words = short_words, .capacity = SHORT_WORDS, .lent = true};
    b.depth = 0;
    b.in_array = b.in_run = false;
    struct json_reader reader;
    json_reader_init(&reader, text, &options);
    enum tape_status status = read_events(&reader, &b, ret_error);
    json_reader_done(&reader);
    if (status == TAPE_READ && b.tape.lent && !settle(&b.tape, arena))
        status = TAPE_NO_MEMORY;
    if (status != TAPE_READ) {
        tape_free(&b.tape);
        return status;
    }
    if (!b.tape.lent)
        give_back_slack(&b.tape);
    *ret_tape = b.tape;
    return TAPE_READ;
}

void tape_free(struct value_tape *t) {
    if (!t->lent)
        free(t->words);
    *t = (struct value_tape){0};
}

size_t tape_length_to_quote(const struct value_tape *t, size_t begin) {
    size_t rest = t->text.len - begin;
    const char *data = t->text.data + begin, *quote = memchr(data, '"', rest);
    return quote ? (size_t)(quote - data) : rest;
}

struct json_string tape_escaped_string(const struct value_tape *t, size_t begin) {
    size_t at = begin;
    while (at < t->text.len && t->text.data[at] != '"')
        at += t->text.data[at] == '\\' ? 2 : 1;
    return (struct json_string){span_of(t->text.data + begin, at - begin), true};
}

static bool is_number_byte(char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static struct span number_at(const struct value_tape *t, size_t begin) {
    size_t at = begin;
    while (at < t->text.len && is_number_byte(t->text.data[at]))
        at++;
    return span_of(t->text.data + begin, at - begin);
}

struct span tape_number(const struct value_tape *t, tape_node n) {
    return number_at(t, tape_offset(t, n));
}

/* The text was read before: the first byte tells all of it. */
static struct tape_scalar scalar_at(const struct value_tape *t, size_t at) {
    struct json_string string;
    switch (t->text.data[at]) {
    case '"':
        string = tape_plain_string(t, at + 1);
        if (memchr(string.raw.data, '\\', string.raw.len))
            string = tape_escaped_string(t, at + 1);
        return (struct tape_scalar){TAPE_STRING, string};
    case 't': return (struct tape_scalar){TAPE_TRUE, {span_of(t->text.data + at, sizeof "true" - 1), false}};
    case 'f': return (struct tape_scalar){TAPE_FALSE, {span_of(t->text.data + at, sizeof "false" - 1), false}};
    case 'n': return (struct tape_scalar){TAPE_NULL, {span_of(t->text.data + at, sizeof "null" - 1), false}};
    default: return (struct tape_scalar){TAPE_NUMBER, {number_at(t, at), false}};
    }
}

struct tape_scalar tape_scalar(const struct value_tape *t, tape_node n) {
    if (tape_type_of(t, n) == TAPE_STRING)
        return (struct tape_scalar){TAPE_STRING, tape_string(t, n)};
    return scalar_at(t, tape_offset(t, n));
}

static size_t skip_space(const struct value_tape *t, size_t at) {
    while (at < t->text.len && memchr(" \t\n\r", t->text.data[at], 4))
        at++;
    return at;
}

bool tape_next_scalar(const struct value_tape *t, struct tape_scalar *scalar) {
    struct span text = scalar->text.raw;
    size_t at = skip_space(t, (size_t)(text.data - t->text.data) + text.len + (scalar->type == TAPE_STRING));
    if (at >= t->text.len || t->text.data[at] != ',')
        return false;
    at = skip_space(t, at + 1);
    if (at >= t->text.len || t->text.data[at] == '[' || t->text.data[at] == '{')
        return false;
    *scalar = scalar_at(t, at);
    return true;
}

struct span tape_scalar_text(const struct value_tape *t, tape_node n) {
    if (tape_type_of(t, n) == TAPE_NUMBER)
        return tape_number(t, n);
    struct span raw = tape_string(t, n).raw;
    return span_of(raw.data - 1, raw.len + 2);
}

tape_node tape_find(const struct value_tape *t, tape_node n, const char *name) {
    if (tape_type_of(t, n) != TAPE_OBJECT)
        return TAPE_ROOT;
    TAPE_FOREACH_MEMBER(t, n, member)
        if (json_string_is(tape_string(t, member), name))
            return member + 1;
    return TAPE_ROOT;
}

uint32_t tape_count(const struct value_tape *t, tape_node object) {
    uint32_t count = 0;
    TAPE_FOREACH_MEMBER(t, object, name)
        count++;
    return count;
}
