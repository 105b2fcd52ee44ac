#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connection_private.h"
#include "http_fixture.h"

#include <linux/tcp.h>

static const struct server_answer OK = OK_ANSWER;

/* How many connections the server was asked for by two requests, the first of which it answers so. */
static size_t connections_of_two(struct fixture *f, const struct server_answer *first, int status) {
    struct server_answer answers[] = {*first, OK};
    begin(f, &(struct http_options){0}, answers, ARRAY_LENGTH(answers));
    struct http_request request = post(f, "x");
    struct outcome *o = run(f, &request);
    assert_int_equal(o->error, HTTP_FINE);
    assert_int_equal(o->status, status);
    assert_int_equal(run(f, &request)->status, 200);
    assert_int_equal(f->server.requests, 2);
    return f->server.accepted;
}

static void what_comes_after_a_response_is_no_answer_to_the_next_request(void **state) {
    const struct server_answer first = {
        .text = "HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"};
    assert_int_equal(connections_of_two(*state, &first, 400), 2);
}

static void a_connection_that_the_server_means_to_close_is_not_used_again(void **state) {
    const struct server_answer first = {.text = "HTTP/1.1 400 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"};
    assert_int_equal(connections_of_two(*state, &first, 400), 2);
}

static void a_connection_of_http_1_0_is_not_used_again(void **state) {
    const struct server_answer first = {.text = "HTTP/1.0 400 No\r\nContent-Length: 2\r\n\r\n{}"};
    assert_int_equal(connections_of_two(*state, &first, 400), 2);
}

static void a_connection_of_http_1_0_that_is_kept_alive_is_used_again(void **state) {
    const struct server_answer first = {.text =
                                            "HTTP/1.0 400 No\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\n{}"};
    assert_int_equal(connections_of_two(*state, &first, 400), 1);
}

static void a_response_with_two_lengths_in_it_costs_the_connection(void **state) {
    const struct server_answer first = {
        .text = "HTTP/1.1 400 No\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"};
    assert_int_equal(connections_of_two(*state, &first, 400), 2);
}

static void a_response_without_a_length_ends_with_the_connection(void **state) {
    const struct server_answer first = {.text = "HTTP/1.1 400 No\r\n\r\n{}", .after = SERVER_CLOSES};
    assert_int_equal(connections_of_two(*state, &first, 400), 2);
}

static void a_server_that_speaks_before_it_is_asked_is_broken(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &OK, 1);
    f->server.greeting = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    struct http_request request = post(f, "x");
    struct outcome *o = run(f, &request);
    /* Where its word comes only after the request was sent, nothing tells it from an answer. */
    assert_true(o->error == HTTP_BROKEN || o->error == HTTP_FINE);
    f->server.greeting = NULL;
    assert_int_equal(run(f, &request)->status, 200);
    assert_string_equal(f->outcomes[1].body, "{}");
}

static void a_header_that_would_be_two_is_refused(void **state) {
    static const char *const lines[] = {"A: b\r\nX-Amz-Target: evil", "A: b\nC: d", "A: b\r"};
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &OK, 1);
    for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
        struct http_request request = post(f, "x");
        request.headers = &lines[i];
        request.header_count = 1;
        assert_int_equal(run(f, &request)->error, HTTP_REFUSED);
    }
    assert_int_equal(f->server.requests, 0);
}

static void a_head_larger_than_a_piece_is_sent_whole(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &OK, 1);
    size_t size = 3 * HTTP_SEND_PIECE;
    char *line = malloc(size + 1);
    assert_non_null(line);
    memset(line, 'a', size);
    line[1] = ':';
    line[size] = '\0';
    const char *lines[] = {line};
    struct http_request request = post(f, "the body");
    request.headers = lines;
    request.header_count = 1;
    assert_int_equal(run(f, &request)->status, 200);
    assert_non_null(strstr(f->server.last_request.data, line));
    assert_string_equal(strstr(f->server.last_request.data, "\r\n\r\n"), "\r\n\r\nthe body");
    free(line);
}

static void bodies_around_the_size_of_a_piece_are_sent_whole(void **state) {
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &OK, 1);
    char *body = malloc(2 * HTTP_SEND_PIECE + 1);
    assert_non_null(body);
    for (size_t size = HTTP_SEND_PIECE - 200; size < 2 * HTTP_SEND_PIECE; size += size % 61 == 0 ? 1000 : 17) {
        memset(body, 'b', size);
        body[size] = '\0';
        struct http_request request = post(f, body);
        f->started = f->finished = 0;
        f->outcomes[0] = (struct outcome){0};
        assert_int_equal(run(f, &request)->status, 200);
        assert_string_equal(strstr(f->server.last_request.data, "\r\n\r\n") + 4, body);
    }
    free(body);
}

/* Of the only connection. */
static int socket_of(const struct fixture *f) {
    return TAILQ_FIRST(&f->http->pool.connections)->line->fd;
}

static void assert_holds_nothing_back(const struct fixture *f) {
    int cork = 1;
    socklen_t size = sizeof cork;
    assert_int_equal(getsockopt(socket_of(f), IPPROTO_TCP, TCP_CORK, &cork, &size), 0);
    assert_int_equal(cork, 0);
}

static void a_body_in_pieces_goes_in_full_packets(void **state) {
    enum { PIECES = 6 };
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, &OK, 1);
    char *body = malloc(PIECES * HTTP_SEND_PIECE + 1);
    assert_non_null(body);
    memset(body, 'b', PIECES * HTTP_SEND_PIECE);
    body[PIECES * HTTP_SEND_PIECE] = '\0';
    struct http_request request = post(f, body);
    assert_int_equal(run(f, &request)->status, 200);
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    assert_int_equal(getsockopt(socket_of(f), IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    /* Two or three; one more for each time that a busy machine keeps the server from reading. */
    assert_in_range(info.tcpi_data_segs_out, 1, PIECES - 1);
    assert_holds_nothing_back(f);
    free(body);
}

static void what_is_given_up_while_it_is_sent_leaves_nothing(void **state) {
    struct fixture *f = *state;
    const struct server_answer silent = {.text = NULL};
    begin(f, &(struct http_options){0}, &silent, 1);
    loop_watch_events(f->server.watch, 0); /* it takes no connection: the kernel does, and what is sent stays there */
    size_t size = 32 << 20;
    char *body = malloc(size + 1);
    assert_non_null(body);
    memset(body, 'b', size);
    body[size] = '\0';
    struct http_request request = post(f, body);
    request.timeout = 500 * MILLISECOND;
    struct outcome *o = start(f, &request);
    do { /* until it is connected, and what could go has gone */
        linger(f, 10 * MILLISECOND);
    } while (f->http->pool.opened == 0 && !o->done);
    assert_int_equal(f->http->pool.opened, 1);
    linger(f, 10 * MILLISECOND);
    assert_holds_nothing_back(f);
    await(f, 1);
    assert_int_equal(o->error, HTTP_TIMED_OUT);
    free(body);
    assert_int_equal(http_stats(f->http).transfers, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_comes_after_a_response_is_no_answer_to_the_next_request),
        TEST(a_connection_that_the_server_means_to_close_is_not_used_again),
        TEST(a_connection_of_http_1_0_is_not_used_again),
        TEST(a_connection_of_http_1_0_that_is_kept_alive_is_used_again),
        TEST(a_response_with_two_lengths_in_it_costs_the_connection),
        TEST(a_response_without_a_length_ends_with_the_connection),
        TEST(a_server_that_speaks_before_it_is_asked_is_broken),
        TEST(a_header_that_would_be_two_is_refused),
        TEST(a_head_larger_than_a_piece_is_sent_whole),
        TEST(bodies_around_the_size_of_a_piece_are_sent_whole),
        TEST(a_body_in_pieces_goes_in_full_packets),
        TEST(what_is_given_up_while_it_is_sent_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
