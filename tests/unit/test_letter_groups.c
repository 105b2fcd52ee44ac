#include "letter_groups.h"

#include "letter_fixture.h"

static void add(struct letter_groups *g, struct letter *letter, int64_t sent_at) {
    char id[32];
    (void)snprintf(id, sizeof id, "m-%u", (unsigned)g->count);
    assert_true(letter_groups_add(g, letter, span_cstr(id), sent_at));
    letter_free(letter);
}

static void messages_of_one_error_and_reason_are_one_group_whatever_their_numbers(void **state) {
    (void)state;
    struct letter_groups g;
    letter_groups_init(&g);
    add(&g, letter_of("InvalidInputError", "see position 7", "", "a"), 0);
    add(&g, letter_of("InvalidInputError", "see position 1234", "", "b"), 0);
    add(&g, letter_of("InvalidInputError", "see elsewhere", "", "c"), 0);
    add(&g, letter_of("ValidationError", "see position 7", "", "d"), 0);
    assert_int_equal(g.group_count, 3);
    assert_int_equal(g.count, 4);
    struct letter_group *first = TAILQ_FIRST(&g.list);
    assert_true(span_is(first->error, "InvalidInputError"));
    assert_true(span_is(first->reason, "see position N"));
    assert_int_equal(first->count, 2);
    assert_string_equal(first->samples[0], "m-0 (id \"a\")");
    assert_string_equal(first->samples[1], "m-1 (id \"b\")");
    letter_groups_free(&g);
}

static void a_number_in_a_name_is_part_of_it(void **state) {
    (void)state;
    struct letter_groups g;
    letter_groups_init(&g);
    add(&g, letter_of("InvalidInputError", "not JSON (RFC 8259, UTF-8): see position 12", "", "a"), 0);
    add(&g, letter_of("ValidationError", "items[3].a2: 5 of 007", "", "a"), 0);
    const struct letter_group *first = TAILQ_FIRST(&g.list);
    assert_true(span_is(first->reason, "not JSON (RFC 8259, UTF-8): see position N"));
    assert_true(span_is(TAILQ_NEXT(first, link)->reason, "items[N].a2: N of N"));
    letter_groups_free(&g);
}

static void what_has_no_envelope_is_told_apart_by_what_it_lacks(void **state) {
    (void)state;
    struct letter_groups g;
    letter_groups_init(&g);
    add(&g, letter_from("x", NULL), 7);
    add(&g, letter_from("x", "ValidationError"), 5);
    add(&g, letter_from("y", NULL), 3);
    assert_int_equal(g.group_count, 2);
    struct letter_group *foreign = TAILQ_FIRST(&g.list), *bare = TAILQ_NEXT(foreign, link);
    assert_null(foreign->error.data);
    assert_true(span_is(bare->error, "ValidationError"));
    assert_int_equal(foreign->oldest, 3);
    assert_int_equal(foreign->newest, 7);
    assert_int_equal(g.oldest, 3);
    assert_int_equal(g.newest, 7);
    letter_groups_free(&g);
}

static void the_largest_group_comes_first_and_equal_ones_as_they_came(void **state) {
    (void)state;
    struct letter_groups g;
    letter_groups_init(&g);
    static const char *const order[] = {"a", "b", "c", "b", "d", "c"};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        add(&g, letter_of("ValidationError", order[i], "", "u"), 0);
    letter_groups_sort(&g);
    char got[8] = "";
    const struct letter_group *group;
    TAILQ_FOREACH(group, &g.list, link) {
        got[strlen(got)] = group->reason.data[0];
    }
    assert_string_equal(got, "bcad");
    letter_groups_free(&g);
}

static void reasons_without_end_are_one_group_beyond_a_hundred(void **state) {
    (void)state;
    struct letter_groups g;
    letter_groups_init(&g);
    for (unsigned i = 0; i < LETTER_GROUPS_MAX + 50; i++) {
        char reason[32];
        (void)snprintf(reason, sizeof reason, "%c%c", 'a' + i % 26, 'a' + i / 26);
        add(&g, letter_of("ValidationError", reason, "", "u"), 0);
    }
    add(&g, letter_of("DatabaseError", "zz", "", "u"), 0);
    add(&g, letter_of("ValidationError", "aa", "", "u"), 0);
    assert_int_equal(g.group_count, LETTER_GROUPS_MAX + 2);
    assert_int_equal(g.count, LETTER_GROUPS_MAX + 52);
    letter_groups_sort(&g);
    assert_true(span_is(TAILQ_FIRST(&g.list)->reason, "further reasons"));
    assert_int_equal(TAILQ_FIRST(&g.list)->count, 50);
    letter_groups_free(&g);
}

static void long_reasons_and_ids_are_cut_between_characters(void **state) {
    (void)state;
    struct letter_groups g;
    letter_groups_init(&g);
    char reason[400] = "", id[300] = "";
    for (unsigned i = 0; i < 120; i++)
        (void)snprintf(reason + strlen(reason), sizeof reason - strlen(reason), "\xE2\x82\xAC");
    for (unsigned i = 0; i < 90; i++)
        (void)snprintf(id + strlen(id), sizeof id - strlen(id), "\xE2\x82\xAC");
    add(&g, letter_of("ValidationError", reason, "", id), 0);
    const struct letter_group *group = TAILQ_FIRST(&g.list);
    assert_int_equal(group->reason.len, 162 + 3);
    assert_memory_equal(group->reason.data + 159, "\xE2\x82\xAC...", 6);
    assert_int_equal(strlen(group->samples[0]) % 3, (strlen("m-0 (id \"...)")) % 3);
    assert_non_null(strstr(group->samples[0], "\xE2\x82\xAC...)"));
    letter_groups_free(&g);
}

static void errors_without_end_are_one_group_too(void **state) {
    (void)state;
    struct letter_groups g;
    letter_groups_init(&g);
    for (unsigned i = 0; i < 20 * LETTER_GROUPS_MAX; i++) {
        char error[32];
        (void)snprintf(error, sizeof error, "%c%c%cError", 'A' + i % 26, 'a' + i / 26 % 26, 'a' + i / 676);
        add(&g, letter_of(error, "as others name theirs", "", "u"), 0);
    }
    assert_int_equal(g.group_count, 2 * LETTER_GROUPS_MAX + 1);
    assert_int_equal(g.count, 20 * LETTER_GROUPS_MAX);
    letter_groups_sort(&g);
    assert_true(span_is(TAILQ_FIRST(&g.list)->reason, "further errors"));
    assert_int_equal(TAILQ_FIRST(&g.list)->count, 18 * LETTER_GROUPS_MAX);
    letter_groups_free(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_one_error_and_reason_are_one_group_whatever_their_numbers),
        cmocka_unit_test(a_number_in_a_name_is_part_of_it),
        cmocka_unit_test(what_has_no_envelope_is_told_apart_by_what_it_lacks),
        cmocka_unit_test(the_largest_group_comes_first_and_equal_ones_as_they_came),
        cmocka_unit_test(reasons_without_end_are_one_group_beyond_a_hundred),
        cmocka_unit_test(errors_without_end_are_one_group_too),
        cmocka_unit_test(long_reasons_and_ids_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
