#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "emf_file.h"
#include "kept_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char folder[64], file[96];
};

static void make_place(struct place *p) {
    (void)snprintf(p->folder, sizeof p->folder, "/tmp/test_emf_file.XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    (void)snprintf(p->file, sizeof p->file, "%s/figures", p->folder);
}

static void read_all(const char *path, char *ret_text, size_t size) {
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    ret_text[fread(ret_text, 1, size - 1, file)] = '\0';
    (void)fclose(file);
}

static void lines_are_added_and_the_file_may_be_moved(void **state) {
    (void)state;
    struct place place;
    struct log log = test_log();
    struct emf_file f;
    struct metrics m;
    char text[8192], moved[128];
    metrics_init(&m);
    make_place(&place);
    assert_true(emf_file_open(&f, place.file, &log));
    m.applied = 3;
    emf_file_write(&f, &m, "q", "t", 0);
    m.applied = 8;
    emf_file_write(&f, &m, "q", "t", 0);
    read_all(place.file, text, sizeof text);
    assert_non_null(strstr(text, "\"Applied\":3"));
    assert_non_null(strstr(text, "}\n{\"_aws\""));
    assert_non_null(strstr(text, "\"Applied\":5"));
    (void)snprintf(moved, sizeof moved, "%s.1", place.file);
    assert_int_equal(rename(place.file, moved), 0);
    emf_file_write(&f, &m, "q", "t", 0);
    read_all(place.file, text, sizeof text);
    assert_non_null(strstr(text, "\"Applied\":0"));
    assert_string_equal(logged, "");
    (void)unlink(place.file);
    (void)unlink(moved);
    (void)rmdir(place.folder);
}

static void what_could_not_be_written_comes_with_the_next_line_and_is_told_once(void **state) {
    (void)state;
    struct place place;
    struct log log = test_log();
    struct emf_file f;
    struct metrics m;
    char text[8192];
    metrics_init(&m);
    make_place(&place);
    assert_true(emf_file_open(&f, place.file, &log));
    (void)unlink(place.file);
    (void)rmdir(place.folder);
    m.applied = 2;
    emf_file_write(&f, &m, "q", "t", 0);
    m.applied = 3;
    emf_file_write(&f, &m, "q", "t", 0);
    assert_non_null(strstr(logged, "METRICS_EMF can't be written: what the line would have told"));
    assert_null(strstr(strstr(logged, "METRICS_EMF") + 1, "METRICS_EMF"));
    assert_int_equal(mkdir(place.folder, 0700), 0);
    emf_file_write(&f, &m, "q", "t", 0);
    read_all(place.file, text, sizeof text);
    assert_non_null(strstr(text, "\"Applied\":3"));
    assert_non_null(strstr(logged, "METRICS_EMF is written again"));
    (void)unlink(place.file);
    (void)rmdir(place.folder);
}

static void where_it_is_not_wanted_nothing_happens_and_a_bad_path_is_an_error(void **state) {
    (void)state;
    struct log log = test_log();
    struct emf_file f;
    struct metrics m;
    metrics_init(&m);
    assert_true(emf_file_open(&f, NULL, &log));
    emf_file_write(&f, &m, "q", "t", 0);
    assert_string_equal(logged, "");
    assert_false(emf_file_open(&f, "/nowhere/at/all", &log));
    assert_non_null(strstr(logged, "No such file or directory"));
    emf_file_write(&f, &m, "q", "t", 0);
}

static void whether_a_file_is_possible_is_seen_without_making_one(void **state) {
    (void)state;
    struct place place;
    make_place(&place);
    assert_true(emf_file_is_possible(place.file));
    assert_int_equal(access(place.file, F_OK), -1);
    assert_true(emf_file_is_possible("figures") && emf_file_is_possible("/dev/null"));
    char under[128];
    (void)snprintf(under, sizeof under, "%s/figures", place.file);
    assert_false(emf_file_is_possible(under));
    assert_int_equal(errno, ENOENT);
    assert_false(emf_file_is_possible(place.folder));
    assert_int_equal(errno, EISDIR);
    (void)rmdir(place.folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_added_and_the_file_may_be_moved),
        cmocka_unit_test(what_could_not_be_written_comes_with_the_next_line_and_is_told_once),
        cmocka_unit_test(whether_a_file_is_possible_is_seen_without_making_one),
        cmocka_unit_test(where_it_is_not_wanted_nothing_happens_and_a_bad_path_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
