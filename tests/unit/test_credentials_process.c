#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "credentials_local.h"
#include "fake_environment.h"
#include "fake_world.h"
#include "loop.h"

struct fixture {
    struct loop *loop;
    struct fake_world *w;
    struct fake_home home;
    char path[128];
    struct credentials_plan plan;
    struct credentials_source source;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->loop = loop_new();
    assert_non_null(f->loop);
    f->w = fake_world_new();
    f->w->world.loop = f->loop;
    (void)fake_home_make(&f->home);
    (void)snprintf(f->path, sizeof f->path, "/bin/sh '%s/.aws/other' \"an argument\"", f->home.path);
    (void)snprintf(f->plan.profile, sizeof f->plan.profile, "default");
    f->plan.process = span_cstr(f->path);
    f->plan.account_id = SPAN("210987654321");
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    credentials_source_release(&f->source);
    fake_home_remove(&f->home);
    loop_free(f->loop);
    free(f->w);
    free(f);
    return 0;
}

static void fetched(void *user, const struct credentials *credentials, const struct credentials_failure *failure) {
    struct fixture *f = user;
    fake_world_fetched(f->w, credentials, failure);
    loop_stop(f->loop);
}

static bool run(struct fixture *f, const char *script) {
    char why[SETTING_WHY_SIZE] = "";
    fake_home_write(&f->home, "other", script);
    if (!f->source.impl && !credentials_process_new(&f->plan, &f->w->world, &f->source, why)) {
        fail_msg("%s", why);
    }
    f->source.fetch(f->source.impl, fetched, f);
    assert_true(loop_run(f->loop));
    return f->w->class == CALL_OK;
}

#define KEYS "\"Version\":1,\"AccessKeyId\":\"P\",\"SecretAccessKey\":\"s\""

static void what_the_program_prints_is_read_each_time_anew(void **state) {
    struct fixture *f = *state;
    assert_true(run(f, "printf '{" KEYS ",\"SessionToken\":\"%s\",\"Expiration\":\"2024-01-08T02:34:32Z\","
                       "\"AccountId\":\"123456789012\"}' "
                       "\"$(echo $1 | tr ' ' _)\""));
    assert_string_equal(f->w->id, "P");
    assert_string_equal(f->w->token, "an_argument");
    assert_string_equal(f->w->account, "123456789012");
    assert_int_equal(f->w->expires, FAKE_WORLD_WALL + 3600 * MICROSECONDS);
    assert_true(run(f, "echo '{" KEYS "}'"));
    assert_string_equal(f->w->account, "210987654321");
    assert_int_equal(f->w->expires, NEVER);
}

static void what_goes_wrong_is_a_sentence_with_what_the_program_said(void **state) {
    struct fixture *f = *state;
    static const char *const cases[][2] = {
        {"echo '{" KEYS "}'; echo first >&2; echo 'no card' >&2; exit 2",
         "credential_process (/bin/sh) ends with status 2: no card"},
        {"exit 1", "ends with status 1"},
        {"kill -15 $$", "was ended by signal 15"},
        {"echo nonsense", "prints a document that can't be used: it is no JSON object"},
        {"echo '{\"Version\":\"1\",\"AccessKeyId\":\"P\",\"SecretAccessKey\":\"s\"}'",
         "its Version is not the number 1"},
        {"echo '{" KEYS ",\"Expiration\":\"soon\"}'", "its Expiration is not a time like"},
        {"while :; do echo 0123456789012345678901234567890123456789; done", "prints more than 64 KiB, and was killed"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_false(run(f, cases[i][0]));
        assert_int_equal(f->w->class, CALL_RETRY);
        fake_world_expect_why(f->w, cases[i][1]);
    }
    assert_non_null(strstr(logged, "credential_process complains program=/bin/sh line=first"));
}

static void a_command_that_is_none_is_told_at_the_start_and_one_that_is_gone_when_it_is_asked(void **state) {
    struct fixture *f = *state;
    char why[SETTING_WHY_SIZE] = "";
    struct credentials_plan plan = {.profile = "default", .process = SPAN("a 'b")};
    assert_false(credentials_process_new(&plan, &f->w->world, &f->source, why));
    assert_string_equal(why, "credential_process of profile default has a quote that never ends");
    plan.process = SPAN("/no/such/program --x");
    assert_true(credentials_process_new(&plan, &f->w->world, &f->source, why));
    f->source.fetch(f->source.impl, fetched, f);
    fake_world_expect_why(f->w, "credential_process (/no/such/program) can't be started: No such file or directory");
    f->source.cancel(f->source.impl);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_the_program_prints_is_read_each_time_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_goes_wrong_is_a_sentence_with_what_the_program_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_command_that_is_none_is_told_at_the_start_and_one_that_is_gone_when_it_is_asked, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
