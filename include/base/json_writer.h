/* Writes JSON straight into a buffer. The writer puts the commas; the caller sees to the nesting. */
#pragma once

#include "buf.h"
#include "span.h"

#include <stdbool.h>
#include <stdint.h>

struct json_writer {
    struct buf *out; /* borrowed; its sticky failure is the writer's */
    bool need_comma;
};

void json_writer_init(struct json_writer *w, struct buf *out);
/* The brackets of an object or array, which is a value like any other. */
void json_object_begin(struct json_writer *w);
void json_object_end(struct json_writer *w);
void json_array_begin(struct json_writer *w);
void json_array_end(struct json_writer *w);
/* A member's name, UTF-8, escaped as needed. */
void json_name(struct json_writer *w, struct span name);
/* Values. A string is UTF-8 text; what JSON must escape is escaped, nothing else. */
void json_string(struct json_writer *w, struct span value);
void json_integer(struct json_writer *w, int64_t value);
void json_boolean(struct json_writer *w, bool value);
void json_null(struct json_writer *w);
/* A value that is JSON already: copied as it is. */
void json_raw(struct json_writer *w, struct span json);

/* Appends text that is known to need no escape, with quotes. Inline, as buf_append() is. */
static inline bool json_append_quoted(struct buf *out, struct span text) {
    return buf_append_between(out, SPAN("\""), text, SPAN("\""));
}
/* Appends text (UTF-8) with quotes, escaping only '"', '\' and control characters below U+0020. */
bool json_append_string(struct buf *out, struct span text);
