#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "compiler.h"
#include "credentials_document.h"

#include <stdio.h>

static const struct document_form process = {
    .access_key_id = "AccessKeyId",
    .secret_access_key = "SecretAccessKey",
    .session_token = "SessionToken",
    .expiration = "Expiration",
    .account_id = "AccountId",
    .version = "Version",
};
static const struct document_form nested = {
    .object = "roleCredentials",
    .access_key_id = "accessKeyId",
    .secret_access_key = "secretAccessKey",
    .session_token = "sessionToken",
    .expiration = "expiration",
    .expiration_in_milliseconds = true,
    .token_needed = true,
    .expiration_needed = true,
};

static void a_document_is_read_whatever_else_it_holds(void **state) {
    (void)state;
    char why[DOCUMENT_WHY_SIZE];
    struct credentials_document *d =
        credentials_document_read(span_cstr(" {\"x\": [{\"AccessKeyId\": \"no\"}], \"Version\" : 1, \"AccessKeyId\": "
                                            "\"A\\u004b\", \"SecretAccessKey\": \"s\\/s\", "
                                            "\"SessionToken\": null, \"AccountId\": 123456789012, \"y\": true}\n"),
                                  &process, why);
    assert_non_null(d);
    assert_true(span_is(d->credentials.access_key_id, "AK"));
    assert_true(span_is(d->credentials.secret_access_key, "s/s"));
    assert_int_equal(d->credentials.session_token.len, 0);
    assert_true(span_is(d->credentials.account_id, "123456789012"));
    assert_int_equal(d->credentials.expires, NEVER);
    credentials_document_free(d);
    credentials_document_free(NULL);
}

static void keys_inside_an_object_are_found_there_and_nowhere_else(void **state) {
    (void)state;
    char why[DOCUMENT_WHY_SIZE];
    struct credentials_document *d =
        credentials_document_read(span_cstr("{\"accessKeyId\":\"no\",\"roleCredentials\":{\"accessKeyId\":\"A\","
                                            "\"secretAccessKey\":\"s\",\"sessionToken\":\"t\","
                                            "\"expiration\":1704677672000}}"),
                                  &nested, why);
    assert_non_null(d);
    assert_true(span_is(d->credentials.access_key_id, "A"));
    assert_int_equal(d->credentials.expires, 1704677672LL * MICROSECONDS);
    credentials_document_free(d);
}

static void a_document_that_is_none_is_said_to_be_and_not_quoted(void **state) {
    (void)state;
    static const struct {
        const struct document_form *form;
        const char *text, *why;
    } cases[] = {
        {&process, "", "no JSON object"},
        {&process, "canary", "no JSON object"},
        {&process, "[]", "no JSON object"},
        {&process, "{\"AccessKeyId\":\"canary\"", "cut short"},
        {&process, "{\"Version\":1,\"AccessKeyId\":\"canary\",\"SecretAccessKey\":\"s\"} x", "no JSON object"},
        {&process, "{\"AccessKeyId\":\"canary\",\"SecretAccessKey\":\"s\"}", "its Version is not the number 1"},
        {&process, "{\"Version\":\"1\",\"AccessKeyId\":\"canary\",\"SecretAccessKey\":\"s\"}",
         "its Version is not the number 1"},
        {&process, "{\"Version\":2,\"AccessKeyId\":\"canary\",\"SecretAccessKey\":\"s\"}",
         "its Version is not the number 1"},
        {&process, "{\"Version\":1,\"SecretAccessKey\":\"canary\"}", "it has no AccessKeyId"},
        {&process, "{\"Version\":1,\"AccessKeyId\":{},\"SecretAccessKey\":\"canary\"}", "it has no AccessKeyId"},
        {&process, "{\"Version\":1,\"AccessKeyId\":\"canary\",\"SecretAccessKey\":\"\"}", "it has no SecretAccessKey"},
        {&process, "{\"Version\":1,\"AccessKeyId\":\"a\\u0000\",\"SecretAccessKey\":\"canary\"}", "no JSON object"},
        {&process, "{\"Version\":1,\"AccessKeyId\":\"canary\",\"SecretAccessKey\":\"s\",\"Expiration\":1704677672}",
         "not a time like 2024"},
        {&nested, "{\"roleCredentials\":[]}", "it has no accessKeyId"},
        {&nested, "{\"roleCredentials\":{\"accessKeyId\":\"canary\",\"secretAccessKey\":\"s\",\"expiration\":1}}",
         "it has no sessionToken"},
        {&nested, "{\"roleCredentials\":{\"accessKeyId\":\"canary\",\"secretAccessKey\":\"s\",\"sessionToken\":\"t\"}}",
         "it has no expiration"},
        {&nested,
         "{\"roleCredentials\":{\"accessKeyId\":\"canary\",\"secretAccessKey\":\"s\",\"sessionToken\":\"t\","
         "\"expiration\":1.5}}",
         "not a time like 1704677672000"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char why[DOCUMENT_WHY_SIZE] = "";
        assert_null(credentials_document_read(span_cstr(cases[i].text), cases[i].form, why));
        if (!strstr(why, cases[i].why) || strstr(why, "canary")) {
            fail_msg("case %zu: %s", i, why);
        }
    }
}

static void values_that_no_credentials_have_are_refused_for_their_length(void **state) {
    (void)state;
    static char text[SESSION_TOKEN_MAX + 256], token[SESSION_TOKEN_MAX + 2];
    char why[DOCUMENT_WHY_SIZE] = "";
    memset(token, 't', SESSION_TOKEN_MAX + 1);
    for (int over = 0; over < 2; over++) {
        token[SESSION_TOKEN_MAX + over] = '\0';
        (void)snprintf(text, sizeof text,
                       "{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"SessionToken\":\"%s\"}",
                       token);
        struct credentials_document *d = credentials_document_read(span_cstr(text), &process, why);
        assert_int_equal(d != NULL, !over);
        credentials_document_free(d);
        token[SESSION_TOKEN_MAX + over] = 't';
    }
    assert_non_null(strstr(why, "too long"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_read_whatever_else_it_holds),
        cmocka_unit_test(keys_inside_an_object_are_found_there_and_nowhere_else),
        cmocka_unit_test(a_document_that_is_none_is_said_to_be_and_not_quoted),
        cmocka_unit_test(values_that_no_credentials_have_are_refused_for_their_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
