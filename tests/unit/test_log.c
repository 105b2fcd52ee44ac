#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buf.h"
#include "compiler.h"
#include "json_reader.h"
#include "log.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIME "2026-11-22T13:40:22.123Z"

static int64_t fixed_wall(void *ctx) {
    (void)ctx;
    return 1795354822123456;
}

static void keep_line(void *ctx, struct span line) {
    struct buf *kept = ctx;
    buf_reset(kept);
    assert_true(buf_append_span(kept, line));
}

static struct log log_to(enum log_format format, struct buf *kept) {
    return (struct log){.fd = -1,
                        .level = LOG_LEVEL_DEBUG,
                        .format = format,
                        .clock = {.wall = fixed_wall},
                        .sink = kept ? keep_line : NULL,
                        .sink_ctx = kept};
}

static void assert_line(enum log_format format, const struct log_field *fields, const char *expected) {
    struct buf kept;
    buf_init(&kept, 10000);
    struct log log = log_to(format, &kept);
    log_event(&log, LOG_LEVEL_INFO, "Message moved", fields);
    assert_string_equal(kept.data, expected);
    buf_free(&kept);
}

#define FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {NULL, {NULL, 0}, 0}})

static void a_text_line_is_time_level_message_and_fields(void **state) {
    (void)state;
    assert_line(LOG_FORMAT_TEXT, NULL, TIME " INFO Message moved");
    assert_line(LOG_FORMAT_TEXT,
                FIELDS(LOG_C("error", "ValidationError"), LOG_I("count", -5), LOG_S("reason", SPAN("has spaces"))),
                TIME " INFO Message moved error=ValidationError count=-5 reason=\"has spaces\"");
}

static void text_values_that_would_run_on_are_quoted(void **state) {
    (void)state;
    static const struct {
        struct span value;
        const char *text;
    } cases[] = {
        {SPAN("a/b:c\\d,é€😀"), "a/b:c\\d,é€😀"},
        {SPAN(""), "\"\""},
        {SPAN("a b"), "\"a b\""},
        {SPAN("a=b"), "\"a=b\""},
        {SPAN("a\"b\\"), "\"a\\\"b\\\\\""},
        {SPAN("a\nb\r\t\b\f"), "\"a\\nb\\r\\t\\b\\f\""},
        {SPAN("\0\x1b[31m\x7f"), "\"\\u0000\\u001b[31m\\u007f\""},
        {SPAN("\xc2\x9b"), "\"\\u009b\""},
        {SPAN("\xc2\xa0"), "\xc2\xa0"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char expected[100];
        (void)snprintf(expected, sizeof expected, TIME " INFO Message moved v=%s", cases[i].text);
        assert_line(LOG_FORMAT_TEXT, FIELDS(LOG_S("v", cases[i].value)), expected);
    }
}

/* Line ends of Unicode, what turns the direction, what has no width: a line of the log must not look like another one.
 */
static void fault_31_characters_that_are_not_seen_are_escaped(void **state) {
    (void)state;
    static const uint32_t unseen[] = {0x85,   0xAD,   0x61C,  0x180E, 0x200B,  0x200F,  0x2028,
                                      0x2029, 0x202A, 0x202E, 0x2060, 0x2066,  0x2069,  0x206F,
                                      0x3164, 0xFE0F, 0xFEFF, 0xFFF9, 0x1D173, 0xE0001, 0xE0FFF};
    static const uint32_t seen[] = {0xA0,   0xE9,   0x200A, 0x2010, 0x2027,  0x202F, 0x2070,
                                    0x20AC, 0xFE10, 0xFF21, 0xFFFD, 0x1F600, 0xE1000};
    for (size_t i = 0; i < ARRAY_LENGTH(unseen) + ARRAY_LENGTH(seen); i++) {
        bool escaped = i < ARRAY_LENGTH(unseen);
        uint32_t c = escaped ? unseen[i] : seen[i - ARRAY_LENGTH(unseen)];
        char value[6] = "a", written[16] = "a", expected[200];
        size_t len = 1 + utf8_encode(c, value + 1);
        if (escaped && c > 0xFFFF)
            (void)snprintf(written, sizeof written, "a\\u%04x\\u%04x", 0xD800U + ((c - 0x10000) >> 10),
                           0xDC00U + (c & 0x3FFU));
        else if (escaped)
            (void)snprintf(written, sizeof written, "a\\u%04x", (unsigned)c);
        else
            (void)snprintf(written, sizeof written, "%.*s", (int)len, value);
        (void)snprintf(expected, sizeof expected, TIME " INFO Message moved v=%s%s%s", escaped ? "\"" : "", written,
                       escaped ? "\"" : "");
        assert_line(LOG_FORMAT_TEXT, FIELDS(LOG_S("v", span_of(value, len))), expected);
        (void)snprintf(expected, sizeof expected,
                       "{\"time\":\"" TIME "\",\"level\":\"INFO\",\"message\":\"Message moved\",\"v\":\"%s\"}",
                       written);
        assert_line(LOG_FORMAT_JSON, FIELDS(LOG_S("v", span_of(value, len))), expected);
    }
}

static void a_json_line_is_one_object(void **state) {
    (void)state;
    assert_line(LOG_FORMAT_JSON, NULL, "{\"time\":\"" TIME "\",\"level\":\"INFO\",\"message\":\"Message moved\"}");
    assert_line(
        LOG_FORMAT_JSON, FIELDS(LOG_S("text", SPAN("a \"b\"\n\x7f")), LOG_I("n", INT64_MIN), LOG_C("empty", "")),
        "{\"time\":\"" TIME "\",\"level\":\"INFO\",\"message\":\"Message moved\",\"text\":\"a \\\"b\\\"\\n\\u007f\","
        "\"n\":-9223372036854775808,\"empty\":\"\"}");
}

static void bytes_that_are_no_utf8_are_replaced(void **state) {
    (void)state;
#define R "\xEF\xBF\xBD"
    assert_line(LOG_FORMAT_TEXT,
                FIELDS(LOG_S("v", SPAN("a\xff"
                                       "b\xe2\x82"
                                       "c\xed\xa0\x80\xf0\x9f"))),
                TIME " INFO Message moved v=a" R "b" R "c" R R R R);
}

static void levels_below_the_least_are_not_written(void **state) {
    (void)state;
    static const char *const names[] = {"DEBUG", "INFO", "WARNING", "ERROR"};
    for (enum log_level least = LOG_LEVEL_DEBUG; least <= LOG_LEVEL_ERROR; least++)
        for (enum log_level level = LOG_LEVEL_DEBUG; level <= LOG_LEVEL_ERROR; level++) {
            struct buf kept;
            buf_init(&kept, 1000);
            struct log log = log_to(LOG_FORMAT_TEXT, &kept);
            log.level = least;
            LOG_EVENT(&log, level, "M", LOG_I("n", 1));
            assert_int_equal(kept.len > 0, level >= least);
            if (kept.len > 0)
                assert_non_null(strstr(kept.data, names[level]));
            buf_free(&kept);
        }
}

static void assert_json(struct span line, size_t members) {
    struct json_reader reader;
    struct json_token token;
    size_t names = 0;
    json_reader_init(&reader, line, &(struct json_options){.max_depth = 2});
    for (enum json_event event; (event = json_next(&reader, &token)) != JSON_END;) {
        assert_int_not_equal(event, JSON_FAILED);
        names += event == JSON_NAME;
    }
    assert_int_equal(names, members);
    json_reader_done(&reader);
}

static void long_values_are_cut_at_a_character_and_the_rest_stays(void **state) {
    (void)state;
    static char letters[10000], euros[9999], controls[9000];
    memset(letters, 'x', sizeof letters);
    memset(controls, 1, sizeof controls);
    for (size_t i = 0; i < sizeof euros; i += 3)
        memcpy(euros + i, "€", 3);
    const struct log_field fields[] = {LOG_S("letters", span_of(letters, sizeof letters)),
                                       LOG_S("euros", span_of(euros, sizeof euros)),
                                       LOG_S("controls", span_of(controls, sizeof controls)),
                                       LOG_C("message_id", "5fea7756-0ea4-451a-a703-a558b933e274"),
                                       LOG_I("number", 5),
                                       {NULL, {NULL, 0}, 0}};
    for (enum log_format format = LOG_FORMAT_TEXT; format <= LOG_FORMAT_JSON; format++) {
        struct buf kept;
        buf_init(&kept, LOG_LINE_MAX - 1);
        struct log log = log_to(format, &kept);
        log_event(&log, LOG_LEVEL_INFO, "Cut", fields);
        assert_non_null(strstr(kept.data, "xx…"));
        assert_non_null(strstr(kept.data, "€€…"));
        assert_non_null(strstr(kept.data, "\\u0001\\u0001…"));
        assert_non_null(strstr(kept.data, "5fea7756-0ea4-451a-a703-a558b933e274"));
        assert_null(strstr(kept.data, "\xEF\xBF\xBD"));
        assert_true(kept.len > 1000);
        if (format == LOG_FORMAT_JSON)
            assert_json(buf_span(&kept), 8);
        buf_free(&kept);
    }
}

static void a_line_has_at_most_its_size_whatever_the_lengths(void **state) {
    (void)state;
    static char value[5000];
    memset(value, 'v', sizeof value);
    for (size_t len = 3900; len < 4200; len++) {
        struct buf kept;
        buf_init(&kept, LOG_LINE_MAX - 1);
        struct log log = log_to(LOG_FORMAT_JSON, &kept);
        log_event(&log, LOG_LEVEL_INFO, "M", FIELDS(LOG_S("v", span_of(value, len)), LOG_I("n", 1)));
        assert_json(buf_span(&kept), 5);
        buf_free(&kept);
    }
}

static void more_fields_than_fit_are_left_out_whole(void **state) {
    (void)state;
    static char names[50][200];
    static char message[9000];
    struct log_field fields[51];
    memset(message, 'm', sizeof message - 1);
    for (size_t i = 0; i < 50; i++) {
        memset(names[i], 'n', sizeof names[i] - 1);
        names[i][0] = (char)('A' + i); /* no line has a name twice */
        fields[i] = LOG_I(names[i], i);
    }
    fields[50] = (struct log_field){NULL, {NULL, 0}, 0};
    for (enum log_format format = LOG_FORMAT_TEXT; format <= LOG_FORMAT_JSON; format++) {
        struct buf kept;
        buf_init(&kept, LOG_LINE_MAX - 1);
        struct log log = log_to(format, &kept);
        log_event(&log, LOG_LEVEL_INFO, message, fields);
        assert_true(kept.len > LOG_LINE_MAX - 300);
        if (format == LOG_FORMAT_JSON)
            assert_json(buf_span(&kept), 3 + 19);
        buf_free(&kept);
    }
}

/* A pipe or a pair of sockets, full to the brim. */
struct channel {
    int from, to;
    bool socket;
    char text[1 << 20];
};

static void channel_open(struct channel *c) {
    int fds[2];
    if (c->socket)
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    else
        assert_int_equal(pipe(fds), 0);
    c->from = fds[0];
    c->to = fds[1];
}

/* The write end stays a blocking one, as a service's standard error is. */
static void channel_fill(struct channel *c) {
    char byte = '.';
    assert_int_equal(fcntl(c->to, F_SETFL, O_NONBLOCK), 0);
    while (write(c->to, &byte, 1) == 1)
        ;
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(fcntl(c->to, F_SETFL, 0), 0);
}

/* What stands in it; terminated. */
static const char *channel_read(struct channel *c) {
    size_t len = 0;
    assert_int_equal(fcntl(c->from, F_SETFL, O_NONBLOCK), 0);
    for (ssize_t n; (n = read(c->from, c->text + len, sizeof c->text - 1 - len)) > 0;)
        len += (size_t)n;
    c->text[len] = '\0';
    return c->text;
}

static void channel_close(struct channel *c) {
    (void)close(c->from);
    (void)close(c->to);
}

static void lines_without_room_are_lost_counted_and_reported(bool socket) {
    static struct channel c;
    c.socket = socket;
    channel_open(&c);
    struct log log = log_to(LOG_FORMAT_TEXT, NULL);
    log.fd = c.to;
    log.level = LOG_LEVEL_ERROR;
    log_event(&log, LOG_LEVEL_ERROR, "First", NULL);
    assert_string_equal(channel_read(&c), TIME " ERROR First\n");
    channel_fill(&c);
    errno = EDOM;
    for (unsigned i = 0; i < 3; i++)
        log_event(&log, LOG_LEVEL_ERROR, "Lost", NULL);
    assert_int_equal(errno, EDOM);
    assert_int_equal(log.lost, 3);
    (void)channel_read(&c);
    log_event(&log, LOG_LEVEL_ERROR, "Next", NULL);
    log_event(&log, LOG_LEVEL_ERROR, "Last", NULL);
    assert_string_equal(channel_read(&c),
                        TIME " WARNING Log lines were lost count=3\n" TIME " ERROR Next\n" TIME " ERROR Last\n");
    assert_int_equal(log.lost, 0);
    channel_close(&c);
}

static void fault_27_a_full_pipe_costs_lines_and_no_time(void **state) {
    (void)state;
    lines_without_room_are_lost_counted_and_reported(false);
}

static void fault_27_a_full_socket_costs_lines_and_no_time(void **state) {
    (void)state;
    lines_without_room_are_lost_counted_and_reported(true);
}

static void fault_27_a_reader_that_is_gone_costs_lines_and_no_signal(void **state) {
    (void)state;
    static struct channel c;
    assert_ptr_not_equal(signal(SIGPIPE, SIG_DFL), SIG_ERR);
    for (unsigned i = 0; i < 2; i++) {
        c.socket = i == 1;
        channel_open(&c);
        struct log log = log_to(LOG_FORMAT_TEXT, NULL);
        log.fd = c.to;
        (void)close(c.from);
        log_event(&log, LOG_LEVEL_INFO, "Lost", NULL);
        log_event(&log, LOG_LEVEL_INFO, "Lost", NULL);
        assert_int_equal(log.lost, 2);
        (void)close(c.to);
    }
}

static void a_closed_descriptor_costs_lines(void **state) {
    (void)state;
    struct log log = log_to(LOG_FORMAT_TEXT, NULL);
    log_event(&log, LOG_LEVEL_INFO, "Lost", NULL);
    assert_int_equal(log.lost, 1);
}

static void a_line_taken_in_part_is_ended_before_the_next(void **state) {
    (void)state;
    char text[200] = "";
    FILE *file = tmpfile();
    assert_non_null(file);
    struct log log = log_to(LOG_FORMAT_TEXT, NULL);
    log.fd = fileno(file);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {.rlim_cur = 30, .rlim_max = before.rlim_max};
    assert_ptr_not_equal(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    log_event(&log, LOG_LEVEL_INFO, "Torn", NULL);
    log_event(&log, LOG_LEVEL_INFO, "Lost", NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(log.lost, 2);
    log_event(&log, LOG_LEVEL_INFO, "Next", NULL);
    assert_true(pread(log.fd, text, sizeof text - 1, 0) > 0);
    assert_string_equal(text, TIME " INFO \n" TIME " WARNING Log lines were lost count=2\n" TIME " INFO Next\n");
    (void)fclose(file);
}

static bool count_event(void *ctx, enum log_level level, const char *message, const struct log_field *fields) {
    unsigned *heard = ctx;
    assert_string_equal(message, "Message moved");
    assert_true(!fields || fields[0].name);
    heard[level]++;
    return false;
}

static void fields_of_every_line_come_first_and_who_listens_hears_what_is_not_written(void **state) {
    (void)state;
    struct buf kept;
    unsigned heard[4] = {0};
    const struct log_field *always = FIELDS(LOG_C("request_id", "r-1"));
    buf_init(&kept, 10000);
    for (int json = 0; json < 2; json++) {
        struct log log = log_to(json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT, &kept);
        log.level = LOG_LEVEL_INFO;
        log.always = always;
        log.overheard = count_event;
        log.overheard_ctx = heard;
        log_event(&log, LOG_LEVEL_INFO, "Message moved", FIELDS(LOG_I("n", 5)));
        assert_string_equal(kept.data, json ? "{\"time\":\"" TIME "\",\"level\":\"INFO\",\"message\":\"Message moved\","
                                              "\"request_id\":\"r-1\",\"n\":5}"
                                            : TIME " INFO Message moved request_id=r-1 n=5");
        log_event(&log, LOG_LEVEL_DEBUG, "Message moved", NULL);
    }
    assert_int_equal(heard[LOG_LEVEL_INFO], 2);
    assert_int_equal(heard[LOG_LEVEL_DEBUG], 2);
    buf_free(&kept);
}

struct hearing {
    unsigned events;
    bool takes;
};

static bool hear(void *ctx, enum log_level level, const char *message, const struct log_field *fields) {
    struct hearing *h = ctx;
    (void)level, (void)message, (void)fields;
    h->events++;
    return h->takes;
}

static void who_hears_of_an_event_may_keep_it_out_of_the_log(void **state) {
    (void)state;
    struct buf kept;
    struct hearing hearing = {.takes = true};
    buf_init(&kept, 10000);
    struct log log = log_to(LOG_FORMAT_TEXT, &kept);
    log.level = LOG_LEVEL_ERROR;
    log.overheard = hear;
    log.overheard_ctx = &hearing;
    log_event(&log, LOG_LEVEL_DEBUG, "a", NULL);
    log_event(&log, LOG_LEVEL_ERROR, "b", NULL);
    assert_int_equal(hearing.events, 2);
    assert_int_equal(kept.len, 0);
    hearing.takes = false;
    log_event(&log, LOG_LEVEL_ERROR, "c", NULL);
    assert_int_equal(hearing.events, 3);
    assert_int_not_equal(kept.len, 0);
    buf_free(&kept);
}

static void a_text_is_cleaned_as_in_a_line(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 1000);
    log_append_clean(&out, SPAN("a\"\n\xff"), false);
    log_append_clean(&out, SPAN("a\"\x1b"), true);
    assert_string_equal(out.data, "a\"\\n\xef\xbf\xbd"
                                  "a\\\"\\u001b");
    buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_cleaned_as_in_a_line),
        cmocka_unit_test(who_hears_of_an_event_may_keep_it_out_of_the_log),
        cmocka_unit_test(a_text_line_is_time_level_message_and_fields),
        cmocka_unit_test(text_values_that_would_run_on_are_quoted),
        cmocka_unit_test(fault_31_characters_that_are_not_seen_are_escaped),
        cmocka_unit_test(a_json_line_is_one_object),
        cmocka_unit_test(bytes_that_are_no_utf8_are_replaced),
        cmocka_unit_test(levels_below_the_least_are_not_written),
        cmocka_unit_test(long_values_are_cut_at_a_character_and_the_rest_stays),
        cmocka_unit_test(a_line_has_at_most_its_size_whatever_the_lengths),
        cmocka_unit_test(more_fields_than_fit_are_left_out_whole),
        cmocka_unit_test(fault_27_a_full_pipe_costs_lines_and_no_time),
        cmocka_unit_test(fault_27_a_full_socket_costs_lines_and_no_time),
        cmocka_unit_test(fault_27_a_reader_that_is_gone_costs_lines_and_no_signal),
        cmocka_unit_test(a_closed_descriptor_costs_lines),
        cmocka_unit_test(a_line_taken_in_part_is_ended_before_the_next),
        cmocka_unit_test(fields_of_every_line_come_first_and_who_listens_hears_what_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
