#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "credentials_local.h"
#include "fake_environment.h"
#include "fake_world.h"

/* SHA-1 of "https://x.awsapps.com/start". */
#define OF_URL "3947de8b16688092197fa616c34e01335f21d256"
#define ROLE                                                                                                           \
    "{\"roleCredentials\":{\"accessKeyId\":\"ASIA\",\"secretAccessKey\":\"s\",\"sessionToken\":\"t\",\"expiration\":"  \
    "1704681272000}}"

struct fixture {
    struct fake_world *w;
    struct fake_home home;
    struct credentials_plan plan;
    struct credentials_source source;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->w = fake_world_new();
    (void)fake_home_make(&f->home);
    (void)snprintf(f->plan.profile, sizeof f->plan.profile, "dev");
    f->plan.sso.start_url = SPAN("https://x.awsapps.com/start");
    f->plan.sso.account_id = SPAN("123456789012");
    f->plan.sso.role_name = SPAN("a+role");
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    char path[256];
    credentials_source_release(&f->source);
    static const char *const names[] = {"sso/cache/" OF_URL ".json", "sso/cache", "sso"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        (void)snprintf(path, sizeof path, "%s/.aws/%s", f->home.path, names[i]);
        (void)remove(path);
    }
    fake_home_remove(&f->home);
    free(f->w);
    free(f);
    return 0;
}

static void make(struct fixture *f) {
    const struct environment e = FAKE_ENVIRONMENT({"HOME", f->home.path});
    char why[SETTING_WHY_SIZE] = "", path[128];
    (void)snprintf(path, sizeof path, "%s/.aws/sso", f->home.path);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof path, "%s/.aws/sso/cache", f->home.path);
    (void)mkdir(path, 0700);
    credentials_source_release(&f->source);
    if (!credentials_sso_new(&f->plan, &e, "https://portal.sso.eu-west-1.amazonaws.com", &f->w->world, &f->source,
                             why)) {
        fail_msg("%s", why);
    }
}

static void log_in(struct fixture *f, const char *text) {
    fake_home_write(&f->home, "sso/cache/" OF_URL ".json", text);
}

static void the_token_of_the_last_login_is_changed_for_the_roles_keys(void **state) {
    struct fixture *f = *state;
    make(f);
    log_in(f, "{\"startUrl\":\"x\",\"accessToken\":\"TOKEN\",\"expiresAt\":\"2024-01-08T02:34:32Z\"}");
    assert_true(FETCH(f->w, &f->source, {200, ROLE}));
    assert_string_equal(f->w->id, "ASIA");
    assert_string_equal(f->w->account, "123456789012");
    assert_int_equal(f->w->expires, 1704681272LL * MICROSECONDS);
    assert_string_equal(f->w->asked[0].url, "https://portal.sso.eu-west-1.amazonaws.com/federation/"
                                            "credentials?role_name=a%2Brole&account_id=123456789012");
    assert_string_equal(f->w->asked[0].headers, "x-amz-sso_bearer_token: TOKEN\n");
}

static void where_nobody_is_logged_in_it_is_said_what_to_type(void **state) {
    struct fixture *f = *state;
    make(f);
    assert_false(FETCH(f->w, &f->source, {200, ROLE}));
    fake_world_expect_why(f->w, "No such file or directory: type aws sso login --profile dev");
    log_in(f, "{\"accessToken\":\"TOKEN\",\"expiresAt\":\"2024-01-08T01:00:00UTC\"}");
    assert_false(FETCH(f->w, &f->source, {200, ROLE}));
    assert_string_equal(f->w->why, "SSO: the session has expired: type aws sso login --profile dev");
    assert_int_equal(f->w->class, CALL_AUTH);
    static const char *const bad[] = {"", "{}", "{\"accessToken\":\"T\"}",
                                      "{\"accessToken\":\"T\",\"expiresAt\":\"x\"}",
                                      "{\"accessToken\":\"a\\r\\nX: b\",\"expiresAt\":\"2024-01-08T02:34:32Z\"}"};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        log_in(f, bad[i]);
        assert_false(FETCH(f->w, &f->source, {200, ROLE}));
        fake_world_expect_why(f->w, "holds no token, or not when it expires: type aws sso login");
        assert_int_equal(f->w->asked_count, 0);
    }
}

static void what_the_portal_answers_is_told(void **state) {
    struct fixture *f = *state;
    make(f);
    log_in(f, "{\"accessToken\":\"TOKEN\",\"expiresAt\":\"2024-01-08T02:34:32Z\"}");
    assert_false(FETCH(f->w, &f->source, {401, "{}"}));
    fake_world_expect_why(f->w, "(status 401): type aws sso login --profile dev");
    assert_false(FETCH(f->w, &f->source, {403, "{}"}));
    fake_world_expect_why(f->w, "status 403: look at sso_account_id and sso_role_name");
    assert_int_equal(f->w->class, CALL_AUTH);
    assert_false(FETCH(f->w, &f->source, {429, "{}"}, {500, ""}, {503, ""}));
    assert_int_equal(f->w->class, CALL_RETRY);
    assert_false(FETCH(f->w, &f->source, {200, "{\"roleCredentials\":{}}"}));
    fake_world_expect_why(f->w, "it has no accessKeyId");
    assert_true(FETCH(f->w, &f->source, {0}, {0}, {200, ROLE}));
}

static void names_that_could_end_the_url_are_refused(void **state) {
    struct fixture *f = *state;
    const struct environment e = FAKE_ENVIRONMENT({"HOME", f->home.path});
    char why[SETTING_WHY_SIZE] = "";
    f->plan.sso.role_name = SPAN("a&account_id=2");
    assert_false(credentials_sso_new(&f->plan, &e, "https://x", &f->w->world, &f->source, why));
    assert_non_null(strstr(why, "characters that are not allowed"));
    f->plan.sso.role_name = SPAN("r");
    const struct environment homeless = FAKE_ENVIRONMENT({"HOME", NULL});
    assert_false(credentials_sso_new(&f->plan, &homeless, "https://x", &f->w->world, &f->source, why));
    assert_non_null(strstr(why, "HOME is not set"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_token_of_the_last_login_is_changed_for_the_roles_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(where_nobody_is_logged_in_it_is_said_what_to_type, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_portal_answers_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_that_could_end_the_url_are_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
