#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "credentials_sources.h"
#include "fake_credentials.h"
#include "fake_environment.h"

struct fixture {
    struct fake_home home;
    char path[128];
    int64_t now;
    struct credentials_provider provider;
};

static int64_t fixture_now(void *ctx) {
    return ((struct fixture *)ctx)->now;
}

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    (void)fake_home_make(&f->home);
    (void)snprintf(f->path, sizeof f->path, "%s/.aws/credentials", f->home.path);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    credentials_provider_release(&f->provider);
    fake_home_remove(&f->home);
    free(f);
    return 0;
}

static enum source_status make(struct fixture *f, enum profile_kind kind, const char *profile,
                               char why[static SETTING_WHY_SIZE]) {
    const struct shared_file file = {.path = f->path, .given = true};
    struct clock clock = {fixture_now, fixture_now, f};
    return credentials_profile_new(&file, kind, profile, clock, &f->provider, why);
}

#define KEYS(id) "[default]\naws_access_key_id = " id "\naws_secret_access_key = s" id "\naws_session_token = t" id "\n"

static void start_with(struct fixture *f, const char *text) {
    char why[SETTING_WHY_SIZE] = "";
    fake_home_write(&f->home, "credentials", text);
    if (make(f, PROFILE_CREDENTIALS, "default", why) != SOURCE_FOUND) {
        fail_msg("%s", why);
    }
}

static void expect_id(struct fixture *f, const char *id) {
    struct fake_asker a = {.answers = 0};
    fake_ask(&a, &f->provider);
    assert_int_equal(a.answers, 1);
    assert_string_equal(a.id, id);
}

static void keys_of_either_file_are_found(void **state) {
    struct fixture *f = *state;
    start_with(f, KEYS("A"));
    struct fake_asker a = {.answers = 0};
    fake_ask(&a, &f->provider);
    assert_string_equal(a.secret, "sA");
    assert_string_equal(a.token, "tA");
    credentials_provider_release(&f->provider);

    char why[SETTING_WHY_SIZE];
    fake_home_write(&f->home, "credentials", "[profile p]\naws_access_key_id = B\naws_secret_access_key = sB # c\n");
    assert_int_equal(make(f, PROFILE_CONFIG, "p", why), SOURCE_FOUND);
    expect_id(f, "B");
}

static void a_file_without_keys_is_no_source(void **state) {
    struct fixture *f = *state;
    char why[SETTING_WHY_SIZE];
    assert_int_equal(make(f, PROFILE_CREDENTIALS, "default", why), SOURCE_ABSENT);
    fake_home_write(&f->home, "credentials",
                    "[default]\nregion = x\naws_session_token = t\n[other]\naws_access_key_id = A\n");
    assert_int_equal(make(f, PROFILE_CREDENTIALS, "default", why), SOURCE_ABSENT);
    const struct shared_file none = {.path = NULL};
    assert_int_equal(credentials_profile_new(&none, PROFILE_CONFIG, "default",
                                             (struct clock){fixture_now, fixture_now, f}, &f->provider, why),
                     SOURCE_ABSENT);
}

static void a_faulty_file_is_told_without_its_secrets(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *text, *fault;
    } cases[] = {
        {"[default]\naws_access_key_id = canary\n", "but no aws_secret_access_key"},
        {"[default]\naws_access_key_id = A\naws_secret_access_key = canary canary\n",
         "characters that no credentials have"},
        {"[default]\naws_access_key_id = A\naws_secret_access_key = canary\n  canary\n",
         "characters that no credentials have"},
        {"[default]\ncanary\n", "line 2"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char why[SETTING_WHY_SIZE] = "";
        fake_home_write(&f->home, "credentials", cases[i].text);
        assert_int_equal(make(f, PROFILE_CREDENTIALS, "default", why), SOURCE_FAULTY);
        assert_non_null(strstr(why, cases[i].fault));
        assert_non_null(strstr(why, f->path));
        assert_null(strstr(why, "canary"));
    }
}

static void the_file_is_read_again_only_after_its_keys_were_refused(void **state) {
    struct fixture *f = *state;
    start_with(f, KEYS("A"));
    fake_home_write(&f->home, "credentials", KEYS("B"));
    f->now += 3600 * MICROSECONDS;
    expect_id(f, "A");
    credentials_invalidate(&f->provider, SPAN("C"));
    expect_id(f, "A");
    credentials_invalidate(&f->provider, SPAN("A"));
    expect_id(f, "B");
    f->now += 3600 * MICROSECONDS;
    credentials_invalidate(&f->provider, SPAN("A"));
    fake_home_write(&f->home, "credentials", KEYS("D"));
    expect_id(f, "B");
}

static void the_file_is_read_at_most_once_a_second(void **state) {
    struct fixture *f = *state;
    start_with(f, KEYS("A"));
    fake_home_write(&f->home, "credentials", KEYS("B"));
    credentials_invalidate(&f->provider, SPAN("A"));
    f->now += MICROSECONDS - 1;
    expect_id(f, "A");
    f->now += 1;
    expect_id(f, "B");
}

static void a_file_that_became_unreadable_is_a_passing_fault(void **state) {
    struct fixture *f = *state;
    start_with(f, KEYS("A"));
    static const char *const texts[] = {"[default]\naws_access_key_id = B\n", "[default]\n", "[default"};
    credentials_invalidate(&f->provider, SPAN("A"));
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        fake_home_write(&f->home, "credentials", texts[i]);
        f->now += MICROSECONDS;
        struct fake_asker a = {.answers = 0};
        fake_ask(&a, &f->provider);
        assert_int_equal(a.class, CALL_RETRY);
        assert_non_null(strstr(a.message, f->path));
        fake_ask(&a, &f->provider);
        assert_int_equal(a.class, CALL_RETRY);
    }
    fake_home_write(&f->home, "credentials", KEYS("C"));
    f->now += MICROSECONDS;
    expect_id(f, "C");
}

static void replace_and_ask_again(struct fake_asker *a) {
    a->then = NULL;
    credentials_invalidate(a->provider, SPAN("A"));
    struct fake_asker inner = {.answers = 0};
    fake_ask(&inner, a->provider);
    assert_string_equal(inner.id, "B");
}

static void credentials_outlive_their_replacement_from_inside_the_callback(void **state) {
    struct fixture *f = *state;
    start_with(f, KEYS("A"));
    fake_home_write(&f->home, "credentials", KEYS("B"));
    f->now += MICROSECONDS;
    struct fake_asker a = {.then = replace_and_ask_again};
    fake_ask(&a, &f->provider);
    assert_string_equal(a.id, "A");
    assert_string_equal(a.secret, "sA");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keys_of_either_file_are_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_without_keys_is_no_source, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_faulty_file_is_told_without_its_secrets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_file_is_read_again_only_after_its_keys_were_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_file_is_read_at_most_once_a_second, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_became_unreadable_is_a_passing_fault, set_up, tear_down),
        cmocka_unit_test_setup_teardown(credentials_outlive_their_replacement_from_inside_the_callback, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
