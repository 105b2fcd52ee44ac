#include "row_source.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#define TEXT_SIZE 700000

static char text[TEXT_SIZE]; /* that no single piece holds, and that packs badly */

struct made {
    char *data;
    size_t len;
};

/* One member of gzip. */
static struct made gzipped(const char *data, size_t len) {
    z_stream z = {0};
    struct made made = {.data = malloc(len + 1000)};
    assert_non_null(made.data);
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    union {
        const char *given;
        unsigned char *taken;
    } input = {.given = data}; /* zlib takes it through a pointer that isn't const */
    z.next_in = input.taken;
    z.avail_in = (uInt)len;
    z.next_out = (unsigned char *)made.data;
    z.avail_out = (uInt)len + 1000;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    made.len = len + 1000 - z.avail_out;
    assert_int_equal(deflateEnd(&z), Z_OK);
    return made;
}

static struct made zstded(const char *data, size_t len) {
    struct made made = {.data = malloc(ZSTD_compressBound(len))};
    assert_non_null(made.data);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    assert_non_null(context);
    assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)));
    made.len = ZSTD_compress2(context, made.data, ZSTD_compressBound(len), data, len);
    assert_false(ZSTD_isError(made.len));
    (void)ZSTD_freeCCtx(context);
    return made;
}

static void append(struct made *to, const char *data, size_t len) {
    to->data = realloc(to->data, to->len + len + 1);
    assert_non_null(to->data);
    memcpy(to->data + to->len, data, len);
    to->len += len;
}

static void append_made(struct made *to, struct made more) {
    append(to, more.data, more.len);
    free(more.data);
}

/* Reads a source to its end into *ret_read. */
static enum row_source_status read_all(struct row_source *s, struct made *ret_read) {
    struct span piece;
    enum row_source_status status;
    *ret_read = (struct made){0};
    while ((status = row_source_next(s, &piece)) == SOURCE_PIECE) {
        assert_true(piece.len > 0);
        append(ret_read, piece.data, piece.len);
    }
    return status;
}

#define TEMPLATE "/tmp/row_source.XXXXXX"

static char path[] = TEMPLATE;

static struct row_source *source_of(struct made file) {
    char why[ROW_SOURCE_WHY_SIZE];
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, file.data, file.len), (ssize_t)file.len);
    assert_int_equal(close(fd), 0);
    struct row_source *s = row_source_open(path, why);
    assert_non_null(s);
    assert_int_equal(row_source_size(s), file.len);
    return s;
}

static void assert_reads(struct made file, const char *expected, size_t len) {
    struct row_source *s = source_of(file);
    struct made read;
    assert_int_equal(read_all(s, &read), SOURCE_END);
    assert_int_equal(read.len, len);
    assert_memory_equal(read.data, expected, len);
    assert_int_equal(row_source_taken(s), file.len);
    free(read.data);
    row_source_free(s);
}

/* What comes before the fault is the beginning of `expected`; returns how much of it came. */
static size_t assert_breaks(struct made file, const char *expected, size_t len, const char *why) {
    struct row_source *s = source_of(file);
    struct made read;
    struct span none;
    assert_int_equal(read_all(s, &read), SOURCE_BROKEN);
    assert_true(read.len <= len);
    if (read.len) {
        assert_memory_equal(read.data, expected, read.len);
    }
    if (!strstr(row_source_why(s), why)) {
        fail_msg("\"%s\" is no part of: %s", why, row_source_why(s));
    }
    assert_int_equal(row_source_next(s, &none), SOURCE_BROKEN);
    size_t came = read.len;
    free(read.data);
    row_source_free(s);
    return came;
}

static void a_plain_file_comes_as_it_is(void **state) {
    (void)state;
    assert_reads((struct made){text, TEXT_SIZE}, text, TEXT_SIZE);
    assert_reads((struct made){text, 3}, text, 3);
    assert_reads((struct made){text, 0}, text, 0);
}

static void an_archive_is_known_by_its_first_bytes(void **state) {
    (void)state;
    struct made gzip = gzipped(text, TEXT_SIZE), zstd = zstded(text, TEXT_SIZE);
    assert_reads(gzip, text, TEXT_SIZE);
    assert_reads(zstd, text, TEXT_SIZE);
    free(gzip.data);
    free(zstd.data);
    struct made empty = gzipped(text, 0);
    assert_reads(empty, text, 0);
    free(empty.data);
}

static void members_and_frames_follow_each_other(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct made (*pack)(const char *, size_t) = i ? zstded : gzipped;
        struct made file = pack(text, 1000);
        append_made(&file, pack(text + 1000, 0));
        append_made(&file, pack(text + 1000, TEXT_SIZE - 1000));
        assert_reads(file, text, TEXT_SIZE);
        free(file.data);
    }
}

static void frames_that_are_to_be_skipped_are_passed_over(void **state) {
    (void)state;
    struct made file = {0};
    append(&file, "\x53\x2A\x4D\x18\x05\0\0\0hello", 13);
    append_made(&file, zstded(text, 1000));
    append(&file, "\x50\x2A\x4D\x18\0\0\0\0", 8);
    assert_reads(file, text, 1000);
    free(file.data);
}

static void members_behind_padding_are_read(void **state) {
    (void)state;
    char zeros[5000] = {0};
    struct made file = gzipped(text, 1000);
    append(&file, zeros, sizeof zeros);
    append_made(&file, gzipped(text + 1000, 1000));
    append(&file, zeros, 1);
    assert_reads(file, text, 2000);
    free(file.data);
}

static void what_follows_an_archive_and_is_none_is_told_with_its_place(void **state) {
    (void)state;
    char expected[64];
    struct made file = gzipped(text, 1000);
    (void)snprintf(expected, sizeof expected, "near byte %zu: what follows a member is no gzip", file.len);
    append(&file, "rest of the rows", 16);
    assert_int_equal(assert_breaks(file, text, 1000, expected), 1000);
    free(file.data);
    file = zstded(text, 1000);
    append(&file, "rest of the rows", 16);
    assert_int_equal(assert_breaks(file, text, 1000, "what follows a frame is no zstd"), 1000);
    free(file.data);
}

static void an_archive_cut_anywhere_ends_too_soon(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct made file = i ? zstded(text, 100) : gzipped(text, 100);
        for (size_t len = 6; len < file.len; len++) {
            char at[96];
            (void)snprintf(at, sizeof at, "archive ends too soon, at byte %zu: it was cut short", len);
            (void)assert_breaks((struct made){file.data, len}, text, 100, at);
        }
        free(file.data);
    }
}

static void a_second_member_with_a_damaged_first_byte_is_told(void **state) {
    (void)state;
    struct made file = gzipped(text, 1000), second = gzipped(text + 1000, 1000);
    second.data[0] = '\x1e';
    append_made(&file, second);
    assert_int_equal(assert_breaks(file, text, 2000, "what follows a member is no gzip"), 1000);
    free(file.data);
}

static void damaged_bytes_are_told(void **state) {
    (void)state;
    struct made gzip = gzipped(text, TEXT_SIZE), zstd = zstded(text, TEXT_SIZE);
    gzip.data[gzip.len - 6] ^= 1; /* the checksum */
    assert_int_equal(assert_breaks(gzip, text, TEXT_SIZE, "incorrect data check"), TEXT_SIZE);
    zstd.data[zstd.len - 1] ^= 1;
    (void)assert_breaks(zstd, text, TEXT_SIZE, "The zstd archive is damaged near byte");
    free(gzip.data);
    free(zstd.data);
}

static void other_archives_are_named_with_what_unpacks_them(void **state) {
    (void)state;
    (void)assert_breaks((struct made){(char[]){"BZh91AY&SY"}, 10}, "", 0, "bzcat");
    (void)assert_breaks((struct made){(char[]){"PK\x03\x04..."}, 7}, "", 0, "unzip -p");
    (void)assert_breaks((struct made){(char[]){"\xFF\xFE{\0"}, 4}, "", 0, "iconv -f UTF-16");
}

static void what_is_to_be_skipped_is_passed_over(void **state) {
    (void)state;
    struct made files[] = {gzipped(text, TEXT_SIZE), zstded(text, TEXT_SIZE), {text, TEXT_SIZE}};
    for (size_t i = 0; i < 3; i++) {
        for (size_t skip = 0; skip <= TEXT_SIZE; skip += TEXT_SIZE / 7) {
            struct row_source *s = source_of(files[i]);
            struct made read;
            row_source_skip(s, skip);
            assert_int_equal(read_all(s, &read), SOURCE_END);
            assert_int_equal(read.len, TEXT_SIZE - skip);
            if (read.len) {
                assert_memory_equal(read.data, text + skip, read.len);
            }
            assert_int_equal(row_source_taken(s), files[i].len);
            free(read.data);
            row_source_free(s);
        }
    }
    free(files[0].data);
    free(files[1].data);
}

static void a_file_that_cannot_be_read_is_told(void **state) {
    (void)state;
    char why[ROW_SOURCE_WHY_SIZE];
    assert_null(row_source_open("/nowhere/at/all", why));
    assert_string_equal(why, "it can't be read: No such file or directory");
    assert_null(row_source_open("/tmp", why));
    assert_string_equal(why, "it can't be read: Is a directory");
}

static void a_pipe_is_never_waited_for(void **state) {
    (void)state;
    int ends[2];
    char name[64], why[ROW_SOURCE_WHY_SIZE];
    struct span piece;
    assert_int_equal(pipe(ends), 0);
    (void)snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
    struct row_source *s = row_source_open(name, why);
    assert_non_null(s);
    assert_int_equal(row_source_size(s), 0);
    assert_int_equal(row_source_next(s, &piece), SOURCE_WAIT);
    assert_int_equal(write(ends[1], "{\"", 2), 2);
    assert_int_equal(row_source_next(s, &piece), SOURCE_WAIT); /* too few bytes to know what it is */
    assert_int_equal(write(ends[1], "id\":1}", 6), 6);
    assert_int_equal(row_source_next(s, &piece), SOURCE_PIECE);
    assert_int_equal(piece.len, 8);
    assert_int_equal(row_source_next(s, &piece), SOURCE_WAIT);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(row_source_next(s, &piece), SOURCE_END);
    assert_int_equal(close(ends[0]), 0);
    row_source_free(s);
}

static int make_text(void **state) {
    (void)state;
    uint64_t x = 88172645463325252;
    for (size_t i = 0; i < TEXT_SIZE; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        text[i] = x % 3 ? (char)('a' + (x >> 32) % 26) : '\n';
    }
    memcpy(path, TEMPLATE, sizeof path); /* it may be made more than once */
    int fd = mkstemp(path);
    return fd < 0 || close(fd);
}

static int remove_file(void **state) {
    (void)state;
    return unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_file_comes_as_it_is),
        cmocka_unit_test(an_archive_is_known_by_its_first_bytes),
        cmocka_unit_test(members_and_frames_follow_each_other),
        cmocka_unit_test(frames_that_are_to_be_skipped_are_passed_over),
        cmocka_unit_test(members_behind_padding_are_read),
        cmocka_unit_test(what_follows_an_archive_and_is_none_is_told_with_its_place),
        cmocka_unit_test(an_archive_cut_anywhere_ends_too_soon),
        cmocka_unit_test(a_second_member_with_a_damaged_first_byte_is_told),
        cmocka_unit_test(damaged_bytes_are_told),
        cmocka_unit_test(other_archives_are_named_with_what_unpacks_them),
        cmocka_unit_test(what_is_to_be_skipped_is_passed_over),
        cmocka_unit_test(a_file_that_cannot_be_read_is_told),
        cmocka_unit_test(a_pipe_is_never_waited_for),
    };
    return cmocka_run_group_tests(tests, make_text, remove_file);
}
