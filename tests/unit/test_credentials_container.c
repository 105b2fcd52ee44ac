#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "credentials_remote.h"
#include "fake_environment.h"
#include "fake_world.h"

#define KEYS                                                                                                           \
    "{\"AccessKeyId\":\"ASIA\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":\"2024-01-08T02:34:32Z\","     \
    "\"RoleArn\":\"x\",\"AccountId\":\"123456789012\"}"

static void which_url_may_be_asked_is_decided_by_its_host(void **state) {
    (void)state;
    static const struct {
        const char *relative, *full;
        const char *url, *fault; /* neither: there is none */
    } cases[] = {
        {NULL, NULL, NULL, NULL},
        {"", "", NULL, NULL},
        {"/v2/x?id=1", "http://evil/", "http://169.254.170.2/v2/x?id=1", NULL},
        {NULL, "http://169.254.170.23/v1/credentials", "http://169.254.170.23/v1/credentials", NULL},
        {NULL, "http://[fd00:ec2::23]/v1/credentials", "http://[fd00:ec2::23]/v1/credentials", NULL},
        {NULL, "http://localhost:1234/x", "http://localhost:1234/x", NULL},
        {NULL, "http://127.9.9.9/x", "http://127.9.9.9/x", NULL},
        {NULL, "http://[::1]:80/x", "http://[::1]:80/x", NULL},
        {NULL, "https://any.host/x", "https://any.host/x", NULL},
        {NULL, "http://any.host/x", NULL, "AWS_CONTAINER_CREDENTIALS_FULL_URI has to begin with https://, or its host"},
        {NULL, "http://127.0.0.1.evil.com/x", NULL, "has to begin with https://, or"},
        {NULL, "http://169.254.169.254/x", NULL, "has to begin with https://, or"},
        {NULL, "http://localhost@evil.com/x", NULL, "may have no user"},
        {NULL, "ftp://localhost/x", NULL, "has to begin with https:// or http://"},
        {NULL, "nonsense", NULL, "is no URL"},
        {NULL, "http://localhost/a b", NULL, "blanks"},
        {"v2/x", NULL, NULL, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI has to begin with a slash"},
        {"@evil.com/x", NULL, NULL, "has to begin with a slash"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct environment e = FAKE_ENVIRONMENT({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", cases[i].relative},
                                                      {"AWS_CONTAINER_CREDENTIALS_FULL_URI", cases[i].full});
        struct container_options o = {.url = ""};
        bool is_there = false;
        char why[SETTING_WHY_SIZE] = "";
        bool fine = container_options_read(&e, &o, &is_there, why);
        assert_int_equal(fine, cases[i].fault == NULL);
        if (!fine && !strstr(why, cases[i].fault)) {
            fail_msg("\"%s\" lacks \"%s\"", why, cases[i].fault);
        }
        assert_int_equal(is_there, cases[i].url || cases[i].fault);
        if (cases[i].url) {
            assert_string_equal(o.url, cases[i].url);
        }
    }
}

struct fixture {
    struct fake_world *w;
    struct fake_home home;
    char path[128];
    struct credentials_source source;
};

static struct fixture *make(void **state, const char *file, const char *token) {
    struct fixture *f = *state;
    struct container_options o = {.url = "http://169.254.170.23/v1/credentials", .token = token};
    o.token_file = file ? f->path : NULL;
    if (file) {
        fake_home_write(&f->home, "other", file);
    }
    credentials_source_release(&f->source);
    assert_true(credentials_container_new(&o, &f->w->world, &f->source));
    return f;
}

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->w = fake_world_new();
    (void)fake_home_make(&f->home);
    (void)snprintf(f->path, sizeof f->path, "%s/.aws/other", f->home.path);
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

static void one_round_trip_brings_keys_and_account(void **state) {
    struct fixture *f = make(state, NULL, NULL);
    assert_true(FETCH(f->w, &f->source, {200, KEYS}));
    assert_string_equal(f->w->id, "ASIA");
    assert_string_equal(f->w->account, "123456789012");
    assert_string_equal(f->w->asked[0].headers, "Accept: application/json\n");
    assert_true(f->w->asked[0].direct);
    assert_int_equal(f->w->asked[0].timeout, 2 * MICROSECONDS);
}

static void the_token_file_is_read_anew_for_each_request_and_comes_before_the_variable(void **state) {
    struct fixture *f = make(state, "one\n", "variable");
    assert_true(FETCH(f->w, &f->source, {200, KEYS}));
    assert_string_equal(f->w->asked[0].headers, "Accept: application/json\nAuthorization: one\n");
    fake_home_write(&f->home, "other", "Bearer two");
    assert_true(FETCH(f->w, &f->source, {200, KEYS}));
    assert_string_equal(f->w->asked[0].headers, "Accept: application/json\nAuthorization: Bearer two\n");
    (void)make(state, NULL, "variable");
    assert_true(FETCH(f->w, &f->source, {200, KEYS}));
    assert_string_equal(f->w->asked[0].headers, "Accept: application/json\nAuthorization: variable\n");
}

static void a_token_that_is_none_is_never_sent(void **state) {
    struct fixture *f = make(state, "one\r\nX-Evil: 1\r\n", "variable");
    assert_false(FETCH(f->w, &f->source, {200, KEYS}));
    fake_world_expect_why(f->w, "holds no token");
    fake_home_write(&f->home, "other", "\n\n");
    assert_false(FETCH(f->w, &f->source, {200, KEYS}));
    fake_world_expect_why(f->w, "is empty");
    fake_home_unlink(&f->home, "other");
    assert_false(FETCH(f->w, &f->source, {200, KEYS}));
    fake_world_expect_why(f->w, "can't be read: No such file");
    (void)make(state, NULL, "a\nb");
    assert_false(FETCH(f->w, &f->source, {200, KEYS}));
    fake_world_expect_why(f->w, "AWS_CONTAINER_AUTHORIZATION_TOKEN has line ends inside");
    assert_int_equal(f->w->asked_count, 0);
}

/* As the agents of EKS and of ECS say it; a page of a box on the way is left out. */
static void what_the_agent_says_of_its_refusal_is_told(void **state) {
    struct fixture *f = make(state, NULL, NULL);
    assert_false(FETCH(f->w, &f->source, {400, "[1]: (ExpiredTokenException): The token\nis expired"}));
    fake_world_expect_why(f->w, "status 400 ([1]: (ExpiredTokenException): The token is expired): look at the task's");
    assert_false(FETCH(f->w, &f->source, {404, "{\"code\":\"InvalidId\",\"message\":\"no such role\"}"}));
    fake_world_expect_why(f->w, "status 404 ({\"code\":\"InvalidId\",\"message\":\"no such role\"}): look");
    assert_false(FETCH(f->w, &f->source, {403, "<html>box</html>"}));
    fake_world_expect_why(f->w, "status 403: look at the task's role");
}

static void three_tries_are_made_where_it_may_pass_and_one_where_it_may_not(void **state) {
    struct fixture *f = make(state, NULL, NULL);
    assert_true(FETCH(f->w, &f->source, {500, ""}, {0}, {200, KEYS}));
    assert_int_equal(f->w->asked_count, 3);
    int64_t began = f->w->now;
    assert_false(FETCH(f->w, &f->source, {503, ""}, {429, ""}, {502, ""}));
    assert_int_equal(f->w->class, CALL_RETRY);
    assert_true(f->w->now - began < 3 * MICROSECONDS);
    assert_false(FETCH(f->w, &f->source, {403, ""}));
    assert_int_equal(f->w->class, CALL_AUTH);
    fake_world_expect_why(f->w, "answers with status 403: look at the task's role");
    assert_false(FETCH(f->w, &f->source, {0}, {0}, {0}));
    fake_world_expect_why(f->w, "can't be reached: no route");
    assert_false(FETCH(f->w, &f->source, {200, "{\"code\":\"InternalError\",\"message\":\"m\"}"}));
    fake_world_expect_why(f->w, "InternalError (m)");
    assert_false(FETCH(f->w, &f->source, {200, "[]"}));
    fake_world_expect_why(f->w, "no JSON object");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_url_may_be_asked_is_decided_by_its_host),
        cmocka_unit_test_setup_teardown(one_round_trip_brings_keys_and_account, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_token_file_is_read_anew_for_each_request_and_comes_before_the_variable,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_token_that_is_none_is_never_sent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_agent_says_of_its_refusal_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(three_tries_are_made_where_it_may_pass_and_one_where_it_may_not, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
