#include "sender.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECONDS(n) ((int64_t)(n)*MICROSECONDS)
#define CALLS_MAX 400

/* A queue in virtual time: each call is answered after a while, by a rule of the test's. */
struct bench;
struct sent_call {
    struct call *handle; /* its own address */
    struct bench *bench;
    struct timer timer;
    sqs_batch_done *done;
    void *user;
    size_t count;
    char bodies[SQS_BATCH_MAX][32];
    char groups[SQS_BATCH_MAX][8];
    unsigned delay;
    bool open;
};

struct bench {
    int64_t now;
    struct timers timers;
    struct clock clock;
    struct random random;
    struct log log;
    struct sqs_api sqs;
    struct sender sender;
    struct sent_call calls[CALLS_MAX];
    size_t call_count, open, open_most, cancelled;
    unsigned tried[100]; /* rows by number */
    int64_t latency;
    /* What the queue says: of a call as a whole (true: result is written), and of an entry ("": it is fine). */
    bool (*fails)(struct bench *b, const struct sent_call *call, struct call_result *ret_result);
    const char *(*code_of)(struct bench *b, const char *body);
    /* What the host heard. */
    char sent[64 * 1024], refused[1024], why[256];
    unsigned sent_count, refused_count, failed_count;
    enum sender_fault fault;
};

static int64_t now_of(void *ctx) {
    return ((struct bench *)ctx)->now;
}

static void answer(void *user) {
    struct sent_call *call = user;
    struct bench *b = call->bench;
    struct call_result result = {.class = CALL_OK, .status = 200}, failure;
    struct sqs_entry_result entries[SQS_BATCH_MAX] = {0};
    call->open = false;
    b->open--;
    if (b->fails && b->fails(b, call, &failure)) {
        call->done(call->user, &failure, NULL, 0);
        return;
    }
    for (size_t i = 0; i < call->count; i++) {
        const char *code = b->code_of ? b->code_of(b, call->bodies[i]) : "";
        entries[i].ok = code[0] == '\0';
        (void)snprintf(entries[i].code, sizeof entries[i].code, "%s", code);
    }
    call->done(call->user, &result, entries, call->count);
}

static struct call *send_batch(void *ctx, const char *queue_url, const struct sqs_send_entry *entries, size_t count,
                               const struct call_options *options, sqs_batch_done *done, void *user) {
    (void)options;
    struct bench *b = ctx;
    assert_string_equal(queue_url, "q");
    assert_true(b->call_count < CALLS_MAX);
    struct sent_call *call = &b->calls[b->call_count++];
    *call = (struct sent_call){.bench = b, .done = done, .user = user, .count = count, .open = true};
    call->delay = entries[0].delay_seconds;
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(call->bodies[i], sizeof call->bodies[i], "%.*s", (int)entries[i].body.len, entries[i].body.data);
        (void)snprintf(call->groups[i], sizeof call->groups[i], "%.*s", (int)entries[i].group_id.len,
                       entries[i].group_id.data ? entries[i].group_id.data : "");
    }
    timer_init(&call->timer, answer, call);
    timer_start(&b->timers, &call->timer, b->now + b->latency);
    b->open++;
    b->open_most = b->open > b->open_most ? b->open : b->open_most;
    return (struct call *)(void *)call;
}

static void cancel(void *ctx, struct call *call) {
    struct bench *b = ctx;
    timer_stop(&b->timers, &((struct sent_call *)(void *)call)->timer);
    b->cancelled++;
}

static void on_sent(void *user, const struct sender_row *row) {
    struct bench *b = user;
    size_t len = strlen(b->sent);
    b->sent_count++;
    (void)snprintf(b->sent + len, sizeof b->sent - len, "%.*s ", (int)row->text.len, row->text.data);
}

static void on_refused(void *user, const struct sender_row *row, const char *why) {
    struct bench *b = user;
    size_t len = strlen(b->refused);
    b->refused_count++;
    (void)snprintf(b->refused + len, sizeof b->refused - len, "%.*s ", (int)row->text.len, row->text.data);
    (void)snprintf(b->why, sizeof b->why, "%s", why);
}

static void on_changed(void *user) {
    (void)user;
}

static void on_failed(void *user, enum sender_fault fault, const struct call_result *result) {
    (void)result;
    struct bench *b = user;
    b->failed_count++;
    b->fault = fault;
}

static struct bench *bench_new(unsigned rate) {
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->now = SECONDS(1000);
    b->latency = 10 * MILLISECOND;
    b->clock = (struct clock){now_of, now_of, b};
    b->log = (struct log){.fd = -1, .level = LOG_LEVEL_ERROR, .clock = b->clock};
    random_seed(&b->random, 5);
    b->sqs = (struct sqs_api){.ctx = b, .send_batch = send_batch, .cancel = cancel};
    const struct sender_options options = {.sqs = &b->sqs,
                                           .clock = &b->clock,
                                           .timers = &b->timers,
                                           .random = &b->random,
                                           .log = &b->log,
                                           .queue_url = "q",
                                           .rate = rate,
                                           .delay_seconds = 7,
                                           .patience = SECONDS(60)};
    const struct sender_host host = {on_sent, on_refused, on_changed, on_failed, b};
    sender_init(&b->sender, &options, &host);
    return b;
}

static void bench_free(struct bench *b) {
    sender_done(&b->sender);
    free(b);
}

static void add(struct bench *b, unsigned number, const char *group) {
    char text[32];
    int len = snprintf(text, sizeof text, "%u", number);
    struct span span = span_of(text, (size_t)len);
    const struct sender_item item = {.place = {.number = number},
                                     .body = span,
                                     .text = span,
                                     .group_id = span_cstr(group),
                                     .deduplication_id = group ? span : (struct span){NULL, 0}};
    assert_true(sender_add(&b->sender, &item));
}

/* Time goes on until nothing is to come any more, or that long. */
static void run_for(struct bench *b, int64_t most) {
    int64_t end = b->now + most;
    for (;;) {
        int64_t next = timers_next(&b->timers);
        if (next > end) {
            break;
        }
        b->now = next > b->now ? next : b->now;
        (void)timers_run(&b->timers, b->now);
    }
    b->now = end;
}

static void add_all(struct bench *b, unsigned count, const char *group) {
    for (unsigned i = 1; i <= count;) {
        if (sender_has_room(&b->sender)) {
            add(b, i++, group);
        } else {
            run_for(b, 10 * MILLISECOND);
        }
    }
    sender_hurry(&b->sender, true);
}

static void rows_go_by_tens_and_many_at_once(void **state) {
    (void)state;
    struct bench *b = bench_new(0);
    add_all(b, 1000, NULL);
    run_for(b, SECONDS(5));
    assert_int_equal(b->sent_count, 1000);
    assert_int_equal(b->call_count, 100);
    assert_int_equal(b->open_most, SENDER_FLIGHTS_MAX);
    assert_int_equal(b->calls[0].delay, 7);
    assert_null(sender_oldest(&b->sender));
    bench_free(b);
}

static void a_row_waits_a_moment_for_company_and_no_longer(void **state) {
    (void)state;
    struct bench *b = bench_new(0);
    add(b, 1, NULL);
    add(b, 2, NULL);
    assert_int_equal(b->call_count, 0);
    run_for(b, 100 * MILLISECOND);
    assert_int_equal(b->sent_count, 2);
    assert_int_equal(b->call_count, 1);
    bench_free(b);
}

static void the_oldest_that_is_not_done_with_is_known(void **state) {
    (void)state;
    struct bench *b = bench_new(0);
    b->latency = SECONDS(1);
    add(b, 1, NULL);
    sender_hurry(&b->sender, true);
    run_for(b, 500 * MILLISECOND);
    add(b, 2, NULL);
    assert_int_equal(sender_oldest(&b->sender)->place.number, 1);
    run_for(b, 600 * MILLISECOND);
    assert_int_equal(sender_oldest(&b->sender)->place.number, 2);
    run_for(b, SECONDS(1));
    assert_null(sender_oldest(&b->sender));
    bench_free(b);
}

static void what_is_held_is_bounded(void **state) {
    (void)state;
    struct bench *b = bench_new(0);
    unsigned count = 0;
    b->latency = SECONDS(9);
    while (sender_has_room(&b->sender)) {
        add(b, ++count, NULL);
    }
    assert_int_equal(count, SENDER_ROWS_MAX);
    bench_free(b);
    b = bench_new(20);
    for (count = 0; sender_has_room(&b->sender); count++) {
        add(b, count, NULL);
    }
    assert_true(count <= 20); /* under a rate what was read is soon sent */
    bench_free(b);
}

static void no_more_rows_a_second_than_the_rate(void **state) {
    (void)state;
    struct bench *b = bench_new(50);
    int64_t began = b->now;
    add_all(b, 500, NULL);
    while (b->sent_count < 500) {
        run_for(b, 100 * MILLISECOND);
    }
    double seconds = (double)(b->now - began) / MICROSECONDS;
    assert_true(seconds > 9.5 && seconds < 10.5);
    assert_true(b->call_count <= 110); /* requests cost: a tenth of a second's rows go together */
    bench_free(b);
}

static const char *fail_every_third_once(struct bench *b, const char *body) {
    unsigned number = (unsigned)strtoul(body, NULL, 10);
    return number % 3 == 0 && b->tried[number]++ == 0 ? "InternalError" : "";
}

static void failed_entries_alone_go_again(void **state) {
    (void)state;
    struct bench *b = bench_new(0);
    b->code_of = fail_every_third_once;
    add_all(b, 30, NULL);
    run_for(b, SECONDS(5));
    assert_int_equal(b->sent_count, 30);
    assert_int_equal(b->call_count, 3 + 10);
    for (size_t i = 3; i < b->call_count; i++) {
        assert_int_equal(b->calls[i].count, 1);
    }
    bench_free(b);
}

static const char *refuse_seven(struct bench *b, const char *body) {
    (void)b;
    return strcmp(body, "7") == 0 ? "InvalidMessageContents" : "";
}

static void what_sqs_refuses_for_good_is_given_back(void **state) {
    (void)state;
    struct bench *b = bench_new(0);
    b->code_of = refuse_seven;
    add_all(b, 20, NULL);
    run_for(b, SECONDS(5));
    assert_int_equal(b->sent_count, 19);
    assert_string_equal(b->refused, "7 ");
    assert_string_equal(b->why, "SQS refuses the message: InvalidMessageContents");
    bench_free(b);
}

static bool has_seven(const struct sent_call *call) {
    for (size_t i = 0; i < call->count; i++) {
        if (strcmp(call->bodies[i], "7") == 0) {
            return true;
        }
    }
    return false;
}

static bool refuse_batch_with_seven(struct bench *b, const struct sent_call *call, struct call_result *ret_result) {
    (void)b;
    *ret_result = (struct call_result){
        .class = CALL_PERMANENT, .status = 400, .from_service = true, .code = "InvalidMessageContents"};
    return has_seven(call);
}

static void a_batch_that_is_refused_for_one_entry_loses_that_alone(void **state) {
    (void)state;
    struct bench *b = bench_new(0);
    b->fails = refuse_batch_with_seven;
    add_all(b, 20, NULL);
    run_for(b, SECONDS(5));
    assert_int_equal(b->sent_count, 19);
    assert_string_equal(b->refused, "7 ");
    bench_free(b);
}

static bool block_seven(struct bench *b, const struct sent_call *call, struct call_result *ret_result) {
    (void)b;
    *ret_result = (struct call_result){.class = CALL_PERMANENT, .status = 403, .foreign = true};
    return has_seven(call);
}

static void one_that_something_on_the_way_stops_is_given_up_after_a_minute(void **state) {
    (void)state;
    struct bench *b = bench_new(0);
    b->fails = block_seven;
    add_all(b, 50, NULL);
    run_for(b, SECONDS(30));
    assert_int_equal(b->sent_count, 49);
    assert_int_equal(b->refused_count, 0);
    run_for(b, SECONDS(60));
    assert_string_equal(b->refused, "7 ");
    assert_int_equal(b->failed_count, 0);
    bench_free(b);
}

static int64_t away_until;
static bool is_away(struct bench *b, const struct sent_call *call, struct call_result *ret_result) {
    (void)call;
    *ret_result = (struct call_result){.class = CALL_RETRY, .unsent = true, .message = "no connection"};
    return b->now < away_until;
}

static void a_service_that_is_away_is_waited_for(void **state) {
    (void)state;
    struct bench *b = bench_new(0);
    b->fails = is_away;
    away_until = b->now + SECONDS(50);
    add_all(b, 300, NULL);
    run_for(b, SECONDS(40));
    assert_true(sender_in_trouble(&b->sender));
    assert_true(b->call_count < 80); /* one at a time tries */
    run_for(b, SECONDS(20));
    assert_int_equal(b->sent_count, 300);
    assert_int_equal(b->failed_count, 0);
    assert_false(sender_in_trouble(&b->sender));
    bench_free(b);
}

static void after_a_minute_it_gives_up_once_and_keeps_what_was_not_sent(void **state) {
    (void)state;
    struct bench *b = bench_new(0);
    b->fails = is_away;
    away_until = INT64_MAX;
    add_all(b, 30, NULL);
    run_for(b, SECONDS(100));
    assert_int_equal(b->failed_count, 1);
    assert_int_equal(b->fault, SENDER_UNREACHABLE);
    assert_int_equal(b->sent_count, 0);
    assert_int_equal(sender_oldest(&b->sender)->place.number, 1);
    assert_false(sender_has_room(&b->sender));
    bench_free(b);
}

static bool deny(struct bench *b, const struct sent_call *call, struct call_result *ret_result) {
    (void)b, (void)call;
    *ret_result =
        (struct call_result){.class = CALL_DENIED, .status = 403, .from_service = true, .code = "AccessDenied"};
    return true;
}

static void what_is_denied_is_not_waited_for(void **state) {
    (void)state;
    struct bench *b = bench_new(0);
    b->fails = deny;
    add_all(b, 3, NULL);
    run_for(b, SECONDS(1));
    assert_int_equal(b->failed_count, 1);
    assert_int_equal(b->fault, SENDER_DENIED);
    bench_free(b);
}

static void of_a_group_one_is_under_way_and_they_keep_their_order(void **state) {
    (void)state;
    struct bench *b = bench_new(0);
    b->code_of = fail_every_third_once;
    for (unsigned i = 40; i < 100; i++) {
        add(b, i, i % 2 ? "odd" : "even");
    }
    sender_hurry(&b->sender, true);
    run_for(b, SECONDS(60));
    assert_int_equal(b->sent_count, 60);
    unsigned last[2] = {0, 0};
    char *rest = b->sent;
    for (unsigned n = (unsigned)strtoul(rest, &rest, 10); n; n = (unsigned)strtoul(rest, &rest, 10)) {
        assert_true(n > last[n % 2]);
        last[n % 2] = n;
    }
    for (size_t i = 0; i < b->call_count; i++) {
        assert_true(b->calls[i].count <= 2);
        assert_true(b->calls[i].count < 2 || strcmp(b->calls[i].groups[0], b->calls[i].groups[1]) != 0);
    }
    bench_free(b);
}

static void no_batch_is_larger_than_sqs_takes(void **state) {
    (void)state;
    struct bench *b = bench_new(0);
    char *large = malloc(600000);
    assert_non_null(large);
    memset(large, 'x', 600000);
    for (unsigned i = 0; i < 5; i++) {
        const struct sender_item item = {.body = span_of(large, 600000), .text = SPAN("x")};
        assert_true(sender_add(&b->sender, &item));
    }
    sender_hurry(&b->sender, true);
    run_for(b, SECONDS(1));
    assert_int_equal(b->call_count, 5);
    assert_int_equal(b->sent_count, 5);
    free(large);
    bench_free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_go_by_tens_and_many_at_once),
        cmocka_unit_test(a_row_waits_a_moment_for_company_and_no_longer),
        cmocka_unit_test(the_oldest_that_is_not_done_with_is_known),
        cmocka_unit_test(what_is_held_is_bounded),
        cmocka_unit_test(no_more_rows_a_second_than_the_rate),
        cmocka_unit_test(failed_entries_alone_go_again),
        cmocka_unit_test(what_sqs_refuses_for_good_is_given_back),
        cmocka_unit_test(a_batch_that_is_refused_for_one_entry_loses_that_alone),
        cmocka_unit_test(one_that_something_on_the_way_stops_is_given_up_after_a_minute),
        cmocka_unit_test(a_service_that_is_away_is_waited_for),
        cmocka_unit_test(after_a_minute_it_gives_up_once_and_keeps_what_was_not_sent),
        cmocka_unit_test(what_is_denied_is_not_waited_for),
        cmocka_unit_test(of_a_group_one_is_under_way_and_they_keep_their_order),
        cmocka_unit_test(no_batch_is_larger_than_sqs_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
