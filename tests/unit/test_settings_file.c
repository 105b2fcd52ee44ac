#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "buf.h"
#include "compiler.h"
#include "settings_file.h"

#include <string.h>

struct heard {
    unsigned faults, warnings, line;
};

static void hear(void *ctx, bool faulty, unsigned line, const char *sentence) {
    struct heard *heard = ctx;
    heard->faults += faulty;
    heard->warnings += !faulty;
    heard->line = line;
    assert_true(strlen(sentence) > 0);
}

/* "NAME=value|NAME=value" of what was read. */
static struct heard check(const char *text, const char *expected) {
    struct heard heard = {0};
    struct settings_file file;
    assert_true(settings_file_parse(span_cstr(text), hear, &heard, &file));
    struct buf out;
    buf_init(&out, 4096);
    for (size_t i = 0; i < file.count; i++) {
        assert_true(buf_printf(&out, "%s%s=%s", i ? "|" : "", file.entries[i].name, file.entries[i].value));
    }
    assert_string_equal(out.data ? out.data : "", expected);
    buf_free(&out);
    settings_file_free(&file);
    return heard;
}

static void values_are_read_as_systemd_reads_them(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"A=1", "A=1"},
        {"A=1\nB=2\n", "A=1|B=2"},
        {"\n\n  A=1\n\t\n", "A=1"},
        {"# A=1\n; B=2\n  # C=3\nD=4", "D=4"},
        {"A=a # no comment", "A=a # no comment"},
        {"A=", "A="},
        {"A=   \nB=x", "A=|B=x"},
        {"A =x", "A=x"},
        {"A= \t x y \t ", "A=x y"},
        {"A=x\r\nB=y\r\n", "A=x|B=y"},
        {"A=$HOME ${HOME} `id`", "A=$HOME ${HOME} `id`"},
        {"A=x=y", "A=x=y"},
        {"A=\\a\\\\\\n\\\"", "A=a\\n\""},
        {"A=x\\\n  y", "A=x  y"},
        {"A=x \\\nB=y", "A=x B=y"},
        {"A=x\\ \nB=y", "A=x |B=y"},
        {"A=\\", "A="},
        {"A=it's \"so\"", "A=it's \"so\""},
        {"A='x y'", "A=x y"},
        {"A='x\\n\"$'", "A=x\\n\"$"},
        {"A='x\n# y'\nB=z", "A=x\n# y|B=z"},
        {"A='x' \t\nB=y", "A=x|B=y"},
        {"A=\"x y\"", "A=x y"},
        {"A=\"\\\"\\\\\\`\\$\"", "A=\"\\`$"},
        {"A=\"\\n\\'\"", "A=\\n\\'"},
        {"A=\"x\\\ny\"", "A=xy"},
        {"A=\"x\ny\"", "A=x\ny"},
        {"A=''\nB=\"\"", "A=|B="},
        {"A='x' \"y\"", "A=xy"},
        {"A='x'y z ", "A=xy z"},
        {"A=1\nA=2", "A=1|A=2"},
        {"a_B9=x\n_=y", "a_B9=x|_=y"},
        {"A=\xC3\xA4", "A=\xC3\xA4"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct heard heard = check(cases[i][0], cases[i][1]);
        assert_int_equal(heard.faults + heard.warnings, 0);
    }
}

static void faults_are_told_with_their_line_and_the_rest_is_read(void **state) {
    (void)state;
    static const struct {
        const char *text, *expected;
        unsigned line;
    } cases[] = {
        {"A=1\nexport B=2\nC=3", "A=1|C=3", 2},
        {"A=1\n\n2B=x\nC=3", "A=1|C=3", 3},
        {"A-B=x", "", 1},
        {"=x=y", "", 1},
        {"A='x\ny\n", "A=x\ny\n", 1},
        {"A=1\nB=\"x\ny", "A=1|B=x\ny", 2},
        {"A=\"x\\", "A=x", 1},
        {"\xEF\xBB\xBF"
         "A=1",
         "", 1},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct heard heard = check(cases[i].text, cases[i].expected);
        assert_int_equal(heard.faults, 1);
        assert_int_equal(heard.line, cases[i].line);
    }
}

static void a_line_without_an_equals_sign_is_skipped_with_a_warning(void **state) {
    (void)state;
    struct heard heard = check("A=1\nTABLE_NAME\nB=2\nlast", "A=1|B=2");
    assert_int_equal(heard.faults, 0);
    assert_int_equal(heard.warnings, 2);
    assert_int_equal(heard.line, 4);
}

static void a_comment_that_ends_with_a_backslash_ends_there_and_is_warned_of(void **state) {
    (void)state;
    struct heard heard = check("A=1\n# C:\\\nB=2\n", "A=1|B=2");
    assert_int_equal(heard.faults, 0);
    assert_int_equal(heard.warnings, 1);
    assert_int_equal(heard.line, 2);
}

static void a_byte_that_is_no_utf8_is_warned_of_once_with_its_line(void **state) {
    (void)state;
    struct heard heard = check("# \xC3\xA9\nA=1\nB=\xE9t\xE9\nC=\xFF\n", "A=1|B=\xE9t\xE9|C=\xFF");
    assert_int_equal(heard.faults, 0);
    assert_int_equal(heard.warnings, 1);
    assert_int_equal(heard.line, 3);
}

static void a_nul_byte_makes_the_file_no_text(void **state) {
    (void)state;
    struct heard heard = {0};
    struct settings_file file;
    assert_true(settings_file_parse(SPAN("A=1\nB=\0x\n"), hear, &heard, &file));
    assert_int_equal(heard.faults, 1);
    assert_int_equal(heard.line, 2);
    assert_int_equal(file.count, 0);
    settings_file_free(&file);
}

static void of_two_lines_of_one_name_the_last_counts(void **state) {
    (void)state;
    struct heard heard = {0};
    struct settings_file file;
    assert_true(settings_file_parse(SPAN("A=1\nB=2\nA=3\n"), hear, &heard, &file));
    assert_string_equal(settings_file_get(&file, "A"), "3");
    assert_string_equal(settings_file_get(&file, "B"), "2");
    assert_null(settings_file_get(&file, "C"));
    assert_int_equal(file.entries[2].line, 3);
    settings_file_free(&file);
    settings_file_free(&file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_as_systemd_reads_them),
        cmocka_unit_test(faults_are_told_with_their_line_and_the_rest_is_read),
        cmocka_unit_test(a_line_without_an_equals_sign_is_skipped_with_a_warning),
        cmocka_unit_test(a_byte_that_is_no_utf8_is_warned_of_once_with_its_line),
        cmocka_unit_test(a_comment_that_ends_with_a_backslash_ends_there_and_is_warned_of),
        cmocka_unit_test(a_nul_byte_makes_the_file_no_text),
        cmocka_unit_test(of_two_lines_of_one_name_the_last_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
