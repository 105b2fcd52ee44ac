#include "letter_choice.h"

#include "letter_fixture.h"

static bool chosen(const struct letter_choice *choice, const struct letter *letter, int64_t sent_at) {
    bool ok = false;
    bool is = letter_is_chosen(choice, letter, sent_at, &ok);
    assert_true(ok);
    return is;
}

static void any_is_meant_where_nothing_is_given(void **state) {
    (void)state;
    const struct letter_choice all = {.since = INT64_MIN};
    assert_true(letter_choice_is_all(&all));
    struct letter *ours = letter_of("ValidationError", "s", "", "u"), *foreign = letter_from("x", NULL);
    assert_true(chosen(&all, ours, 0));
    assert_true(chosen(&all, foreign, 0));
    letter_free(ours);
    letter_free(foreign);
}

static void an_error_is_its_type_and_none_is_those_without(void **state) {
    (void)state;
    static const struct {
        const char *wanted;
        bool ours, bare, foreign;
    } cases[] = {
        {"ValidationError", true, false, false}, {"DatabaseError", false, true, false}, {"none", false, false, true}};
    struct letter *ours = letter_of("ValidationError", "s", "", "u"), *bare = letter_from("x", "DatabaseError"),
                  *foreign = letter_from("x", NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct letter_choice choice = {.error = span_cstr(cases[i].wanted), .since = INT64_MIN};
        assert_false(letter_choice_is_all(&choice));
        assert_int_equal(chosen(&choice, ours, 0), cases[i].ours);
        assert_int_equal(chosen(&choice, bare, 0), cases[i].bare);
        assert_int_equal(chosen(&choice, foreign, 0), cases[i].foreign);
    }
    letter_free(ours);
    letter_free(bare);
    letter_free(foreign);
}

static void since_is_of_the_failure_and_without_an_envelope_of_the_send(void **state) {
    (void)state;
    struct letter *ours = letter_of("ValidationError", "s", "", "u"), *foreign = letter_from("x", NULL);
    const struct letter_choice then = {.since = LETTER_WALL}, later = {.since = LETTER_WALL + 1};
    assert_false(letter_choice_is_all(&then));
    assert_true(chosen(&then, ours, 1));
    assert_false(chosen(&later, ours, LETTER_WALL + 2));
    assert_true(chosen(&then, foreign, LETTER_WALL));
    assert_false(chosen(&later, foreign, LETTER_WALL));
    letter_free(ours);
    letter_free(foreign);
}

static void all_that_is_given_has_to_hold(void **state) {
    (void)state;
    static const uint64_t seed[2] = {1, 2};
    struct id_choice id;
    struct buf why;
    buf_init(&why, 200);
    assert_int_equal(id_choice_init(&id, SPAN("u"), NULL, seed, &why), ID_CHOICE_FINE);
    struct letter *same = letter_of("ValidationError", "s", "", "u"),
                  *other = letter_of("ValidationError", "s", "", "v"),
                  *wrong = letter_of("DatabaseError", "s", "", "u"), *none = letter_from("x", NULL);
    const struct letter_choice choice = {.error = SPAN("ValidationError"), .id = &id, .since = 0};
    assert_true(chosen(&choice, same, 0));
    assert_false(chosen(&choice, other, 0));
    assert_false(chosen(&choice, wrong, 0));
    const struct letter_choice of_id = {.id = &id, .since = INT64_MIN};
    assert_true(chosen(&of_id, wrong, 0));
    assert_false(chosen(&of_id, none, 0));
    letter_free(same);
    letter_free(other);
    letter_free(wrong);
    letter_free(none);
    id_choice_free(&id);
    buf_free(&why);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_is_meant_where_nothing_is_given),
        cmocka_unit_test(an_error_is_its_type_and_none_is_those_without),
        cmocka_unit_test(since_is_of_the_failure_and_without_an_envelope_of_the_send),
        cmocka_unit_test(all_that_is_given_has_to_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
