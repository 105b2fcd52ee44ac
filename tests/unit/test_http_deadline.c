#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_fixture.h"
#include "virtual_time.h"

#define SECOND MICROSECONDS

static int64_t now_of(const struct fixture *f) {
    struct clock clock = loop_clock(f->loop);
    return clock_monotonic(&clock);
}

static const struct server_answer SILENT = {.text = NULL};

static struct http_request patient(const struct fixture *f) {
    struct http_request request = post(f, "x");
    request.timeout = 60 * SECOND;
    request.silence = 10 * SECOND;
    return request;
}

/* The server says a piece of its answer every so often. */
struct trickle {
    struct fixture *f;
    const char *const *pieces;
    int64_t every;
    struct timer timer;
};

static void say_more(void *user) {
    struct trickle *t = user;
    if (t->f->server.connections && *t->pieces) {
        send_stray(t->f, *t->pieces++);
        timer_start(loop_timers(t->f->loop), &t->timer, now_of(t->f) + t->every);
    }
}

static struct outcome *run_trickling(struct fixture *f, const struct http_request *request, const char *const *pieces,
                                     int64_t every) {
    struct trickle trickle = {.f = f, .pieces = pieces, .every = every};
    timer_init(&trickle.timer, say_more, &trickle);
    struct outcome *o = start(f, request);
    timer_start(loop_timers(f->loop), &trickle.timer, now_of(f) + every);
    await(f, 1);
    timer_stop(loop_timers(f->loop), &trickle.timer);
    return o;
}

static void assert_lasted(int64_t began, int64_t ended, int64_t seconds) {
    assert_in_range(ended - began, seconds * SECOND, seconds * SECOND + SECOND);
}

static void silence_ends_a_transfer_long_before_its_time(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &SILENT, 1);
    struct http_request request = patient(f);
    int64_t began = now_of(f);
    struct outcome *o = run(f, &request);
    assert_int_equal(o->error, HTTP_TIMED_OUT);
    assert_string_equal(o->message, "the connection fell silent");
    assert_lasted(began, now_of(f), 10);
}

static void what_moves_is_not_given_up_however_slowly(void **state) {
    static const char *const pieces[] = {"HTTP/1.1 200 OK\r\n", "Content-Le", "ngth: 2\r\n\r\n", "{", "}", NULL};
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &SILENT, 1);
    struct http_request request = patient(f);
    int64_t began = now_of(f);
    struct outcome *o = run_trickling(f, &request, pieces, 9 * SECOND);
    assert_int_equal(o->error, HTTP_FINE);
    assert_string_equal(o->body, "{}");
    assert_lasted(began, now_of(f), 45);
    assert_in_range(o->answered, began + 9 * SECOND, began + 10 * SECOND);
}

static void nothing_goes_on_for_ever(void **state) {
    static const char *const pieces[] = {"H", "T", "T", "P", "/", "1", ".", "1", " ", "2", "0", "0", "\r", NULL};
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &SILENT, 1);
    struct http_request request = patient(f);
    int64_t began = now_of(f);
    struct outcome *o = run_trickling(f, &request, pieces, 9 * SECOND);
    assert_int_equal(o->error, HTTP_TIMED_OUT);
    assert_string_equal(o->message, "the response didn't come in time");
    assert_lasted(began, now_of(f), 60);
}

static void silence_in_the_midst_of_an_answer_is_silence(void **state) {
    static const char *const pieces[] = {"HTTP/1.1 200 OK\r\n", "Content-Length: 2\r\n\r\n{", NULL};
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &SILENT, 1);
    struct http_request request = patient(f);
    request.wait = 20 * SECOND; /* which is over once it has begun */
    int64_t began = now_of(f);
    struct outcome *o = run_trickling(f, &request, pieces, 9 * SECOND);
    assert_int_equal(o->error, HTTP_TIMED_OUT);
    assert_string_equal(o->message, "the connection fell silent");
    assert_lasted(began, now_of(f), 28);
}

static void fault_22_a_long_poll_is_silent_for_its_wait_and_ten_seconds(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &SILENT, 1);
    struct http_request request = patient(f);
    request.wait = 20 * SECOND;
    int64_t began = now_of(f);
    assert_int_equal(run(f, &request)->error, HTTP_TIMED_OUT);
    assert_lasted(began, now_of(f), 30);
}

static void without_a_connection_it_is_late_as_well(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){.max_connections = 1}, &SILENT, 1);
    struct http_request request = patient(f), long_poll = patient(f);
    long_poll.wait = 20 * SECOND;
    (void)start(f, &long_poll);
    int64_t began = now_of(f);
    struct outcome *o = start(f, &request);
    await(f, 1);
    assert_string_equal(o->message, "there was no connection in time");
    assert_lasted(began, now_of(f), 10);
}

/* It takes a little of the request now and then. */
static void take_some(void *user) {
    struct trickle *t = user;
    static char data[1 << 20];
    if (recv(t->f->server.connections->fd, data, sizeof data, MSG_DONTWAIT) > 0) {
        timer_start(loop_timers(t->f->loop), &t->timer, now_of(t->f) + t->every);
    }
}

static void a_request_that_the_kernel_still_sends_is_not_silent(void **state) {
    struct fixture *f = *state;
    const struct server_answer answers[] = {OK_ANSWER, {.text = NULL}};
    begin(f, &(struct http_options){0}, answers, 2);
    struct http_request request = patient(f);
    assert_int_equal(run(f, &request)->error, HTTP_FINE);
    loop_watch_events(f->server.connections->watch, 0);
    size_t size = 8 << 20;
    char *body = malloc(size);
    assert_non_null(body);
    memset(body, 'b', size);
    request.body = span_of(body, size);
    struct trickle trickle = {.f = f, .every = 2 * SECOND};
    timer_init(&trickle.timer, take_some, &trickle);
    timer_start(loop_timers(f->loop), &trickle.timer, now_of(f) + trickle.every);
    int64_t began = now_of(f);
    struct outcome *o = start(f, &request);
    await(f, 2);
    timer_stop(loop_timers(f->loop), &trickle.timer);
    free(body);
    assert_int_equal(o->error, HTTP_TIMED_OUT);
    /* It would have been silent after ten seconds and a look at the kernel; how long that goes on sending is its own
     * affair. */
    assert_in_range(now_of(f) - began, 14 * SECOND, 45 * SECOND);
}

/* The answer stands in the socket. Who gave it up would not know what became of the request. */
static void fault_36_what_came_while_the_process_stood_still_is_read(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &SILENT, 1);
    struct http_request request = patient(f);
    struct outcome *o = start(f, &request);
    linger(f, SECOND);
    int64_t before = now_of(f);
    send_stray(f, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    stand_still = 900 * SECOND;
    await(f, 1);
    assert_int_equal(o->error, HTTP_FINE);
    assert_string_equal(o->body, "{}");
    assert_in_range(o->answered, before - SECOND, before + SECOND); /* when it can have come */
}

static void fault_36_what_did_not_come_while_the_process_stood_still_is_late(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &SILENT, 1);
    struct http_request request = patient(f);
    struct outcome *o = start(f, &request);
    linger(f, SECOND);
    stand_still = 900 * SECOND;
    int64_t before = now_of(f);
    await(f, 1);
    assert_int_equal(o->error, HTTP_TIMED_OUT);
    assert_in_range(now_of(f) - before, 900 * SECOND, 903 * SECOND);
}

/* It hasn't been sent, so that there is nothing to read: nobody counts on it by then. */
static void fault_36_what_waited_for_a_connection_while_the_process_stood_still_is_not_sent(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){.max_connections = 1}, &SILENT, 1);
    struct http_request request = patient(f);
    struct outcome *sent = start(f, &request), *waiting = start(f, &request);
    linger(f, SECOND);
    send_stray(f, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    stand_still = 900 * SECOND;
    await(f, 2);
    assert_int_equal(sent->error, HTTP_FINE);
    assert_int_equal(waiting->error, HTTP_TIMED_OUT);
    assert_non_null(strstr(waiting->message, "there was no connection in time"));
    assert_int_equal(f->server.requests, 1);
}

/* Else it goes over another connection: the old one may have died before the server read it. */
static void fault_36_what_lost_its_connection_while_the_process_stood_still_is_not_sent_again(void **state) {
    struct fixture *f = *state;
    const struct server_answer answers[] = {OK_ANSWER, {.text = NULL}};
    begin(f, &(struct http_options){0}, answers, 2);
    struct http_request request = patient(f);
    assert_int_equal(run(f, &request)->error, HTTP_FINE);
    struct outcome *o = start(f, &request);
    linger(f, SECOND);
    assert_int_equal(f->server.requests, 2);
    assert_int_equal(shutdown(f->server.connections->fd, SHUT_WR), 0);
    stand_still = 900 * SECOND;
    await(f, 2);
    assert_int_equal(f->server.requests, 2);
    assert_int_equal(f->server.accepted, 1);
    assert_int_equal(o->error, HTTP_BROKEN);
}

static void fault_36_connections_that_were_idle_while_the_process_stood_still_are_not_used(void **state) {
    struct fixture *f = *state;
    const struct server_answer answers[] = {OK_ANSWER};
    begin(f, &(struct http_options){0}, answers, 1);
    struct http_request request = patient(f);
    assert_int_equal(run(f, &request)->error, HTTP_FINE);
    stand_still = 60 * SECOND;
    linger(f, MILLISECOND);
    assert_int_equal(run(f, &request)->error, HTTP_FINE);
    assert_int_equal(f->server.accepted, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(silence_ends_a_transfer_long_before_its_time),
        TEST(what_moves_is_not_given_up_however_slowly),
        TEST(nothing_goes_on_for_ever),
        TEST(silence_in_the_midst_of_an_answer_is_silence),
        TEST(fault_22_a_long_poll_is_silent_for_its_wait_and_ten_seconds),
        TEST(without_a_connection_it_is_late_as_well),
        TEST(a_request_that_the_kernel_still_sends_is_not_silent),
        TEST(fault_36_what_came_while_the_process_stood_still_is_read),
        TEST(fault_36_what_did_not_come_while_the_process_stood_still_is_late),
        TEST(fault_36_what_waited_for_a_connection_while_the_process_stood_still_is_not_sent),
        TEST(fault_36_what_lost_its_connection_while_the_process_stood_still_is_not_sent_again),
        TEST(fault_36_connections_that_were_idle_while_the_process_stood_still_are_not_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
