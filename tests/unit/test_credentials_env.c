#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "credentials_sources.h"
#include "fake_credentials.h"
#include "fake_environment.h"

static void the_environment_gives_its_keys_at_once(void **state) {
    (void)state;
    const struct environment e = FAKE_ENVIRONMENT({"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "se/cr+et="},
                                                  {"AWS_SESSION_TOKEN", "tok"});
    struct credentials_provider p;
    char why[SETTING_WHY_SIZE];
    assert_int_equal(credentials_env_new(&e, &p, why), SOURCE_FOUND);
    struct fake_asker a = {.answers = 0};
    fake_ask(&a, &p);
    assert_int_equal(a.answers, 1);
    assert_false(a.wait.pending);
    assert_string_equal(a.id, "AKID");
    assert_string_equal(a.secret, "se/cr+et=");
    assert_string_equal(a.token, "tok");
    assert_true(a.expires == NEVER);
    credentials_invalidate(&p, SPAN("AKID"));
    fake_ask(&a, &p);
    assert_string_equal(a.id, "AKID");
    credentials_provider_release(&p);
    assert_null(p.impl);
}

static void the_token_may_be_absent(void **state) {
    (void)state;
    const struct environment e =
        FAKE_ENVIRONMENT({"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "s"}, {"AWS_SESSION_TOKEN", ""});
    struct credentials_provider p;
    char why[SETTING_WHY_SIZE];
    assert_int_equal(credentials_env_new(&e, &p, why), SOURCE_FOUND);
    struct fake_asker a = {.answers = 0};
    fake_ask(&a, &p);
    assert_string_equal(a.token, "");
    credentials_provider_release(&p);
}

static void an_environment_without_keys_is_no_source(void **state) {
    (void)state;
    const struct environment e = FAKE_ENVIRONMENT({"AWS_ACCESS_KEY_ID", ""}, {"AWS_SESSION_TOKEN", "tok"});
    struct credentials_provider p;
    char why[SETTING_WHY_SIZE];
    assert_int_equal(credentials_env_new(&e, &p, why), SOURCE_ABSENT);
}

static void an_id_without_a_secret_is_a_fault_and_a_secret_alone_is_nothing(void **state) {
    (void)state;
    struct credentials_provider p;
    char why[SETTING_WHY_SIZE] = "";
    const struct environment id = FAKE_ENVIRONMENT({"AWS_ACCESS_KEY_ID", "canary"}, {"AWS_SECRET_ACCESS_KEY", ""});
    assert_int_equal(credentials_env_new(&id, &p, why), SOURCE_FAULTY);
    assert_non_null(strstr(why, "AWS_SECRET_ACCESS_KEY is not"));
    assert_null(strstr(why, "canary"));
    const struct environment secret = FAKE_ENVIRONMENT({"AWS_SECRET_ACCESS_KEY", "canary"});
    assert_int_equal(credentials_env_new(&secret, &p, why), SOURCE_ABSENT);
}

static void what_could_break_a_header_is_refused(void **state) {
    (void)state;
    char too_long[SECRET_ACCESS_KEY_SIZE + 1];
    memset(too_long, 'a', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    const char *const bad[][3] = {{"A\nB", "s", NULL},  {"A", "s\r", NULL},       {"A", "s", "t\nX: y"},
                                  {"A B", "s", NULL},   {"A", "s\xC3\xA9", NULL}, {"A", too_long, NULL},
                                  {too_long, "s", NULL}};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        const struct environment e = FAKE_ENVIRONMENT(
            {"AWS_ACCESS_KEY_ID", bad[i][0]}, {"AWS_SECRET_ACCESS_KEY", bad[i][1]}, {"AWS_SESSION_TOKEN", bad[i][2]});
        struct credentials_provider p;
        char why[SETTING_WHY_SIZE] = "";
        assert_int_equal(credentials_env_new(&e, &p, why), SOURCE_FAULTY);
        assert_non_null(strstr(why, "AWS_SECRET_ACCESS_KEY"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_gives_its_keys_at_once),
        cmocka_unit_test(the_token_may_be_absent),
        cmocka_unit_test(an_environment_without_keys_is_no_source),
        cmocka_unit_test(an_id_without_a_secret_is_a_fault_and_a_secret_alone_is_nothing),
        cmocka_unit_test(what_could_break_a_header_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
