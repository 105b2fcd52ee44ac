#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "credentials_sources.h"
#include "fake_credentials.h"
#include "fake_environment.h"

#define PAIR(id) "aws_access_key_id=" id "\naws_secret_access_key=s\n"

/* id: whose keys are given; NULL: fault is a part of what is said. */
struct expectation {
    const char *env_id, *env_secret, *credentials, *config, *id, *fault;
};

static void check(const struct fake_home *home, const struct expectation *x) {
    fake_home_write(home, "credentials", x->credentials);
    fake_home_write(home, "config", x->config);
    const struct environment e =
        FAKE_ENVIRONMENT({"HOME", home->path}, {"AWS_ACCESS_KEY_ID", x->env_id}, {"AWS_SECRET_ACCESS_KEY", x->env_secret});
    struct shared_config config;
    char why[SETTING_WHY_SIZE] = "";
    assert_true(shared_config_load(&e, &config, why));
    struct credentials_provider p = {0};
    bool found = credentials_default_new(&e, &config, clock_system(), &p, why);
    shared_config_free(&config);
    assert_int_equal(found, x->id != NULL);
    if (found) {
        struct fake_asker a = {.answers = 0};
        fake_ask(&a, &p);
        assert_string_equal(a.id, x->id);
        credentials_provider_release(&p);
    } else if (!strstr(why, x->fault)) {
        fail_msg("\"%s\" lacks \"%s\"", why, x->fault);
    }
}

static void sources_are_asked_in_the_order_of_the_sdks(void **state) {
    (void)state;
    static const struct expectation cases[] = {
        {"E", "s", "[default]\n" PAIR("A"), "[default]\n" PAIR("B"), "E", NULL},
        {NULL, NULL, "[default]\n" PAIR("A"), "[default]\n" PAIR("B"), "A", NULL},
        {NULL, NULL, "[default]\n", "[default]\n" PAIR("B"), "B", NULL},
        {NULL, NULL, "", "[other]\n" PAIR("B"), NULL, "there are no credentials: set AWS_ACCESS_KEY_ID"},
        {"E", NULL, "[default]\n" PAIR("A"), "", NULL, "AWS_SECRET_ACCESS_KEY is not"},
        {NULL, NULL, "[default]\naws_access_key_id=A\n", "[default]\n" PAIR("B"), NULL, "but no aws_secret_access_key"},
        {"E", "s", "[default]\naws_access_key_id=A\n", "", "E", NULL},
        {NULL, NULL, "[default]\n" PAIR("A"), "[default]\nrole_arn = x\n", NULL, "role_arn"},
        {NULL, NULL, "", "[default]\ncredential_process = x\n" PAIR("B"), NULL, "credential_process"},
        {"E", "s", "[default]\n" PAIR("A"), "[default]\nrole_arn = x\n", "E", NULL},
    };
    struct fake_home home;
    (void)fake_home_make(&home);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        check(&home, &cases[i]);
    }
    fake_home_remove(&home);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_are_asked_in_the_order_of_the_sdks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
