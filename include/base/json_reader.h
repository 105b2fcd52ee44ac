/* The one JSON reader: strict RFC 8259, as events over the bytes, with no tree and no copy.
 *
 * It refuses what json-c and most others let through: a byte order mark, other quotes, NaN, leading zeros, raw control
 * characters, invalid UTF-8, lone surrogates, anything after the value, and (where asked) a name that its object
 * already has. Time and memory are linear in the text, whatever it holds: names are hashed with a secret seed. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "json_names.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_event {
    JSON_FAILED, /* see json_reader.error; every later call gives it again */
    JSON_END, /* the one value was read, and nothing but white space follows */
    JSON_OBJECT_BEGIN,
    JSON_OBJECT_END,
    JSON_ARRAY_BEGIN,
    JSON_ARRAY_END,
    JSON_NAME, /* of the member whose value comes next */
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL
};

enum json_error {
    JSON_NO_ERROR,
    JSON_SYNTAX, /* not RFC 8259 */
    JSON_DUPLICATE, /* a second member of one name; error_offset is at its opening quote */
    JSON_TOO_DEEP, /* beyond max_depth; error_offset is at the bracket */
    JSON_NO_MEMORY
};

struct json_token {
    enum json_event event;
    size_t offset; /* of its first byte in the text; a string's or name's is its opening quote */
    struct span raw; /* NAME, STRING: what stands between the quotes, still escaped; NUMBER: its exact text */
    bool escaped; /* raw holds at least one backslash */
};

struct json_options {
    unsigned max_depth; /* arrays and objects that may be open at once, 1 to JSON_MAX_DEPTH */
    bool reject_duplicates; /* names are compared decoded: "a" and "\u0061" are the same */
    uint64_t hash_seed[2]; /* secret; only used with reject_duplicates */
};

#define JSON_MAX_DEPTH 512

struct json_reader {
    struct span text;
    size_t at;
    struct json_options options;
    unsigned depth;
    uint8_t state;
    uint8_t open[JSON_MAX_DEPTH / 8]; /* a bit a level: object or array */
    enum json_error error;
    size_t error_offset; /* of the first byte that no valid text could have there; the text's length where the text is
                            cut short */
    struct json_names names; /* only used with reject_duplicates */
};

/* Starts reading text, which must outlive the reader. With reject_duplicates the reader must not be moved. */
void json_reader_init(struct json_reader *r, struct span text, const struct json_options *options);
/* Frees what the reader holds. Takes a zeroed one too. */
void json_reader_done(struct json_reader *r);
/* The next event; *ret_token is written for every event (for JSON_FAILED and JSON_END only its event and offset mean
 * something). */
enum json_event json_next(struct json_reader *r, struct json_token *ret_token);
/* Skips the rest of the value that token, the last one read, began; after a NAME, its member's whole value. A scalar is
 * over already. False: JSON_FAILED. */
MUST_USE bool json_skip(struct json_reader *r, const struct json_token *token);

/* Appends the decoded form (UTF-8) of a NAME's or STRING's raw text. False: out has failed. */
bool json_unescape(struct span raw, struct buf *out);
/* Whether raw text with escapes decodes to exactly this. */
bool json_escaped_is(struct span raw, struct span text);
/* Whether a NAME or STRING token decodes to exactly this text. Inline, so that the compiler knows the length of a
 * constant name and compares it first. */
static inline bool json_token_is(const struct json_token *token, const char *text) {
    if (token->event != JSON_NAME && token->event != JSON_STRING)
        return false;
    return token->escaped ? json_escaped_is(token->raw, span_cstr(text)) : span_is(token->raw, text);
}
