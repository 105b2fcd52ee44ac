#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "http_hosts.h"

#define SECOND MICROSECONDS

static void a_host_is_known_by_its_name_and_port(void **state) {
    (void)state;
    struct http_hosts hosts = {.count = 0};
    struct http_host *a = http_hosts_find(&hosts, "a.example.com");
    assert_non_null(a);
    assert_string_equal(a->name, "a.example.com");
    assert_ptr_equal(http_hosts_find(&hosts, "a.example.com"), a);
    assert_ptr_not_equal(http_hosts_find(&hosts, "a.example.com:8000"), a);
    assert_ptr_not_equal(http_hosts_find(&hosts, "a.example.co"), a);
    assert_int_equal(hosts.count, 3);
    assert_null(http_hosts_find(&hosts, ""));
}

static void more_hosts_than_there_is_room_for_do_without(void **state) {
    (void)state;
    struct http_hosts hosts = {.count = 0};
    char name[400] = "";
    memset(name, 'a', 256);
    assert_null(http_hosts_find(&hosts, name));
    name[255] = '\0';
    assert_non_null(http_hosts_find(&hosts, name));
    for (unsigned i = 1; i < 12; i++) {
        (void)snprintf(name, sizeof name, "h%u", i);
        assert_int_equal(http_hosts_find(&hosts, name) != NULL, i < HTTP_HOSTS_MAX);
    }
    struct http_reuse reuse = http_host_reuse(NULL, 1000 * SECOND);
    assert_true(reuse.ages && !reuse.fresh);
}

static void fault_21_connections_age_only_while_the_name_is_known_to_lead_somewhere(void **state) {
    (void)state;
    struct http_hosts hosts = {.count = 0};
    struct http_host *host = http_hosts_find(&hosts, "moves");
    assert_non_null(host);
    assert_true(http_host_reuse(host, SECOND).ages); /* there are none yet */
    host->proved = SECOND;
    assert_true(http_host_reuse(host, 15 * SECOND).ages);
    /* The proof is old: one request looks, the others use what there is, whatever its age. */
    struct http_reuse reuse = http_host_reuse(host, 16 * SECOND);
    assert_true(reuse.fresh && !reuse.ages);
    for (int64_t now = 17 * SECOND; now < 26 * SECOND; now += SECOND) {
        reuse = http_host_reuse(host, now);
        assert_true(!reuse.fresh && !reuse.ages);
    }
    /* It found none; for as long as that lasts, one in ten seconds looks again. */
    unsigned looks = 0;
    for (int64_t now = 26 * SECOND; now < 3626 * SECOND; now += SECOND) {
        reuse = http_host_reuse(host, now);
        assert_false(reuse.ages);
        looks += reuse.fresh;
    }
    assert_int_equal(looks, 360);
    host->proved = 3626 * SECOND;
    assert_true(http_host_reuse(host, 3626 * SECOND).ages);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_is_known_by_its_name_and_port),
        cmocka_unit_test(more_hosts_than_there_is_room_for_do_without),
        cmocka_unit_test(fault_21_connections_age_only_while_the_name_is_known_to_lead_somewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
