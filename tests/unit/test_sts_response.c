#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "sts_response.h"

#define CREDENTIALS                                                                                                    \
    "<Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>a/b+c=</SecretAccessKey><SessionToken>t&amp;t</"     \
    "SessionToken>"                                                                                                    \
    "<Expiration>2024-01-08T02:34:32Z</Expiration></Credentials>"
#define USER                                                                                                           \
    "<AssumedRoleUser><AssumedRoleId>X:me</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/r/me</Arn></"     \
    "AssumedRoleUser>"
#define ANSWER(what)                                                                                                   \
    "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <AssumeRoleResult>\n" what            \
    "</AssumeRoleResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleResponse>\n"

static void an_answer_brings_keys_their_end_and_the_roles_account(void **state) {
    (void)state;
    char why[DOCUMENT_WHY_SIZE] = "";
    struct credentials_document *d = sts_response_read(span_cstr(ANSWER(CREDENTIALS USER)), why);
    assert_non_null(d);
    assert_true(span_is(d->credentials.access_key_id, "ASIA"));
    assert_true(span_is(d->credentials.secret_access_key, "a/b+c="));
    assert_true(span_is(d->credentials.session_token, "t&t"));
    assert_true(span_is(d->credentials.account_id, "123456789012"));
    assert_int_equal(d->credentials.expires, 1704681272LL * MICROSECONDS);
    credentials_document_free(d);
    d = sts_response_read(span_cstr(ANSWER(CREDENTIALS)), why);
    assert_non_null(d);
    assert_int_equal(d->credentials.account_id.len, 0);
    credentials_document_free(d);
}

static void an_error_brings_its_code_and_sentence(void **state) {
    (void)state;
    char why[DOCUMENT_WHY_SIZE] = "";
    struct credentials_document *d = sts_response_read(
        span_cstr(
            "<ErrorResponse xmlns=\"u\"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: x isn&apos;t"
            " authorized</Message></Error><RequestId>r</RequestId></ErrorResponse>"),
        why);
    assert_non_null(d);
    assert_string_equal(d->code, "AccessDenied");
    assert_string_equal(d->message, "User: x isn't authorized");
    assert_null(d->credentials.access_key_id.data);
    credentials_document_free(d);
}

static void what_is_neither_is_said_to_be_and_not_quoted(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", "no XML"},
        {"canary", "no XML"},
        {"{\"canary\":1}", "no XML"},
        {"<a>canary</a>", "neither whole credentials nor an error"},
        {ANSWER("<Credentials><AccessKeyId>canary</AccessKeyId></Credentials>"), "neither whole"},
        {"<AssumeRoleResponse><AssumeRoleResult>" CREDENTIALS, "cut short"},
        {ANSWER("<Credentials><AccessKeyId>canary</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</"
                "SessionToken>"
                "<Expiration>soon</Expiration></Credentials>"),
         "not a time like"},
        {ANSWER("<Credentials><AccessKeyId>&canary;</AccessKeyId></Credentials>"), "no XML"},
        {ANSWER("<Other><AccessKeyId>canary</AccessKeyId><SecretAccessKey>s</SecretAccessKey></Other>"),
         "neither whole"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char why[DOCUMENT_WHY_SIZE] = "";
        assert_null(sts_response_read(span_cstr(cases[i][0]), why));
        if (!strstr(why, cases[i][1]) || strstr(why, "canary")) {
            fail_msg("case %zu: %s", i, why);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_brings_keys_their_end_and_the_roles_account),
        cmocka_unit_test(an_error_brings_its_code_and_sentence),
        cmocka_unit_test(what_is_neither_is_said_to_be_and_not_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
