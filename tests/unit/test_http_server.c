#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buf.h"
#include "compiler.h"
#include "http_server.h"
#include "loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 40

struct fixture;
struct visitor {
    struct fixture *fixture;
    int fd;
    struct loop_watch *watch;
    bool ended;
    struct buf answer;
};

struct fixture {
    struct loop *loop;
    struct http_server *server;
    int listener;
    struct visitor visitors[CLIENTS];
    size_t count, ended, wanted;
    char asked[64];
    struct timer limit, next;
    size_t said;
};

static void answer(void *user, const struct http_server_request *request, struct http_server_reply *reply) {
    struct fixture *f = user;
    (void)snprintf(f->asked, sizeof f->asked, "%s|%s|%s", request->path, request->host, request->accept);
    if (strcmp(request->path, "/") != 0) {
        reply->status = 404;
    }
    reply->body = SPAN("hello\n");
    reply->headers[0].name = "X-Mine";
    reply->headers[0].value = "yes";
}

static void too_late(void *user) {
    (void)user;
    fail_msg("nothing happens any more");
}

static void begin(struct fixture *f, const struct http_server_options *options) {
    *f = (struct fixture){.loop = loop_new()};
    assert_non_null(f->loop);
    f->listener = http_server_listen("127.0.0.1:0");
    assert_true(f->listener >= 0);
    f->server = http_server_new(f->loop, f->listener, options, answer, f);
    assert_non_null(f->server);
    timer_init(&f->limit, too_late, f);
    struct clock clock = loop_clock(f->loop);
    timer_start(loop_timers(f->loop), &f->limit, clock_monotonic(&clock) + 60 * MICROSECONDS);
}

static void end(struct fixture *f) {
    for (size_t i = 0; i < f->count; i++) {
        loop_watch_free(f->visitors[i].watch);
        close(f->visitors[i].fd);
        buf_free(&f->visitors[i].answer);
    }
    timer_stop(loop_timers(f->loop), &f->limit);
    http_server_free(f->server);
    loop_free(f->loop);
}

static void on_readable(void *user, unsigned events) {
    struct visitor *v = user;
    char piece[4096];
    (void)events;
    ssize_t n = recv(v->fd, piece, sizeof piece, MSG_DONTWAIT);
    if (n > 0) {
        assert_true(buf_append(&v->answer, piece, (size_t)n));
        return;
    }
    loop_watch_events(v->watch, 0);
    v->ended = true;
    if (++v->fixture->ended >= v->fixture->wanted) {
        loop_stop(v->fixture->loop);
    }
}

/* One more connection, on which text is sent. */
static struct visitor *visit(struct fixture *f, const char *text) {
    assert_true(f->count < CLIENTS);
    struct visitor *v = &f->visitors[f->count++];
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    assert_int_equal(getsockname(f->listener, (struct sockaddr *)&address, &len), 0);
    *v = (struct visitor){.fixture = f, .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_true(v->fd >= 0);
    assert_int_equal(connect(v->fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(send(v->fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    buf_init(&v->answer, 65536);
    v->watch = loop_watch_fd(f->loop, v->fd, LOOP_READ, on_readable, v);
    assert_non_null(v->watch);
    return v;
}

/* Until so many more connections have ended. */
static void until_ended(struct fixture *f, size_t more) {
    f->wanted = f->ended + more;
    assert_true(loop_run(f->loop));
}

static void assert_status(const struct visitor *v, const char *status) {
    char line[64];
    (void)snprintf(line, sizeof line, "HTTP/1.1 %s", status);
    assert_non_null(v->answer.data);
    assert_memory_equal(v->answer.data, line, strlen(line));
}

static void a_request_gets_its_answer_and_the_connection_ends(void **state) {
    (void)state;
    struct fixture f;
    begin(&f, &(struct http_server_options){0});
    struct visitor *v = visit(&f, "GET /?q=1 HTTP/1.1\r\nHost: here:1\r\nAccept: a/b\r\n\r\n");
    until_ended(&f, 1);
    assert_status(v, "200");
    assert_string_equal(f.asked, "/|here:1|a/b");
    assert_non_null(strstr(v->answer.data, "\r\nX-Mine: yes\r\n"));
    assert_non_null(strstr(v->answer.data, "\r\n\r\nhello\n"));
    v = visit(&f, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
    until_ended(&f, 1);
    assert_status(v, "200");
    assert_string_equal(strstr(v->answer.data, "\r\n\r\n"), "\r\n\r\n");
    v = visit(&f, "GET /x HTTP/1.0\r\n\r\n");
    until_ended(&f, 1);
    assert_non_null(v->answer.data);
    assert_non_null(strstr(v->answer.data, " 404 "));
    assert_string_equal(f.asked, "/x||");
    assert_int_equal(http_server_stats(f.server).answered, 3);
    end(&f);
}

static void other_methods_are_refused_before_their_bodies_come(void **state) {
    (void)state;
    struct fixture f;
    begin(&f, &(struct http_server_options){0});
    struct visitor *v = visit(&f, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\nabc");
    until_ended(&f, 1);
    assert_status(v, "405");
    assert_non_null(strstr(v->answer.data, "\r\nAllow: GET, HEAD\r\n"));
    assert_string_equal(f.asked, "");
    end(&f);
}

static void a_second_request_on_the_connection_is_not_answered(void **state) {
    (void)state;
    struct fixture f;
    begin(&f, &(struct http_server_options){0});
    struct visitor *v = visit(&f, "GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");
    until_ended(&f, 1);
    assert_status(v, "200");
    assert_int_equal(http_server_stats(f.server).answered, 1);
    end(&f);
}

static void whoever_takes_too_long_is_cut_off(void **state) {
    (void)state;
    struct fixture f;
    begin(&f, &(struct http_server_options){.request_time = 100 * MILLISECOND});
    struct visitor *silent = visit(&f, ""), *slow = visit(&f, "GET / HTTP/1.1\r\nHost: h\r\nX: ");
    struct visitor *half = visit(&f, "GET / HTT");
    assert_int_equal(shutdown(half->fd, SHUT_WR), 0);
    until_ended(&f, 3);
    assert_true(silent->ended && slow->ended && half->ended);
    assert_int_equal(slow->answer.len, 0);
    assert_int_equal(http_server_stats(f.server).clients, 0);
    struct visitor *v = visit(&f, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    until_ended(&f, 1);
    assert_status(v, "200");
    end(&f);
}

static void the_shortest_requests_there_are_get_an_answer(void **state) {
    (void)state;
    struct fixture f;
    begin(&f, &(struct http_server_options){0});
    struct visitor *v = visit(&f, "GET / HTTP/1.0\r\n\r\n");
    until_ended(&f, 1);
    assert_non_null(v->answer.data);
    assert_non_null(strstr(v->answer.data, " 200 "));
    v = visit(&f, "A / HTTP/1.0\n\n");
    until_ended(&f, 1);
    assert_non_null(v->answer.data);
    assert_non_null(strstr(v->answer.data, " 405 "));
    end(&f);
}

static void send_next_piece(void *user) {
    static const char *const pieces[] = {"\r\nHost: h\r\nX: ", "y\r\n", "\r\n"};
    struct fixture *f = user;
    assert_true(f->said < ARRAY_LENGTH(pieces));
    const char *piece = pieces[f->said++];
    assert_int_equal(send(f->visitors[0].fd, piece, strlen(piece), MSG_NOSIGNAL), strlen(piece));
    if (f->said < ARRAY_LENGTH(pieces)) {
        timer_start(loop_timers(f->loop), &f->next, f->next.due + 50 * MILLISECOND);
    }
}

static void a_request_that_comes_slowly_in_pieces_is_answered(void **state) {
    (void)state;
    struct fixture f;
    begin(&f, &(struct http_server_options){0});
    struct visitor *v = visit(&f, "GET / HTTP/1.1");
    struct clock clock = loop_clock(f.loop);
    timer_init(&f.next, send_next_piece, &f);
    timer_start(loop_timers(f.loop), &f.next, clock_monotonic(&clock) + 50 * MILLISECOND);
    until_ended(&f, 1);
    assert_status(v, "200");
    assert_string_equal(f.asked, "/|h|");
    end(&f);
}

static void more_than_are_served_at_once_are_served_one_after_the_other(void **state) {
    (void)state;
    struct fixture f;
    begin(&f, &(struct http_server_options){.served = 2, .served_per_second = 500});
    for (size_t i = 0; i < 20; i++) {
        visit(&f, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    }
    until_ended(&f, 20);
    for (size_t i = 0; i < 20; i++) {
        assert_status(&f.visitors[i], "200");
    }
    struct http_server_stats stats = http_server_stats(f.server);
    assert_int_equal(stats.accepted, 20);
    assert_int_equal(stats.answered, 20);
    assert_int_equal(stats.cut, 0);
    end(&f);
}

static void whoever_has_sent_all_and_closed_its_half_gets_its_answer(void **state) {
    (void)state;
    struct fixture f;
    begin(&f, &(struct http_server_options){0});
    struct visitor *v = visit(&f, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(shutdown(v->fd, SHUT_WR), 0);
    until_ended(&f, 1);
    assert_status(v, "200");
    end(&f);
}

static void where_there_is_no_room_the_one_that_came_first_gives_way(void **state) {
    (void)state;
    struct fixture f;
    begin(&f, &(struct http_server_options){.clients = 4, .served = 4, .request_time = 60 * MICROSECONDS});
    for (size_t i = 0; i < 30; i++) {
        visit(&f, "GET / HTTP/1.1\r\nX: ");
    }
    struct visitor *v = visit(&f, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    while (!v->ended) {
        until_ended(&f, 1);
        assert_true(http_server_stats(f.server).clients <= 4);
    }
    assert_status(v, "200");
    assert_in_range(http_server_stats(f.server).cut, 26, 30);
    end(&f);
}

static void an_address_in_use_or_none_is_said_to_be_so(void **state) {
    (void)state;
    int fd = http_server_listen("127.0.0.1:0");
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    char text[32];
    (void)snprintf(text, sizeof text, "127.0.0.1:%u", ntohs(address.sin_port));
    assert_int_equal(http_server_listen(text), -EADDRINUSE);
    close(fd);
    static const char *const bad[] = {"",
                                      ":",
                                      "127.0.0.1",
                                      "127.0.0.1:",
                                      "127.0.0.1:x",
                                      "127.0.0.1:70000",
                                      "::1:1",
                                      "[::1]",
                                      "[::1:1",
                                      "localhost:1",
                                      "1111111111111111111111111111111111111111111111111:1"};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        assert_int_equal(http_server_listen(bad[i]), -EINVAL);
    }
    fd = http_server_listen("[::1]:0");
    assert_true(fd >= 0 || fd == -EADDRNOTAVAIL || fd == -EAFNOSUPPORT);
    if (fd >= 0) {
        close(fd);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_gets_its_answer_and_the_connection_ends),
        cmocka_unit_test(other_methods_are_refused_before_their_bodies_come),
        cmocka_unit_test(a_second_request_on_the_connection_is_not_answered),
        cmocka_unit_test(whoever_takes_too_long_is_cut_off),
        cmocka_unit_test(the_shortest_requests_there_are_get_an_answer),
        cmocka_unit_test(a_request_that_comes_slowly_in_pieces_is_answered),
        cmocka_unit_test(more_than_are_served_at_once_are_served_one_after_the_other),
        cmocka_unit_test(whoever_has_sent_all_and_closed_its_half_gets_its_answer),
        cmocka_unit_test(where_there_is_no_room_the_one_that_came_first_gives_way),
        cmocka_unit_test(an_address_in_use_or_none_is_said_to_be_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
