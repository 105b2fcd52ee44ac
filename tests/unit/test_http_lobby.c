#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler.h"
#include "http_lobby.h"
#include "http_server.h"
#include "loop.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 8

struct fixture {
    struct loop *loop;
    struct http_lobby *lobby;
    int listener;
    int clients[CLIENTS];
    size_t count;
    struct timer limit, turn;
};

static const struct http_lobby_options SPACIOUS = {CLIENTS, 1000, 60 * MICROSECONDS};
static const char REQUEST[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

static void too_late(void *user) {
    (void)user;
    fail_msg("nothing happens any more");
}

static void on_ready(void *user) {
    (void)user;
}

static void on_turn(void *user) {
    struct fixture *f = user;
    loop_stop(f->loop);
}

static int64_t now_of(const struct fixture *f) {
    struct clock clock = loop_clock(f->loop);
    return clock_monotonic(&clock);
}

static void begin(struct fixture *f, const struct http_lobby_options *options) {
    *f = (struct fixture){.loop = loop_new()};
    assert_non_null(f->loop);
    f->listener = http_server_listen("127.0.0.1:0");
    assert_true(f->listener >= 0);
    f->lobby = http_lobby_new(f->loop, f->listener, options, on_ready, f);
    assert_non_null(f->lobby);
    timer_init(&f->turn, on_turn, f);
    timer_init(&f->limit, too_late, f);
    timer_start(loop_timers(f->loop), &f->limit, now_of(f) + 60 * MICROSECONDS);
}

static void end(struct fixture *f) {
    for (size_t i = 0; i < f->count; i++) {
        close(f->clients[i]);
    }
    timer_stop(loop_timers(f->loop), &f->limit);
    timer_stop(loop_timers(f->loop), &f->turn);
    http_lobby_free(f->lobby);
    loop_free(f->loop);
}

static void say(int fd, const char *text) {
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Connects, and says this. */
static int arrive(struct fixture *f, const char *text) {
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    assert_true(f->count < CLIENTS);
    assert_int_equal(getsockname(f->listener, (struct sockaddr *)&address, &len), 0);
    int fd = f->clients[f->count++] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, len), 0);
    say(fd, text);
    return fd;
}

static struct http_lobby_stats stats(const struct fixture *f) {
    return http_lobby_stats(f->lobby);
}

/* Whatever happens within a millisecond. */
static void turn(struct fixture *f) {
    timer_start(loop_timers(f->loop), &f->turn, now_of(f) + MILLISECOND);
    assert_true(loop_run(f->loop));
}

/* What comes over loopback is there at once; so all that there is to do is done. */
static void settle(struct fixture *f) {
    for (unsigned i = 0; i < 3; i++) {
        turn(f);
    }
}

static void until_accepted(struct fixture *f, uint64_t count) {
    while (stats(f).accepted < count) {
        turn(f);
    }
}

static void until_looked(struct fixture *f, uint64_t count) {
    while (stats(f).looks < count) {
        turn(f);
    }
}

static void until_guests(struct fixture *f, size_t count) {
    while (stats(f).guests != count) {
        turn(f);
    }
}

static struct http_guest taken(struct fixture *f) {
    struct http_guest guest = {.fd = -1};
    while (!http_lobby_take(f->lobby, &guest)) {
        turn(f);
    }
    return guest;
}

/* Whether the other side has ended the connection. */
static bool is_cut(int fd) {
    char byte = 0;
    return recv(fd, &byte, 1, MSG_DONTWAIT) <= 0 && recv(fd, &byte, 1, 0) <= 0;
}

static void a_request_is_handed_over_unread_with_the_moment_it_was_let_in(void **state) {
    (void)state;
    struct fixture f;
    char head[sizeof REQUEST] = "";
    int any = 0;
    socklen_t len = sizeof any;
    begin(&f, &SPACIOUS);
    int64_t before = now_of(&f);
    arrive(&f, REQUEST);
    struct http_guest guest = taken(&f);
    assert_in_range(guest.since, before, now_of(&f));
    assert_int_equal(recv(guest.fd, head, sizeof head, MSG_DONTWAIT), strlen(REQUEST));
    assert_string_equal(head, REQUEST);
    assert_int_equal(getsockopt(guest.fd, SOL_SOCKET, SO_RCVLOWAT, &any, &len), 0);
    assert_int_equal(any, 1);
    assert_int_equal(stats(&f).guests, 0);
    assert_false(http_lobby_ready(f.lobby));
    close(guest.fd);
    end(&f);
}

static void less_than_any_request_has_is_not_even_looked_at(void **state) {
    (void)state;
    struct fixture f;
    begin(&f, &SPACIOUS);
    int fd = arrive(&f, "");
    until_accepted(&f, 1);
    for (size_t i = 0; i < 7; i++) {
        say(fd, (char[]){REQUEST[i], '\0'});
        settle(&f);
        assert_int_equal(stats(&f).looks, 0);
    }
    say(fd, REQUEST + 7);
    close(taken(&f).fd);
    assert_int_equal(stats(&f).looks, 1);
    end(&f);
}

static void the_shortest_requests_are_ready_as_they_come(void **state) {
    (void)state;
    static const char *const requests[] = {"A / HTTP/1.0\n\n", "GET / HTTP/1.0\r\n\r\n", "\r\nGET / HTTP/1.0\n\r\n",
                                           "GET /\r\n\r\n"};
    for (size_t i = 0; i < ARRAY_LENGTH(requests); i++) {
        struct fixture f;
        begin(&f, &SPACIOUS);
        arrive(&f, requests[i]);
        close(taken(&f).fd);
        assert_int_equal(stats(&f).looks, 1);
        end(&f);
    }
}

static void a_request_in_pieces_is_ready_once_it_is_whole(void **state) {
    (void)state;
    static const char *const pieces[] = {"\r\n\r\nGET / HTTP/1.1", "\r\nHost: h\r\n", "X: y\r\n", "\r\n"};
    struct fixture f;
    begin(&f, &SPACIOUS);
    int fd = arrive(&f, "");
    for (size_t i = 0; i < ARRAY_LENGTH(pieces); i++) {
        assert_false(http_lobby_ready(f.lobby));
        say(fd, pieces[i]);
        until_looked(&f, i + 1);
    }
    close(taken(&f).fd);
    end(&f);
}

static void a_head_that_is_longer_than_is_looked_at_is_handed_over(void **state) {
    (void)state;
    struct fixture f;
    char text[5000];
    begin(&f, &SPACIOUS);
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    arrive(&f, text);
    close(taken(&f).fd);
    end(&f);
}

static void a_part_is_looked_at_ever_more_rarely_whatever_comes(void **state) {
    (void)state;
    struct fixture f;
    begin(&f, &(struct http_lobby_options){CLIENTS, 1000, 500 * MILLISECOND});
    int fd = arrive(&f, "GET / HTTP/1.1\r\nX: ");
    until_looked(&f, 1);
    while (stats(&f).guests) {
        (void)send(fd, "x", 1, MSG_NOSIGNAL); /* a thousand a second */
        turn(&f);
    }
    assert_true(is_cut(fd));
    assert_in_range(stats(&f).looks, 2, 6); /* after 20, 60, 140 and 300 ms */
    assert_int_equal(stats(&f).cut, 1);
    end(&f);
}

static void whoever_closes_before_its_request_is_there_leaves_at_once(void **state) {
    (void)state;
    static const char *const parts[] = {"", "GET", "GET / HTTP/1.1\r\nHost: h\r\n"};
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
        for (unsigned late = 0; late < 2; late++) {
            struct fixture f;
            begin(&f, &SPACIOUS);
            int fd = arrive(&f, parts[i]);
            if (late) {
                until_accepted(&f, 1);
                settle(&f);
            }
            assert_int_equal(shutdown(fd, SHUT_WR), 0);
            until_accepted(&f, 1);
            until_guests(&f, 0);
            assert_true(is_cut(fd));
            assert_int_equal(stats(&f).cut, 0);
            end(&f);
        }
    }
}

static void whoever_closes_its_half_behind_its_request_is_ready(void **state) {
    (void)state;
    struct fixture f;
    begin(&f, &SPACIOUS);
    assert_int_equal(shutdown(arrive(&f, REQUEST), SHUT_WR), 0);
    close(taken(&f).fd);
    end(&f);
}

static void whoever_takes_too_long_is_cut_off_ready_or_not(void **state) {
    (void)state;
    struct fixture f;
    begin(&f, &(struct http_lobby_options){CLIENTS, 1000, 100 * MILLISECOND});
    int silent = arrive(&f, ""), slow = arrive(&f, "GET / HTTP/1.1\r\n"), ready = arrive(&f, REQUEST);
    until_accepted(&f, 3);
    until_guests(&f, 0);
    assert_true(is_cut(silent) && is_cut(slow) && is_cut(ready));
    assert_int_equal(stats(&f).cut, 3);
    assert_false(http_lobby_ready(f.lobby));
    end(&f);
}

static void where_there_is_no_room_the_one_that_waits_longest_gives_way_but_none_that_is_ready(void **state) {
    (void)state;
    struct fixture f;
    begin(&f, &(struct http_lobby_options){3, 1000, 60 * MICROSECONDS});
    int ready = arrive(&f, REQUEST), first = arrive(&f, "x"), second = arrive(&f, "x");
    until_accepted(&f, 3);
    settle(&f);
    assert_int_equal(stats(&f).cut, 0); /* while nobody else comes */
    int third = arrive(&f, "x");
    until_accepted(&f, 4);
    assert_true(is_cut(first));
    arrive(&f, REQUEST);
    until_accepted(&f, 5);
    assert_true(is_cut(second));
    assert_int_equal(stats(&f).guests, 3);
    assert_int_equal(stats(&f).cut, 2);
    char byte = 0;
    assert_int_equal(recv(ready, &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(recv(third, &byte, 1, MSG_DONTWAIT), -1);
    close(taken(&f).fd);
    close(taken(&f).fd);
    end(&f);
}

static void so_many_a_second_are_let_in_at_most(void **state) {
    (void)state;
    struct fixture f;
    begin(&f, &(struct http_lobby_options){CLIENTS, 5, 60 * MICROSECONDS});
    for (size_t i = 0; i < 3; i++) {
        arrive(&f, REQUEST);
    }
    int64_t before = now_of(&f);
    until_accepted(&f, 3);
    assert_true(now_of(&f) - before >= 300 * MILLISECOND);
    for (size_t i = 0; i < 3; i++) {
        close(taken(&f).fd);
    }
    end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_handed_over_unread_with_the_moment_it_was_let_in),
        cmocka_unit_test(less_than_any_request_has_is_not_even_looked_at),
        cmocka_unit_test(the_shortest_requests_are_ready_as_they_come),
        cmocka_unit_test(a_request_in_pieces_is_ready_once_it_is_whole),
        cmocka_unit_test(a_head_that_is_longer_than_is_looked_at_is_handed_over),
        cmocka_unit_test(a_part_is_looked_at_ever_more_rarely_whatever_comes),
        cmocka_unit_test(whoever_closes_before_its_request_is_there_leaves_at_once),
        cmocka_unit_test(whoever_closes_its_half_behind_its_request_is_ready),
        cmocka_unit_test(whoever_takes_too_long_is_cut_off_ready_or_not),
        cmocka_unit_test(where_there_is_no_room_the_one_that_waits_longest_gives_way_but_none_that_is_ready),
        cmocka_unit_test(so_many_a_second_are_let_in_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
