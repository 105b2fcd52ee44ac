#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "credentials_sts.h"
#include "fake_environment.h"
#include "fake_world.h"
#include "sts_answers.h"

struct fixture {
    struct fake_world *w;
    struct fake_home home;
    char path[128];
    struct credentials_plan plan;
    struct credentials_source source;
};

static const struct sts_place place = {.url = "https://sts.eu-west-1.amazonaws.com", .region = "eu-west-1"};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->w = fake_world_new();
    (void)fake_home_make(&f->home);
    (void)snprintf(f->path, sizeof f->path, "%s/.aws/other", f->home.path);
    fake_home_write(&f->home, "other", "one.two/three\n");
    f->plan.web_identity.token_file = span_cstr(f->path);
    f->plan.web_identity.role_arn = SPAN("arn:aws:iam::1:role/r");
    assert_true(credentials_web_identity_new(&f->plan, &place, &f->w->world, &f->source));
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    credentials_source_release(&f->source);
    fake_home_remove(&f->home);
    free(f->w);
    free(f);
    return 0;
}

static void the_token_is_read_anew_each_time_and_sent_unsigned(void **state) {
    struct fixture *f = *state;
    assert_true(FETCH(f->w, &f->source, {200, STS_ANSWER("ASIA1")}));
    assert_string_equal(f->w->id, "ASIA1");
    assert_string_equal(f->w->account, "123456789012");
    assert_int_equal(f->w->expires, 1704682272LL * MICROSECONDS);
    const struct fake_asked *a = &f->w->asked[0];
    assert_string_equal(a->url, "https://sts.eu-west-1.amazonaws.com");
    assert_int_equal(a->method, HTTP_POST);
    assert_false(a->direct);
    assert_string_equal(a->headers, "Content-Type: application/x-www-form-urlencoded; charset=utf-8\n");
    assert_string_equal(a->body,
                        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr"
                        "&RoleSessionName=table-updater-1704678672&WebIdentityToken=one.two%2Fthree");
    fake_home_write(&f->home, "other", "four");
    assert_true(FETCH(f->w, &f->source, {200, STS_ANSWER("ASIA2")}));
    assert_non_null(strstr(f->w->asked[0].body, "&WebIdentityToken=four"));
}

static void a_token_that_is_gone_may_come_back(void **state) {
    struct fixture *f = *state;
    fake_home_unlink(&f->home, "other");
    assert_false(FETCH(f->w, &f->source, {200, ""}));
    assert_int_equal(f->w->class, CALL_RETRY);
    fake_world_expect_why(f->w, "can't be read: No such file");
    assert_int_equal(f->w->asked_count, 0);
    fake_home_write(&f->home, "other", "back");
    assert_true(FETCH(f->w, &f->source, {200, STS_ANSWER("A")}));
}

static void what_may_pass_is_tried_three_times_and_a_refusal_is_quoted(void **state) {
    struct fixture *f = *state;
    static const struct {
        struct fake_reply replies[3];
        size_t count;
        enum call_class class;
        const char *why;
    } cases[] = {
        {{{400, STS_ERROR("Throttling", "Rate exceeded")}, {503, ""}, {200, STS_ANSWER("A")}}, 3, CALL_OK, ""},
        {{{400, STS_ERROR("IDPCommunicationError", "x")}, {200, STS_ANSWER("A")}}, 2, CALL_OK, ""},
        {{{400, STS_ERROR("Throttling", "r")},
          {400, STS_ERROR("Throttling", "r")},
          {400, STS_ERROR("Throttling", "r")}},
         3,
         CALL_RETRY,
         "refuses: Throttling: r"},
        {{{500, "<html>"}, {502, ""}, {504, ""}}, 3, CALL_RETRY, "status 504, and not as it should: it is no XML"},
        {{{0}, {0}, {0}}, 3, CALL_RETRY, "can't be reached: no route"},
        {{{403, STS_ERROR("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")}},
         1,
         CALL_AUTH,
         "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity; look at the role's trust policy"},
        {{{400, STS_ERROR("ExpiredTokenException", "Token expired")}},
         1,
         CALL_AUTH,
         "ExpiredTokenException: Token expired"},
        {{{200, "{\"a\":1}"}}, 1, CALL_RETRY, "status 200, and not as it should"},
        {{{200, STS_ANSWER_UNTIL("A", "1704681272")}}, 1, CALL_RETRY, "its Expiration is not a time"},
        {{{302, STS_ANSWER("A")}}, 1, CALL_RETRY, "status 302, and not as it should: credentials with another status"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        int64_t began = f->w->now;
        (void)fake_world_fetch(f->w, &f->source, cases[i].replies, cases[i].count);
        assert_int_equal(f->w->class, cases[i].class);
        fake_world_expect_why(f->w, cases[i].why);
        assert_int_equal(f->w->reply_count, 0);
        assert_true(f->w->now - began < 4 * MICROSECONDS);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_token_is_read_anew_each_time_and_sent_unsigned, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_token_that_is_gone_may_come_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_may_pass_is_tried_three_times_and_a_refusal_is_quoted, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
