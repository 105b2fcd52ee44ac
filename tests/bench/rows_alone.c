/* What reading rows is compared with: a file through the JSON reader, libcsv, zlib or zstd alone, and nothing done with
 * what comes. Use: rows_alone json|csv|gzip|zstd FILE */
#include "json_reader.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csv.h>
#include <zlib.h>
#include <zstd.h>

#define PIECE ((size_t)128 * 1024)

static uint64_t seen; /* so that nothing is optimized away */

static bool read_json(struct span text) {
    const char *at = text.data, *end = text.data + text.len;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        struct json_reader reader;
        struct json_token token;
        enum json_event event;
        json_reader_init(&reader, span_of(at, (size_t)(stop - at)),
                         &(struct json_options){.max_depth = 64, .reject_duplicates = true, .hash_seed = {1, 2}});
        while ((event = json_next(&reader, &token)) != JSON_FAILED && event != JSON_END) {
            seen++;
        }
        json_reader_done(&reader);
        if (event == JSON_FAILED) {
            return false;
        }
        at = stop + 1;
    }
    return true;
}

static void on_field(void *data, size_t len, void *user) {
    (void)data, (void)user;
    seen += len;
}

static void on_row(int c, void *user) {
    (void)c, (void)user;
    seen++;
}

static bool read_csv(struct span text) {
    struct csv_parser parser;
    if (csv_init(&parser, CSV_STRICT | CSV_EMPTY_IS_NULL) != 0) {
        return false;
    }
    bool fine = true;
    for (size_t at = 0; at < text.len && fine; at += PIECE) {
        size_t len = text.len - at < PIECE ? text.len - at : PIECE;
        fine = csv_parse(&parser, text.data + at, len, on_field, on_row, NULL) == len;
    }
    csv_free(&parser);
    return fine;
}

static bool read_gzip(const char *path) {
    gzFile file = gzopen(path, "rb");
    char *room = malloc(PIECE);
    int n = -1;
    if (file && room) {
        (void)gzbuffer(file, PIECE);
        while ((n = gzread(file, room, PIECE)) > 0) {
            seen += (uint64_t)n;
        }
    }
    free(room);
    return file && gzclose(file) == Z_OK && n == 0;
}

static bool read_zstd(struct span packed) {
    ZSTD_DStream *stream = ZSTD_createDStream();
    char *room = malloc(PIECE);
    ZSTD_inBuffer in = {packed.data, packed.len, 0};
    size_t more = 1;
    while (stream && room && in.pos < in.size && !ZSTD_isError(more)) {
        ZSTD_outBuffer out = {room, PIECE, 0};
        more = ZSTD_decompressStream(stream, &out, &in);
        seen += out.pos;
    }
    free(room);
    (void)ZSTD_freeDStream(stream);
    return !ZSTD_isError(more);
}

int main(int argc, char **argv) {
    struct stat status = {0};
    int fd = argc == 3 ? open(argv[2], O_RDONLY) : -1;
    if (fd < 0 || fstat(fd, &status) != 0 || status.st_size == 0) {
        (void)fputs("usage: rows_alone json|csv|gzip|zstd FILE\n", stderr);
        return 64;
    }
    void *data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    struct span text = span_of(data, (size_t)status.st_size);
    bool fine = data != MAP_FAILED && (strcmp(argv[1], "json") == 0   ? read_json(text)
                                       : strcmp(argv[1], "csv") == 0  ? read_csv(text)
                                       : strcmp(argv[1], "gzip") == 0 ? read_gzip(argv[2])
                                                                      : read_zstd(text));
    return fine && printf("%llu\n", (unsigned long long)seen) > 0 ? 0 : 1;
}
