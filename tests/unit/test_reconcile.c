#include "reconcile.h"

#include "audit_key.h"
#include "update_fixture.h"

#include "fake_audit_table.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#define ROWS_MAX 1500
#define DAY (86400 * MICROSECONDS)

static char *logged_lines; /* of the run */

static void keep_line(void *ctx, struct span line) {
    (void)ctx;
    size_t used = logged_lines ? strlen(logged_lines) : 0;
    char *more = realloc(logged_lines, used + line.len + 2);
    assert_non_null(more);
    memcpy(more + used, line.data, line.len);
    memcpy(more + used + line.len, "\n", 2);
    logged_lines = more;
}

struct world {
    struct fixture f;
    struct fake_audit_table table;
    struct audit_table_api api;
    struct fake_record records[ROWS_MAX];
    char ids[ROWS_MAX][LOG_ID_SIZE + sizeof AUDIT_FAILURE_SUFFIX];
    struct log log;
    char path[64], missing_path[64], failed_path[64];
    struct row_source *source;
    struct row_reader *reader;
    struct line_file missing, failed;
    struct reconcile *reconcile;
    struct audit_life life;
    unsigned ended;
    enum reconcile_end end;
    struct call_result call;
};

static void make_file(char path[static 64]) {
    (void)snprintf(path, 64, "/tmp/reconcile.XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
}

static int set_up(void **state) {
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    fixture_init(&w->f);
    fake_audit_init(&w->table);
    w->api = fake_audit_api(&w->table);
    w->table.records = w->records;
    w->log = (struct log){.clock = w->table.clock, .sink = keep_line};
    make_file(w->path);
    make_file(w->missing_path);
    make_file(w->failed_path);
    audit_life_init(&w->life, REMOVAL_OFF, 0, 0);
    line_file_none(&w->missing);
    line_file_none(&w->failed);
    *state = w;
    return 0;
}

/* What start() began. */
static void stop(struct world *w) {
    reconcile_free(w->reconcile);
    row_reader_free(w->reader);
    row_source_free(w->source);
    w->reconcile = NULL;
    w->reader = NULL;
    w->source = NULL;
    (void)line_file_close(&w->missing);
    (void)line_file_close(&w->failed);
}

static int tear_down(void **state) {
    struct world *w = *state;
    stop(w);
    (void)unlink(w->path);
    (void)unlink(w->missing_path);
    (void)unlink(w->failed_path);
    fixture_done(&w->f);
    free(logged_lines);
    logged_lines = NULL;
    free(w);
    return 0;
}

static void add_record(struct world *w, unsigned number, const char *error, int64_t expires) {
    char key[32];
    size_t i = w->table.record_count++;
    (void)snprintf(key, sizeof key, "job:%u", number);
    assert_true(audit_log_id(w->f.context.digest, "users", span_cstr(key), w->ids[i]));
    if (error) {
        (void)snprintf(w->ids[i] + LOG_ID_SIZE - 1, sizeof AUDIT_FAILURE_SUFFIX, "%s", AUDIT_FAILURE_SUFFIX);
    }
    w->records[i] = (struct fake_record){.log_id = w->ids[i], .error = error, .written = 1, .expires = expires};
}

static void write_text(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
}

/* Returns how many bytes they have. */
static uint64_t write_rows(struct world *w, unsigned from, unsigned to) {
    struct buf rows;
    buf_init(&rows, (size_t)1024 * 1024);
    for (; from <= to; from++) {
        assert_true(buf_printf(&rows, "{\"id\":\"r%u\",\"attributes\":{\"n\":%u}}\n", from, from));
    }
    write_text(w->path, rows.data);
    uint64_t bytes = rows.len;
    buf_free(&rows);
    return bytes;
}

static void on_waits(void *user) {
    (void)user;
    fail_msg("a file is never waited for");
}

static void on_ended(void *user, enum reconcile_end end, const struct call_result *call) {
    struct world *w = user;
    w->ended++;
    w->end = end;
    w->call = call ? *call : (struct call_result){0};
}

static void start(struct world *w, const struct row_place *from, const struct reconcile_counts *counts) {
    char why[ROW_SOURCE_WHY_SIZE];
    w->source = row_source_open(w->path, why);
    assert_non_null(w->source);
    w->reader = row_reader_new(&(struct row_reader_options){.source = w->source, .table = &w->f.table});
    assert_non_null(w->reader);
    if (from) {
        row_reader_go_on(w->reader, from);
    }
    assert_true(line_file_open(&w->missing, w->missing_path));
    assert_true(line_file_open(&w->failed, w->failed_path));
    const struct reconcile_options options = {.api = &w->api,
                                              .clock = &w->table.clock,
                                              .timers = &w->table.timers,
                                              .random = &w->table.random,
                                              .log = &w->log,
                                              .context = &w->f.context,
                                              .reader = w->reader,
                                              .job = "job",
                                              .patience = 60 * MICROSECONDS,
                                              .life = w->life,
                                              .missing = &w->missing,
                                              .failed = &w->failed,
                                              .counts = counts ? *counts : (struct reconcile_counts){0}};
    const struct reconcile_host host = {on_waits, on_ended, w};
    w->reconcile = reconcile_start(&options, &host);
    assert_non_null(w->reconcile);
}

static void run(struct world *w) {
    start(w, NULL, NULL);
    fake_audit_run(&w->table, NEVER);
    assert_int_equal(w->ended, 1);
}

static void assert_counts(const struct world *w, uint64_t applied, uint64_t failed, uint64_t pending,
                          uint64_t unknown) {
    const struct reconcile_counts *c = reconcile_counts(w->reconcile);
    assert_int_equal(c->applied, applied);
    assert_int_equal(c->failed, failed);
    assert_int_equal(c->pending, pending);
    assert_int_equal(c->unknown, unknown);
    assert_int_equal(c->rows, applied + failed + pending + unknown);
}

static unsigned lines_of(const char *path, char *first, size_t size) {
    char text[4096];
    unsigned lines = 0;
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    bool is_first = true;
    while ((n = read(fd, text, sizeof text)) > 0) {
        if (is_first) {
            (void)snprintf(first, size, "%.*s", (int)n, text);
            first[strcspn(first, "\n")] = '\0';
            is_first = false;
        }
        for (ssize_t i = 0; i < n; i++) {
            lines += text[i] == '\n';
        }
    }
    assert_int_equal(close(fd), 0);
    return lines;
}

static void each_row_is_applied_failed_or_pending(void **state) {
    struct world *w = *state;
    char first[256];
    (void)write_rows(w, 1, 250);
    for (unsigned n = 1; n <= 200; n++) {
        add_record(w, n, NULL, 0);
    }
    for (unsigned n = 195; n <= 210; n++) {
        add_record(w, n, n % 2 ? "ValidationError" : "ConditionalCheckFailed", 0); /* a success beats it */
    }
    run(w);
    assert_int_equal(w->end, RECONCILE_DONE);
    assert_counts(w, 200, 10, 40, 0);
    const struct reconcile_counts *c = reconcile_counts(w->reconcile);
    assert_string_equal(c->errors[0].error, "ValidationError");
    assert_int_equal(c->errors[0].rows, 5);
    assert_string_equal(c->errors[1].error, "ConditionalCheckFailed");
    assert_int_equal(c->errors[1].rows, 5);
    assert_true(line_file_sync(&w->missing) && line_file_sync(&w->failed));
    assert_int_equal(lines_of(w->missing_path, first, sizeof first), 40);
    assert_string_equal(
        first, "{\"id\":\"r211\",\"attributes\":{\"n\":211},\"enable_logging\":true,\"idempotency_key\":\"job:211\"}");
    assert_int_equal(lines_of(w->failed_path, first, sizeof first), 10);
    assert_non_null(strstr(first, "\"job:201\""));
    assert_int_equal(w->table.requests,
                     4); /* 250 keys of successes, 50 of failures: no request half full but the last */
}

static void memory_is_bounded_and_several_requests_are_under_way(void **state) {
    struct world *w = *state;
    (void)write_rows(w, 1, ROWS_MAX);
    run(w);
    assert_int_equal(w->end, RECONCILE_DONE);
    assert_counts(w, 0, 0, ROWS_MAX, 0);
    assert_int_equal(w->table.most_under_way, 8);
    assert_int_equal(w->table.asked, 2 * ROWS_MAX);
    assert_in_range(w->table.requests, 2 * ROWS_MAX / 100, 2 * ROWS_MAX / 100 + 80);
}

static void a_row_that_can_not_be_sent_has_failed_and_is_not_written_out(void **state) {
    struct world *w = *state;
    char first[256] = "";
    (void)write_rows(w, 1, 1);
    write_text(w->path, "{\n[]\n{\"id\":\"x\"}\n{\"id\":\"x\",\"attributes\":{\"a\":1},\"idempotency_key\":\"own\"}\n");
    add_record(w, 1, NULL, 0);
    run(w);
    assert_counts(w, 1, 4, 0, 0);
    assert_int_equal(reconcile_counts(w->reconcile)->unfit, 4);
    assert_true(line_file_sync(&w->failed));
    assert_int_equal(lines_of(w->failed_path, first, sizeof first), 0);
    assert_non_null(strstr(logged_lines, "row=2"));
}

static void what_ttl_can_have_removed_is_unknown(void **state) {
    struct world *w = *state;
    char first[256] = "";
    (void)write_rows(w, 1, 10);
    add_record(w, 3, NULL, 1 + 30 * DAY);
    audit_life_init(&w->life, REMOVAL_ON, 0, 1);
    w->table.now = 40 * DAY;
    run(w);
    assert_int_equal(w->end, RECONCILE_DONE);
    assert_counts(w, 1, 0, 0, 9);
    assert_true(line_file_sync(&w->missing));
    assert_int_equal(lines_of(w->missing_path, first, sizeof first), 0);
    assert_non_null(strstr(reconcile_doubt(w->reconcile), "TTL"));
}

static void it_goes_on_behind_what_was_reconciled(void **state) {
    struct world *w = *state;
    uint64_t behind = write_rows(w, 1, 10);
    (void)write_rows(w, 11, 30);
    for (unsigned n = 1; n <= 30; n++) {
        add_record(w, n, NULL, 0);
    }
    const struct reconcile_counts before = {.rows = 10, .applied = 10};
    const struct row_place place = {.number = 11, .line = 11, .offset = behind};
    start(w, &place, &before);
    fake_audit_run(&w->table, NEVER);
    assert_int_equal(w->end, RECONCILE_DONE);
    assert_counts(w, 30, 0, 0, 0);
    assert_int_equal(w->table.asked, 20);
    assert_int_equal(reconcile_applied(w->reconcile).number, 31);
}

/* What isn't applied yet may be so when the next run comes. */
static void the_place_is_never_behind_a_row_that_is_not_applied(void **state) {
    struct world *w = *state;
    (void)write_rows(w, 1, ROWS_MAX);
    for (unsigned n = 1; n <= ROWS_MAX; n++) {
        if (n != ROWS_MAX / 2) {
            add_record(w, n, NULL, 0);
        }
    }
    w->table.latency = MICROSECONDS;
    start(w, NULL, NULL);
    for (int64_t until = w->table.now; !w->ended; until += 100 * MILLISECOND) {
        fake_audit_run(&w->table, until);
        uint64_t done = reconcile_counts(w->reconcile)->rows;
        assert_int_equal(reconcile_applied(w->reconcile).number, (done < ROWS_MAX / 2 ? done : ROWS_MAX / 2 - 1) + 1);
    }
    assert_counts(w, ROWS_MAX - 1, 0, 1, 0);
}

static void a_broken_file_ends_it_after_what_was_read(void **state) {
    struct world *w = *state;
    (void)write_rows(w, 1, 5);
    static const struct row_place nowhere = {.number = 9, .line = 9, .offset = 7};
    start(w, &nowhere, NULL);
    fake_audit_run(&w->table, NEVER);
    assert_int_equal(w->end, RECONCILE_BROKEN);
    assert_counts(w, 0, 0, 0, 0);
}

static void an_output_that_is_full_ends_it(void **state) {
    struct world *w = *state;
    (void)write_rows(w, 1, ROWS_MAX);
    (void)unlink(w->missing_path);
    assert_int_equal(symlink("/dev/full", w->missing_path), 0);
    run(w);
    assert_int_equal(w->end, RECONCILE_UNWRITABLE);
}

static void what_dynamodb_says_for_good_ends_it(void **state) {
    struct world *w = *state;
    static const struct {
        enum call_class class;
        enum reconcile_end end;
    } cases[] = {
        {CALL_DENIED, RECONCILE_DENIED}, {CALL_PERMANENT, RECONCILE_REFUSED}, {CALL_RETRY, RECONCILE_UNREACHABLE}};
    (void)write_rows(w, 1, 3);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        w->ended = 0;
        w->table.failure = (struct call_result){.class = cases[i].class, .code = "No"};
        run(w);
        assert_int_equal(w->end, cases[i].end);
        assert_string_equal(w->call.code, "No");
        stop(w);
    }
}

static void freed_under_way_nothing_is_left(void **state) {
    struct world *w = *state;
    (void)write_rows(w, 1, 1000);
    start(w, NULL, NULL);
    fake_audit_run(&w->table, w->table.now);
    assert_true(w->table.under_way > 0);
    reconcile_free(w->reconcile);
    w->reconcile = NULL;
    assert_int_equal(w->table.under_way, 0);
    fake_audit_run(&w->table, NEVER);
    assert_int_equal(w->ended, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_row_is_applied_failed_or_pending, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_is_bounded_and_several_requests_are_under_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_row_that_can_not_be_sent_has_failed_and_is_not_written_out, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_ttl_can_have_removed_is_unknown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_goes_on_behind_what_was_reconciled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_place_is_never_behind_a_row_that_is_not_applied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broken_file_ends_it_after_what_was_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_output_that_is_full_ends_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_dynamodb_says_for_good_ends_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(freed_under_way_nothing_is_left, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
