#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client.h"
#include "client_private.h"
#include "compiler.h"
#include "digest.h"
#include "fake_http.h"

static void endpoints_are_urls_of_a_host_with_perhaps_port_and_path(void **state) {
    static const char *const good[] = {"https://sqs.eu-west-1.amazonaws.com",
                                       "http://localhost:8000",
                                       "http://127.0.0.1:4566/",
                                       "https://h/base/path",
                                       "HTTPS://H",
                                       "http://[::1]:8000",
                                       "http://a_b:1",
                                       "http://h:65535/a%20b"};
    static const char *const bad[] = {"",
                                      "localhost:8000",
                                      "ftp://h",
                                      "http://",
                                      "http:///x",
                                      "http://user@h",
                                      "http://u:p@h",
                                      "http://h:",
                                      "http://h:0",
                                      "http://h:65536",
                                      "http://h:99999999999999999999",
                                      "http://h:80x",
                                      "http://h?q",
                                      "http://h/?q",
                                      "http://h/#f",
                                      "http://h/a b",
                                      "http://h h",
                                      "http://h\n",
                                      "http://[::1",
                                      "http://[]",
                                      "http://[::1]x",
                                      "http://h/\r\nX: y",
                                      " http://h",
                                      "http://[x]y:1",
                                      "http://h\\x"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        assert_true(aws_endpoint_valid(good[i]));
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        if (aws_endpoint_valid(bad[i])) {
            fail_msg("%s", bad[i]);
        }
    }
}

static void the_host_header_omits_the_schemes_own_port(void **state) {
    static const struct {
        const char *endpoint, *host_line, *url;
    } cases[] = {
        {"https://h:443/", "Host: h", "https://h:443/"},
        {"https://h:80", "Host: h:80", "https://h:80/"},
        {"http://h:80", "Host: h", "http://h:80/"},
        {"http://h:443/x", "Host: h:443", "http://h:443/x"},
        {"http://[::1]:8000", "Host: [::1]:8000", "http://[::1]:8000/"},
        {"https://[::1]:443", "Host: [::1]", "https://[::1]:443/"},
    };
    (void)state;
    struct fake fake;
    fake_init(&fake);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct aws_client_options options = fake_client_options(&fake);
        options.endpoint = cases[i].endpoint;
        struct aws_client *client = aws_client_new(&options);
        assert_non_null(client);
        assert_string_equal(client->target->host_line.data, cases[i].host_line);
        assert_string_equal(client->target->url.data, cases[i].url);
        aws_client_free(client);
    }
    fake_done(&fake);
}

static void a_client_without_a_usable_endpoint_is_none(void **state) {
    (void)state;
    struct fake fake;
    fake_init(&fake);
    struct aws_client_options options = fake_client_options(&fake);
    options.endpoint = "nonsense";
    assert_null(aws_client_new(&options));
    aws_client_free(NULL);
    fake_done(&fake);
}

static void a_policy_that_is_not_given_is_the_usual_one(void **state) {
    (void)state;
    struct fake fake;
    fake_init(&fake);
    struct aws_client_options options = fake_client_options(&fake);
    options.retry = (struct retry_policy){0};
    struct aws_client *client = aws_client_new(&options);
    assert_non_null(client);
    assert_int_equal(client->policy.max_attempts, retry_policy_default().max_attempts);
    aws_client_free(client);
    fake_done(&fake);
}

struct places {
    unsigned asked;
    bool refuses_nameless;
};

static bool place_of(void *ctx, struct span account_id, char ret_url[static AWS_ENDPOINT_SIZE],
                     char ret_why[static SETTING_WHY_SIZE]) {
    struct places *p = ctx;
    p->asked++;
    if (!account_id.len && p->refuses_nameless) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE, "no account");
        return false;
    }
    (void)snprintf(ret_url, AWS_ENDPOINT_SIZE, "https://%.*s.ddb.test", (int)account_id.len, account_id.data);
    return true;
}

static void calls_go_to_the_host_of_their_keys_account(void **state) {
    (void)state;
    struct fake fake;
    struct places places = {.asked = 0};
    char why[SETTING_WHY_SIZE] = "";
    fake_init(&fake);
    struct aws_client_options options = fake_client_options(&fake);
    options.endpoint = "https://dynamodb.test";
    options.endpoint_of_account = place_of;
    options.endpoint_ctx = &places;
    struct aws_client *client = aws_client_new(&options);
    assert_non_null(client);
    assert_string_equal(aws_client_url(client), "https://dynamodb.test/");
    static const char *const turns[][2] = {{"", "https://dynamodb.test/"}, {"", "https://dynamodb.test/"},
                                           {"1", "https://1.ddb.test/"},   {"1", "https://1.ddb.test/"},
                                           {"2", "https://2.ddb.test/"},   {"1", "https://1.ddb.test/"},
                                           {"", "https://dynamodb.test/"}};
    for (size_t i = 0; i < ARRAY_LENGTH(turns); i++) {
        assert_true(client_aim(client, span_cstr(turns[i][0]), why));
        assert_string_equal(aws_client_url(client), turns[i][1]);
    }
    assert_int_equal(places.asked, 3);
    bool fine = true;
    for (char account[] = "a"; fine && account[0] <= 'z'; account[0]++) {
        fine = client_aim(client, span_cstr(account), why);
    }
    assert_false(fine);
    assert_non_null(strstr(why, "changed their account too often"));
    aws_client_free(client);
    places.refuses_nameless = true;
    client = aws_client_new(&options);
    assert_non_null(client);
    assert_false(client_aim(client, SPAN(""), why));
    assert_string_equal(why, "no account");
    aws_client_free(client);
    fake_done(&fake);
}

static bool went_along(const struct fake *f, size_t k, const char *line) {
    return strstr(f->requests[k].headers, line) != NULL;
}

static void on_traced(void *user, const struct call_result *result, struct span body) {
    (void)user, (void)result, (void)body;
}

static void the_trace_header_goes_along_until_another_is_set(void **state) {
    (void)state;
    static const struct {
        struct span trace;
        const char *line; /* NULL: there is none */
    } cases[] = {
        {{"", 0}, NULL},
        {{"Root=1-5bef4de7;Sampled=1", 25}, "X-Amzn-Trace-Id: Root=1-5bef4de7;Sampled=1\n"},
        {{"Root=2", 6}, "X-Amzn-Trace-Id: Root=2\n"},
        {{"evil\r\nX-Y: z", 12}, NULL},
        {{NULL, 0}, NULL},
    };
    char longest[AWS_TRACE_SIZE];
    struct fake f;
    fake_init(&f);
    struct aws_client_options options = fake_client_options(&f);
    struct aws_client *client = aws_client_new(&options);
    const struct aws_operation operation = {
        .name = "X", .body = SPAN("{}"), .max_response = 10, .attempt_timeout = MICROSECONDS};
    assert_non_null(client);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        aws_client_set_trace(client, cases[i].trace);
        assert_non_null(aws_call(client, &operation, NULL, on_traced, NULL));
        assert_true(cases[i].line ? went_along(&f, i, cases[i].line) : !went_along(&f, i, "Trace-Id"));
        /* It is no part of the signature: what is on the way may change it. */
        assert_false(went_along(&f, i, "x-amzn-trace-id"));
    }
    memset(longest, 'x', sizeof longest);
    aws_client_set_trace(client, span_of(longest, sizeof longest));
    assert_non_null(aws_call(client, &operation, NULL, on_traced, NULL));
    assert_false(went_along(&f, ARRAY_LENGTH(cases), "Trace-Id"));
    aws_client_free(client);
    fake_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_go_to_the_host_of_their_keys_account),
        cmocka_unit_test(endpoints_are_urls_of_a_host_with_perhaps_port_and_path),
        cmocka_unit_test(the_host_header_omits_the_schemes_own_port),
        cmocka_unit_test(a_client_without_a_usable_endpoint_is_none),
        cmocka_unit_test(a_policy_that_is_not_given_is_the_usual_one),
        cmocka_unit_test(the_trace_header_goes_along_until_another_is_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
