#include "worker_world.h"

#include "lines.h"

static void enter(struct lines *lines, struct place *place, const char *key, struct place *after) {
    *place = (struct place){.key = span_cstr(key)};
    struct waiting_line *line = lines_get(lines, place->key);
    assert_non_null(line);
    line_put(line, place, after);
}

static void a_line_keeps_the_order_its_places_were_put_in(void **state) {
    (void)state;
    struct lines lines;
    struct place a, b, c, d, other;
    lines_init(&lines, 1, 2);
    enter(&lines, &a, "group", NULL);
    enter(&lines, &c, "group", &a);
    enter(&lines, &b, "group", &a);
    enter(&lines, &d, "group", NULL);
    enter(&lines, &other, "another", NULL);
    assert_int_equal(lines.count, 2);
    const struct place *expected[] = {&d, &a, &b, &c};
    const struct place *at = TAILQ_FIRST(&a.line->places);
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++, at = TAILQ_NEXT(at, link))
        assert_ptr_equal(at, expected[i]);
    assert_null(at);
    assert_ptr_not_equal(other.line, a.line);
    struct place *all[] = {&a, &d, &c, &other, &b};
    for (size_t i = 0; i < ARRAY_LENGTH(all); i++) {
        lines_leave(&lines, all[i]);
        assert_null(all[i]->line);
    }
    assert_int_equal(lines.count, 0);
    lines_free(&lines);
}

/* The one whose bytes the line was found by may leave before the others. */
static void a_line_is_found_by_whoever_still_stands_in_it(void **state) {
    (void)state;
    struct lines lines;
    char first_key[] = "group", second_key[] = "group";
    struct place first, second, third;
    lines_init(&lines, 3, 4);
    enter(&lines, &first, first_key, NULL);
    enter(&lines, &second, second_key, &first);
    lines_leave(&lines, &first);
    memset(first_key, 'x', sizeof first_key - 1);
    enter(&lines, &third, "group", &second);
    assert_ptr_equal(third.line, second.line);
    lines_leave(&lines, &second);
    lines_leave(&lines, &third);
    lines_free(&lines);
}

static void an_empty_key_is_a_key(void **state) {
    (void)state;
    struct lines lines;
    struct place nameless, again, named;
    lines_init(&lines, 5, 6);
    enter(&lines, &nameless, "", NULL);
    enter(&lines, &again, "", &nameless);
    enter(&lines, &named, "g", NULL);
    assert_ptr_equal(nameless.line, again.line);
    assert_ptr_not_equal(nameless.line, named.line);
    lines_leave(&lines, &named);
    lines_leave(&lines, &nameless);
    lines_leave(&lines, &again);
    lines_free(&lines);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_keeps_the_order_its_places_were_put_in),
        cmocka_unit_test(a_line_is_found_by_whoever_still_stands_in_it),
        cmocka_unit_test(an_empty_key_is_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
