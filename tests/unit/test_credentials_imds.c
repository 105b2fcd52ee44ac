#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler.h"
#include "credentials_remote.h"
#include "fake_world.h"

#define KEYS(id)                                                                                                       \
    "{\"Code\":\"Success\",\"Type\":\"AWS-HMAC\",\"AccessKeyId\":\"" id                                                \
    "\",\"SecretAccessKey\":\"s\",\"Token\":\"t\","                                                                    \
    "\"Expiration\":\"2024-01-08T07:34:32Z\"}"

struct fixture {
    struct fake_world *w;
    struct credentials_source source;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->w = fake_world_new();
    const struct imds_options options = {.url = "http://169.254.169.254", .timeout = MICROSECONDS, .attempts = 2};
    assert_true(credentials_imds_new(&options, &f->w->world, "tried: a, b; ", &f->source));
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    credentials_source_release(&f->source);
    free(f->w);
    free(f);
    return 0;
}

static void three_round_trips_bring_the_roles_keys_and_the_next_time_two(void **state) {
    struct fixture *f = *state;
    struct fake_world *w = f->w;
    assert_true(FETCH(w, &f->source, {200, "TOKEN=="}, {200, "my-role\n"}, {200, KEYS("ASIA1")}));
    assert_string_equal(w->id, "ASIA1");
    assert_string_equal(w->token, "t");
    assert_int_equal(w->expires, FAKE_WORLD_WALL + 6 * 3600 * MICROSECONDS);
    assert_int_equal(w->asked_count, 3);
    assert_int_equal(w->asked[0].method, HTTP_PUT);
    assert_string_equal(w->asked[0].url, "http://169.254.169.254/latest/api/token");
    assert_string_equal(w->asked[0].headers, "x-aws-ec2-metadata-token-ttl-seconds: 21600\n");
    assert_string_equal(w->asked[1].url, "http://169.254.169.254/latest/meta-data/iam/security-credentials/");
    assert_string_equal(w->asked[2].url, "http://169.254.169.254/latest/meta-data/iam/security-credentials/my-role");
    assert_string_equal(w->asked[2].headers, "x-aws-ec2-metadata-token: TOKEN==\n");
    for (size_t i = 0; i < 3; i++) {
        assert_true(w->asked[i].direct);
        assert_int_equal(w->asked[i].timeout, MICROSECONDS);
    }
    assert_true(FETCH(w, &f->source, {200, "other"}, {200, KEYS("ASIA2")}));
    assert_int_equal(w->asked_count, 2);
    assert_string_equal(w->id, "ASIA2");
}

static void a_token_is_used_for_its_life_and_renewed_once_where_it_is_refused(void **state) {
    struct fixture *f = *state;
    struct fake_world *w = f->w;
    assert_true(FETCH(w, &f->source, {200, "A"}, {200, "r"}, {200, KEYS("1")}));
    w->now += 21600 * MICROSECONDS;
    assert_true(FETCH(w, &f->source, {200, "B"}, {200, "r"}, {200, KEYS("2")}));
    assert_true(FETCH(w, &f->source, {401, ""}, {200, "C"}, {200, "r"}, {200, KEYS("3")}));
    assert_string_equal(w->asked[3].headers, "x-aws-ec2-metadata-token: C\n");
    assert_false(FETCH(w, &f->source, {401, ""}, {200, "D"}, {401, ""}));
    assert_int_equal(w->class, CALL_RETRY);
    fake_world_expect_why(w, "refuses the token");
}

static void without_a_service_there_are_no_credentials_and_all_that_was_tried_is_told(void **state) {
    struct fixture *f = *state;
    struct fake_world *w = f->w;
    assert_false(FETCH(w, &f->source, {0}, {0}));
    assert_int_equal(w->class, CALL_AUTH);
    assert_string_equal(
        w->why, "tried: a, b; the instance metadata service (http://169.254.169.254) can't be reached: no route");
    assert_true(FETCH(w, &f->source, {200, "A"}, {200, "r"}, {200, KEYS("1")}));
    w->now += 21600 * MICROSECONDS;
    assert_false(FETCH(w, &f->source, {0}, {0}));
    assert_int_equal(w->class, CALL_RETRY);
    assert_null(strstr(w->why, "tried"));
}

static void a_service_that_is_there_and_busy_is_no_place_without_credentials(void **state) {
    struct fixture *f = *state;
    static const struct {
        struct fake_reply replies[4];
        size_t count;
        enum call_class class;
    } cases[] = {
        {{{503, ""}, {500, ""}}, 2, CALL_RETRY},
        {{{429, ""}, {429, ""}}, 2, CALL_RETRY},
        {{{200, "T"}, {503, ""}, {503, ""}}, 3, CALL_RETRY},
        {{{200, "T"}, {200, "r"}, {429, ""}, {503, ""}}, 4, CALL_RETRY},
        {{{200, "T"}, {200, "r"}, {0}, {0}}, 4, CALL_RETRY},
        {{{0}, {0}}, 2, CALL_AUTH},
        {{{404, ""}}, 1, CALL_AUTH},
        {{{200, "T"}, {404, ""}}, 2, CALL_AUTH},
        {{{200, "T"}, {200, "r"}, {404, ""}}, 3, CALL_AUTH},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        f->w->now += 21600 * MICROSECONDS;
        assert_false(fake_world_fetch(f->w, &f->source, cases[i].replies, cases[i].count));
        assert_int_equal(f->w->class, cases[i].class);
        fake_world_expect_why(f->w, "tried: a, b; ");
    }
}

static void what_goes_wrong_is_said_in_a_sentence_that_mends_it(void **state) {
    struct fixture *f = *state;
    static const struct {
        struct fake_reply replies[6];
        size_t count;
        const char *why;
    } cases[] = {
        {{{0, .error = HTTP_TIMED_OUT}, {0, .error = HTTP_TIMED_OUT}},
         2,
         "hop limit has to be at least 2: aws ec2 modify-instance"},
        {{{403, ""}}, 1, "turned off"},
        {{{404, ""}}, 1, "version 1 is not used"},
        {{{405, ""}}, 1, "version 1 is not used"},
        {{{400, ""}}, 1, "gives no token: status 400"},
        {{{500, ""}, {503, ""}}, 2, "gives no token: status 503"},
        {{{200, "two words"}}, 1, "a token that can't be used"},
        {{{200, ""}}, 1, "a token that can't be used"},
        {{{200, "T"}, {404, ""}}, 2, "has no role: attach an instance profile"},
        {{{200, "T"}, {200, ""}}, 2, "names no role"},
        {{{200, "T"}, {200, "../x"}}, 2, "names no role"},
        {{{200, "T"}, {200, "r"}, {404, ""}}, 3, "no credentials for the role r: status 404"},
        {{{200, "T"}, {200, "r"}, {200, "{\"Code\":\"Failed\",\"Message\":\"no trust\"}"}},
         3,
         "Failed (no trust); look at the role's trust"},
        {{{200, "T"}, {200, "r"}, {200, "{\"Code\":\"Success\",\"AccessKeyId\":\"A\""}}, 3, "cut short"},
        {{{200, "T"}, {200, "r"}, {200, "<html>"}}, 3, "no JSON object"},
        {{{200, "T"}, {200, "r"}, {200, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Token\":\"t\"}"}},
         3,
         "it has no Expiration"},
        {{{200, "T"},
          {200, "r"},
          {200, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":\"tomorrow\"}"}},
         3,
         "its Expiration is not a time like"},
        {{{200, "T"}, {200, "r"}, {0, .error = HTTP_TOO_LARGE, .message = "the response is larger than it may be"}},
         3,
         "larger than it may be"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        f->w->now += 21600 * MICROSECONDS;
        assert_false(fake_world_fetch(f->w, &f->source, cases[i].replies, cases[i].count));
        fake_world_expect_why(f->w, cases[i].why);
        assert_int_equal(f->w->reply_count, 0);
    }
}

static void a_question_is_cancelled_wherever_it_is(void **state) {
    struct fixture *f = *state;
    struct fake_world *w = f->w;
    static const struct fake_reply replies[] = {{200, "T"}, {200, "r"}};
    for (size_t answered = 0; answered <= 2; answered++) {
        w->replies = replies;
        w->reply_count = answered;
        f->source.fetch(f->source.impl, fake_world_fetched, w);
        fake_world_run(w);
        f->source.cancel(f->source.impl);
        f->source.cancel(f->source.impl);
        assert_int_equal(timers_next(&w->timers), NEVER);
        w->now += 21600 * MICROSECONDS;
    }
    assert_int_equal(w->cancelled, 3);
    assert_int_equal(w->answers, 0);
}

static void on_region(void *user, const char *region, const char *why) {
    (void)snprintf(user, 256, "%s%s", region ? region : "", why);
}

static void the_region_of_the_instance_is_asked_for_once(void **state) {
    struct fixture *f = *state;
    struct fake_world *w = f->w;
    const struct imds_options options = {.url = "http://[fd00:ec2::254]", .timeout = MICROSECONDS, .attempts = 1};
    static const struct {
        struct fake_reply replies[2];
        size_t count;
        const char *said;
    } cases[] = {{{{200, "T"}, {200, "eu-west-1"}}, 2, "eu-west-1"},
                 {{{200, "T"}, {200, "Not a region"}}, 2, "the instance metadata service names no region"},
                 {{{200, "T"}, {404, ""}}, 2, "the instance metadata service names no region"},
                 {{{0}}, 1, "the instance metadata service (http://[fd00:ec2::254]) can't be reached: no route"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char said[256] = "";
        w->asked_count = 0;
        w->replies = cases[i].replies;
        w->reply_count = cases[i].count;
        struct imds_region *r = imds_region_start(&options, &w->world, on_region, said);
        assert_non_null(r);
        fake_world_run(w);
        assert_string_equal(said, cases[i].said);
        assert_true(w->asked[0].direct);
        imds_region_free(r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(three_round_trips_bring_the_roles_keys_and_the_next_time_two, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_token_is_used_for_its_life_and_renewed_once_where_it_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_a_service_there_are_no_credentials_and_all_that_was_tried_is_told,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_service_that_is_there_and_busy_is_no_place_without_credentials, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_goes_wrong_is_said_in_a_sentence_that_mends_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_question_is_cancelled_wherever_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_region_of_the_instance_is_asked_for_once, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
