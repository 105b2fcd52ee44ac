#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "credentials_plan.h"
#include "fake_environment.h"

#define PAIR(id) "aws_access_key_id=" id "\naws_secret_access_key=s\n"
#define KEYS                                                                                                           \
    {"AWS_ACCESS_KEY_ID", "E"}, {                                                                                      \
        "AWS_SECRET_ACCESS_KEY", "s"                                                                                   \
    }
#define ROLE(source) "role_arn = arn:aws:iam::1:role/r\n" source "\n"
#define SSO "sso_account_id = 123456789012\nsso_role_name = r\nsso_region = eu-west-1\nsso_start_url = https://x\n"
#define CONTAINER                                                                                                      \
    { "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x" }

struct expectation {
    const char *config, *credentials;
    const char *variables[6][2];
    const char *option; /* --profile */
    const char *name; /* of the provider; NULL: fault is a part of what is said */
    const char *fault;
};

static bool decide(const struct fake_home *home, const struct expectation *x, struct shared_config *config,
                   struct credentials_plan *plan, char why[static SETTING_WHY_SIZE]) {
    fake_home_write(home, "config", x->config ? x->config : "");
    fake_home_write(home, "credentials", x->credentials ? x->credentials : "");
    struct fake_environment variables = {.variables = {{"HOME", home->path}}};
    memcpy(variables.variables + 1, x->variables, sizeof x->variables);
    const struct environment e = {fake_environment_get, &variables};
    return shared_config_load(&e, x->option, config, why) && credentials_plan_make(&e, config, plan, why);
}

static void check(const struct expectation *cases, size_t count) {
    struct fake_home home;
    (void)fake_home_make(&home);
    for (size_t i = 0; i < count; i++) {
        struct shared_config config = {0};
        struct credentials_plan plan = {.role_count = 0};
        char why[SETTING_WHY_SIZE] = "";
        bool fine = decide(&home, &cases[i], &config, &plan, why);
        if (fine != (cases[i].name != NULL)) {
            fail_msg("case %zu: %s", i, fine ? credentials_plan_name(&plan) : why);
        } else if (fine) {
            assert_string_equal(credentials_plan_name(&plan), cases[i].name);
        } else if (!strstr(why, cases[i].fault)) {
            fail_msg("case %zu: \"%s\" lacks \"%s\"", i, why, cases[i].fault);
        }
        shared_config_free(&config);
    }
    fake_home_remove(&home);
}

#define CHECK(cases) check(cases, ARRAY_LENGTH(cases))

static void sources_are_taken_in_the_order_of_the_sdks(void **state) {
    (void)state;
    static const struct expectation cases[] = {
        {"[default]\n" PAIR("B"), "[default]\n" PAIR("A"), {KEYS}, .name = "env"},
        {"[default]\n" PAIR("B"), "[default]\n" PAIR("A"), .name = "shared-credentials-file"},
        {"[default]\n" PAIR("B"), "[default]\n", .name = "config-file"},
        {"[other]\n" PAIR("B"), "", .name = "iam-role"},
        {"", "", {CONTAINER}, .name = "container-role"},
        {"[default]\n" PAIR("B"), "", {CONTAINER}, .name = "config-file"},
        /* A role comes before all but the environment. */
        {"[default]\n" ROLE("credential_source = EcsContainer"),
         "[default]\n" PAIR("A"),
         {CONTAINER},
         .name = "assume-role"},
        {"[default]\n" ROLE("source_profile = none"), "", {KEYS}, .name = "env"},
        {"[default]\n" ROLE("source_profile = default") PAIR("A"), "", .name = "assume-role"},
        /* With an option the environment's keys don't count; with AWS_PROFILE they do. */
        {"[profile x]\n" PAIR("B"), "", {KEYS}, .option = "x", .name = "config-file"},
        {"[profile x]\n" ROLE("source_profile = x") PAIR("B"), "", {KEYS, {"AWS_PROFILE", "x"}}, .name = "env"},
        {"[profile x]\n" ROLE("source_profile = x") PAIR("B"), "", {KEYS}, .option = "x", .name = "assume-role"},
        /* Web identity, by variables and by profile. */
        {"",
         "[default]\n" PAIR("A"),
         {{"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"}, {"AWS_ROLE_ARN", "r"}},
         .name = "assume-role-with-web-identity"},
        {"[default]\nrole_arn = r\nweb_identity_token_file = /t\n", "", .name = "assume-role-with-web-identity"},
        {"[default]\nrole_arn = r\n",
         "",
         {{"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"}},
         .fault = "neither a source_profile nor"},
        {"[profile x]\n" PAIR("B"),
         "",
         {{"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"}, {"AWS_ROLE_ARN", "r"}},
         .option = "x",
         .name = "config-file"},
        /* SSO before keys, login and process behind those of the credentials file. */
        {"[default]\n" SSO, "[default]\n" PAIR("A"), .name = "sso"},
        {"[default]\nlogin_session = s\n", "[default]\n" PAIR("A"), .name = "shared-credentials-file"},
        {"[default]\nlogin_session = s\ncredential_process = p\n" PAIR("B"), "", .name = "login"},
        {"[default]\ncredential_process = p\n" PAIR("B"), "", .name = "custom-process"},
        {"[default]\ncredential_process = p\n", "[default]\n" PAIR("A"), .name = "shared-credentials-file"},
        {"", "[default]\ncredential_process = p\n" PAIR("A"), .name = "shared-credentials-file"},
        {"[default]\n" PAIR("B"), "[default]\ncredential_process = p\n", .name = "custom-process"},
    };
    CHECK(cases);
}

static void what_is_there_and_faulty_is_not_passed_over(void **state) {
    (void)state;
    static const struct expectation cases[] = {
        {"", "[default]\n" PAIR("A"), {{"AWS_ACCESS_KEY_ID", "E"}}, .fault = "AWS_SECRET_ACCESS_KEY is not"},
        {"", "[default]\n" PAIR("A"), {{"AWS_SECRET_ACCESS_KEY", "s"}}, .name = "shared-credentials-file"},
        {"",
         "[default]\n" PAIR("A"),
         {{"AWS_ACCESS_KEY_ID", ""}, {"AWS_SECRET_ACCESS_KEY", ""}},
         .name = "shared-credentials-file"},
        {"[default]\n" PAIR("B"), "[default]\naws_access_key_id=A\n", .fault = "but no aws_secret_access_key"},
        {"[default]\naws_secret_access_key=s\n", "[default]\naws_access_key_id=A\n",
         .fault = "both have to stand in one file"},
        {"[default]\n" PAIR("B"), "[default]\naws_secret_access_key=A\n", .name = "config-file"},
        {"[default]\nweb_identity_token_file = /t\n", "", .fault = "neither AWS_ROLE_ARN nor role_arn"},
        {"[default]\nsso_account_id = 1\n", "", .fault = "has no sso_start_url"},
        {"[default]\nsso_session = s\n" SSO, "", .fault = "no [sso-session] section of that name"},
        {"[default]\nsso_session = s\n" SSO "[sso-session s]\nsso_region = eu-west-2\n", "",
         .fault = "two different values of sso_region"},
        {"[default]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n[sso-session s]\nsso_region = "
         "eu-west-2\nsso_start_url = u\n",
         "", .name = "sso"},
        {"",
         "",
         {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://evil/"}},
         .fault = "AWS_CONTAINER_CREDENTIALS_FULL_URI"},
        {"", "", {{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv5"}}, .fault = "is IPv4 or IPv6"},
        {"", "", {{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "x"}}, .fault = "has to be a URL"},
        {"[default]\nmetadata_service_timeout = 0\n", "", .fault = "metadata_service_timeout is a whole number"},
        {"",
         "",
         {{"AWS_METADATA_SERVICE_NUM_ATTEMPTS", "many"}},
         .fault = "AWS_METADATA_SERVICE_NUM_ATTEMPTS is a whole number"},
        {"", "", {{"AWS_EC2_METADATA_DISABLED", "1"}}, .name = "iam-role"},
    };
    CHECK(cases);
}

static void where_there_are_none_all_that_was_tried_is_told_in_its_order(void **state) {
    (void)state;
    static const struct expectation cases[] = {
        {"",
         "",
         {{"AWS_EC2_METADATA_DISABLED", "TRUE"}},
         .fault = "there are no credentials: AWS_ACCESS_KEY_ID is not set; profile default of /"},
        {"",
         "",
         {{"AWS_EC2_METADATA_DISABLED", "true"}},
         .fault = "AWS_CONTAINER_CREDENTIALS_* are not set; AWS_EC2_METADATA_DISABLED is true"},
        {"",
         "",
         {{"AWS_EC2_METADATA_DISABLED", "true"}, {"AWS_CONFIG_FILE", "/none"}},
         .fault = "profile default of /none (isn't there) and "},
    };
    CHECK(cases);
}

static void roles_that_can_not_be_assumed_are_said_to_be(void **state) {
    (void)state;
    static const struct expectation cases[] = {
        {"[default]\n" ROLE("source_profile = a\ncredential_source = Environment"), "",
         .fault = "one of the two has to go"},
        {"[default]\n" ROLE(""), "", .fault = "neither a source_profile nor"},
        {"[default]\n" ROLE("source_profile = a"), "", .fault = "no profile of the name"},
        {"[default]\n" ROLE("source_profile = a") "[profile a]\nregion = x\n", "",
         .fault = "profile a: it is the source_profile of another one"},
        {"[default]\n" ROLE("source_profile = default"), "", .fault = "leads back"},
        {"[default]\n" ROLE("source_profile = a") "[profile a]\n" ROLE("source_profile = b") "[profile b]\n" ROLE(
             "source_profile = a"),
         "", .fault = "leads back"},
        {"[default]\n" ROLE("source_profile = a") "[profile a]\n" ROLE("source_profile = default"), "",
         .fault = "leads back"},
        {"[default]\n" ROLE("credential_source = environment"), "", .fault = "in this spelling"},
        {"[default]\n" ROLE("credential_source = Environment"), "", .fault = "has no credentials"},
        {"[default]\n" ROLE("credential_source = EcsContainer"), "", .fault = "has no credentials"},
        {"[default]\n" ROLE("credential_source = Ec2InstanceMetadata"),
         "",
         {{"AWS_EC2_METADATA_DISABLED", "true"}},
         .fault = "has no credentials"},
        {"[default]\n" ROLE("source_profile = default\nmfa_serial = m") PAIR("A"), "", .fault = "mfa_serial"},
        {"[default]\n" ROLE("source_profile = default\nduration_seconds = 10") PAIR("A"), "",
         .fault = "from 900 to 43200"},
        {"[default]\n" ROLE("source_profile = default\nduration_seconds = an hour") PAIR("A"), "",
         .fault = "from 900 to 43200"},
        {"[default]\n" ROLE("source_profile = default\nrole_session_name = a b") PAIR("A"), "",
         .fault = "role_session_name"},
    };
    CHECK(cases);
}

static void a_chain_of_roles_begins_with_the_keys_at_its_end(void **state) {
    (void)state;
    static const struct expectation x = {
        .config = "[default]\nrole_arn = last\nsource_profile = a\nexternal_id = e\nduration_seconds = 900\n"
                  "[profile a]\nrole_arn = first\nsource_profile = b\nrole_session_name = me\n",
        .credentials = "[b]\n" PAIR("B"),
    };
    struct fake_home home;
    (void)fake_home_make(&home);
    struct shared_config config = {0};
    struct credentials_plan plan = {.role_count = 0};
    char why[SETTING_WHY_SIZE] = "";
    assert_true(decide(&home, &x, &config, &plan, why));
    assert_int_equal(plan.kind, CREDENTIALS_SHARED_FILE);
    assert_string_equal(plan.profile, "b");
    assert_int_equal(plan.role_count, 2);
    assert_true(span_is(plan.roles[0].role_arn, "first") && span_is(plan.roles[0].session_name, "me"));
    assert_true(span_is(plan.roles[1].role_arn, "last") && span_is(plan.roles[1].external_id, "e"));
    assert_int_equal(plan.roles[1].duration, 900);
    shared_config_free(&config);
    fake_home_remove(&home);
}

static void a_source_profile_with_keys_and_a_role_gives_its_keys(void **state) {
    (void)state;
    static const struct expectation cases[] = {
        {"[default]\n" ROLE("source_profile = a") "[profile a]\n" ROLE("source_profile = none") PAIR("A"), "",
         .name = "assume-role"},
        {"[default]\n" ROLE("source_profile = a") "[profile a]\nweb_identity_token_file = /t\nrole_arn = r\n", "",
         .name = "assume-role"},
        {"[default]\n" ROLE("source_profile = a") "[profile a]\ncredential_process = p\n", "", .name = "assume-role"},
        {"[default]\n" ROLE("credential_source = Environment"), "", {KEYS}, .option = "default", .name = "assume-role"},
        {"[default]\n" ROLE("credential_source = Ec2InstanceMetadata"), "", .name = "assume-role"},
    };
    CHECK(cases);
}

static void a_chain_has_an_end(void **state) {
    (void)state;
    char text[4096] = "";
    for (int i = 0; i <= PLAN_ROLES_MAX; i++) {
        size_t len = strlen(text);
        (void)snprintf(text + len, sizeof text - len, "[profile p%d]\nrole_arn = r\nsource_profile = p%d\n", i, i + 1);
    }
    const struct expectation cases[] = {{text, "", .option = "p0", .fault = "too many roles"},
                                        {text, "[p8]\n" PAIR("A"), .option = "p0", .name = "assume-role"}};
    CHECK(cases);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_are_taken_in_the_order_of_the_sdks),
        cmocka_unit_test(what_is_there_and_faulty_is_not_passed_over),
        cmocka_unit_test(where_there_are_none_all_that_was_tried_is_told_in_its_order),
        cmocka_unit_test(roles_that_can_not_be_assumed_are_said_to_be),
        cmocka_unit_test(a_chain_of_roles_begins_with_the_keys_at_its_end),
        cmocka_unit_test(a_source_profile_with_keys_and_a_role_gives_its_keys),
        cmocka_unit_test(a_chain_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
