#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler.h"
#include "observer.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void addresses_localhost_and_the_machines_name_are_known(void **state) {
    (void)state;
    char name[256], with_domain[300];
    assert_int_equal(gethostname(name, sizeof name), 0);
    (void)snprintf(with_domain, sizeof with_domain, "%s.example.internal:9464", name);
    const char *const known[] = {
        "", "localhost", "LocalHost:9464", "127.0.0.1", "10.1.2.3:80", "[::1]", "[fe80::1]:9464", name, with_domain};
    for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
        assert_true(observer_knows_host(known[i]));
}

static void other_names_are_not(void **state) {
    (void)state;
    static const char *const others[] = {"example.com",
                                         "localhost.example.com",
                                         "127.0.0.1.example.com",
                                         "[::1",
                                         "[]",
                                         "[localhost]",
                                         ":80",
                                         "256.1.1.1",
                                         "1.2.3",
                                         "::1",
                                         "127.0.0.1@example.com",
                                         " ",
                                         "localhost\texample.com"};
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        if (observer_knows_host(others[i]))
            fail_msg("%s is known", others[i]);
}

static void each_part_and_cause_has_its_sentence_and_what_to_do(void **state) {
    (void)state;
    for (size_t part = 0; part < METRICS_PARTS; part++) {
        assert_true(strlen(observer_part_sentence(part)) > 10);
        for (size_t cause = 0; cause < METRICS_CAUSES; cause++)
            assert_true(strlen(observer_advice(part, cause)) > 10);
    }
}

static void the_page_allows_its_own_script_and_style_alone(void **state) {
    (void)state;
    char policy[OBSERVER_POLICY_SIZE];
    struct digest *digest = digest_new();
    assert_non_null(digest);
    assert_true(observer_page_policy(digest, policy));
    digest_free(digest);
    assert_non_null(strstr(policy, "default-src 'none'"));
    assert_non_null(strstr(policy, "; style-src 'sha256-"));
    assert_non_null(strstr(policy, "; script-src 'sha256-"));
    assert_null(strstr(policy, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")); /* of nothing */
    struct span page = observer_page();
    assert_non_null(memmem(page.data, page.len, "</html>", 7));
    assert_null(memmem(page.data, page.len, " style=\"", 8));
    assert_null(memmem(page.data, page.len, " onclick", 8));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_localhost_and_the_machines_name_are_known),
        cmocka_unit_test(other_names_are_not),
        cmocka_unit_test(each_part_and_cause_has_its_sentence_and_what_to_do),
        cmocka_unit_test(the_page_allows_its_own_script_and_style_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
