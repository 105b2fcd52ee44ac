#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_http.h"
#include "runtime_api.h"

struct stage {
    struct fake fake;
    struct runtime_api *api;
    unsigned nexts, answers;
    bool failed, accepted, too_large;
    struct runtime_invocation invocation;
};

static void on_next(void *user, struct runtime_invocation *invocation) {
    struct stage *g = user;
    g->nexts++;
    g->failed = !invocation;
    if (invocation) {
        g->invocation = *invocation;
    }
}

static void on_answered(void *user, bool accepted, bool too_large) {
    struct stage *g = user;
    g->answers++;
    g->accepted = accepted;
    g->too_large = too_large;
}

static void stage_init(struct stage *g) {
    *g = (struct stage){.nexts = 0};
    fake_init(&g->fake);
    struct aws_client_options like = fake_client_options(&g->fake);
    g->api = runtime_api_new(&(struct runtime_options){
        .address = "127.0.0.1:9001", .http = like.http, .clock = like.clock, .timers = like.timers, .log = like.log});
    assert_non_null(g->api);
}

static void stage_done(struct stage *g) {
    buf_free(&g->invocation.event);
    runtime_api_free(g->api);
    fake_done(&g->fake);
}

static struct http_response invocation_of(const char *id, const char *deadline, const char *event) {
    struct http_response response = {.status = 200, .body = span_cstr(event)};
    response.header[HTTP_LAMBDA_REQUEST_ID] = span_cstr(id);
    response.header[HTTP_LAMBDA_DEADLINE] = span_cstr(deadline);
    response.header[HTTP_LAMBDA_TRACE_ID] = SPAN("Root=1");
    return response;
}

static void the_next_invocation_is_waited_for_without_an_end(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g);
    assert_true(runtime_api_next(g.api, on_next, &g));
    assert_string_equal(g.fake.requests[0].url, "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next");
    assert_true(g.fake.requests[0].timeout > 365 * 86400 * MICROSECONDS);
    fake_respond(&g.fake, 0, invocation_of("8476a536", "1542409706888", "{\"a\":1}"));
    assert_int_equal(g.nexts, 1);
    assert_string_equal(g.invocation.request_id, "8476a536");
    assert_string_equal(g.invocation.trace_id, "Root=1");
    assert_string_equal(g.invocation.event.data, "{\"a\":1}");
    assert_true(g.invocation.deadline == 1542409706888 * MILLISECOND);
    stage_done(&g);
}

static void a_deadline_that_isnt_one_is_none(void **state) {
    (void)state;
    static const char *const texts[] = {NULL, "", "soon", "-5", "99999999999999999999999999", "1 "};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct stage g;
        stage_init(&g);
        assert_true(runtime_api_next(g.api, on_next, &g));
        fake_respond(&g.fake, 0, invocation_of("id", texts[i], ""));
        assert_true(g.nexts == 1 && g.invocation.deadline == NEVER);
        stage_done(&g);
    }
}

static void what_fails_is_tried_five_times_with_pauses_that_double(void **state) {
    (void)state;
    static const struct http_response failures[] = {{.status = 500},
                                                    {.error = HTTP_UNREACHABLE, .message = "refused"},
                                                    {.status = 200}, /* without a request id */
                                                    {.error = HTTP_BROKEN, .message = "reset"},
                                                    {.status = 403}};
    struct stage g;
    stage_init(&g);
    assert_true(runtime_api_next(g.api, on_next, &g));
    int64_t failed_at = 0, pause = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(failures); i++) {
        assert_int_equal(g.fake.request_count, i + 1);
        assert_int_equal(g.nexts, 0);
        assert_true(i < 2 || g.fake.requests[i].sent - failed_at == 2 * pause);
        pause = g.fake.requests[i].sent - failed_at;
        failed_at = g.fake.monotonic;
        fake_respond(&g.fake, i, failures[i]);
        fake_pass(&g.fake, 60 * MICROSECONDS);
    }
    assert_int_equal(g.fake.request_count, 5);
    assert_true(g.nexts == 1 && g.failed);
    stage_done(&g);
}

static void an_answer_goes_where_its_kind_belongs(void **state) {
    (void)state;
    static const struct {
        const char *id, *error, *url;
    } cases[] = {
        {"r-1", NULL, "http://127.0.0.1:9001/2018-06-01/runtime/invocation/r-1/response"},
        {"r-1", "Function.X", "http://127.0.0.1:9001/2018-06-01/runtime/invocation/r-1/error"},
        {NULL, "Runtime.Y", "http://127.0.0.1:9001/2018-06-01/runtime/init/error"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct stage g;
        char line[80];
        stage_init(&g);
        assert_true(runtime_api_answer(g.api, cases[i].id, cases[i].error, SPAN("{}"), on_answered, &g));
        assert_string_equal(g.fake.requests[0].url, cases[i].url);
        assert_true(span_is(g.fake.requests[0].body, "{}"));
        (void)snprintf(line, sizeof line, "Lambda-Runtime-Function-Error-Type: %s\n",
                       cases[i].error ? cases[i].error : "");
        assert_int_equal(strstr(g.fake.requests[0].headers, line) != NULL, cases[i].error != NULL);
        fake_respond(&g.fake, 0, (struct http_response){.status = 202});
        assert_true(g.answers == 1 && g.accepted && !g.too_large);
        stage_done(&g);
    }
}

static void a_refused_answer_is_over_and_one_too_large_is_told(void **state) {
    (void)state;
    static const struct {
        int status;
        bool accepted, too_large;
    } cases[] = {{400, true, false}, {403, true, false}, {413, false, true}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct stage g;
        stage_init(&g);
        assert_true(runtime_api_answer(g.api, "r", NULL, SPAN("{}"), on_answered, &g));
        fake_respond(&g.fake, 0, (struct http_response){.status = cases[i].status});
        assert_int_equal(g.answers, 1);
        assert_true(g.accepted == cases[i].accepted && g.too_large == cases[i].too_large);
        stage_done(&g);
    }
}

static void an_answer_that_fails_is_sent_again_as_it_is(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g);
    assert_true(runtime_api_answer(g.api, "r", NULL, SPAN("{}"), on_answered, &g));
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(g.fake.requests[i].url, g.fake.requests[0].url);
        assert_true(span_is(g.fake.requests[i].body, "{}"));
        fake_respond(&g.fake, i, (struct http_response){.status = 500});
        fake_pass(&g.fake, MICROSECONDS);
    }
    assert_true(g.fake.request_count == 5 && g.answers == 1 && !g.accepted && !g.too_large);
    stage_done(&g);
}

static void an_address_is_a_host_and_a_port(void **state) {
    (void)state;
    char longest[300];
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_true(runtime_api_address_fits("127.0.0.1:9001") && runtime_api_address_fits("[::1]:9001"));
    assert_false(runtime_api_address_fits("") || runtime_api_address_fits("a b") || runtime_api_address_fits(longest));
    assert_false(runtime_api_address_fits("h/path") || runtime_api_address_fits("h\r\nX: y"));
}

static void it_can_be_freed_while_it_asks_or_pauses(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g);
    assert_true(runtime_api_next(g.api, on_next, &g));
    stage_done(&g);
    stage_init(&g);
    assert_true(runtime_api_next(g.api, on_next, &g));
    fake_respond(&g.fake, 0, (struct http_response){.status = 500});
    stage_done(&g);
    stage_init(&g);
    g.fake.http_has_no_memory = true;
    assert_false(runtime_api_next(g.api, on_next, &g));
    stage_done(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_invocation_is_waited_for_without_an_end),
        cmocka_unit_test(a_deadline_that_isnt_one_is_none),
        cmocka_unit_test(what_fails_is_tried_five_times_with_pauses_that_double),
        cmocka_unit_test(an_answer_goes_where_its_kind_belongs),
        cmocka_unit_test(a_refused_answer_is_over_and_one_too_large_is_told),
        cmocka_unit_test(an_answer_that_fails_is_sent_again_as_it_is),
        cmocka_unit_test(an_address_is_a_host_and_a_port),
        cmocka_unit_test(it_can_be_freed_while_it_asks_or_pauses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
