#include "key_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct span key_of(unsigned i, char text[static 16]) {
    (void)snprintf(text, 16, "key-%u", i);
    return span_cstr(text);
}

static void what_was_added_is_in_it_and_nothing_else(void **state) {
    (void)state;
    struct key_set set = {.seed = {1, 2}};
    char text[16];
    assert_false(key_set_has(&set, SPAN("")));
    for (unsigned i = 0; i < 20000; i += 2) {
        key_set_add(&set, key_of(i, text));
        key_set_add(&set, key_of(i, text));
    }
    assert_int_equal(set.count, 10000);
    for (unsigned i = 0; i < 20000; i++)
        assert_int_equal(key_set_has(&set, key_of(i, text)), i % 2 == 0);
    key_set_free(&set);
    assert_false(key_set_has(&set, key_of(0, text)));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_added_is_in_it_and_nothing_else)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
