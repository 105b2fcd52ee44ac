#include "row_reader.h"

#include "csv_fields.h"
#include "row_lines.h"
#include "row_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct row_reader {
    enum row_format format;
    struct row_lines lines;
    struct csv_fields fields; /* of CSV */
    bool has_begun; /* the text's beginning was looked at */
    bool goes_on; /* `next` is where another reader was; it is to be gone to */
    struct row_place next; /* of the row that is read, or comes next */
    bool in_row; /* lines of it were taken */
    bool quoted; /* a quoted field is open: the row goes on behind a newline */
    bool too_long; /* it is passed over, but for its beginning */
    struct buf beginning;
    struct failure failure; /* of a row that is no message whatever its fields are */
    bool broken;
    char why[ROW_READER_WHY_SIZE];
};

static bool ends_in(struct span text, const char *end) {
    size_t len = strlen(end);
    return text.len >= len && memcmp(text.data + text.len - len, end, len) == 0;
}

enum row_format row_format_of(const char *path) {
    static const char *const packed[] = {".gz", ".zst"};
    struct span name = span_cstr(path);
    for (size_t i = 0; i < ARRAY_LENGTH(packed); i++) {
        if (ends_in(name, packed[i])) {
            name.len -= strlen(packed[i]);
            break;
        }
    }
    return ends_in(name, ".csv") || ends_in(name, ".CSV") ? ROWS_CSV : ROWS_JSON;
}

struct row_reader *row_reader_new(const struct row_reader_options *options) {
    struct row_reader *r = calloc(1, sizeof *r);
    if (!r) {
        return NULL;
    }
    r->format = options->format;
    r->next = (struct row_place){.number = 1, .line = 1};
    row_lines_init(&r->lines, options->source, ROW_SIZE_MAX);
    buf_init(&r->beginning, ROW_BEGINNING);
    failure_init(&r->failure);
    if (r->format == ROWS_CSV && !csv_fields_init(&r->fields, options->table)) {
        row_reader_free(r);
        return NULL;
    }
    return r;
}

void row_reader_free(struct row_reader *r) {
    if (!r) {
        return;
    }
    csv_fields_free(&r->fields);
    row_lines_free(&r->lines);
    buf_free(&r->beginning);
    failure_free(&r->failure);
    free(r);
}

struct row_place row_reader_place(const struct row_reader *r) {
    return r->next;
}

void row_reader_found_plain(struct row_reader *r, size_t message_max) {
    if (r->format == ROWS_CSV) {
        csv_fields_found_plain(&r->fields, message_max);
    }
}

const char *row_reader_why(const struct row_reader *r) {
    return r->why;
}

const char *row_reader_caution(const struct row_reader *r) {
    return r->format == ROWS_CSV ? r->fields.columns.caution : "";
}

void row_reader_go_on(struct row_reader *r, const struct row_place *place) {
    r->next = *place;
    r->goes_on = true;
}

/* The reason is in r->why. */
static enum row_status stop(struct row_reader *r) {
    r->broken = true;
    return ROW_BROKEN;
}

/* The sentence is the source's; the reader adds how far it has come. */
static enum row_status broken(struct row_reader *r, const char *sentence) {
    (void)snprintf(r->why, sizeof r->why, "%.400s; row %" PRIu64 " would be at line %" PRIu64, sentence, r->next.number,
                   r->next.line);
    return stop(r);
}

static enum row_status no_memory(struct row_reader *r) {
    return broken(r, "There is no memory");
}

/* A line with its newline or, of a row that is too long, a part of one. */
static enum row_status next_line(struct row_reader *r, struct span *ret_line) {
    switch (row_lines_next(&r->lines, ret_line)) {
    case LINE_WAIT: return ROW_WAIT;
    case LINE_END: return ROW_END;
    case LINE_BROKEN: return broken(r, r->lines.why);
    case LINE_READ: break;
    case LINE_PART:
        if (!r->too_long) {
            struct span row = row_lines_row(&r->lines);
            r->too_long = true;
            buf_reset(&r->beginning);
            (void)buf_append(&r->beginning, row.data, row.len < ROW_BEGINNING ? row.len : ROW_BEGINNING);
        }
        break;
    }
    if (r->too_long) {
        row_lines_mark(&r->lines);
    }
    return ROW_READ;
}

static bool is_whole(struct span line) {
    return line.len > 0 && line.data[line.len - 1] == '\n';
}

static void begin_row(struct row_reader *r) {
    row_lines_mark(&r->lines);
    r->next.line = r->lines.line;
    r->next.offset = row_lines_offset(&r->lines);
    if (r->failure.type != ERROR_NONE) {
        failure_free(&r->failure);
        failure_init(&r->failure);
    }
}

/* Gives a row out; the next one stands behind it. */
static enum row_status give(struct row_reader *r, struct span message, struct row *ret_row) {
    struct span text = r->too_long ? buf_span(&r->beginning) : row_text_without_end(row_lines_row(&r->lines));
    if (r->too_long) {
        failure_set(&r->failure, ERROR_INVALID_INPUT,
                    "The row is longer than %zu bytes, more than any message can be: only its beginning is told",
                    ROW_SIZE_MAX);
    }
    const struct failure *failure = r->failure.type != ERROR_NONE ? &r->failure : NULL;
    if (!failure && r->format == ROWS_CSV && r->fields.failure.type != ERROR_NONE) {
        failure = &r->fields.failure;
    }
    if ((r->too_long && !buf_ok(&r->beginning)) || !failure_ok(&r->failure)) {
        return no_memory(r);
    }
    *ret_row = (struct row){.place = r->next, .text = text, .failure = failure};
    if (!failure) {
        ret_row->message = message;
    }
    r->next = (struct row_place){r->next.number + 1, r->lines.line, row_lines_offset(&r->lines)};
    r->in_row = r->too_long = r->quoted = false;
    return ROW_READ;
}

static enum row_status next_json(struct row_reader *r, struct row *ret_row) {
    for (;;) {
        struct span line;
        if (!r->in_row) {
            begin_row(r);
        }
        enum row_status status = next_line(r, &line);
        if (status == ROW_END && r->too_long) {
            return give(r, SPAN(""), ret_row);
        }
        if (status != ROW_READ) {
            return status;
        }
        r->in_row = r->too_long && !is_whole(line);
        if (r->too_long && !r->in_row) {
            return give(r, SPAN(""), ret_row);
        }
        if (!r->too_long && !row_text_is_blank(line)) {
            return give(r, row_text_without_end(line), ret_row);
        }
    }
}

/* Of a row that is passed over only the end matters. Returns whether this line has it. */
static bool csv_passed_over(struct row_reader *r, struct span line) {
    r->quoted ^= row_text_count_quotes(line) & 1;
    return is_whole(line) && !r->quoted;
}

static enum row_status csv_unclosed(struct row_reader *r) {
    (void)snprintf(r->why, sizeof r->why,
                   "A quoted field isn't closed, in row %" PRIu64 ", which begins at line %" PRIu64
                   ": close it with a quote, and double the quotes inside it",
                   r->next.number, r->next.line);
    return stop(r);
}

static enum row_status csv_stray(struct row_reader *r, struct span line, struct row *ret_row) {
    (void)line;
    failure_set(
        &r->failure, ERROR_INVALID_INPUT,
        "A field has a quote in it, but doesn't begin with one: put the field in quotes, and double those inside");
    return csv_fields_drop(&r->fields) ? give(r, SPAN(""), ret_row) : no_memory(r);
}

static enum row_status csv_lost(struct row_reader *r) {
    (void)snprintf(r->why, sizeof r->why,
                   "Something stands behind a field's closing quote, at line %" PRIu64 ", in row %" PRIu64
                   ", which begins at line %" PRIu64
                   ": double the quotes inside quoted fields. Where that row ends can't be "
                   "known, so nothing behind it was read",
                   r->lines.line - 1, r->next.number, r->next.line);
    return stop(r);
}

static enum row_status csv_row(struct row_reader *r, struct row *ret_row) {
    struct span row = row_text_without_end(row_lines_row(&r->lines));
    size_t fault = row_text_fault(row);
    if (fault < row.len) {
        failure_set(&r->failure, ERROR_INVALID_INPUT, "Byte %zu of the row %s", fault,
                    row.data[fault] ? "isn't UTF-8" : "is a NUL, which no text has");
    }
    return give(r, buf_span(&r->fields.message), ret_row);
}

/* ROW_READ: the header was read, and is fine. */
static enum row_status csv_header(struct row_reader *r) {
    struct span row = row_lines_row(&r->lines);
    if (r->fields.why[0] == '\0' && row_text_fault(row) < row.len) {
        (void)snprintf(r->fields.why, sizeof r->fields.why, "The header isn't UTF-8 text");
    }
    if (r->fields.why[0] == '\0') {
        r->in_row = false;
        return ROW_READ;
    }
    memcpy(r->why, r->fields.why, sizeof r->why);
    return stop(r);
}

/* A row whose message needs neither be made nor be looked at. */
static enum row_status csv_alike(struct row_reader *r, struct row *ret_row) {
    enum row_status status = give(r, (struct span){NULL, 0}, ret_row);
    ret_row->alike = status == ROW_READ;
    return status;
}

static enum row_status csv_line(struct row_reader *r, struct span line, bool *ret_given, struct row *ret_row) {
    bool was_header = !r->fields.has_header;
    if (!r->quoted && csv_fields_take_alike(&r->fields, row_text_without_end(line))) {
        *ret_given = true;
        return csv_alike(r, ret_row);
    }
    size_t quotes = row_text_count_quotes(line);
    bool has_quotes = r->quoted || quotes > 0;
    r->quoted ^= quotes & 1;
    /* Inside quotes a carriage return belongs to the field. */
    struct span text = r->quoted ? span_of(line.data, line.len - is_whole(line)) : row_text_without_end(line);
    enum csv_feed fed = csv_fields_take(&r->fields, text, has_quotes);
    if (fed == CSV_ROW && was_header) {
        return csv_header(r);
    }
    if (fed == CSV_STRAY_QUOTE && was_header) {
        (void)snprintf(r->why, sizeof r->why, "The header has a quote inside a name that doesn't begin with one");
        return stop(r);
    }
    *ret_given = fed == CSV_ROW || fed == CSV_STRAY_QUOTE;
    switch (fed) {
    case CSV_MORE: return ROW_READ;
    case CSV_ROW: return csv_row(r, ret_row);
    case CSV_BLANK: r->in_row = false; return ROW_READ;
    case CSV_STRAY_QUOTE: return csv_stray(r, line, ret_row);
    case CSV_LOST: return csv_lost(r);
    case CSV_NO_MEMORY: break;
    }
    return no_memory(r);
}

static enum row_status csv_end(struct row_reader *r, struct row *ret_row) {
    if (r->quoted) {
        return csv_unclosed(r);
    }
    if (r->too_long) {
        return csv_fields_drop(&r->fields) ? give(r, SPAN(""), ret_row) : no_memory(r);
    }
    if (r->format == ROWS_CSV && !r->fields.has_header) {
        (void)snprintf(r->why, sizeof r->why, "There is no header: the first line has to name the columns");
        return stop(r);
    }
    return ROW_END;
}

/* A row until it is given out, or the header until it is read. */
static enum row_status next_csv(struct row_reader *r, struct row *ret_row) {
    bool had_header = r->fields.has_header;
    for (;;) {
        struct span line;
        if (!r->in_row) {
            begin_row(r);
        }
        enum row_status status = next_line(r, &line);
        if (status == ROW_END) {
            return csv_end(r, ret_row);
        }
        if (status != ROW_READ) {
            return status;
        }
        r->in_row = true;
        if (r->too_long) {
            if (!r->fields.has_header) {
                (void)snprintf(r->why, sizeof r->why, "The header is longer than %zu bytes", ROW_SIZE_MAX);
                return stop(r);
            }
            if (csv_passed_over(r, line)) {
                return csv_fields_drop(&r->fields) ? give(r, SPAN(""), ret_row) : no_memory(r);
            }
            continue;
        }
        bool given = false;
        status = csv_line(r, line, &given, ret_row);
        if (status != ROW_READ || given || had_header != r->fields.has_header) {
            return status;
        }
    }
}

/* Passes over a byte order mark at the very beginning. row_lines_peek() gives all of its bytes, unless the text is
 * shorter. */
static enum row_status begin(struct row_reader *r) {
    static const char mark[] = "\xEF\xBB\xBF";
    struct span beginning;
    enum line_status status = row_lines_peek(&r->lines, sizeof mark - 1, &beginning);
    if (status == LINE_WAIT) {
        return ROW_WAIT;
    }
    if (status == LINE_BROKEN) {
        return broken(r, r->lines.why);
    }
    if (beginning.len >= sizeof mark - 1 && memcmp(beginning.data, mark, sizeof mark - 1) == 0) {
        row_lines_go_to(&r->lines, sizeof mark - 1, 1);
    }
    r->has_begun = true;
    return ROW_READ;
}

/* Goes to where an earlier reader was: a newline, or the mark at the beginning, stands before it. */
static enum row_status go_on(struct row_reader *r) {
    struct span before;
    struct row_place place = r->next;
    if (place.offset > row_lines_offset(&r->lines)) {
        row_lines_go_to(&r->lines, place.offset - 1, place.line);
        enum line_status status = row_lines_peek(&r->lines, 2, &before);
        if (status == LINE_WAIT) {
            return ROW_WAIT;
        }
        if (status == LINE_BROKEN) {
            return broken(r, r->lines.why);
        }
        bool at_end = before.len == 1; /* the last line may lack its newline */
        if (!at_end && (before.len == 0 || before.data[0] != '\n')) {
            (void)snprintf(r->why, sizeof r->why, "No line begins at byte %" PRIu64 ", where it did before",
                           place.offset);
            return stop(r);
        }
        row_lines_go_to(&r->lines, place.offset, place.line);
    }
    r->goes_on = false;
    return ROW_READ;
}

enum row_status row_reader_next(struct row_reader *r, struct row *ret_row) {
    enum row_status status = r->broken ? ROW_BROKEN : r->has_begun ? ROW_READ : begin(r);
    if (status == ROW_READ && r->format == ROWS_CSV && !r->fields.has_header) {
        struct row_place place = r->next;
        status = next_csv(r, ret_row);
        r->next = r->goes_on ? place : r->next;
    }
    if (status == ROW_READ && r->goes_on) {
        status = go_on(r);
    }
    if (status != ROW_READ) {
        return status;
    }
    return r->format == ROWS_CSV ? next_csv(r, ret_row) : next_json(r, ret_row);
}
