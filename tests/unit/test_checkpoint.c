#include "checkpoint.h"

#include "buf.h"
#include "checkpoint_text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define TEMPLATE "/tmp/checkpoint.XXXXXX"

static char folder[] = TEMPLATE;
static char path[64], file[64];
static const struct file_identity identity = {1234, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"};

static void write_file(const char *name, const char *text, size_t len) {
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    assert_int_equal(close(fd), 0);
}

static size_t read_file(char *room, size_t size) {
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t n = read(fd, room, size);
    assert_true(n >= 0);
    assert_int_equal(close(fd), 0);
    return (size_t)n;
}

static void assert_opens(enum checkpoint_status expected, const char *job, const struct file_identity *of,
                         const char *why) {
    struct checkpoint c;
    char text[CHECKPOINT_WHY_SIZE] = "";
    assert_int_equal(checkpoint_open(&c, path, job, of, text), expected);
    if (!strstr(text, why)) {
        fail_msg("\"%s\" is no part of: %s", why, text);
    }
    checkpoint_close(&c);
}

static void make(uint64_t row) {
    struct checkpoint c;
    char why[CHECKPOINT_WHY_SIZE];
    (void)unlink(path);
    assert_int_equal(checkpoint_open(&c, path, "job", &identity, why), CHECKPOINT_FINE);
    assert_false(c.goes_on);
    assert_int_equal(c.state.next.number, 1);
    c.state = (struct job_state){.next = {row, 2 * row, 100 * row}, .rejected = 3, .began = 1700000000000000};
    assert_int_equal(checkpoint_write(&c, why), CHECKPOINT_KEPT);
    checkpoint_close(&c);
}

static void a_job_goes_on_where_its_checkpoint_says(void **state) {
    (void)state;
    struct checkpoint c;
    char why[CHECKPOINT_WHY_SIZE];
    make(UINT64_MAX / 200);
    assert_int_equal(checkpoint_open(&c, path, "job", &identity, why), CHECKPOINT_FINE);
    assert_true(c.goes_on);
    assert_int_equal(c.state.next.number, UINT64_MAX / 200);
    assert_int_equal(c.state.next.line, UINT64_MAX / 200 * 2);
    assert_int_equal(c.state.next.offset, UINT64_MAX / 200 * 100);
    assert_int_equal(c.state.rejected, 3);
    assert_int_equal(c.state.began, 1700000000000000);
    checkpoint_close(&c);
}

static void one_process_at_a_time_has_it(void **state) {
    (void)state;
    struct checkpoint c;
    char why[CHECKPOINT_WHY_SIZE];
    make(7);
    assert_int_equal(checkpoint_open(&c, path, "job", &identity, why), CHECKPOINT_FINE);
    assert_opens(CHECKPOINT_BUSY, "job", &identity, "Another process is at this job");
    assert_int_equal(checkpoint_write(&c, why), CHECKPOINT_KEPT); /* another file stands there now, and is as busy */
    assert_opens(CHECKPOINT_BUSY, "job", &identity, "Another process is at this job");
    checkpoint_close(&c);
    assert_opens(CHECKPOINT_FINE, "job", &identity, "");
}

static void one_of_another_job_or_file_is_unfit(void **state) {
    (void)state;
    struct file_identity other = identity;
    make(7);
    assert_opens(CHECKPOINT_UNFIT, "other", &identity, "is another job's; to begin anew");
    other.size++;
    assert_opens(CHECKPOINT_UNFIT, "job", &other, "is of another file");
    other = identity;
    other.sha256[63] = '0';
    assert_opens(CHECKPOINT_UNFIT, "job", &other, "is of another file");
    assert_opens(CHECKPOINT_FINE, "job", &identity, "");
}

static void damage_anywhere_is_seen(void **state) {
    (void)state;
    char good[4096], bad[4096];
    make(7);
    size_t len = read_file(good, sizeof good);
    for (size_t i = 0; i < len; i++) {
        memcpy(bad, good, len);
        bad[i] ^= 1;
        write_file(path, bad, len);
        assert_opens(CHECKPOINT_UNFIT, "job", &identity, "to begin anew");
        write_file(path, good, i ? i : 1);
        assert_opens(CHECKPOINT_UNFIT, "job", &identity, "is damaged");
    }
    memset(bad, 'x', sizeof bad);
    write_file(path, bad, sizeof bad);
    assert_opens(CHECKPOINT_UNFIT, "job", &identity, "is damaged");
    write_file(path, good, len);
    assert_opens(CHECKPOINT_FINE, "job", &identity, "");
}

static void one_of_a_later_version_is_left_alone(void **state) {
    (void)state;

    char text[128];
    /* Its checksum is right: what stands before it, as this version has it, too. */
    struct buf out = {.data = text, .capacity = sizeof text, .max = sizeof text - 1, .lent = true};
    struct span before = SPAN("{\"version\":2,\"job\":\"job\"");
    buf_append_span(&out, before);
    buf_printf(&out, ",\"check\":\"%08x\"}\n", digest_crc32(before));
    write_file(path, text, out.len);
    assert_opens(CHECKPOINT_UNFIT, "job", &identity, "another version");
}

static void one_that_is_begun_is_whole_from_the_first_moment(void **state) {
    (void)state;
    struct checkpoint c;
    char why[CHECKPOINT_WHY_SIZE];
    write_file(path, "", 0);
    assert_opens(CHECKPOINT_UNFIT, "job", &identity, "is damaged; to begin anew");
    (void)unlink(path);
    assert_int_equal(checkpoint_open(&c, path, "job", &identity, why), CHECKPOINT_FINE);
    assert_false(c.goes_on); /* though there is one now */
    checkpoint_close(&c);
    assert_int_equal(checkpoint_open(&c, path, "job", &identity, why), CHECKPOINT_FINE);
    assert_true(c.goes_on);
    checkpoint_close(&c);
}

static void a_job_goes_on_as_it_was_begun(void **state) {
    (void)state;
    struct checkpoint c;
    char why[CHECKPOINT_WHY_SIZE], longest[JOB_CONDITION_SIZE];
    memset(longest, '\\', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    const char *const conditions[] = {"", "a = \"x\"", longest};
    for (size_t i = 0; i < 2 * ARRAY_LENGTH(conditions); i++) {
        struct job_manner manner = {.any_table = i % 2 == 1, .format = ROWS_CSV};
        (void)snprintf(manner.condition, sizeof manner.condition, "%s", conditions[i / 2]);
        (void)unlink(path);
        assert_int_equal(checkpoint_open(&c, path, "job", &identity, why), CHECKPOINT_FINE);
        assert_int_equal(checkpoint_keep_manner(&c, &manner, why), CHECKPOINT_FINE);
        checkpoint_close(&c);
        assert_int_equal(checkpoint_read(&c, path, "job", &identity, why), CHECKPOINT_FINE);
        assert_true(c.manner.known && c.manner.format == ROWS_CSV && c.manner.any_table == manner.any_table);
        assert_string_equal(c.manner.condition, manner.condition);
        assert_int_equal(checkpoint_open(&c, path, "job", &identity, why), CHECKPOINT_FINE);
        assert_int_equal(checkpoint_keep_manner(&c, &manner, why), CHECKPOINT_FINE);
        manner.format = ROWS_JSON;
        assert_int_equal(checkpoint_keep_manner(&c, &manner, why), CHECKPOINT_UNFIT);
        assert_non_null(strstr(why, "another --format; to begin anew"));
        manner.format = ROWS_CSV;
        (void)snprintf(manner.condition, sizeof manner.condition, "b = 1");
        assert_int_equal(checkpoint_keep_manner(&c, &manner, why), CHECKPOINT_UNFIT);
        assert_non_null(strstr(why, "another --condition, or with none; to begin anew"));
        checkpoint_close(&c);
    }
}

static void what_cannot_be_written_is_told_and_what_stood_still_stands(void **state) {
    (void)state;
    struct checkpoint c;
    char why[CHECKPOINT_WHY_SIZE], before[4096], after[4096], blocked[80];
    make(7);
    size_t len = read_file(before, sizeof before);
    assert_int_equal(checkpoint_open(&c, path, "job", &identity, why), CHECKPOINT_FINE);
    (void)snprintf(blocked, sizeof blocked, "%s.new", path);
    assert_int_equal(mkdir(blocked, 0700), 0);
    c.state.next.number = 9;
    assert_int_equal(checkpoint_write(&c, why), CHECKPOINT_UNCHANGED);
    assert_non_null(strstr(why, "can't be written: Is a directory"));
    assert_int_equal(rmdir(blocked), 0);
    assert_int_equal(read_file(after, sizeof after), len);
    assert_memory_equal(after, before, len);
    checkpoint_close(&c);
}

/* One more file can be opened, and then no folder. */
static void what_is_written_and_may_not_outlive_the_machine_is_told_and_stands(void **state) {
    (void)state;
    struct checkpoint c;
    struct rlimit before, few;
    char why[CHECKPOINT_WHY_SIZE];
    make(7);
    assert_int_equal(checkpoint_open(&c, path, "job", &identity, why), CHECKPOINT_FINE);
    c.state.next.number = 9;
    int held = c.fd, free_one = dup(held);
    assert_true(free_one >= 0);
    assert_int_equal(close(free_one), 0);
    c.fd = -1; /* else closing it would make room for the folder */
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = (struct rlimit){.rlim_cur = (rlim_t)free_one + 1, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    enum checkpoint_written written = checkpoint_write(&c, why);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(close(held), 0);
    assert_int_equal(written, CHECKPOINT_UNSURE);
    assert_non_null(strstr(why, "is written, but its folder can't be brought to the disk: Too many open files; a crash "
                                "of the machine could bring the one before it back"));
    assert_opens(CHECKPOINT_BUSY, "job", &identity, "Another process is at this job"); /* ours is the new file's lock */
    checkpoint_close(&c);
    assert_int_equal(checkpoint_read(&c, path, "job", &identity, why), CHECKPOINT_FINE);
    assert_int_equal(c.state.next.number, 9);
}

static void reading_alone_takes_nothing(void **state) {
    (void)state;
    struct checkpoint c, other;
    char why[CHECKPOINT_WHY_SIZE];
    make(7);
    assert_int_equal(checkpoint_open(&c, path, "job", &identity, why), CHECKPOINT_FINE);
    assert_int_equal(checkpoint_read(&other, path, "job", &identity, why), CHECKPOINT_FINE);
    assert_int_equal(other.state.next.number, 7);
    checkpoint_close(&c);
    (void)unlink(path);
    assert_int_equal(checkpoint_read(&other, path, "job", &identity, why), CHECKPOINT_FINE);
    assert_int_equal(other.state.next.number, 1);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_name_is_short_and_has_no_slash(void **state) {
    (void)state;
    char name[JOB_NAME_MAX + 2];
    memset(name, 'x', sizeof name);
    name[JOB_NAME_MAX + 1] = '\0';
    assert_false(job_name_valid(name));
    name[JOB_NAME_MAX] = '\0';
    assert_true(job_name_valid(name));
    assert_true(job_name_valid("Preise für 2026: alle"));
    static const char *const bad[] = {"", "a/b", "/", "a\nb", "\x7f", "\xff", "a\xC3"};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        assert_false(job_name_valid(bad[i]));
    }
}

static void it_stands_beside_the_file(void **state) {
    (void)state;
    char where[CHECKPOINT_PATH_SIZE], longest[CHECKPOINT_PATH_SIZE];
    assert_true(checkpoint_default_path("rows.csv", "j", where));
    assert_string_equal(where, "j.table-updater-job");
    assert_true(checkpoint_default_path("/data/x/rows.csv", "j", where));
    assert_string_equal(where, "/data/x/j.table-updater-job");
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    longest[sizeof longest - 3] = '/';
    assert_false(checkpoint_default_path(longest, "j", where));
}

static void a_file_is_known_by_its_size_and_its_ends(void **state) {
    (void)state;
    struct file_identity first, second;
    char why[CHECKPOINT_WHY_SIZE];
    struct digest *digest = digest_new();
    size_t len = (size_t)5 << 20;
    char *text = calloc(1, len);
    assert_non_null(text);
    assert_non_null(digest);
    write_file(file, text, len);
    assert_true(file_identity_read(file, digest, &first, why));
    assert_int_equal(first.size, len);
    static const struct {
        size_t at;
        bool seen;
    } changes[] = {
        {0, true}, {((size_t)1 << 20) - 1, true}, {(size_t)1 << 20, false}, {((size_t)4 << 20), true}, {0, true}};
    for (size_t i = 0; i < ARRAY_LENGTH(changes); i++) {
        text[changes[i].at] = 1;
        write_file(file, text, len);
        assert_true(file_identity_read(file, digest, &second, why));
        assert_int_equal(strcmp(first.sha256, second.sha256) != 0, changes[i].seen);
        text[changes[i].at] = 0;
    }
    write_file(file, text, 10);
    assert_true(file_identity_read(file, digest, &second, why));
    assert_int_equal(second.size, 10);
    assert_false(file_identity_read(folder, digest, &second, why));
    assert_non_null(strstr(why, "a regular file"));
    assert_false(file_identity_read("/nowhere/x", digest, &second, why));
    assert_non_null(strstr(why, "No such file"));
    free(text);
    digest_free(digest);
}

static int make_folder(void **state) {
    (void)state;
    memcpy(folder, "/tmp/checkpoint.XXXXXX", sizeof folder); /* some runners make it more than once */
    memcpy(folder, TEMPLATE, sizeof folder); /* it may be made more than once */
    bool fine = mkdtemp(folder) != NULL;
    (void)snprintf(path, sizeof path, "%s/job", folder);
    (void)snprintf(file, sizeof file, "%s/file", folder);
    return !fine;
}

static int remove_folder(void **state) {
    (void)state;
    (void)unlink(path);
    (void)unlink(file);
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_goes_on_where_its_checkpoint_says),
        cmocka_unit_test(one_process_at_a_time_has_it),
        cmocka_unit_test(one_of_another_job_or_file_is_unfit),
        cmocka_unit_test(damage_anywhere_is_seen),
        cmocka_unit_test(one_of_a_later_version_is_left_alone),
        cmocka_unit_test(one_that_is_begun_is_whole_from_the_first_moment),
        cmocka_unit_test(a_job_goes_on_as_it_was_begun),
        cmocka_unit_test(what_cannot_be_written_is_told_and_what_stood_still_stands),
        cmocka_unit_test(what_is_written_and_may_not_outlive_the_machine_is_told_and_stands),
        cmocka_unit_test(reading_alone_takes_nothing),
        cmocka_unit_test(a_name_is_short_and_has_no_slash),
        cmocka_unit_test(it_stands_beside_the_file),
        cmocka_unit_test(a_file_is_known_by_its_size_and_its_ends),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
