#include "row_reader.h"

#include "buf.h"
#include "random.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct table_shape plain_table = {.name = "t", .partition = {"user", KEY_STRING}};
static struct table_shape sorted_table = {.name = "t", .partition = {"user", KEY_STRING}, .sort = {"at", KEY_NUMBER}};

struct reading {
    struct row_source *source;
    struct row_reader *reader;
    int pipe_end;
};

static void append_row(const struct row *row, struct buf *out) {
    buf_printf(out, "%" PRIu64 "@%" PRIu64 " ", row->place.number, row->place.line);
    if (row->failure) {
        buf_append_char(out, '!');
        buf_append_span(out, buf_span(&row->failure->message));
    } else {
        buf_append_span(out, row->message);
    }
    buf_append_char(out, '|');
}

/* Reads on until there is nothing to be read at once. */
static enum row_status read_some(struct row_reader *r, struct buf *out) {
    struct row row;
    enum row_status status;
    while ((status = row_reader_next(r, &row)) == ROW_READ) {
        append_row(&row, out);
    }
    return status;
}

static struct reading start_reading(enum row_format format, const struct table_shape *table) {
    int ends[2];
    char name[64], why[ROW_SOURCE_WHY_SIZE];
    struct reading reading = {0};
    assert_int_equal(pipe(ends), 0);
    (void)snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
    reading.source = row_source_open(name, why);
    assert_non_null(reading.source);
    assert_int_equal(close(ends[0]), 0);
    reading.pipe_end = ends[1];
    reading.reader =
        row_reader_new(&(struct row_reader_options){.source = reading.source, .format = format, .table = table});
    assert_non_null(reading.reader);
    return reading;
}

static void end_reading(struct reading *reading) {
    row_reader_free(reading->reader);
    row_source_free(reading->source);
}

/* What is read of the text, of which `piece` bytes come at a time: rows as "number@line message|", failures with a '!',
 * and behind them why it was broken. */
static void assert_reads_in(size_t piece, enum row_format format, const struct table_shape *table, struct span text,
                            const char *expected) {
    struct reading reading = start_reading(format, table);
    struct buf out;
    buf_init(&out, (size_t)64 << 20);
    for (size_t at = 0; at < text.len; at += piece) {
        size_t len = text.len - at < piece ? text.len - at : piece;
        assert_int_equal(write(reading.pipe_end, text.data + at, len), (ssize_t)len);
        enum row_status status = read_some(reading.reader, &out);
        assert_true(status == ROW_WAIT || status == ROW_BROKEN);
    }
    assert_int_equal(close(reading.pipe_end), 0);
    if (read_some(reading.reader, &out) == ROW_BROKEN) {
        buf_append_cstr(&out, row_reader_why(reading.reader));
    }
    assert_true(buf_ok(&out));
    assert_string_equal(out.data ? out.data : "", expected);
    buf_free(&out);
    end_reading(&reading);
}

static void assert_reads(enum row_format format, const struct table_shape *table, struct span text,
                         const char *expected) {
    static const size_t pieces[] = {60000, 1, 7};
    for (size_t i = 0; i < ARRAY_LENGTH(pieces); i++) {
        assert_reads_in(pieces[i], format, table, text, expected);
    }
}

#define JSON(text, expected) assert_reads(ROWS_JSON, NULL, SPAN(text), expected)
#define CSV(text, expected) assert_reads(ROWS_CSV, NULL, SPAN(text), expected)

static void json_lines_are_rows_and_blank_ones_are_none(void **state) {
    (void)state;
    JSON("", "");
    JSON("\n \t\r\n", "");
    JSON("{\"id\":1}\n\n  \n{\"id\":2}\r\n{\"id\":3}", "1@1 {\"id\":1}|2@4 {\"id\":2}|3@5 {\"id\":3}|");
    JSON("no json\n{", "1@1 no json|2@2 {|");
}

/* What is read of one row of four fields, of which the last is `last`. */
static void read_row(struct span fields, const char *last, struct buf *out) {
    struct reading reading = start_reading(ROWS_CSV, NULL);
    struct buf text;
    buf_init(&text, 1000);
    (void)buf_append_cstr(&text, "id,a,b:N,c\n");
    (void)buf_append_span(&text, fields);
    (void)buf_append_cstr(&text, last);
    assert_true(buf_append_char(&text, '\n'));
    assert_int_equal(write(reading.pipe_end, text.data, text.len), (ssize_t)text.len);
    assert_int_equal(close(reading.pipe_end), 0);
    buf_reset(out);
    assert_int_equal(read_some(reading.reader, out), ROW_END);
    assert_true(buf_ok(out));
    buf_free(&text);
    end_reading(&reading);
}

static void a_row_without_quotes_reads_as_one_with_quotes(void **state) {
    (void)state;
    static const char bytes[] = ",,,,,,abc019.e- \t\r\\\xC3\xA9\x01:{}"; /* its NUL as well */
    struct random random;
    struct buf bare, quoted;
    random_seed(&random, 5);
    buf_init(&bare, 2000);
    buf_init(&quoted, 2000);
    for (unsigned i = 0; i < 2000; i++) {
        char fields[17];
        size_t len = (size_t)random_below(&random, sizeof fields);
        for (size_t k = 0; k < len; k++) {
            fields[k] = bytes[random_below(&random, sizeof bytes)];
        }
        fields[len] = ',';
        read_row(span_of(fields, len + 1), "z", &bare);
        read_row(span_of(fields, len + 1), "\"z\"", &quoted);
        assert_string_equal(bare.data, quoted.data);
    }
    buf_free(&bare);
    buf_free(&quoted);
}

static void a_byte_order_mark_is_passed_over_at_the_beginning_alone(void **state) {
    (void)state;
    JSON("\xEF\xBB\xBF{}\n\xEF\xBB\xBF{}\n", "1@1 {}|2@2 \xEF\xBB\xBF{}|");
    CSV("\xEF\xBB\xBF\"id\",name\n1,a\n", "1@2 {\"id\":\"1\",\"attributes\":{\"name\":\"a\"}}|");
}

static void columns_have_types(void **state) {
    (void)state;
    CSV("id,age:N,ok:BOOL,note:S,data:JSON,a:b:S\n"
        "u1,-1.50e3,true,hello,\"{\"\"a\"\":[1,null]}\",x\n"
        "u2,1,false,\"a \"\"quoted\"\"\nline\",7,y\r\n",
        "1@2 {\"id\":\"u1\",\"attributes\":{\"age\":-1.50e3,\"ok\":true,\"note\":\"hello\",\"data\":{\"a\":[1,null]},"
        "\"a:b\":\"x\"}}|"
        "2@3 {\"id\":\"u2\",\"attributes\":{\"age\":1,\"ok\":false,\"note\":\"a \\\"quoted\\\"\\nline\",\"data\":7,"
        "\"a:b\":\"y\"}}|");
}

static void an_empty_field_is_no_attribute_and_a_quoted_empty_one_is_an_empty_string(void **state) {
    (void)state;
    CSV("id,a,b,c\n1,,\"\",x\n2,,,\n3,\"\",,\"\"\r\n,1,2,3\n",
        "1@2 {\"id\":\"1\",\"attributes\":{\"b\":\"\",\"c\":\"x\"}}|2@3 {\"id\":\"2\",\"attributes\":{}}|"
        "3@4 {\"id\":\"3\",\"attributes\":{\"a\":\"\",\"c\":\"\"}}|"
        "4@5 {\"attributes\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}}|");
}

static void blanks_belong_to_the_field(void **state) {
    (void)state;
    CSV("id, a \n  1 ,\t x\n", "1@2 {\"id\":\"  1 \",\"attributes\":{\" a \":\"\\t x\"}}|");
}

static void a_carriage_return_ends_no_row_alone(void **state) {
    (void)state;
    CSV("id,a\r\n1,x\ry\r\n2,\"x\r\ny\"\r\n\r\n3,z\r\n",
        "1@2 {\"id\":\"1\",\"attributes\":{\"a\":\"x\\ry\"}}|2@3 {\"id\":\"2\",\"attributes\":{\"a\":\"x\\r\\ny\"}}|"
        "3@6 {\"id\":\"3\",\"attributes\":{\"a\":\"z\"}}|");
    CSV("id,a\r1,x\r", "The header holds a carriage return: where lines end in one alone, give what tr '\\r' '\\n' "
                       "writes");
}

static void values_that_are_not_of_their_type_are_rows_that_fail(void **state) {
    (void)state;
    CSV("id,n:N,b:BOOL,j:JSON\n1,01,true,1\n2,1 ,true,1\n3,1,True,1\n4,1,true,\"1,\"\"x\"\":2\"\n5,\"\",true,1\n"
        "6,1,true,1\n",
        "1@2 !Invalid attributes.n: the column's type is N, and this is no number as JSON has it|"
        "2@3 !Invalid attributes.n: the column's type is N, and this is no number as JSON has it|"
        "3@4 !Invalid attributes.b: the column's type is BOOL: true or false, in small letters|"
        "4@5 !Invalid attributes.j: the column's type is JSON, and this is no JSON value|"
        "5@6 !Invalid attributes.n: the column's type is N, and this is no number as JSON has it|"
        "6@7 {\"id\":\"6\",\"attributes\":{\"n\":1,\"b\":true,\"j\":1}}|");
    CSV("id:N,a\nx,y\n", "1@2 !Invalid id: the column's type is N, and this is no number as JSON has it|");
    assert_reads(ROWS_CSV, &sorted_table, SPAN("user,at,a\nx,x,y\n"),
                 "1@2 !Invalid id.at: the column's type is N, and this is no number as JSON has it|");
}

static void ragged_rows_fail_and_the_others_go_on(void **state) {
    (void)state;
    CSV("id,a\n1\n2,x,y\n\n3,z",
        "1@2 !The row has 1 field, and the header 2|2@3 !The row has 3 fields, and the header 2|"
        "3@5 {\"id\":\"3\",\"attributes\":{\"a\":\"z\"}}|");
}

static void what_is_no_text_fails_with_its_place(void **state) {
    (void)state;
    CSV("id,a\n1,\0x\n2,\xC3(\n3,z\n", "1@2 !Byte 2 of the row is a NUL, which no text has|"
                                       "2@3 !Byte 2 of the row isn't UTF-8|"
                                       "3@4 {\"id\":\"3\",\"attributes\":{\"a\":\"z\"}}|");
}

static void a_stray_quote_fails_its_row(void **state) {
    (void)state;
    CSV("id,a\n1,5\" pipe\n2,\"\"\"\"\n",
        "1@2 !A field has a quote in it, but doesn't begin with one: put the field in quotes, and double those inside|"
        "2@3 {\"id\":\"2\",\"attributes\":{\"a\":\"\\\"\"}}|");
}

static void a_quote_that_is_not_closed_is_told_with_its_row(void **state) {
    (void)state;
    CSV("id,a\n1,x\n2,\"y\n3,z\n4,w\n", "1@2 {\"id\":\"1\",\"attributes\":{\"a\":\"x\"}}|A quoted field isn't closed, "
                                        "in row 2, which begins at line 3: "
                                        "close it with a quote, and double the quotes inside it");
}

static void what_stands_behind_a_closing_quote_ends_the_reading(void **state) {
    (void)state;
    CSV("id,a\n1,x\n2,\"say \"hi\"\n3,z\n",
        "1@2 {\"id\":\"1\",\"attributes\":{\"a\":\"x\"}}|Something stands behind a field's closing quote, at line 3, "
        "in "
        "row 2, which begins at line 3: double the quotes inside quoted fields. Where that row ends can't be known, so "
        "nothing behind it was read");
}

static void key_columns_are_the_tables(void **state) {
    (void)state;
    assert_reads(ROWS_CSV, &plain_table, SPAN("name,user\nn,u\n"),
                 "1@2 {\"id\":\"u\",\"attributes\":{\"name\":\"n\"}}|");
    assert_reads(ROWS_CSV, &plain_table, SPAN("id,user\n1,u\n"), "1@2 {\"id\":\"u\",\"attributes\":{\"id\":\"1\"}}|");
    assert_reads(ROWS_CSV, &sorted_table, SPAN("at,name,user\n7,n,u\n,n,u\n"),
                 "1@2 {\"id\":{\"at\":7,\"user\":\"u\"},\"attributes\":{\"name\":\"n\"}}|"
                 "2@3 {\"id\":{\"user\":\"u\"},\"attributes\":{\"name\":\"n\"}}|");
}

static void a_header_that_does_not_fit_is_told(void **state) {
    (void)state;
    static const struct {
        struct span text;
        const struct table_shape *table;
        const char *why;
    } cases[] = {
        {SPAN(""), NULL, "There is no header: the first line has to name the columns"},
        {SPAN("id,a:X\n"), NULL,
         "The header's column a:X has a type that isn't S, N, BOOL or JSON; where the colon is part of its name, add "
         ":S"},
        {SPAN("id,\n"), NULL, "Column 2 has no name in the header"},
        {SPAN("id,:N\n"), NULL, "Column 2 has no name in the header"},
        {SPAN("id,a,b:N,a:N\n"), NULL, "The header has two columns a"},
        {SPAN("name\n"), NULL,
         "The header has no column id, which is the key's name where TABLE_NAME doesn't say another"},
        {SPAN("id;name\n"), NULL,
         "The header has no column id, which is the key's name where TABLE_NAME doesn't say another. It is one column "
         "with semicolons in it: put commas between columns"},
        {SPAN("user\tname\n"), &plain_table,
         "The header has no column user, which is the table's key. It is one column with tabs in it: put commas "
         "between "
         "columns"},
        {SPAN("id\n"), NULL, "The header has no column besides the key's: there is nothing to update"},
        {SPAN("id:BOOL,a\n"), NULL, "The key's column id can't be BOOL"},
        {SPAN("id,a\"b\n"), NULL, "The header has a quote inside a name that doesn't begin with one"},
        {SPAN("id,\xFF\n"), NULL, "The header isn't UTF-8 text"},
        {SPAN("user,name\n"), &sorted_table, "The header has no column at, which is the table's key"},
        {SPAN("user,name,at:S\n"), &sorted_table,
         "The column at is a key of the table, whose type there is N: leave the type out"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct reading reading = start_reading(ROWS_CSV, cases[i].table);
        struct row row;
        assert_int_equal(write(reading.pipe_end, cases[i].text.data, cases[i].text.len), (ssize_t)cases[i].text.len);
        assert_int_equal(close(reading.pipe_end), 0);
        assert_int_equal(row_reader_next(reading.reader, &row), ROW_BROKEN);
        assert_string_equal(row_reader_why(reading.reader), cases[i].why);
        end_reading(&reading);
    }
}

/* A file with a row in the middle that is longer than any may be. */
static void a_header_that_may_be_meant_otherwise_is_cautioned_of(void **state) {
    (void)state;
    static const struct {
        const char *header, *caution;
    } cases[] = {
        {"id,name", ""},
        {"id,set,remove,attributes", ""},
        {"id,a,condition_expression", "The column \"condition_expression\" is an attribute like any other, and no "
                                      "condition: that is --condition"},
        {"id,idempotency_key:S", "The column \"idempotency_key\" is an attribute like any other; members of the "
                                 "message are for JSON lines"},
        {"id, name", "The column \" name\" is an attribute like any other, with the blank in its name"},
        {"id,name ,b", "The column \"name \" is an attribute like any other, with the blank in its name"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "%s\nr,1,2,3\n", cases[i].header);
        struct reading reading = start_reading(ROWS_CSV, NULL);
        assert_int_equal(write(reading.pipe_end, text, strlen(text)), (ssize_t)strlen(text));
        assert_int_equal(close(reading.pipe_end), 0);
        struct row row;
        assert_string_equal(row_reader_caution(reading.reader), "");
        assert_int_equal(row_reader_next(reading.reader, &row), ROW_READ);
        assert_string_equal(row_reader_caution(reading.reader), cases[i].caution);
        end_reading(&reading);
    }
}

static void assert_long_row_fails(enum row_format format, const char *before, const char *open, const char *close_text,
                                  size_t filler, const char *expected) {
    char path[] = "/tmp/row_reader.XXXXXX", why[ROW_SOURCE_WHY_SIZE];
    int fd = mkstemp(path);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    assert_non_null(file);
    (void)fputs(before, file);
    (void)fputs(open, file);
    for (size_t i = 0; i < filler; i++) {
        (void)fputc(i % 1000 == 999 && format == ROWS_CSV ? '\n' : 'x', file);
    }
    (void)fputs(close_text, file);
    assert_int_equal(fclose(file), 0);
    struct row_source *source = row_source_open(path, why);
    assert_non_null(source);
    struct row_reader *reader = row_reader_new(&(struct row_reader_options){.source = source, .format = format});
    struct buf out;
    buf_init(&out, (size_t)1 << 20);
    assert_non_null(reader);
    if (read_some(reader, &out) == ROW_BROKEN) {
        buf_append_cstr(&out, row_reader_why(reader));
    }
    assert_true(buf_ok(&out));
    assert_string_equal(out.data, expected);
    buf_free(&out);
    row_reader_free(reader);
    row_source_free(source);
    assert_int_equal(unlink(path), 0);
}

#define TOO_LONG "!The row is longer than 2097152 bytes, more than any message can be: only its beginning is told|"

static void a_row_that_is_too_long_fails_and_the_others_go_on(void **state) {
    (void)state;
    assert_long_row_fails(ROWS_JSON, "{}\n", "", "\n{}\n", 5000000, "1@1 {}|2@2 " TOO_LONG "3@3 {}|");
    assert_long_row_fails(ROWS_JSON, "{}\n", "", "", 2097153, "1@1 {}|2@2 " TOO_LONG);
    assert_long_row_fails(ROWS_CSV, "id,a\n1,x\n", "2,\"", "\"\n3,z\n", 5000000,
                          "1@2 {\"id\":\"1\",\"attributes\":{\"a\":\"x\"}}|2@3 " TOO_LONG
                          "3@5004 {\"id\":\"3\",\"attributes\":{\"a\":\"z\"}}|");
    assert_long_row_fails(ROWS_CSV, "id,a\n", "1,\"", "", 5000000,
                          "A quoted field isn't closed, in row 1, which begins at line 2: close it with a quote, and "
                          "double the quotes inside it");
}

static void an_archive_that_breaks_gives_no_half_row(void **state) {
    (void)state;
    static const unsigned char cut[] = {
        0x1f, 0x8b, 8,    0,   0,   0,   0,   0,    0,   3,   1,  8,
        0,    0xf7, 0xff, 'i', 'd', ',', 'a', '\n', '1', ',', 'x'}; /* a stored block, cut */
    assert_reads_in(100, ROWS_CSV, NULL, span_of((const char *)cut, sizeof cut),
                    "The gzip archive ends too soon, at byte 23: it was cut short; row 1 would be at line 2");
}

static void a_reader_goes_on_where_another_one_was(void **state) {
    (void)state;
    static const struct {
        enum row_format format;
        struct span text;
    } cases[] = {{ROWS_CSV, SPAN("id,a\n1,x\n2,\"y\nz\"\n\n3,w\n4,v\n")},
                 {ROWS_JSON, SPAN("\xEF\xBB\xBF{\"id\":1}\n{\"id\":2}\n\n{\"id\":3}\n{\"id\":4}\n")}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        for (size_t done = 0; done <= 4; done++) {
            struct buf whole, parts;
            buf_init(&whole, 10000);
            buf_init(&parts, 10000);
            struct row row;
            struct reading first = start_reading(cases[i].format, NULL), second = start_reading(cases[i].format, NULL);
            assert_int_equal(write(first.pipe_end, cases[i].text.data, cases[i].text.len), (ssize_t)cases[i].text.len);
            assert_int_equal(write(second.pipe_end, cases[i].text.data, cases[i].text.len), (ssize_t)cases[i].text.len);
            assert_int_equal(close(first.pipe_end), 0);
            assert_int_equal(close(second.pipe_end), 0);
            for (size_t n = 0; n < done; n++) {
                assert_int_equal(row_reader_next(first.reader, &row), ROW_READ);
                append_row(&row, &whole);
                append_row(&row, &parts);
            }
            struct row_place place = row_reader_place(first.reader);
            assert_int_equal(place.number, done + 1);
            row_reader_go_on(second.reader, &place);
            assert_int_equal(read_some(first.reader, &whole), ROW_END);
            assert_int_equal(read_some(second.reader, &parts), ROW_END);
            assert_true(buf_ok(&parts) && buf_ok(&whole));
            assert_string_equal(parts.data, whole.data);
            buf_free(&whole);
            buf_free(&parts);
            end_reading(&first);
            end_reading(&second);
        }
    }
}

static void a_place_that_is_no_lines_beginning_is_told(void **state) {
    (void)state;
    struct reading reading = start_reading(ROWS_JSON, NULL);
    struct row row;
    assert_int_equal(write(reading.pipe_end, "{}\n{}\n", 6), 6);
    assert_int_equal(close(reading.pipe_end), 0);
    row_reader_go_on(reading.reader, &(struct row_place){2, 2, 4});
    assert_int_equal(row_reader_next(reading.reader, &row), ROW_BROKEN);
    assert_string_equal(row_reader_why(reading.reader), "No line begins at byte 4, where it did before");
    end_reading(&reading);
}

static void the_format_goes_by_the_name(void **state) {
    (void)state;
    assert_int_equal(row_format_of("a/b.csv"), ROWS_CSV);
    assert_int_equal(row_format_of("b.CSV.gz"), ROWS_CSV);
    assert_int_equal(row_format_of("b.csv.zst"), ROWS_CSV);
    assert_int_equal(row_format_of("csv"), ROWS_JSON);
    assert_int_equal(row_format_of("b.jsonl.gz"), ROWS_JSON);
    assert_int_equal(row_format_of("-"), ROWS_JSON);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_lines_are_rows_and_blank_ones_are_none),
        cmocka_unit_test(a_row_without_quotes_reads_as_one_with_quotes),
        cmocka_unit_test(a_byte_order_mark_is_passed_over_at_the_beginning_alone),
        cmocka_unit_test(columns_have_types),
        cmocka_unit_test(an_empty_field_is_no_attribute_and_a_quoted_empty_one_is_an_empty_string),
        cmocka_unit_test(blanks_belong_to_the_field),
        cmocka_unit_test(a_carriage_return_ends_no_row_alone),
        cmocka_unit_test(values_that_are_not_of_their_type_are_rows_that_fail),
        cmocka_unit_test(ragged_rows_fail_and_the_others_go_on),
        cmocka_unit_test(what_is_no_text_fails_with_its_place),
        cmocka_unit_test(a_stray_quote_fails_its_row),
        cmocka_unit_test(a_quote_that_is_not_closed_is_told_with_its_row),
        cmocka_unit_test(what_stands_behind_a_closing_quote_ends_the_reading),
        cmocka_unit_test(key_columns_are_the_tables),
        cmocka_unit_test(a_header_that_does_not_fit_is_told),
        cmocka_unit_test(a_header_that_may_be_meant_otherwise_is_cautioned_of),
        cmocka_unit_test(a_row_that_is_too_long_fails_and_the_others_go_on),
        cmocka_unit_test(an_archive_that_breaks_gives_no_half_row),
        cmocka_unit_test(a_reader_goes_on_where_another_one_was),
        cmocka_unit_test(a_place_that_is_no_lines_beginning_is_told),
        cmocka_unit_test(the_format_goes_by_the_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
