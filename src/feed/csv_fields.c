#include "csv_fields.h"

#include "json_plain.h"
#include "json_reader.h"
#include "json_scan.h"
#include "json_writer.h"
#include "update_plain.h"

#include <stdio.h>
#include <string.h>

#define MESSAGE_MAX (8 * ROW_SIZE_MAX) /* a byte takes six at most, escaped; names come with each row */
#define GROWTH ((size_t)16 * 1024) /* bytes by which libcsv's buffer grows each time */
#define ALIKE_MAX ((size_t)16 * 1024) /* bytes of a message; one that is larger may be no plain one */
#define OPTIONS (CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL | CSV_REPALL_NL)

static int is_no_blank(unsigned char c) {
    (void)c;
    return 0;
}

static int is_newline(unsigned char c) {
    return c == '\n';
}

static bool start(struct csv_fields *f) {
    f->started = csv_init(&f->parser, OPTIONS) == 0;
    if (f->started) {
        csv_set_space_func(&f->parser, is_no_blank);
        csv_set_term_func(&f->parser, is_newline);
        csv_set_blk_size(&f->parser, GROWTH);
    }
    return f->started;
}

static void begin_row(struct csv_fields *f) {
    f->field = f->filled = 0;
    f->row_ended = false;
    buf_reset(&f->id);
    buf_reset(&f->attributes);
    buf_reset(&f->message);
    if (f->failure.type != ERROR_NONE) {
        failure_free(&f->failure);
        failure_init(&f->failure);
    }
}

bool csv_fields_init(struct csv_fields *f, const struct table_shape *table) {
    *f = (struct csv_fields){.table = table};
    csv_columns_init(&f->columns);
    failure_init(&f->failure);
    buf_init(&f->id, MESSAGE_MAX);
    buf_init(&f->attributes, MESSAGE_MAX);
    buf_init(&f->message, 2 * MESSAGE_MAX);
    return start(f);
}

void csv_fields_free(struct csv_fields *f) {
    if (f->started) {
        csv_free(&f->parser);
    }
    csv_columns_free(&f->columns);
    failure_free(&f->failure);
    buf_free(&f->id);
    buf_free(&f->attributes);
    buf_free(&f->message);
    *f = (struct csv_fields){0};
}

bool csv_fields_drop(struct csv_fields *f) {
    /* After an error libcsv gives the broken row out as a row; only a new parser has forgotten it. */
    if (f->started) {
        csv_free(&f->parser);
    }
    begin_row(f);
    return start(f);
}

static void refuse(struct csv_fields *f, const struct csv_column *column, const char *reason) {
    if (f->failure.type != ERROR_NONE) {
        return;
    }
    char field[300];
    bool is_key = column->role != CSV_ATTRIBUTE;
    bool composite = f->table && f->table->sort.name[0] != '\0';
    (void)snprintf(field, sizeof field, "%s%s%.*s", is_key ? "id" : "attributes", is_key && !composite ? "" : ".",
                   is_key && !composite     ? 0
                   : column->name.len < 256 ? (int)column->name.len
                                            : 256,
                   column->name.data);
    failure_validation(&f->failure, span_cstr(field), "%s", reason);
}

/* Whether text is a number with nothing around it. */
static bool is_number(struct span text) {
    bool begins = text.len > 0 && (text.data[0] == '-' || (text.data[0] >= '0' && text.data[0] <= '9'));
    struct json_scan scan = begins ? json_scan_number(text, 0) : (struct json_scan){0};
    return scan.ok && scan.at == text.len;
}

/* Whether text is one JSON value. */
static bool is_json(struct span text) {
    struct json_reader reader;
    struct json_token token;
    enum json_event event;
    json_reader_init(&reader, text, &(struct json_options){.max_depth = JSON_MAX_DEPTH});
    do {
        event = json_next(&reader, &token);
    } while (event != JSON_FAILED && event != JSON_END);
    json_reader_done(&reader);
    return event == JSON_END;
}

static void append_value(struct csv_fields *f, const struct csv_column *column, struct span text, struct buf *out) {
    switch (column->type) {
    case CSV_STRING: (void)json_append_string(out, text); return;
    case CSV_NUMBER:
        if (!is_number(text)) {
            refuse(f, column, "the column's type is N, and this is no number as JSON has it");
        }
        break;
    case CSV_BOOLEAN:
        if (!span_is(text, "true") && !span_is(text, "false")) {
            refuse(f, column, "the column's type is BOOL: true or false, in small letters");
        }
        break;
    case CSV_JSON:
        if (!is_json(text)) {
            refuse(f, column, "the column's type is JSON, and this is no JSON value");
        }
        break;
    }
    (void)buf_append_span(out, text);
}

static void take_header(struct csv_fields *f, struct span text) {
    if (f->why[0] == '\0' && !csv_columns_add(&f->columns, text, f->table, f->why)) {
        f->why[ROW_READER_WHY_SIZE - 1] = '\0';
    }
}

static void take_value(struct csv_fields *f, const struct csv_column *column, struct span text) {
    struct buf *out = column->role == CSV_ATTRIBUTE ? &f->attributes : &f->id;
    bool named = column->role == CSV_ATTRIBUTE || (f->table && f->table->sort.name[0] != '\0');
    if (out->len > 0) {
        (void)buf_append_char(out, ',');
    }
    if (named) {
        (void)buf_append_span(out, column->quoted);
    }
    append_value(f, column, text, out);
}

/* data is NULL for an empty field without quotes. */
static void take_field(struct csv_fields *f, const char *data, size_t len) {
    size_t index = f->field++;
    f->filled += data != NULL && len > 0;
    if (!f->has_header) {
        take_header(f, span_of(data ? data : "", data ? len : 0));
    } else if (index < f->columns.count && data) {
        take_value(f, &f->columns.all[index], span_of(data, len));
    }
}

static void on_field(void *data, size_t len, void *user) {
    take_field(user, data, len);
}

static void on_row(int ended_by, void *user) {
    struct csv_fields *f = user;
    (void)ended_by;
    f->row_ended = true;
}

static void end_header(struct csv_fields *f) {
    f->has_header = f->why[0] == '\0' && csv_columns_check(&f->columns, f->table, f->why);
}

static enum csv_feed end_row(struct csv_fields *f) {
    bool composite = f->table && f->table->sort.name[0] != '\0';
    if (f->field != f->columns.count) {
        failure_free(&f->failure);
        failure_init(&f->failure);
        failure_set(&f->failure, ERROR_INVALID_INPUT, "The row has %zu field%s, and the header %zu", f->field,
                    f->field == 1 ? "" : "s", f->columns.count);
    }
    struct buf *out = &f->message;
    (void)buf_append_char(out, '{');
    if (f->id.len > 0 || composite) {
        (void)buf_append_cstr(out, composite ? "\"id\":{" : "\"id\":");
        (void)buf_append_span(out, buf_span(&f->id));
        (void)buf_append_cstr(out, composite ? "}," : ",");
    }
    (void)buf_append_cstr(out, "\"attributes\":{");
    (void)buf_append_span(out, buf_span(&f->attributes));
    (void)buf_append_cstr(out, "}}");
    bool fine = buf_ok(&f->id) && buf_ok(&f->attributes) && buf_ok(out) && failure_ok(&f->failure);
    return fine ? CSV_ROW : CSV_NO_MEMORY;
}

static enum csv_feed end_line(struct csv_fields *f) {
    if (!f->row_ended) {
        return CSV_MORE;
    }
    if (f->field == 0) {
        return CSV_BLANK;
    }
    if (!f->has_header) {
        end_header(f);
        return CSV_ROW;
    }
    return end_row(f);
}

/* The byte at which libcsv stopped tells which of its two faults it is. */
static enum csv_feed fault_at(struct csv_fields *f, struct span line, size_t at) {
    if (csv_error(&f->parser) != CSV_EPARSE) {
        return CSV_NO_MEMORY;
    }
    return at < line.len && line.data[at] == '"' ? CSV_STRAY_QUOTE : CSV_LOST;
}

/* A row without a quote is its fields and the commas between them, which need no parser. */
static void split(struct csv_fields *f, struct span line) {
    for (;;) {
        const char *comma = memchr(line.data, ',', line.len);
        size_t len = comma ? (size_t)(comma - line.data) : line.len;
        take_field(f, len > 0 ? line.data : NULL, len);
        if (!comma) {
            break;
        }
        line = span_of(comma + 1, line.len - len - 1);
    }
    f->row_ended = true;
}

enum csv_feed csv_fields_take(struct csv_fields *f, struct span line, bool quoted) {
    if (f->row_ended) {
        begin_row(f);
    }
    if (!quoted && line.len > 0) {
        split(f, line);
        return end_line(f);
    }
    size_t taken = csv_parse(&f->parser, line.data, line.len, on_field, on_row, f);
    if (taken < line.len) {
        return fault_at(f, line, taken);
    }
    if (csv_parse(&f->parser, "\n", 1, on_field, on_row, f) < 1) {
        return fault_at(f, line, line.len);
    }
    return end_line(f);
}

void csv_fields_found_plain(struct csv_fields *f, size_t message_max) {
    if (f->alike_max > 0 || f->filled != f->columns.count) {
        return; /* of a row with empty fields not all names were looked at */
    }
    size_t around = sizeof "{\"id\":,\"attributes\":{}}";
    for (size_t i = 0; i < f->columns.count; i++) {
        around += f->columns.all[i].quoted.len + sizeof "\"\"";
        if (f->columns.all[i].type == CSV_JSON) {
            return;
        }
    }
    size_t most = message_max < ALIKE_MAX ? message_max : ALIKE_MAX;
    f->alike_max = around < most ? most - around : 0;
}

static bool is_plain_value(const struct csv_column *column, struct span text) {
    switch (column->type) {
    case CSV_STRING: return column->role == CSV_ATTRIBUTE || text.len <= UPDATE_PLAIN_KEY_MAX;
    case CSV_NUMBER: return update_is_plain_number(text);
    case CSV_BOOLEAN: return span_is(text, "true") || span_is(text, "false");
    case CSV_JSON: break;
    }
    return false;
}

static inline unsigned bits_of_end(block b) {
    return json_bits_special(b, true) | block_bits((block)(b == (uint8_t)','));
}

/* Where the field at `at` ends, or what would have to be escaped in it begins. */
static inline size_t end_of_field(struct span line, size_t at) {
    for (; line.len - at >= BLOCK_SIZE; at += BLOCK_SIZE) {
        unsigned bits = bits_of_end(block_load(line.data + at));
        if (bits) {
            return at + block_first(bits);
        }
    }
    return at + block_first(bits_of_end(block_load_short(line.data + at, line.len - at)));
}

static bool are_alike(const struct csv_fields *f, struct span line) {
    size_t at = 0;
    for (size_t i = 0; i < f->columns.count; i++) {
        size_t end = end_of_field(line, at);
        bool ends = i + 1 == f->columns.count ? end == line.len : end < line.len && line.data[end] == ',';
        if (!ends || end == at || !is_plain_value(&f->columns.all[i], span_of(line.data + at, end - at))) {
            return false;
        }
        at = end + 1;
    }
    return f->columns.count > 0;
}

bool csv_fields_take_alike(struct csv_fields *f, struct span line) {
    if (line.len > f->alike_max || !are_alike(f, line)) {
        return false;
    }
    if (f->failure.type != ERROR_NONE) {
        begin_row(f); /* it was that of the row before */
    }
    return true;
}
