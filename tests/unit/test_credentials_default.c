#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "credentials_sources.h"
#include "fake_environment.h"
#include "digest.h"
#include "fake_world.h"
#include "sts_answers.h"

#define PAIR(id) "aws_access_key_id=" id "\naws_secret_access_key=s\n"

struct expectation {
    const char *variables[2][2];
    const char *credentials, *config;
    struct fake_reply replies[3];
    size_t reply_count;
    const char *id;
};

static const struct sts_place sts = {.url = "https://sts.eu-west-1.amazonaws.com", .region = "eu-west-1"};

static void check(const struct fake_home *home, const struct expectation *x) {
    fake_home_write(home, "credentials", x->credentials);
    fake_home_write(home, "config", x->config);
    const struct environment e = FAKE_ENVIRONMENT({"HOME", home->path}, {x->variables[0][0], x->variables[0][1]},
                                                  {x->variables[1][0], x->variables[1][1]});
    struct fake_world *w = fake_world_new();
    w->world.digest = digest_new();
    assert_non_null(w->world.digest);
    struct shared_config config;
    struct credentials_plan plan;
    char why[SETTING_WHY_SIZE] = "";
    assert_true(shared_config_load(&e, NULL, &config, why));
    assert_true(credentials_plan_make(&e, &config, &plan, why));
    const struct credentials_default_options options = {&e, &config, &w->world, &sts};
    struct credentials_provider p = {0};
    if (!credentials_default_new(&plan, &options, &p, why)) {
        fail_msg("%s", why);
    }
    shared_config_free(&config);
    w->replies = x->replies;
    w->reply_count = x->reply_count;
    struct fake_asker a = {.answers = 0};
    fake_ask(&a, &p);
    fake_world_run(w);
    assert_string_equal(a.id, x->id);
    credentials_provider_release(&p);
    digest_free(w->world.digest);
    free(w);
}

static void the_provider_of_a_plan_gives_its_credentials(void **state) {
    (void)state;
    static const char keys[] =
        "{\"AccessKeyId\":\"R\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":\"2024-01-08T07:34:32Z\"}";
    const struct expectation cases[] = {
        {{{"AWS_ACCESS_KEY_ID", "E"}, {"AWS_SECRET_ACCESS_KEY", "s"}}, "", "", {{0}}, 0, "E"},
        {{{NULL}}, "[default]\n" PAIR("A"), "[default]\n" PAIR("B"), {{0}}, 0, "A"},
        {{{NULL}}, "", "[default]\n" PAIR("B"), {{0}}, 0, "B"},
        {{{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x"}}, "", "", {{200, keys}}, 1, "R"},
        {{{NULL}}, "", "", {{200, "T"}, {200, "r"}, {200, keys}}, 3, "R"},
        {{{NULL}},
         "[b]\n" PAIR("B"),
         "[default]\nrole_arn=r2\nsource_profile=a\n[profile a]\nrole_arn=r1\nsource_profile=b\n",
         {{200, STS_ANSWER("R1")}, {200, STS_ANSWER("R2")}},
         2,
         "R2"},
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
        cmocka_unit_test(the_provider_of_a_plan_gives_its_credentials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
