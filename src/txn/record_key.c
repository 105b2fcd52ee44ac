#include "record_key.h"

#include "json_writer.h"

#include <stdint.h>

/* One attribute of the key: all are texts of the record, which is JSON of our own making, without blanks. */
struct part {
    struct span name; /* with its quotes */
    struct span value; /* with its quotes */
    char type;
};

/* The end of the JSON string that begins at `at`, behind its closing quote. */
static size_t end_of_string(struct span text, size_t at) {
    at++;
    const char *quote = at < text.len ? memchr(text.data + at, '"', text.len - at) : NULL;
    if (quote && quote[-1] != '\\') /* as nearly always */
        return (size_t)(quote - text.data) + 1;
    while (at < text.len && text.data[at] != '"')
        at += text.data[at] == '\\' ? 2 : 1;
    return at < text.len ? at + 1 : text.len;
}

/* Reads the part whose name begins at `at`: "name":{"T":"value"}. Returns where the next one does. */
static size_t read_part(struct span record, size_t at, struct part *ret_part) {
    size_t end = end_of_string(record, at);
    ret_part->name = span_of(record.data + at, end - at);
    size_t value = end + sizeof ":{\"T\":" - 1;
    ret_part->type = record.data[end + sizeof ":{\"" - 1];
    end = end_of_string(record, value);
    ret_part->value = span_of(record.data + value, end - value);
    return end + sizeof "}," - 1;
}

/* A piece of JSON inside the JSON string that holds the object: quotes and backslashes are escaped once more. */
static void append_escaped(struct span json, struct buf *out) {
    for (size_t at = 0; at < json.len;) {
        size_t run = 0;
        while (at + run < json.len && json.data[at + run] != '"' && json.data[at + run] != '\\')
            run++;
        buf_append(out, json.data + at, run);
        at += run;
        if (at < json.len) {
            buf_append_char(out, '\\');
            buf_append_char(out, json.data[at++]);
        }
    }
}

static void append_member(const struct part *part, struct buf *out) {
    append_escaped(part->name, out);
    buf_append_char(out, ':');
    if (part->type == KEY_NUMBER)
        buf_append(out, part->value.data + 1, part->value.len - 2);
    else
        append_escaped(part->value, out);
}

/* In the order of the decoded names, which is DynamoDB's. */
static bool sort_key_first(const struct table_shape *table) {
    return span_compare(span_cstr(table->sort.name), span_cstr(table->partition.name)) < 0;
}

bool record_key_append_json(const struct table_shape *table, struct span record, struct buf *out) {
    struct part partition, sort;
    size_t next = read_part(record, 1, &partition);
    if (table->sort.name[0] == '\0')
        return buf_append_span(out, partition.value);
    read_part(record, next, &sort);
    bool swapped = sort_key_first(table);
    buf_append_cstr(out, "\"{");
    append_member(swapped ? &sort : &partition, out);
    buf_append_char(out, ',');
    append_member(swapped ? &partition : &sort, out);
    return buf_append_cstr(out, "}\"");
}

static size_t member_size(const struct part *part) {
    return part->name.len + 1 + part->value.len - (part->type == KEY_NUMBER ? 2 : 0);
}

size_t record_key_size(const struct table_shape *table, struct span record, size_t key_size) {
    struct part partition, sort;
    size_t next = read_part(record, 1, &partition);
    if (table->sort.name[0] == '\0')
        return partition.type == KEY_STRING ? key_size - strlen(table->partition.name) : partition.value.len - 2;
    read_part(record, next, &sort);
    return sizeof "{,}" - 1 + member_size(&partition) + member_size(&sort);
}
