#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_fixture.h"

/* One POST to a server with this one answer. */
static struct outcome *run_against(struct fixture *f, struct server_answer answer, size_t max_response) {
    begin(f, &(struct http_options){0}, &answer, 1);
    struct http_request request = post(f, "x");
    request.max_response = max_response;
    return run(f, &request);
}

static void a_request_is_sent_as_it_was_given(void **state) {
    struct fixture *f = *state;
    const struct server_answer answers[] = {OK_ANSWER};
    begin(f, &(struct http_options){.user_agent = "table-updater/1"}, answers, 1);
    const char *headers[] = {"X-Amz-Target: A.B", "Content-Type: application/x-amz-json-1.0"};
    struct http_request request = post(f, "{\"a\":1}");
    request.headers = headers;
    request.header_count = ARRAY_LENGTH(headers);
    struct outcome *o = run(f, &request);
    assert_int_equal(o->error, HTTP_FINE);
    assert_int_equal(o->status, 200);
    assert_string_equal(o->body, "{}");
    assert_string_equal(o->message, "");
    char expected[512];
    (void)snprintf(expected, sizeof expected,
                   "POST / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: table-updater/1\r\nX-Amz-Target: A.B\r\n"
                   "Content-Type: application/x-amz-json-1.0\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
                   f->server.port);
    assert_string_equal(f->server.last_request.data, expected);
}

static void a_host_among_the_headers_takes_the_place_of_the_url_s(void **state) {
    struct fixture *f = *state;
    const struct server_answer answers[] = {OK_ANSWER};
    begin(f, &(struct http_options){0}, answers, 1);
    const char *headers[] = {"A: b", "Host: sqs.example.com"};
    struct http_request request = post(f, "");
    request.headers = headers;
    request.header_count = ARRAY_LENGTH(headers);
    assert_int_equal(run(f, &request)->status, 200);
    assert_string_equal(f->server.last_request.data,
                        "POST / HTTP/1.1\r\nA: b\r\nHost: sqs.example.com\r\nContent-Length: 0\r\n\r\n");
}

static void each_method_has_its_request_line_also_on_a_reused_handle(void **state) {
    static const struct {
        enum http_method method;
        const char *body, *begins;
    } cases[] = {
        {HTTP_PUT, "", "PUT / HTTP/1.1\r\n"},      {HTTP_GET, "", "GET / HTTP/1.1\r\n"},
        {HTTP_POST, "abc", "POST / HTTP/1.1\r\n"}, {HTTP_GET, "", "GET / HTTP/1.1\r\n"},
        {HTTP_PUT, "abc", "PUT / HTTP/1.1\r\n"},   {HTTP_POST, "", "POST / HTTP/1.1\r\n"},
    };
    struct fixture *f = *state;
    const struct server_answer answers[] = {OK_ANSWER};
    begin(f, &(struct http_options){0}, answers, 1);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct http_request request = post(f, cases[i].body);
        request.method = cases[i].method;
        assert_int_equal(run(f, &request)->status, 200);
        const char *sent = f->server.last_request.data;
        assert_memory_equal(sent, cases[i].begins, strlen(cases[i].begins));
        bool has_length = strstr(sent, "Content-Length:") != NULL;
        assert_int_equal(has_length, cases[i].method != HTTP_GET);
        assert_string_equal(strstr(sent, "\r\n\r\n") + 4, cases[i].body);
    }
}

static void a_large_body_is_sent_without_waiting_for_a_100_continue(void **state) {
    struct fixture *f = *state;
    const struct server_answer answers[] = {OK_ANSWER};
    begin(f, &(struct http_options){0}, answers, 1);
    size_t size = 3 << 20;
    char *body = malloc(size + 1);
    assert_non_null(body);
    memset(body, 'b', size);
    body[size] = '\0';
    struct http_request request = post(f, body);
    assert_int_equal(run(f, &request)->status, 200);
    assert_null(strstr(f->server.last_request.data, "Expect"));
    assert_true(f->server.last_request.len > size);
    free(body);
}

static void the_path_is_sent_as_it_was_signed(void **state) {
    struct fixture *f = *state;
    const struct server_answer answers[] = {OK_ANSWER};
    begin(f, &(struct http_options){0}, answers, 1);
    char url[96];
    (void)snprintf(url, sizeof url, "%sa/../b//c", f->url);
    struct http_request request = post(f, "");
    request.url = url;
    assert_int_equal(run(f, &request)->status, 200);
    const char expected[] = "POST /a/../b//c HTTP/1.1\r\n";
    assert_memory_equal(f->server.last_request.data, expected, strlen(expected));
}

static void what_ends_a_path_goes_between_the_url_s_path_and_its_query(void **state) {
    static const struct {
        const char *url, *end, *line;
    } cases[] = {{"", "next", "POST /next HTTP/1.1\r\n"},
                 {"a/", "8476a536/response", "POST /a/8476a536/response HTTP/1.1\r\n"},
                 {"a/", "", "POST /a/ HTTP/1.1\r\n"},
                 {"a/?b=c", "d%20e", "POST /a/d%20e?b=c HTTP/1.1\r\n"}};
    struct fixture *f = *state;
    const struct server_answer answers[] = {OK_ANSWER};
    begin(f, &(struct http_options){0}, answers, 1);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char url[96];
        (void)snprintf(url, sizeof url, "%s%s", f->url, cases[i].url);
        struct http_request request = post(f, "x");
        request.url = url;
        request.path_end = cases[i].end;
        assert_int_equal(run(f, &request)->status, 200);
        assert_memory_equal(f->server.last_request.data, cases[i].line, strlen(cases[i].line));
        assert_non_null(strstr(f->server.last_request.data, "\r\nHost: 127.0.0.1:"));
    }
}

static void what_can_t_end_a_path_is_refused(void **state) {
    static const char *const ends[] = {"a b", "a\r\nX: y", "a\n", "\x7f", "\xc3\xa9", "\t"};
    struct fixture *f = *state;
    const struct server_answer answers[] = {OK_ANSWER};
    begin(f, &(struct http_options){0}, answers, 1);
    for (size_t i = 0; i < ARRAY_LENGTH(ends); i++) {
        struct http_request request = post(f, "x");
        request.path_end = ends[i];
        assert_int_equal(run(f, &request)->error, HTTP_REFUSED);
    }
    assert_int_equal(f->server.last_request.len, 0);
}

static void each_request_goes_to_its_own_url_however_many_there_are(void **state) {
    struct fixture *f = *state;
    const struct server_answer answers[] = {OK_ANSWER};
    begin(f, &(struct http_options){0}, answers, 1);
    for (unsigned i = 0; i < 60; i++) {
        char url[96], expected[64];
        unsigned path = i < 30 ? i % 12 : i * 7 % 12; /* more than are kept taken apart */
        (void)snprintf(url, sizeof url, "%s%u", f->url, path);
        (void)snprintf(expected, sizeof expected, "POST /%u HTTP/1.1\r\n", path);
        struct http_request request = post(f, "");
        request.url = url;
        assert_int_equal(run(f, &request)->status, 200);
        assert_memory_equal(f->server.last_request.data, expected, strlen(expected));
    }
}

/* One transfer; how many tunnels the proxy, which is the server too, was asked for until then. */
static size_t tunnels_after(struct fixture *f, const char *url, bool direct) {
    struct http_request request = post(f, "x");
    request.url = url;
    request.direct = direct;
    assert_int_equal(run(f, &request)->status, 200);
    assert_memory_equal(f->server.last_request.data, "POST / HTTP/1.1\r\n", 17);
    return f->server.requests - f->finished;
}

static void by_a_proxy_of_the_environment_requests_go_through_a_tunnel_but_those_that_must_not(void **state) {
    struct fixture *f = *state;
    const struct server_answer answers[] = {{.text = "HTTP/1.1 200 OK\r\n\r\n"}, OK_ANSWER};
    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1/", 1), 0);
    begin(f, &(struct http_options){0}, answers, ARRAY_LENGTH(answers));
    assert_int_equal(setenv("http_proxy", f->url, 1), 0);
    assert_int_equal(tunnels_after(f, "http://service.invalid/", false), 1);
    assert_int_equal(tunnels_after(f, f->url, true), 1);
    assert_int_equal(tunnels_after(f, "http://service.invalid/", false), 1);
    assert_int_equal(setenv("no_proxy", "127.0.0.1", 1), 0);
    assert_int_equal(tunnels_after(f, f->url, false), 1);
    assert_int_equal(unsetenv("no_proxy"), 0);
    assert_int_equal(unsetenv("http_proxy"), 0);
}

static void without_a_proxy_in_the_environment_requests_go_straight(void **state) {
    struct fixture *f = *state;
    const struct server_answer answer = OK_ANSWER;
    begin(f, &(struct http_options){0}, &answer, 1);
    assert_int_equal(tunnels_after(f, f->url, false), 0);
    assert_int_equal(tunnels_after(f, f->url, true), 0);
}

static void the_headers_that_are_kept_come_trimmed_and_in_any_case(void **state) {
    struct fixture *f = *state;
    struct outcome *o = run_against(
        f,
        (struct server_answer){.text = "HTTP/1.1 400 Bad Request\r\n"
                                       "DATE: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                       "x-Amzn-ErrorType:  Some#Thing \r\n"
                                       "x-amzn-query-error: A.B;Sender\r\n"
                                       "X-Amz-Crc32: 123\r\nRetry-After: 7\r\nx-amz-retry-after:\t1500\r\n"
                                       "Server:a b\r\nContent-Encoding: gzip\r\n"
                                       "Lambda-Runtime-Aws-Request-Id: 8476a536\r\n"
                                       "Lambda-Runtime-Deadline-Ms: 1542409706888\r\n"
                                       "Lambda-Runtime-Trace-Id: Root=1-5bef4de7;Sampled=1\r\n"
                                       "X-Other: no\r\nx-amzn-RequestId: ID\r\nContent-Length: 3\r\n\r\nbad"},
        1 << 20);
    static const char *const expected[HTTP_KEPT_HEADERS] = {[HTTP_DATE] = "Sun, 06 Nov 1994 08:49:37 GMT",
                                                            [HTTP_ERROR_TYPE] = "Some#Thing",
                                                            [HTTP_QUERY_ERROR] = "A.B;Sender",
                                                            [HTTP_CRC32] = "123",
                                                            [HTTP_RETRY_AFTER] = "7",
                                                            [HTTP_AMZ_RETRY_AFTER] = "1500",
                                                            [HTTP_REQUEST_ID] = "ID",
                                                            [HTTP_ENCODING] = "gzip",
                                                            [HTTP_SERVER] = "a b",
                                                            [HTTP_LAMBDA_REQUEST_ID] = "8476a536",
                                                            [HTTP_LAMBDA_DEADLINE] = "1542409706888",
                                                            [HTTP_LAMBDA_TRACE_ID] = "Root=1-5bef4de7;Sampled=1"};
    assert_int_equal(o->status, 400);
    assert_int_equal(o->error, HTTP_FINE);
    assert_string_equal(o->body, "bad");
    for (size_t i = 0; i < HTTP_KEPT_HEADERS; i++) {
        assert_string_equal(o->header[i], expected[i]);
    }
}

static void headers_of_an_interim_response_and_of_the_last_one_are_forgotten(void **state) {
    struct fixture *f = *state;
    const struct server_answer answers[] = {{.text = "HTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\n\r\nHTTP/1.1 200 "
                                                     "OK\r\nX-Amz-Crc32: 1\r\nContent-Length: 0\r\n\r\n"},
                                            OK_ANSWER};
    begin(f, &(struct http_options){0}, answers, 2);
    struct http_request request = post(f, "");
    struct outcome *first = run(f, &request);
    assert_string_equal(first->header[HTTP_RETRY_AFTER], "absent");
    assert_string_equal(first->header[HTTP_CRC32], "1");
    assert_string_equal(run(f, &request)->header[HTTP_CRC32], "absent");
}

static void a_kept_header_of_unreasonable_length_is_left_out(void **state) {
    struct fixture *f = *state;
    char text[1024];
    (void)snprintf(text, sizeof text, "HTTP/1.1 400 Bad\r\nx-amzn-errortype: %0500d\r\nContent-Length: 0\r\n\r\n", 1);
    struct outcome *o = run_against(f, (struct server_answer){.text = text}, 1 << 20);
    assert_int_equal(o->status, 400);
    assert_string_equal(o->header[HTTP_ERROR_TYPE], "absent");
}

static void endless_headers_end_the_transfer(void **state) {
    struct fixture *f = *state;
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_append_cstr(&text, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 9000; i++) {
        buf_append_cstr(&text, "X-Header: y\r\n");
    }
    assert_true(buf_append_cstr(&text, "Content-Length: 0\r\n\r\n"));
    struct outcome *o = run_against(f, (struct server_answer){.text = text.data}, 1 << 20);
    assert_int_equal(o->error, HTTP_BROKEN);
    buf_free(&text);
}

static void a_connection_is_kept_and_used_again(void **state) {
    struct fixture *f = *state;
    const struct server_answer answers[] = {OK_ANSWER};
    begin(f, &(struct http_options){0}, answers, 1);
    struct http_request request = post(f, "x");
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(run(f, &request)->status, 200);
    }
    assert_int_equal(f->server.accepted, 1);
    assert_int_equal(http_stats(f->http).connections, 1);
}

static void more_transfers_than_connections_wait_their_turn(void **state) {
    struct fixture *f = *state;
    const struct server_answer answers[] = {OK_ANSWER};
    begin(f, &(struct http_options){.max_connections = 3}, answers, 1);
    struct http_request request = post(f, "x");
    for (size_t i = 0; i < 40; i++) {
        (void)start(f, &request);
    }
    assert_int_equal(http_stats(f->http).transfers, 40);
    await(f, 40);
    assert_in_range(f->server.accepted, 1, 3);
    for (size_t i = 0; i < 40; i++) {
        assert_int_equal(f->outcomes[i].status, 200);
    }
    assert_int_equal(http_stats(f->http).transfers, 0);
    assert_int_equal(http_stats(f->http).response_bytes, 0);
}

static void connections_stay_open_while_it_is_quiet(void **state) {
    struct fixture *f = *state;
    const struct server_answer answers[] = {OK_ANSWER};
    begin(f, &(struct http_options){.max_connections = 20}, answers, 1);
    struct http_request request = post(f, "x");
    for (size_t i = 0; i < 12; i++) {
        (void)start(f, &request);
    }
    await(f, 12);
    size_t opened = f->server.accepted;
    (void)run(f, &request);
    for (size_t i = 0; i < opened; i++) {
        (void)start(f, &request);
    }
    await(f, 13 + opened);
    assert_int_equal(f->server.accepted, opened);
}

static void the_first_byte_is_timed_on_the_monotonic_clock(void **state) {
    struct fixture *f = *state;
    struct clock clock = loop_clock(f->loop);
    int64_t before = clock_monotonic(&clock);
    struct outcome *o = run_against(f, (struct server_answer)OK_ANSWER, 1 << 20);
    assert_in_range(o->answered, before, clock_monotonic(&clock));
}

static void a_body_over_its_ceiling_fails_and_is_said_to_be_too_large(void **state) {
    static const struct server_answer answers[] = {
        {.text = "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", .padding = 101},
        {.text = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", .padding = 300000, .after = SERVER_CLOSES},
        {.text = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n", .padding = 1},
        {.text = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", .padding = 100},
    };
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, answers, ARRAY_LENGTH(answers));
    struct http_request request = post(f, "x");
    request.max_response = 100;
    for (size_t i = 0; i < 3; i++) {
        struct outcome *o = run(f, &request);
        assert_int_equal(o->error, HTTP_TOO_LARGE);
        assert_int_equal(o->status, 200);
        assert_string_equal(o->message, "the response is larger than it may be");
    }
    struct outcome *o = run(f, &request);
    assert_int_equal(o->error, HTTP_FINE);
    assert_int_equal(o->body_len, 100);
}

static void responses_together_stay_within_the_budget_and_it_is_given_back(void **state) {
    static const struct server_answer answers[] = {
        {.text = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", .padding = 60000}, /* the rest never comes */
        {.text = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", .padding = 100000},
    };
    struct fixture *f = *state;
    begin(f, &(struct http_options){.response_budget = 150000}, answers, ARRAY_LENGTH(answers));
    struct http_request request = post(f, "x");
    struct outcome *hanging = start(f, &request);
    while (http_stats(f->http).response_bytes < 60000) {
        assert_false(hanging->done);
        loop_stop(f->loop);
        assert_true(loop_run(f->loop));
    }
    struct outcome *refused = run(f, &request);
    assert_int_equal(refused->error, HTTP_OVER_BUDGET);
    assert_string_equal(refused->message, "the responses in flight take all the memory that they may");
    f->port.cancel(f->port.ctx, hanging->transfer);
    assert_int_equal(http_stats(f->http).response_bytes, 0);
    struct outcome *fine = run(f, &request);
    assert_int_equal(fine->error, HTTP_FINE);
    assert_int_equal(fine->body_len, 100000);
    assert_int_equal(http_stats(f->http).response_bytes, 0);
}

static void nothing_is_kept_of_a_large_response_once_it_was_heard(void **state) {
    struct fixture *f = *state;
    static const struct server_answer answers[] = {
        {.text = "HTTP/1.1 200 OK\r\nContent-Length: 8192\r\n\r\n", .padding = 8192}, OK_ANSWER};
    begin(f, &(struct http_options){0}, answers, ARRAY_LENGTH(answers));
    struct http_request request = post(f, "x");
    assert_int_equal(run(f, &request)->body_len, 8192);
    assert_false(TAILQ_EMPTY(&f->http->idle));
    assert_null(TAILQ_FIRST(&f->http->idle)->body.data);
    assert_int_equal(run(f, &request)->body_len, 2); /* the same transfer again */
    assert_null(TAILQ_NEXT(TAILQ_FIRST(&f->http->idle), in_list));
    assert_null(TAILQ_FIRST(&f->http->idle)->body.data);
}

static void only_those_whose_answers_have_begun_hold_what_answers_need(void **state) {
    struct fixture *f = *state;
    static const struct server_answer answers[] = {
        {.text = "HTTP/1.1 200 OK\r\nDate: today\r\n\r\nbody"}, /* and no end */
        OK_ANSWER,
        OK_ANSWER,
        {.text = NULL}};
    begin(f, &(struct http_options){0}, answers, ARRAY_LENGTH(answers));
    struct http_request request = post(f, "x");
    struct outcome *begun = start(f, &request);
    while (!begun->done && !begun->transfer->answer) {
        linger(f, MILLISECOND);
    }
    assert_false(begun->done);
    assert_string_equal(run(f, &request)->header[HTTP_DATE], "absent");
    const struct http_answer *used = f->http->answers.idle;
    assert_int_equal(run(f, &request)->body_len, 2);
    assert_ptr_equal(f->http->answers.idle, used); /* the same again */
    struct outcome *silent = start(f, &request);
    linger(f, MILLISECOND);
    assert_null(silent->transfer->answer);
    assert_ptr_not_equal(begun->transfer->answer, used);
    f->port.cancel(f->port.ctx, silent->transfer);
    assert_int_equal(f->http->answers.idle_count, 1);
    f->port.cancel(f->port.ctx, begun->transfer);
    assert_int_equal(f->http->answers.idle_count, 2);
}

static void a_chunked_body_is_put_together(void **state) {
    struct fixture *f = *state;
    struct outcome *o = run_against(f,
                                    (struct server_answer){.text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                                                                   "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"},
                                    100);
    assert_int_equal(o->error, HTTP_FINE);
    assert_string_equal(o->body, "abcde");
}

static void a_redirect_is_a_response_like_any_other(void **state) {
    struct fixture *f = *state;
    struct outcome *o = run_against(f,
                                    (struct server_answer){.text = "HTTP/1.1 307 Elsewhere\r\nLocation: "
                                                                   "http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"},
                                    100);
    assert_int_equal(o->error, HTTP_FINE);
    assert_int_equal(o->status, 307);
}

static void what_is_cut_or_no_http_is_broken(void **state) {
    static const struct server_answer answers[] = {
        {.text = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", .after = SERVER_CLOSES},
        {.text = "220 mail.example.com ESMTP\r\n", .after = SERVER_CLOSES},
        {.text = NULL, .after = SERVER_CLOSES},
    };
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, answers, ARRAY_LENGTH(answers));
    struct http_request request = post(f, "x");
    for (size_t i = 0; i < ARRAY_LENGTH(answers); i++) {
        struct outcome *o = run(f, &request);
        assert_int_equal(o->error, HTTP_BROKEN);
        assert_string_not_equal(o->message, "");
        assert_int_equal(o->status, i == 0 ? 200 : 0);
    }
}

static void a_request_lost_on_a_kept_connection_is_sent_again(void **state) {
    static const struct server_answer answers[] = {OK_ANSWER, {.text = NULL, .after = SERVER_CLOSES}, OK_ANSWER};
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, answers, ARRAY_LENGTH(answers));
    struct http_request request = post(f, "x");
    assert_int_equal(run(f, &request)->status, 200);
    assert_int_equal(run(f, &request)->status, 200);
    assert_int_equal(f->server.requests, 3);
}

/* Else the next request would get it, and each after that the answer of the one before. */
static void an_answer_that_nobody_asked_for_is_never_taken_for_that_of_the_next_request(void **state) {
    static const struct server_answer answers[] = {OK_ANSWER,
                                                   {.text = "HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\n[]"}};
    struct fixture *f = *state;
    begin(f, &(struct http_options){0}, answers, ARRAY_LENGTH(answers));
    struct http_request request = post(f, "x");
    assert_int_equal(run(f, &request)->status, 200);
    send_stray(f, answers[0].text);
    linger(f, MILLISECOND);
    assert_int_equal(run(f, &request)->status, 400);
    assert_int_equal(f->server.accepted, 2);
}

static void a_silent_server_times_out(void **state) {
    struct fixture *f = *state;
    const struct server_answer answers[] = {{.text = NULL}};
    begin(f, &(struct http_options){0}, answers, 1);
    struct http_request request = post(f, "x");
    request.timeout = 20 * MILLISECOND;
    struct outcome *o = run(f, &request);
    assert_int_equal(o->error, HTTP_TIMED_OUT);
    assert_int_equal(o->status, 0);
    assert_int_equal(o->answered, 0);
}

static void nobody_listening_is_unreachable(void **state) {
    struct fixture *f = *state;
    const struct server_answer answers[] = {OK_ANSWER};
    begin(f, &(struct http_options){0}, answers, 1);
    server_close(&f->server);
    f->server = (struct server){.fd = -1};
    struct http_request request = post(f, "x");
    assert_int_equal(run(f, &request)->error, HTTP_UNREACHABLE);
}

static void other_protocols_and_bad_urls_are_refused(void **state) {
    static const char *const urls[] = {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/",
                                       "http://127.0.0.1:99999/", "http://"};
    struct fixture *f = *state;
    const struct server_answer answers[] = {OK_ANSWER};
    begin(f, &(struct http_options){0}, answers, 1);
    for (size_t i = 0; i < ARRAY_LENGTH(urls); i++) {
        struct http_request request = post(f, "x");
        request.url = urls[i];
        assert_int_equal(run(f, &request)->error, HTTP_REFUSED);
    }
}

static void too_many_headers_are_refused_at_once(void **state) {
    struct fixture *f = *state;
    const struct server_answer answers[] = {OK_ANSWER};
    begin(f, &(struct http_options){0}, answers, 1);
    const char *headers[HTTP_HEADERS_MAX + 1];
    for (size_t i = 0; i < ARRAY_LENGTH(headers); i++) {
        headers[i] = "A: b";
    }
    struct http_request request = post(f, "x");
    request.headers = headers;
    request.header_count = ARRAY_LENGTH(headers);
    assert_null(f->port.start(f->port.ctx, &request, on_done, f));
    request.header_count = HTTP_HEADERS_MAX;
    assert_int_equal(run(f, &request)->status, 200);
}

static void a_cancelled_transfer_is_never_heard_of_again(void **state) {
    struct fixture *f = *state;
    const struct server_answer answers[] = {OK_ANSWER};
    begin(f, &(struct http_options){0}, answers, 1);
    struct http_request request = post(f, "x");
    struct outcome *first = start(f, &request), *second = start(f, &request);
    f->port.cancel(f->port.ctx, first->transfer);
    f->port.cancel(f->port.ctx, NULL);
    await(f, 1);
    assert_false(first->done);
    assert_int_equal(second->status, 200);
}

static void cancel_all_others(struct outcome *o) {
    struct fixture *f = o->f;
    for (size_t i = 0; i < f->started; i++) {
        if (&f->outcomes[i] == o || !f->outcomes[i].done) {
            f->port.cancel(f->port.ctx, f->outcomes[i].transfer);
        }
    }
    loop_stop(f->loop);
}

static void a_callback_may_cancel_others_that_have_finished_too_and_itself(void **state) {
    struct fixture *f = *state;
    const struct server_answer answers[] = {OK_ANSWER};
    begin(f, &(struct http_options){0}, answers, 1);
    struct http_request request = post(f, "x");
    for (size_t i = 0; i < 10; i++) {
        start(f, &request)->then = cancel_all_others;
    }
    assert_true(loop_run(f->loop));
    assert_int_equal(f->finished, 1);
    assert_int_equal(http_stats(f->http).transfers, 0);
    assert_int_equal(run(f, &request)->status, 200);
}

static void start_another(struct outcome *o) {
    struct fixture *f = o->f;
    if (f->started < 20) {
        struct http_request request = post(f, "x");
        start(f, &request)->then = start_another;
    }
}

static void a_callback_may_start_the_next_transfer(void **state) {
    struct fixture *f = *state;
    const struct server_answer answers[] = {OK_ANSWER};
    begin(f, &(struct http_options){0}, answers, 1);
    struct http_request request = post(f, "x");
    start(f, &request)->then = start_another;
    await(f, 20);
    assert_int_equal(f->server.requests, 20);
}

static void it_can_be_freed_with_transfers_in_flight(void **state) {
    struct fixture *f = *state;
    const struct server_answer answers[] = {OK_ANSWER, {.text = NULL}};
    begin(f, &(struct http_options){0}, answers, 2);
    struct http_request request = post(f, "x");
    for (size_t i = 0; i < 5; i++) {
        (void)start(f, &request);
    }
    await(f, 1);
    http_free(f->http);
    f->http = NULL;
    http_free(NULL);
    assert_int_equal(f->finished, 1);
    /* Nothing of it may be left on the loop: the server's descriptors alone go on. */
    loop_stop(f->loop);
    assert_true(loop_run(f->loop));
}

static void a_file_without_certificates_is_told_from_one_with(void **state) {
    static const char *const files[] = {"/nonexistent/ca.pem", SOURCE_DIR "/CMakeLists.txt"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
        char why[128] = "";
        struct http *http = http_new(f->loop, &(struct http_options){.ca_file = files[i]});
        assert_non_null(http);
        assert_false(http_trust_read(http, why, sizeof why));
        assert_string_not_equal(why, "");
        http_free(http);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_sent_as_it_was_given),
        TEST(a_host_among_the_headers_takes_the_place_of_the_url_s),
        TEST(each_method_has_its_request_line_also_on_a_reused_handle),
        TEST(a_large_body_is_sent_without_waiting_for_a_100_continue),
        TEST(the_path_is_sent_as_it_was_signed),
        TEST(what_ends_a_path_goes_between_the_url_s_path_and_its_query),
        TEST(what_can_t_end_a_path_is_refused),
        TEST(each_request_goes_to_its_own_url_however_many_there_are),
        TEST(by_a_proxy_of_the_environment_requests_go_through_a_tunnel_but_those_that_must_not),
        TEST(without_a_proxy_in_the_environment_requests_go_straight),
        TEST(the_headers_that_are_kept_come_trimmed_and_in_any_case),
        TEST(headers_of_an_interim_response_and_of_the_last_one_are_forgotten),
        TEST(a_kept_header_of_unreasonable_length_is_left_out),
        TEST(endless_headers_end_the_transfer),
        TEST(a_connection_is_kept_and_used_again),
        TEST(more_transfers_than_connections_wait_their_turn),
        TEST(connections_stay_open_while_it_is_quiet),
        TEST(the_first_byte_is_timed_on_the_monotonic_clock),
        TEST(a_body_over_its_ceiling_fails_and_is_said_to_be_too_large),
        TEST(responses_together_stay_within_the_budget_and_it_is_given_back),
        TEST(nothing_is_kept_of_a_large_response_once_it_was_heard),
        TEST(only_those_whose_answers_have_begun_hold_what_answers_need),
        TEST(a_chunked_body_is_put_together),
        TEST(a_redirect_is_a_response_like_any_other),
        TEST(what_is_cut_or_no_http_is_broken),
        TEST(a_request_lost_on_a_kept_connection_is_sent_again),
        TEST(an_answer_that_nobody_asked_for_is_never_taken_for_that_of_the_next_request),
        TEST(a_silent_server_times_out),
        TEST(nobody_listening_is_unreachable),
        TEST(other_protocols_and_bad_urls_are_refused),
        TEST(too_many_headers_are_refused_at_once),
        TEST(a_cancelled_transfer_is_never_heard_of_again),
        TEST(a_callback_may_cancel_others_that_have_finished_too_and_itself),
        TEST(a_callback_may_start_the_next_transfer),
        TEST(it_can_be_freed_with_transfers_in_flight),
        TEST(a_file_without_certificates_is_told_from_one_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
