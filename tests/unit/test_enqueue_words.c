#include "enqueue_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The command that goes on at this line of the file, for a command line. */
static void assert_unpacked(char **argv, unsigned file, uint64_t line, const char *unpacker, const char *expected) {
    struct cli cli;
    char why[CLI_WHY_SIZE];
    struct buf out;
    int argc = 0;
    while (argv[argc]) {
        argc++;
    }
    buf_init(&out, 10000);
    if (!cli_parse(argc, argv, &cli, why)) {
        fail_msg("%s", why);
    }
    assert_int_equal(enqueue_append_command(&cli, file, line, unpacker, &out), expected != NULL);
    if (expected) {
        assert_true(buf_ok(&out));
        assert_string_equal(out.data, expected);
    }
    buf_free(&out);
}

static void assert_goes_on(char **argv, unsigned file, uint64_t line, const char *expected) {
    assert_unpacked(argv, file, line, NULL, expected);
}

#define LINE(...) ((char *[]){(char *)"table-updater", (char *)"enqueue", __VA_ARGS__, NULL})

static void the_rest_of_a_file_is_cut_out_of_it(void **state) {
    (void)state;
    assert_goes_on(LINE((char *)"--rate", (char *)"5", (char *)"a.jsonl"), 0, 7,
                   "tail -n +7 a.jsonl | table-updater enqueue --rate 5 --format json");
    assert_unpacked(LINE((char *)"it's"), 0, 7, "gzip -dc",
                    "gzip -dc <'it'\\''s' | tail -n +7 | table-updater enqueue --format json");
    assert_unpacked(LINE((char *)"a.csv.zst"), 0, 7, "zstd -dc",
                    "{ zstd -dc <a.csv.zst | head -n 1; zstd -dc <a.csv.zst | tail -n +7; } | table-updater enqueue "
                    "--format csv");
    assert_goes_on(LINE((char *)"--strict", (char *)"--", (char *)"-a.csv"), 0, 7,
                   "{ head -n 1 ./-a.csv; tail -n +7 ./-a.csv; } | table-updater enqueue --strict --format csv");
}

static void files_behind_it_follow(void **state) {
    (void)state;
    assert_goes_on(LINE((char *)"a", (char *)"b", (char *)"--condition=x = 'y'", (char *)"c d"), 1, 3,
                   "tail -n +3 b | table-updater enqueue --condition 'x = '\\''y'\\''' --format json && table-updater "
                   "enqueue --condition 'x = '\\''y'\\''' 'c d'");
    assert_goes_on(LINE((char *)"a", (char *)"b"), 1, 1, "table-updater enqueue b");
}

static void a_job_is_called_as_it_was(void **state) {
    (void)state;
    assert_goes_on(LINE((char *)"--job", (char *)"j", (char *)"a.csv", (char *)"--queue-url", (char *)"q"), 0, 7,
                   "table-updater enqueue --queue-url q --job j a.csv");
}

static void of_standard_input_nothing_is_left(void **state) {
    (void)state;
    assert_goes_on(LINE((char *)"-"), 0, 7, NULL);
    assert_goes_on(LINE((char *)"--log"), 0, 7, NULL);
}

static void words_are_as_a_shell_takes_them(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 1000);
    append_shell_word("", &out);
    append_shell_word("a$b", &out);
    append_shell_word("a_B-9./", &out);
    assert_true(buf_ok(&out));
    assert_string_equal(out.data, "'''a$b'a_B-9./");
    buf_free(&out);
}

static void the_counts_are_one_object(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 1000);
    assert_true(enqueue_append_json(&(struct enqueuer_counts){3, 2, 1, 40}, 1.5, &out));
    assert_string_equal(out.data, "{\"rows\":3,\"sent\":2,\"rejected\":1,\"bytes\":40,\"seconds\":1.500}\n");
    buf_reset(&out);
    enqueue_append_summary(&(struct enqueuer_counts){3000, 2999, 1, 40}, 1.5, false, &out);
    assert_true(buf_ok(&out));
    assert_string_equal(out.data, "3,000 rows read, 2,999 sent, 1 rejected, in 1.5 s (2,000 rows/s)");
    buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rest_of_a_file_is_cut_out_of_it), cmocka_unit_test(files_behind_it_follow),
        cmocka_unit_test(a_job_is_called_as_it_was),           cmocka_unit_test(of_standard_input_nothing_is_left),
        cmocka_unit_test(words_are_as_a_shell_takes_them),     cmocka_unit_test(the_counts_are_one_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
