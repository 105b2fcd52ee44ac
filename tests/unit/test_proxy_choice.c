#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_environment.h"
#include "proxy_choice.h"

static void the_scheme_chooses_the_variable(void **state) {
    (void)state;
    static const struct {
        const char *name, *url, *chosen;
    } cases[] = {
        {"http_proxy", "http://a.example", "http_proxy"},
        {"http_proxy", "https://a.example", NULL},
        {"HTTP_PROXY", "http://a.example", NULL},
        {"https_proxy", "https://a.example", "https_proxy"},
        {"HTTPS_PROXY", "HTTPS://a.example", "HTTPS_PROXY"},
        {"https_proxy", "http://a.example", NULL},
        {"all_proxy", "https://a.example", "all_proxy"},
        {"ALL_PROXY", "http://a.example", "ALL_PROXY"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct environment e = FAKE_ENVIRONMENT({cases[i].name, "http://p:1"});
        const char *url = NULL, *chosen = proxy_choice(&e, cases[i].url, &url);
        if (cases[i].chosen) {
            assert_string_equal(chosen, cases[i].chosen);
            assert_string_equal(url, "http://p:1");
        } else {
            assert_null(chosen);
        }
    }
}

static void a_variable_that_is_empty_is_not_set(void **state) {
    (void)state;
    const struct environment e = FAKE_ENVIRONMENT({"https_proxy", ""}, {"HTTPS_PROXY", "p:1"});
    const char *url = NULL;
    assert_string_equal(proxy_choice(&e, "https://a.example", &url), "HTTPS_PROXY");
}

static void hosts_that_are_excepted_are_asked_directly(void **state) {
    (void)state;
    const char *url = NULL;
    const struct environment lower = FAKE_ENVIRONMENT({"https_proxy", "p:1"}, {"no_proxy", "amazonaws.com"});
    const struct environment upper = FAKE_ENVIRONMENT({"https_proxy", "p:1"}, {"NO_PROXY", "amazonaws.com"});
    assert_null(proxy_choice(&lower, "https://sqs.eu-west-1.amazonaws.com", &url));
    assert_null(proxy_choice(&upper, "https://sqs.eu-west-1.amazonaws.com:443", &url));
    assert_non_null(proxy_choice(&lower, "https://sqs.eu-west-1.api.aws", &url));
}

static void a_list_names_hosts_domains_addresses_and_networks(void **state) {
    (void)state;
    static const struct {
        const char *list, *host;
        bool named;
    } cases[] = {
        {"*", "a.example", true},
        {"example", "a.example", true},
        {".example", "a.example", true},
        {".example.", "a.example.", true},
        {"xample", "a.example", false},
        {"A.EXAMPLE", "a.example", true},
        {"b.example, a.example", "a.example", true},
        {"b.example a.example", "a.example", true},
        {"", "a.example", false},
        {" , ,", "a.example", false},
        {"10.0.0.1", "10.0.0.1", true},
        {"0.0.1", "10.0.0.1", false},
        {"10.0.0.0/8", "10.1.2.3", true},
        {"10.0.0.0/15", "10.1.2.3", true},
        {"10.0.0.0/16", "10.1.2.3", false},
        {"10.0.0.0/0", "11.1.2.3", true},
        {"10.0.0.0/33", "10.0.0.0", false},
        {"10.0.0.0/x", "10.0.0.0", false},
        {"::1", "[::1]", true},
        {"[::1]", "[::1]", true},
        {"fd00::/8", "[fd00:ec2::254]", true},
        {"fd00::/8", "[fe80::1]", false},
        {"10.0.0.0/8", "a.example", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        if (proxy_list_names(cases[i].list, span_cstr(cases[i].host)) != cases[i].named) {
            fail_msg("case %zu: %s, %s", i, cases[i].list, cases[i].host);
        }
    }
}

static void an_exception_in_a_form_that_is_not_taken_is_found(void **state) {
    (void)state;
    static const struct {
        const char *list, *url, *entry; /* entry: NULL where there is none */
    } cases[] = {
        {"*.amazonaws.com", "https://sqs.eu-west-1.amazonaws.com", "*.amazonaws.com"},
        {"x, *amazonaws.com", "https://sqs.eu-west-1.amazonaws.com", "*amazonaws.com"},
        {"sqs.eu-west-1.amazonaws.com:443", "https://sqs.eu-west-1.amazonaws.com", "sqs.eu-west-1.amazonaws.com:443"},
        {"https://amazonaws.com/", "https://sqs.eu-west-1.amazonaws.com", "https://amazonaws.com/"},
        {"10.0.0.1:8000", "https://10.0.0.1:8000", "10.0.0.1:8000"},
        {"[fd00::1]:8000", "https://[fd00::1]:8000", "[fd00::1]:8000"},
        {".amazonaws.com", "https://sqs.eu-west-1.amazonaws.com", NULL}, /* taken: it is asked directly */
        {"*.example.com,b:1", "https://sqs.eu-west-1.amazonaws.com", NULL},
        {"fd00::2", "https://[fd00::1]", NULL},
        {":", "https://a.example", NULL},
        {"*:1 ://", "https://a.example", NULL},
        {"", "https://a.example", NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct environment e = FAKE_ENVIRONMENT({"https_proxy", "p:1"}, {"NO_PROXY", cases[i].list});
        struct span entry = {NULL, 0};
        assert_int_equal(proxy_missed_exception(&e, cases[i].url, &entry), cases[i].entry != NULL);
        assert_true(!cases[i].entry || span_is(entry, cases[i].entry));
    }
    const struct environment without = FAKE_ENVIRONMENT({"no_proxy", "*.example"});
    struct span entry;
    assert_false(proxy_missed_exception(&without, "https://a.example", &entry));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_scheme_chooses_the_variable),
        cmocka_unit_test(a_variable_that_is_empty_is_not_set),
        cmocka_unit_test(hosts_that_are_excepted_are_asked_directly),
        cmocka_unit_test(a_list_names_hosts_domains_addresses_and_networks),
        cmocka_unit_test(an_exception_in_a_form_that_is_not_taken_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
