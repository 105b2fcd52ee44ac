/* What all readers of answers share: members of objects, texts of bounded size, strict numbers. */
#pragma once

#include "compiler.h"
#include "json_reader.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Outputs are written only with DECODE_FINE. */
enum decode_status {
    DECODE_FINE,
    DECODE_GARBAGE, /* not the JSON that the API promises: cut, or from somebody else */
    DECODE_NO_MEMORY
};

/* Reads one member's value to its end. value is its first token. */
typedef enum decode_status decode_member(void *user, struct json_reader *r, const struct json_token *name,
                                         const struct json_token *value);
/* Reads one element in the same way. */
typedef enum decode_status decode_element(void *user, struct json_reader *r, const struct json_token *value);

/* Reads the whole text, which has to be one object. */
MUST_USE enum decode_status decode_read(struct span text, decode_member *member, void *user);
/* Reads an object or array whose first token is begin; garbage if it is neither. JSON's null counts as an empty one. */
MUST_USE enum decode_status decode_object(struct json_reader *r, const struct json_token *begin, decode_member *member,
                                          void *user);
MUST_USE enum decode_status decode_array(struct json_reader *r, const struct json_token *begin, decode_element *element,
                                         void *user);
/* Reads past a value. */
MUST_USE enum decode_status decode_skip(struct json_reader *r, const struct json_token *value);

/* A string, NUL-terminated; garbage if it is no string, doesn't fit, or holds a NUL. */
MUST_USE enum decode_status decode_text(const struct json_token *value, char *ret_text, size_t size);
/* The same for texts for people: what doesn't fit is cut at the end of a character, and any other value gives "". */
void decode_text_cut(const struct json_token *value, char *ret_text, size_t size);

/* Digits alone, at most max. */
MUST_USE bool decode_number(struct span digits, uint64_t max, uint64_t *ret_number);
/* The same from a string, as SQS writes its attributes. */
MUST_USE bool decode_number_text(const struct json_token *value, uint64_t max, uint64_t *ret_number);
