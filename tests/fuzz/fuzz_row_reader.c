/* Whatever the file holds: it is read to its end or to a sentence; rows are numbered, lie behind one another, and have
 * either a message, which is JSON where it was made of CSV, or a failure; and a reader that goes on at any of them
 * reads the same. The first byte says which format, and how the bytes are cut. */
#include "row_reader.h"

#include "json_reader.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool fine) {
    if (!fine) {
        abort();
    }
}

static bool is_object(struct span text) {
    struct json_reader reader;
    struct json_token token;
    json_reader_init(&reader, text, &(struct json_options){.max_depth = JSON_MAX_DEPTH});
    enum json_event event = json_next(&reader, &token);
    bool fine = event == JSON_OBJECT_BEGIN;
    while (event != JSON_FAILED && event != JSON_END) {
        event = json_next(&reader, &token);
    }
    json_reader_done(&reader);
    return fine && event == JSON_END;
}

struct reading {
    struct row_source *source;
    struct row_reader *reader;
};

static struct reading start(int fd, enum row_format format, const struct table_shape *table) {
    struct reading reading = {0};
    char path[64], why[ROW_SOURCE_WHY_SIZE];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    reading.source = row_source_open(path, why);
    check(reading.source != NULL);
    reading.reader =
        row_reader_new(&(struct row_reader_options){.source = reading.source, .format = format, .table = table});
    check(reading.reader != NULL);
    return reading;
}

static void end(struct reading *reading) {
    row_reader_free(reading->reader);
    row_source_free(reading->source);
}

static void look_at(const struct row *row, enum row_format format, struct row_place *last) {
    check(row->place.number == last->number + 1 && row->place.line > last->line && row->place.offset >= last->offset);
    check((row->failure != NULL) == (row->message.data == NULL));
    check(!row->failure || (row->failure->type != ERROR_NONE && row->failure->message.len > 0));
    check(row->failure || format == ROWS_JSON || is_object(row->message));
    *last = row->place;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct table_shape table = {.partition = {"user", KEY_STRING}, .sort = {"at", KEY_NUMBER}};
    if (size < 1) {
        return 0;
    }
    enum row_format format = data[0] & 1 ? ROWS_CSV : ROWS_JSON;
    const struct table_shape *shape = data[0] & 2 ? &table : NULL;
    size_t go_on_at = data[0] >> 2;
    int fd = memfd_create("rows", 0);
    check(fd >= 0 && write(fd, data + 1, size - 1) == (ssize_t)(size - 1));
    struct reading reading = start(fd, format, shape);
    struct row row;
    struct row_place last = {0}, place = {0};
    enum row_status status;
    while ((status = row_reader_next(reading.reader, &row)) == ROW_READ) {
        look_at(&row, format, &last);
        if (last.number == go_on_at) {
            place = row_reader_place(reading.reader);
        }
    }
    check(status == ROW_END || (status == ROW_BROKEN && row_reader_why(reading.reader)[0] != '\0'));
    end(&reading);
    if (place.number > 0) {
        reading = start(fd, format, shape);
        row_reader_go_on(reading.reader, &place);
        uint64_t count = place.number - 1;
        enum row_status again;
        while ((again = row_reader_next(reading.reader, &row)) == ROW_READ) {
            check(row.place.number == ++count);
        }
        check(again == status && count == last.number);
        end(&reading);
    }
    (void)close(fd);
    return 0;
}
