#include "enqueuer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLICE 256 /* rows that are read before the loop sees to other things */

struct enqueuer {
    struct enqueuer_options options;
    struct enqueuer_host host;
    struct row_check check;
    struct sender sender;
    struct row_source *source;
    struct row_reader *reader;
    bool cautioned; /* what its header may not mean was said */
    struct loop_watch *watch; /* of an input that has nothing at present */
    struct timer timer;
    unsigned file; /* the one that is read, or comes next where there is no reader */
    uint64_t earlier_bytes; /* of files that were read */
    uint64_t size; /* of all files; 0: not known */
    struct {
        unsigned file;
        uint64_t begins; /* bytes of the files before it */
        bool plain;
    } last; /* that was opened */
    struct row_place closed_at; /* behind the last row of the last of them */
    struct enqueuer_counts counts;
    bool waiting; /* for its input */
    bool reading_ended;
    bool stuck; /* a row could neither be sent nor kept as a rejected one */
    struct row_place stuck_at; /* the first such */
    enum enqueuer_end end; /* what it ends with, once all that was read is done with */
    bool told_done;
    char why[ROW_READER_WHY_SIZE];
    enum sender_fault fault;
    struct call_result fault_result;
};

static void go_on(struct enqueuer *e) {
    if (!e->timer.running) {
        timer_start(loop_timers(e->options.loop), &e->timer, clock_monotonic(e->options.clock));
    }
}

static void unwatch(struct enqueuer *e) {
    loop_watch_free(e->watch);
    e->watch = NULL;
}

static void end_reading(struct enqueuer *e, enum enqueuer_end end) {
    if (e->reading_ended) {
        return;
    }
    e->reading_ended = true;
    e->end = end;
    unwatch(e);
    sender_hurry(&e->sender, true);
}

/* 0: one of them is no regular file, or isn't there. */
static uint64_t size_of_all(const struct enqueuer_options *options) {
    uint64_t size = 0;
    for (unsigned i = 0; i < options->file_count; i++) {
        struct stat status;
        const char *path = options->files[i];
        bool known = strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, &status) == 0 : stat(path, &status) == 0;
        if (!known || !S_ISREG(status.st_mode)) {
            return 0;
        }
        size += (uint64_t)status.st_size;
    }
    return size;
}

static void close_file(struct enqueuer *e) {
    if (e->reader) {
        e->closed_at = row_reader_place(e->reader);
    }
    if (e->source) {
        e->earlier_bytes += row_source_taken(e->source);
    }
    row_reader_free(e->reader);
    row_source_free(e->source);
    e->reader = NULL;
    e->source = NULL;
}

static void break_off(struct enqueuer *e, const char *why) {
    (void)snprintf(e->why, sizeof e->why, "%s", why);
    end_reading(e, ENQUEUE_BROKEN);
}

static bool open_file(struct enqueuer *e) {
    const struct enqueuer_options *o = &e->options;
    const char *path = o->files[e->file];
    char why[ROW_SOURCE_WHY_SIZE];
    e->source = row_source_open(path, why);
    if (!e->source) {
        break_off(e, why);
        return false;
    }
    const struct row_reader_options options = {
        .source = e->source, .format = o->format ? *o->format : row_format_of(path), .table = o->table};
    e->reader = row_reader_new(&options);
    if (!e->reader) {
        break_off(e, "there is no memory");
        return false;
    }
    e->cautioned = false;
    e->last.file = e->file;
    e->last.begins = e->earlier_bytes;
    if (e->file == 0 && o->go_on) {
        row_reader_go_on(e->reader, o->go_on);
    }
    return true;
}

static void on_readable(void *user, unsigned events) {
    (void)events;
    struct enqueuer *e = user;
    e->waiting = false;
    loop_watch_events(e->watch, 0);
    sender_hurry(&e->sender, false);
    go_on(e);
}

/* The input has nothing at present. Rows that were read don't wait for it. */
static void wait_for_input(struct enqueuer *e) {
    if (e->watch) {
        loop_watch_events(e->watch, LOOP_READ);
    } else {
        e->watch = loop_watch_fd(e->options.loop, row_source_fd(e->source), LOOP_READ, on_readable, e);
    }
    if (!e->watch) {
        break_off(e, "there is no memory");
        return;
    }
    e->waiting = true;
    sender_hurry(&e->sender, true);
}

static void get_stuck(struct enqueuer *e, const struct row_place *at) {
    if (!e->stuck || at->number < e->stuck_at.number) {
        e->stuck_at = *at;
    }
    e->stuck = true;
}

static void reject(struct enqueuer *e, unsigned file, const struct row_place *place, struct span row,
                   const struct failure *failure) {
    const struct enqueuer_rejection rejection = {file, *place, row, failure};
    e->counts.rejected++;
    if (!e->host.rejected(e->host.user, &rejection)) {
        get_stuck(e, place);
        end_reading(e, ENQUEUE_STOPPED);
    } else if (e->options.strict) {
        end_reading(e, ENQUEUE_STRICT);
    }
}

static void take_row(struct enqueuer *e, const struct row *row) {
    struct row_message message;
    e->counts.rows++;
    if (row->alike) {
        return;
    }
    if (!row_check(&e->check, row, &message)) {
        get_stuck(e, &row->place);
        break_off(e, "there is no memory");
        return;
    }
    if (message.failure) {
        reject(e, e->file, &row->place, row->text, message.failure);
        return;
    }
    if (e->options.check.dry) {
        if (message.plain) {
            row_reader_found_plain(e->reader, e->options.check.max_size);
        }
        return;
    }
    const struct sender_item item = {.place = row->place,
                                     .file = e->file,
                                     .body = message.body,
                                     .text = row->text,
                                     .group_id = message.group_id,
                                     .deduplication_id = message.deduplication_id};
    if (!sender_add(&e->sender, &item)) {
        get_stuck(e, &row->place);
        break_off(e, "there is no memory");
    }
}

/* Says once of each file what its header may not mean. */
static void say_caution(struct enqueuer *e) {
    const char *caution = e->cautioned ? "" : row_reader_caution(e->reader);
    e->cautioned = true;
    if (caution[0]) {
        LOG_EVENT(e->options.log, LOG_LEVEL_WARNING, caution, LOG_C("file", e->options.files[e->file]));
    }
}

/* False: nothing more can be read at present. */
static bool read_row(struct enqueuer *e) {
    struct row row;
    if (!e->reader && e->file == e->options.file_count) {
        end_reading(e, ENQUEUE_ALL);
        return false;
    }
    if (!e->reader && !open_file(e)) {
        return false;
    }
    switch (row_reader_next(e->reader, &row)) {
    case ROW_READ:
        say_caution(e);
        take_row(e, &row);
        return true;
    case ROW_WAIT: wait_for_input(e); return false;
    case ROW_BROKEN: break_off(e, row_reader_why(e->reader)); return false;
    case ROW_END: break;
    }
    e->last.plain = row_source_is_plain(e->source);
    unwatch(e);
    close_file(e);
    e->file++;
    return true;
}

/* Whether the reading is too far ahead of the first row that isn't done with. */
static bool is_too_far(const struct enqueuer *e) {
    const struct sender_row *oldest = sender_oldest(&e->sender);
    return oldest && e->reader && oldest->file == e->file &&
           row_reader_place(e->reader).number > oldest->place.number + ENQUEUER_BEHIND_MAX;
}

static bool has_room(const struct enqueuer *e) {
    return e->options.check.dry || (sender_has_room(&e->sender) && !is_too_far(e));
}

static void finish(struct enqueuer *e) {
    if (!e->told_done) {
        e->told_done = true;
        e->host.done(e->host.user, e->end);
    }
}

static void turn(void *user) {
    struct enqueuer *e = user;
    bool goes_on = true;
    for (unsigned i = 0; i < SLICE && goes_on && !e->reading_ended && has_room(e); i++) {
        goes_on = read_row(e);
    }
    if (e->reading_ended && (!sender_oldest(&e->sender) || e->end == ENQUEUE_FAILED)) {
        finish(e);
    } else if (goes_on && !e->reading_ended && has_room(e)) {
        go_on(e);
    }
}

static void on_sent(void *user, const struct sender_row *row) {
    (void)row;
    struct enqueuer *e = user;
    e->counts.sent++;
}

static void on_refused(void *user, const struct sender_row *row, const char *why) {
    struct enqueuer *e = user;
    struct failure failure;
    failure_init(&failure);
    failure_set(&failure, ERROR_INVALID_INPUT, "%s", why);
    reject(e, row->file, &row->place, row->text, &failure);
    failure_free(&failure);
}

static void on_changed(void *user) {
    struct enqueuer *e = user;
    if ((!e->waiting || e->reading_ended) && !e->told_done) {
        go_on(e);
    }
}

static void on_failed(void *user, enum sender_fault fault, const struct call_result *result) {
    struct enqueuer *e = user;
    e->fault = fault;
    e->fault_result = *result;
    end_reading(e, ENQUEUE_FAILED);
    e->end = ENQUEUE_FAILED; /* whatever ended the reading before */
    go_on(e);
}

struct enqueuer *enqueuer_start(const struct enqueuer_options *options, const struct enqueuer_host *host) {
    struct enqueuer *e = calloc(1, sizeof *e);
    if (!e) {
        return NULL;
    }
    e->options = *options;
    e->host = *host;
    e->size = size_of_all(options);
    row_check_init(&e->check, &options->check);
    timer_init(&e->timer, turn, e);
    const struct sender_host sender = {on_sent, on_refused, on_changed, on_failed, e};
    sender_init(&e->sender, &options->sender, &sender);
    go_on(e);
    return e;
}

void enqueuer_free(struct enqueuer *e) {
    if (!e) {
        return;
    }
    timer_stop(loop_timers(e->options.loop), &e->timer);
    unwatch(e);
    sender_done(&e->sender);
    close_file(e);
    row_check_free(&e->check);
    free(e);
}

void enqueuer_stop(struct enqueuer *e) {
    if (e->told_done) {
        return;
    }
    if (e->reading_ended) {
        e->end = e->end == ENQUEUE_ALL ? ENQUEUE_STOPPED : e->end;
        finish(e);
        return;
    }
    end_reading(e, ENQUEUE_STOPPED);
    go_on(e);
}

struct enqueuer_counts enqueuer_counts(const struct enqueuer *e) {
    struct enqueuer_counts counts = e->counts;
    counts.bytes = e->earlier_bytes + (e->source ? row_source_taken(e->source) : 0);
    return counts;
}

struct row_place enqueuer_place(const struct enqueuer *e, unsigned *ret_file) {
    const struct sender_row *oldest = sender_oldest(&e->sender);
    *ret_file = oldest ? oldest->file : e->file;
    if (e->stuck && (!oldest || (oldest->file == e->file && e->stuck_at.number < oldest->place.number))) {
        *ret_file = e->file;
        return e->stuck_at;
    }
    if (oldest) {
        return oldest->place;
    }
    if (e->reader) {
        return row_reader_place(e->reader);
    }
    if (e->file > 0) {
        *ret_file = e->file - 1;
        return e->closed_at;
    }
    return e->options.go_on ? *e->options.go_on : (struct row_place){.number = 1, .line = 1};
}

void enqueuer_position(const struct enqueuer *e, uint64_t *ret_done, uint64_t *ret_size) {
    const struct sender_row *oldest = sender_oldest(&e->sender);
    bool plain = e->source ? row_source_is_plain(e->source) : e->last.plain;
    *ret_size = e->size;
    *ret_done = oldest && plain && oldest->file == e->last.file ? e->last.begins + oldest->place.offset
                                                                : enqueuer_counts(e).bytes;
}

unsigned enqueuer_file(const struct enqueuer *e) {
    return e->file;
}

const char *enqueuer_why(const struct enqueuer *e) {
    return e->why;
}

enum sender_fault enqueuer_fault(const struct enqueuer *e, const struct call_result **ret_result) {
    *ret_result = &e->fault_result;
    return e->fault;
}

bool enqueuer_in_trouble(const struct enqueuer *e) {
    return sender_in_trouble(&e->sender);
}
