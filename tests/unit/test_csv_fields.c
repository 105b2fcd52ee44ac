#include "csv_fields.h"

#include "random.h"
#include "row_reader.h"
#include "update_fixture.h"
#include "update_plain.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROWS 1000
#define TEXT_MAX ((size_t)1 << 20)

/* Two readers of one text: one makes each row's message, the other isn't asked for those of rows that are alike. */
struct readers {
    struct row_source *sources[2];
    struct row_reader *whole, *quick;
    struct update_pattern pattern;
    size_t message_max;
    unsigned rows, alike, refused, refused_before_alike;
    bool last_refused;
};

static struct row_reader *open_reader(struct span text, struct row_source **ret_source) {
    char name[64], why[ROW_SOURCE_WHY_SIZE];
    int fd = memfd_create("rows", 0);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text.data, text.len), (ssize_t)text.len);
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    *ret_source = row_source_open(name, why);
    assert_non_null(*ret_source);
    assert_int_equal(close(fd), 0);
    struct row_reader *reader =
        row_reader_new(&(struct row_reader_options){.source = *ret_source, .format = ROWS_CSV, .table = NULL});
    assert_non_null(reader);
    return reader;
}

static bool is_plain(const struct fixture *f, struct readers *r, const struct row *row) {
    struct update_plain plain;
    return !row->failure && update_is_plain(&f->context, row->message, &r->pattern, &plain);
}

static void assert_same_row(const struct fixture *f, struct readers *r, const struct row *whole,
                            const struct row *quick) {
    assert_memory_equal(&whole->place, &quick->place, sizeof whole->place);
    assert_true(span_equal(whole->text, quick->text));
    assert_false(whole->alike);
    if (quick->alike) {
        assert_null(quick->failure);
        assert_true(is_plain(f, r, whole));
        assert_true(whole->message.len <= r->message_max);
        r->refused_before_alike += r->last_refused;
    } else {
        assert_int_equal(whole->failure != NULL, quick->failure != NULL);
        if (whole->failure && quick->failure) {
            assert_string_equal(whole->failure->message.data, quick->failure->message.data);
        } else {
            assert_true(span_equal(whole->message, quick->message));
        }
    }
    r->last_refused = quick->failure != NULL;
    r->rows++;
    r->alike += quick->alike;
    r->refused += quick->failure != NULL;
}

static struct readers compare(const struct fixture *f, struct span text, size_t message_max) {
    struct readers r = {.message_max = message_max};
    struct row whole, quick;
    r.whole = open_reader(text, &r.sources[0]);
    r.quick = open_reader(text, &r.sources[1]);
    enum row_status status;
    while ((status = row_reader_next(r.whole, &whole)) == ROW_READ) {
        assert_int_equal(row_reader_next(r.quick, &quick), ROW_READ);
        assert_same_row(f, &r, &whole, &quick);
        if (is_plain(f, &r, &whole)) {
            row_reader_found_plain(r.quick, message_max);
        }
    }
    assert_int_equal(row_reader_next(r.quick, &quick), status);
    row_reader_free(r.whole);
    row_reader_free(r.quick);
    row_source_free(r.sources[0]);
    row_source_free(r.sources[1]);
    return r;
}

static void fixture_of_any_table(struct fixture *f) {
    fixture_init(f);
    memset(&f->table, 0, sizeof f->table);
    f->table.any_key = true;
}

static const char *any_of(struct random *random, const char *const *of, size_t count) {
    /* The first of them mostly. */
    return random_below(random, 3) > 0 ? of[0] : of[random_below(random, count)];
}

static void append_rows(struct random *random, struct buf *out) {
    static const char *const ids[] = {"user-1", "7", "", "x y", "\xC3\xA9"},
                             *const texts[] = {"plain text",
                                               "",
                                               "\"a,b\"",
                                               "\"say \"\"x\"\"\"",
                                               "\xC3\xA9",
                                               " y ",
                                               "\\",
                                               "\x01",
                                               "a\"b",
                                               "\"\"",
                                               "\"two\nlines\"",
                                               "\xFF",
                                               "x\r",
                                               "sixteen bytes ok",
                                               "exactly fifteen",
                                               "a text that is longer than two blocks of bytes"},
                             *const numbers[] = {"1",
                                                 "-2.5",
                                                 "01",
                                                 "x",
                                                 "",
                                                 "1e5",
                                                 "1E5",
                                                 " 1",
                                                 "-",
                                                 "1.",
                                                 "12345678901234567890123456789012345678",
                                                 "123456789012345678901234567890123456789"},
                             *const booleans[] = {"true", "false", "", "True", "1", "true "},
                             *const ends[] = {"\n", "\r\n", ",z\n", "\n\n", ",\n"};
    for (unsigned i = 0; i < ROWS; i++) {
        (void)buf_printf(out, "%s,%s,%s,%s%s", any_of(random, ids, ARRAY_LENGTH(ids)),
                         any_of(random, texts, ARRAY_LENGTH(texts)), any_of(random, numbers, ARRAY_LENGTH(numbers)),
                         any_of(random, booleans, ARRAY_LENGTH(booleans)), any_of(random, ends, ARRAY_LENGTH(ends)));
    }
    assert_true(buf_ok(out));
}

static void a_row_that_is_alike_is_one_whose_message_is_plain(void **state) {
    (void)state;
    static const char *const headers[] = {"id,text,n:N,b:BOOL\n", "a,id,n:N,b:BOOL\n", "a,b,id:N,n\n"};
    struct fixture f;
    struct random random;
    struct buf text;
    fixture_of_any_table(&f);
    random_seed(&random, 11);
    buf_init(&text, TEXT_MAX);
    for (unsigned i = 0; i < ARRAY_LENGTH(headers); i++) {
        buf_reset(&text);
        (void)buf_append_cstr(&text, headers[i]);
        append_rows(&random, &text);
        struct readers r = compare(&f, buf_span(&text), 100000);
        assert_true(r.alike > ROWS / 20 && r.refused > ROWS / 20 && r.refused_before_alike > 10);
    }
    buf_free(&text);
    fixture_done(&f);
}

static void names_that_no_row_has_shown_yet_are_looked_at_first(void **state) {
    (void)state;
    struct fixture f;
    fixture_of_any_table(&f);
    fixture_add_index_key(&f, "email", KEY_STRING);
    /* Without an email the row is plain; with one it is for the reading. */
    struct readers r = compare(&f, SPAN("id,a,email\nx,1,\nx,1,y\nx,1,y\nx,1,y\n"), 100000);
    assert_int_equal(r.rows, 4);
    assert_int_equal(r.alike, 0);
    r = compare(&f, SPAN("id,a,b\nx,1,\nx,1,y\nx,1,y\nx,1,y\n"), 100000);
    assert_int_equal(r.alike, 2);
    fixture_done(&f);
}

static void a_message_that_may_be_too_large_is_made(void **state) {
    (void)state;
    struct fixture f;
    struct buf text;
    fixture_of_any_table(&f);
    buf_init(&text, TEXT_MAX);
    (void)buf_append_cstr(&text, "id,text\nx,y\n");
    for (int len = 1; len <= 300; len++) {
        (void)buf_printf(&text, "x,%0*d\n", len, 0);
    }
    assert_true(buf_ok(&text));
    for (size_t most = 0; most < 400; most += 21) {
        (void)compare(&f, buf_span(&text), most); /* asserts that none that is alike is larger */
    }
    assert_int_equal(compare(&f, buf_span(&text), 400).alike, 300);
    buf_reset(&text);
    (void)buf_printf(&text, "id,text\nx,y\nx,%020000d\n%01024d,y\n%01025d,y\n", 0, 0, 0);
    assert_int_equal(compare(&f, buf_span(&text), 100000).alike, 1);
    buf_free(&text);
    fixture_done(&f);
}

static void json_columns_are_always_read(void **state) {
    (void)state;
    struct fixture f;
    fixture_of_any_table(&f);
    struct readers r = compare(&f, SPAN("id,a:JSON\nx,1\nx,1\nx,{}\nx,1\n"), 100000);
    assert_int_equal(r.rows, 4);
    assert_int_equal(r.alike, 0);
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_that_is_alike_is_one_whose_message_is_plain),
        cmocka_unit_test(names_that_no_row_has_shown_yet_are_looked_at_first),
        cmocka_unit_test(a_message_that_may_be_too_large_is_made),
        cmocka_unit_test(json_columns_are_always_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
