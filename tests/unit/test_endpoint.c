#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "endpoint.h"
#include "fake_environment.h"

/* A chosen profile with these two files' texts. */
static struct shared_config config_of(const char *profile, const char *config_text) {
    struct shared_config c = {.profile = strdup(profile)};
    struct profile_fault fault;
    assert_non_null(c.profile);
    assert_int_equal(profile_parse(PROFILE_CONFIG, span_cstr(config_text), &c.config.file, &fault), PROFILE_FINE);
    return c;
}

static void expect_region(const struct environment *e, const char *config_text, const char *region, const char *fault) {
    struct shared_config c = config_of("default", config_text);
    char found[AWS_REGION_SIZE] = "", why[SETTING_WHY_SIZE] = "";
    assert_int_equal(aws_region(e, &c, found, why), region != NULL);
    if (region) {
        assert_string_equal(found, region);
    } else if (!strstr(why, fault)) {
        fail_msg("\"%s\" lacks \"%s\"", why, fault);
    }
    shared_config_free(&c);
}

static void the_region_comes_from_the_first_that_has_one(void **state) {
    (void)state;
    const char *config = "[default]\nregion = eu-west-3\n";
    const struct {
        const char *region, *default_region, *config, *expected, *fault;
    } cases[] = {
        {"eu-west-1", "eu-west-2", config, "eu-west-1", NULL},
        {NULL, "eu-west-2", config, "eu-west-2", NULL},
        {"", "", config, "eu-west-3", NULL},
        {NULL, NULL, "", NULL, "set AWS_REGION"},
        {"eu west", NULL, config, NULL, "AWS_REGION: "},
        {NULL, "example.com/", config, NULL, "AWS_DEFAULT_REGION: "},
        {NULL, NULL, "[default]\nregion = a\n b\n", NULL, "region of profile default: "},
        {"-x", NULL, config, NULL, "AWS_REGION: "},
        {"x-", NULL, config, NULL, "AWS_REGION: "},
        {"EU-WEST-1", NULL, config, NULL, "AWS_REGION: "},
        {"eu-west-1a", NULL, config, NULL, "AWS_REGION: eu-west-1a is an availability zone"},
        {NULL, "us-west-2-lax-1a", config, NULL, "AWS_DEFAULT_REGION: us-west-2-lax-1a is an availability zone"},
        {NULL, NULL, "[default]\nregion = us-gov-west-1b\n", NULL, "region of profile default: us-gov-west-1b is an"},
        {"aws-global", NULL, config, "aws-global", NULL},
        {"local1a", NULL, config, "local1a", NULL},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL, config,
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL, config, NULL, "AWS_REGION: "},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct environment e =
            FAKE_ENVIRONMENT({"AWS_REGION", cases[i].region}, {"AWS_DEFAULT_REGION", cases[i].default_region});
        expect_region(&e, cases[i].config, cases[i].expected, cases[i].fault);
    }
}

/* As botocore's endpoint rules give them. */
static void each_partition_has_its_hosts(void **state) {
    (void)state;
    static const struct {
        const char *region, *plain, *dualstack, *fips, *both;
    } cases[] = {
        {"us-east-1", "sqs.us-east-1.amazonaws.com", "sqs.us-east-1.api.aws", "sqs-fips.us-east-1.amazonaws.com",
         "sqs-fips.us-east-1.api.aws"},
        {"xx-new-9", "sqs.xx-new-9.amazonaws.com", "sqs.xx-new-9.api.aws", "sqs-fips.xx-new-9.amazonaws.com",
         "sqs-fips.xx-new-9.api.aws"},
        {"cn-north-1", "sqs.cn-north-1.amazonaws.com.cn", "sqs.cn-north-1.api.amazonwebservices.com.cn",
         "sqs-fips.cn-north-1.amazonaws.com.cn", "sqs-fips.cn-north-1.api.amazonwebservices.com.cn"},
        {"us-gov-west-1", "sqs.us-gov-west-1.amazonaws.com", "sqs.us-gov-west-1.api.aws",
         "sqs.us-gov-west-1.amazonaws.com", "sqs-fips.us-gov-west-1.api.aws"},
        {"us-iso-east-1", "sqs.us-iso-east-1.c2s.ic.gov", "sqs.us-iso-east-1.api.aws.ic.gov",
         "sqs-fips.us-iso-east-1.c2s.ic.gov", "sqs-fips.us-iso-east-1.api.aws.ic.gov"},
        {"us-isob-east-1", "sqs.us-isob-east-1.sc2s.sgov.gov", "sqs.us-isob-east-1.api.aws.scloud",
         "sqs-fips.us-isob-east-1.sc2s.sgov.gov", "sqs-fips.us-isob-east-1.api.aws.scloud"},
        {"eu-isoe-west-1", "sqs.eu-isoe-west-1.cloud.adc-e.uk", "sqs.eu-isoe-west-1.api.cloud-aws.adc-e.uk",
         "sqs-fips.eu-isoe-west-1.cloud.adc-e.uk", "sqs-fips.eu-isoe-west-1.api.cloud-aws.adc-e.uk"},
        {"us-isof-south-1", "sqs.us-isof-south-1.csp.hci.ic.gov", "sqs.us-isof-south-1.api.aws.hci.ic.gov",
         "sqs-fips.us-isof-south-1.csp.hci.ic.gov", "sqs-fips.us-isof-south-1.api.aws.hci.ic.gov"},
        {"eusc-de-east-1", "sqs.eusc-de-east-1.amazonaws.eu", "sqs.eusc-de-east-1.api.amazonwebservices.eu",
         "sqs-fips.eusc-de-east-1.amazonaws.eu", "sqs-fips.eusc-de-east-1.api.amazonwebservices.eu"},
    };
    struct shared_config c = config_of("default", "");
    for (size_t i = 0; i < ARRAY_LENGTH(cases) * 4; i++) {
        const struct environment e = FAKE_ENVIRONMENT({"AWS_USE_FIPS_ENDPOINT", i & 1 ? "true" : "false"},
                                                      {"AWS_USE_DUALSTACK_ENDPOINT", i & 2 ? "TRUE" : NULL});
        const char *hosts[] = {cases[i / 4].plain, cases[i / 4].fips, cases[i / 4].dualstack, cases[i / 4].both};
        char url[AWS_ENDPOINT_SIZE], why[SETTING_WHY_SIZE];
        assert_true(aws_endpoint(&e, &c, &AWS_SQS, cases[i / 4].region, url, why));
        assert_memory_equal(url, "https://", 8);
        assert_string_equal(url + 8, hosts[i % 4]);
        assert_true(aws_endpoint(&e, &c, &AWS_DYNAMODB, cases[i / 4].region, url, why));
        assert_memory_equal(url, "https://dynamodb", 16);
        assert_string_equal(url + 16, hosts[i % 4] + 3);
    }
    shared_config_free(&c);
}

#define LOCAL                                                                                                          \
    "[default]\nservices = local\nendpoint_url = http://profile\n[services local]\nsqs =\n  endpoint_url = "           \
    "http://service\n"

static void the_most_special_url_wins(void **state) {
    (void)state;
    static const struct {
        const char *own, *all, *ignore, *config, *expected;
    } cases[] = {
        {"http://own:1", "http://all", NULL, LOCAL, "http://own:1"},
        {NULL, "http://all", NULL, LOCAL, "http://all"},
        {"", "", NULL, LOCAL, "http://service"},
        {NULL, NULL, NULL, "[default]\nendpoint_url = http://profile/path", "http://profile/path"},
        {NULL, NULL, NULL,
         "[default]\nservices = local\nendpoint_url = http://profile\n[services local]\ndynamodb=\n  endpoint_url = "
         "http://d",
         "http://profile"},
        {"http://own:1", "http://all", "true", LOCAL, "https://sqs.eu-west-1.amazonaws.com"},
        {"http://own:1", "http://all", "false", LOCAL, "http://own:1"},
        {NULL, NULL, NULL, "[default]\nignore_configured_endpoint_urls = true\nendpoint_url = http://profile",
         "https://sqs.eu-west-1.amazonaws.com"},
        {NULL, NULL, NULL, "[default]\nuse_dualstack_endpoint = true", "https://sqs.eu-west-1.api.aws"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct environment e = FAKE_ENVIRONMENT(
            {"AWS_ENDPOINT_URL_SQS", cases[i].own}, {"AWS_ENDPOINT_URL", cases[i].all},
            {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", cases[i].ignore}, {"AWS_ENDPOINT_URL_DYNAMODB", "http://d"});
        struct shared_config c = config_of("default", cases[i].config);
        char url[AWS_ENDPOINT_SIZE], why[SETTING_WHY_SIZE];
        assert_true(aws_endpoint(&e, &c, &AWS_SQS, "eu-west-1", url, why));
        assert_string_equal(url, cases[i].expected);
        shared_config_free(&c);
    }
}

static void a_bad_value_is_named_and_not_quoted(void **state) {
    (void)state;
    static const struct {
        const char *variable, *value, *config, *fault;
    } cases[] = {
        {"AWS_ENDPOINT_URL_SQS", "ftp://secret", "", "AWS_ENDPOINT_URL_SQS has to be a URL"},
        {"AWS_ENDPOINT_URL", "secret", "", "AWS_ENDPOINT_URL has to be a URL"},
        {"AWS_ENDPOINT_URL", "http://u:secret@host", "", "AWS_ENDPOINT_URL has to be a URL"},
        {"AWS_ENDPOINT_URL", "http://", "", "AWS_ENDPOINT_URL has to be a URL"},
        {"AWS_ENDPOINT_URL", "http://host:99999", "", "AWS_ENDPOINT_URL has to be a URL"},
        {"X", "", "[default]\nendpoint_url = secret", "endpoint_url of profile default has to be a URL"},
        {"X", "", "[default]\nservices = a\n[services a]\nsqs =\n  endpoint_url = secret",
         "endpoint_url of sqs in a services section"},
        {"X", "", "[default]\nservices = a\n", "no such services section"},
        {"AWS_USE_FIPS_ENDPOINT", "yes", "", "AWS_USE_FIPS_ENDPOINT is true or false"},
        {"AWS_USE_DUALSTACK_ENDPOINT", "1", "", "AWS_USE_DUALSTACK_ENDPOINT is true or false"},
        {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "on", "", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true or false"},
        {"X", "", "[default]\nuse_fips_endpoint = 1\n", "use_fips_endpoint of profile default is true or false"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct environment e = FAKE_ENVIRONMENT({cases[i].variable, cases[i].value});
        struct shared_config c = config_of("default", cases[i].config);
        char url[AWS_ENDPOINT_SIZE] = "untouched", why[SETTING_WHY_SIZE] = "";
        assert_false(aws_endpoint(&e, &c, &AWS_SQS, "eu-west-1", url, why));
        assert_string_equal(url, "untouched");
        assert_null(strstr(why, "secret"));
        if (!strstr(why, cases[i].fault)) {
            fail_msg("\"%s\" lacks \"%s\"", why, cases[i].fault);
        }
        shared_config_free(&c);
    }
}

static void a_url_that_does_not_fit_is_refused(void **state) {
    (void)state;
    char url[AWS_ENDPOINT_SIZE + 1], found[AWS_ENDPOINT_SIZE], why[SETTING_WHY_SIZE];
    memset(url, 'a', sizeof url);
    memcpy(url, "http://h/", 9);
    url[AWS_ENDPOINT_SIZE] = '\0';
    const struct environment e = FAKE_ENVIRONMENT({"AWS_ENDPOINT_URL", url});
    struct shared_config c = config_of("default", "");
    assert_false(aws_endpoint(&e, &c, &AWS_SQS, "eu-west-1", found, why));
    url[AWS_ENDPOINT_SIZE - 1] = '\0';
    assert_true(aws_endpoint(&e, &c, &AWS_SQS, "eu-west-1", found, why));
    assert_string_equal(found, url);
    shared_config_free(&c);
}

/* As botocore's endpoint rules give them. */
static void dynamodb_is_asked_at_the_host_of_the_keys_account(void **state) {
    (void)state;
    static const struct {
        const char *account, *region, *mode, *config;
        const char *fips, *dualstack, *url;
        const char *expected; /* NULL: fault */
        const char *fault;
    } cases[] = {
        {"123456789012", "eu-west-1", NULL, "", NULL, NULL, NULL, "https://123456789012.ddb.eu-west-1.amazonaws.com",
         NULL},
        {"123456789012", "eu-west-1", "PREFERRED", "", NULL, "true", NULL, "https://123456789012.ddb.eu-west-1.api.aws",
         NULL},
        {"123456789012", "eu-west-1", "disabled", "", NULL, NULL, NULL, "https://dynamodb.eu-west-1.amazonaws.com",
         NULL},
        {"123456789012", "eu-west-1", NULL, "[default]\naccount_id_endpoint_mode = disabled\n", NULL, NULL, NULL,
         "https://dynamodb.eu-west-1.amazonaws.com", NULL},
        {"123456789012", "eu-west-1", NULL, "", "true", NULL, NULL, "https://dynamodb-fips.eu-west-1.amazonaws.com",
         NULL},
        {"123456789012", "eu-west-1", NULL, "", NULL, NULL, "http://localhost:1", "http://localhost:1", NULL},
        {"123456789012", "eusc-de-east-1", NULL, "", NULL, NULL, NULL, "https://dynamodb.eusc-de-east-1.amazonaws.eu",
         NULL},
        {"123456789012", "us-iso-east-1", NULL, "", NULL, NULL, NULL, "https://dynamodb.us-iso-east-1.c2s.ic.gov",
         NULL},
        {"123456789012", "us-gov-west-1", NULL, "", NULL, NULL, NULL,
         "https://123456789012.ddb.us-gov-west-1.amazonaws.com", NULL},
        {"123456789012", "cn-north-1", NULL, "", NULL, NULL, NULL,
         "https://123456789012.ddb.cn-north-1.amazonaws.com.cn", NULL},
        {"", "eu-west-1", NULL, "", NULL, NULL, NULL, "https://dynamodb.eu-west-1.amazonaws.com", NULL},
        {"", "eu-west-1", "required", "", NULL, NULL, NULL, NULL, "the source of the credentials names no account"},
        {"1", "eu-west-1", "required", "", "true", NULL, NULL, NULL, "FIPS endpoints have no accounts"},
        {"1", "us-iso-east-1", "required", "", NULL, NULL, NULL, NULL, "this region has no such endpoints"},
        {"", "eu-west-1", "required", "", NULL, NULL, "http://localhost:1", "http://localhost:1", NULL},
        {"1", "eu-west-1", NULL, "", "true", "true", "http://localhost:1", "http://localhost:1", NULL},
        {"1", "eu-west-1", "sometimes", "", NULL, NULL, NULL, NULL,
         "AWS_ACCOUNT_ID_ENDPOINT_MODE is preferred, disabled or required"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct environment e =
            FAKE_ENVIRONMENT({"AWS_ACCOUNT_ID_ENDPOINT_MODE", cases[i].mode}, {"AWS_USE_FIPS_ENDPOINT", cases[i].fips},
                             {"AWS_USE_DUALSTACK_ENDPOINT", cases[i].dualstack}, {"AWS_ENDPOINT_URL", cases[i].url});
        struct shared_config c = config_of("default", cases[i].config);
        char url[AWS_ENDPOINT_SIZE] = "", why[SETTING_WHY_SIZE] = "";
        bool fine = aws_account_endpoint(&e, &c, span_cstr(cases[i].account), cases[i].region, url, why);
        if (fine != (cases[i].expected != NULL)) {
            fail_msg("case %zu: %s%s", i, url, why);
        } else if (fine) {
            assert_string_equal(url, cases[i].expected);
        } else if (!strstr(why, cases[i].fault)) {
            fail_msg("case %zu: %s", i, why);
        }
        shared_config_free(&c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_region_comes_from_the_first_that_has_one),
        cmocka_unit_test(each_partition_has_its_hosts),
        cmocka_unit_test(the_most_special_url_wins),
        cmocka_unit_test(a_bad_value_is_named_and_not_quoted),
        cmocka_unit_test(a_url_that_does_not_fit_is_refused),
        cmocka_unit_test(dynamodb_is_asked_at_the_host_of_the_keys_account),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
