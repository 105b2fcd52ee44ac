#include "value_tape.h"

#include "update_fixture.h"

static const uint64_t seed[2] = {3, 4};

static struct value_tape tape_of(const char *text) {
    struct value_tape t;
    struct tape_error error;
    assert_int_equal(tape_read(span_cstr(text), seed, &t, &error), TAPE_READ);
    return t;
}

static void scalars_keep_their_exact_text(void **state) {
    (void)state;
    struct value_tape t = tape_of("{ \"a\" : \"a\\\"b\" , \"b\": -1.50E+3,\"c\":true ,\"d\":\"\"}");
    tape_node n = tape_find(&t, TAPE_ROOT, "a");
    assert_int_equal(tape_type_of(&t, n), TAPE_STRING);
    assert_span(tape_string(&t, n).raw, "a\\\"b");
    assert_true(tape_string(&t, n).escaped);
    assert_span(tape_scalar_text(&t, n), "\"a\\\"b\"");
    n = tape_find(&t, TAPE_ROOT, "b");
    assert_span(tape_number(&t, n), "-1.50E+3");
    assert_span(tape_scalar_text(&t, n), "-1.50E+3");
    assert_int_equal(tape_type_of(&t, tape_find(&t, TAPE_ROOT, "c")), TAPE_TRUE);
    assert_int_equal(tape_string(&t, tape_find(&t, TAPE_ROOT, "d")).raw.len, 0);
    assert_int_equal(tape_count(&t, TAPE_ROOT), 4);
    tape_free(&t);
    tape_free(&t);
}

static void scalars_side_by_side_in_an_array_cost_one_word_and_are_all_told(void **state) {
    (void)state;
    static const struct {
        enum tape_type type;
        const char *text;
        bool escaped;
    } told[] = {{TAPE_STRING, "a\\\"]", true}, {TAPE_NUMBER, "-1.50E+3", false}, {TAPE_TRUE, "true", false},
                {TAPE_FALSE, "false", false},  {TAPE_STRING, "[,", false},       {TAPE_STRING, "", false},
                {TAPE_NULL, "null", false}};
    struct value_tape t =
        tape_of("[ \"a\\\"]\" ,\n-1.50E+3,true\t,false,\"[,\",\"\",null , [1,2],3,{\"a\":4,\"b\":5} ,\"x\\n\"]");
    tape_node n = tape_first(TAPE_ROOT);
    struct tape_scalar scalar = tape_scalar(&t, n);
    for (size_t i = 0; i < ARRAY_LENGTH(told); i++) {
        assert_int_equal(scalar.type, told[i].type);
        assert_span(scalar.text.raw, told[i].text);
        assert_int_equal(scalar.text.escaped, told[i].escaped);
        assert_int_equal(tape_next_scalar(&t, &scalar), i + 1 < ARRAY_LENGTH(told));
    }
    n = tape_next(&t, n);
    assert_int_equal(tape_type_of(&t, n), TAPE_ARRAY);
    n = tape_next(&t, n);
    scalar = tape_scalar(&t, n);
    assert_span(scalar.text.raw, "3");
    assert_false(tape_next_scalar(&t, &scalar));
    n = tape_next(&t, n);
    assert_int_equal(tape_count(&t, n), 2);
    scalar = tape_scalar(&t, tape_next(&t, n));
    assert_span(scalar.text.raw, "x\\n");
    assert_true(scalar.text.escaped);
    assert_false(tape_next_scalar(&t, &scalar));
    assert_int_equal(tape_next(&t, tape_next(&t, n)), tape_next(&t, TAPE_ROOT));
    assert_int_equal(t.count, 2 + 1 + 3 + 1 + 6 + 1);
    tape_free(&t);
}

static void a_container_is_stepped_over_as_a_whole(void **state) {
    (void)state;
    struct value_tape t = tape_of("{\"a\":{\"b\":[1,[2,{}],3]},\"c\":[],\"d\\u0065\":4}");
    assert_int_equal(tape_count(&t, TAPE_ROOT), 3);
    tape_node a = tape_find(&t, TAPE_ROOT, "a");
    tape_node c = tape_find(&t, TAPE_ROOT, "c");
    tape_node de = tape_find(&t, TAPE_ROOT, "de");
    assert_int_equal(tape_next(&t, a) + 1, c);
    assert_true(tape_is_empty(&t, c));
    assert_false(tape_is_empty(&t, a));
    assert_span(tape_number(&t, de), "4");
    assert_int_equal(tape_find(&t, TAPE_ROOT, "b"), TAPE_ROOT);
    assert_int_equal(tape_find(&t, c, "b"), TAPE_ROOT);
    tape_free(&t);
}

static void what_is_refused_says_where(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum json_error error;
        size_t position;
    } cases[] = {
        {"", JSON_SYNTAX, 0},
        {"{\"a\":", JSON_SYNTAX, 5},
        {"[1] 2", JSON_SYNTAX, 4},
        {"\xEF\xBB\xBF{}", JSON_SYNTAX, 0},
        {"{\"a\":1,\"\\u0061\":2}", JSON_DUPLICATE, 7},
        {"[{\"x\":{\"b\":1,\"b\":2}}]", JSON_DUPLICATE, 13},
        {"\"\\ud800\"", JSON_SYNTAX, 1},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct value_tape t;
        struct tape_error error;
        assert_int_equal(tape_read(span_cstr(cases[i].text), seed, &t, &error), TAPE_REFUSED);
        assert_int_equal(error.error, cases[i].error);
        assert_int_equal(error.position, cases[i].position);
    }
}

static void a_short_tape_stands_in_the_arena_and_a_long_one_in_a_block(void **state) {
    (void)state;
    static const size_t counts[] = {1, 100, 126, 127, 1000};
    for (size_t i = 0; i < ARRAY_LENGTH(counts); i++) {
        char *inside = repeated("{},", counts[i]);
        struct buf text;
        buf_init(&text, 10000);
        assert_true(buf_printf(&text, "[%s1]", inside));
        struct arena arena = {0};
        struct value_tape t, alone = tape_of(text.data);
        struct tape_error error;
        assert_int_equal(tape_read_into(buf_span(&text), seed, &arena, &t, &error), TAPE_READ);
        assert_int_equal(t.lent, counts[i] <= 126);
        assert_int_equal(t.count, 2 * counts[i] + 3);
        assert_int_equal(t.count, alone.count);
        assert_memory_equal(t.words, alone.words, t.count * sizeof *t.words);
        assert_int_equal(tape_read_into(SPAN("[1"), seed, &arena, &t, &error), TAPE_REFUSED);
        tape_free(&t);
        tape_free(&alone);
        arena_free(&arena);
        buf_free(&text);
        free(inside);
    }
}

static void nesting_is_bounded_at_the_bracket_beyond(void **state) {
    (void)state;
    char *open = repeated("[", JSON_MAX_DEPTH + 1);
    struct value_tape t;
    struct tape_error error;
    assert_int_equal(tape_read(span_cstr(open), seed, &t, &error), TAPE_REFUSED);
    assert_int_equal(error.error, JSON_TOO_DEEP);
    assert_int_equal(error.position, JSON_MAX_DEPTH);
    free(open);
}

static void a_text_beyond_what_offsets_hold_is_refused_unread(void **state) {
    (void)state;
    struct value_tape t;
    struct tape_error error;
    assert_int_equal(tape_read(span_of("", TAPE_TEXT_MAX + 1), seed, &t, &error), TAPE_REFUSED);
    assert_int_equal(error.error, JSON_SYNTAX);
    assert_int_equal(error.position, TAPE_TEXT_MAX);
}

/* The densest there is: two words for a pair of brackets. */
static void the_densest_text_costs_four_times_its_size(void **state) {
    (void)state;
    char *open = repeated("[", JSON_MAX_DEPTH - 1);
    char *close = repeated("]", JSON_MAX_DEPTH - 1);
    char *unit = text_of("%s%s,", open, close);
    char *many = repeated(unit, 100);
    char *text = text_of("[%s0]", many);
    struct value_tape t = tape_of(text);
    assert_true(t.count <= strlen(text) + 2);
    assert_true(t.capacity <= strlen(text) + 2 * JSON_MAX_DEPTH);
    tape_free(&t);
    free(text);
    free(many);
    free(unit);
    free(close);
    free(open);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_keep_their_exact_text),
        cmocka_unit_test(scalars_side_by_side_in_an_array_cost_one_word_and_are_all_told),
        cmocka_unit_test(a_container_is_stepped_over_as_a_whole),
        cmocka_unit_test(what_is_refused_says_where),
        cmocka_unit_test(a_short_tape_stands_in_the_arena_and_a_long_one_in_a_block),
        cmocka_unit_test(nesting_is_bounded_at_the_bracket_beyond),
        cmocka_unit_test(a_text_beyond_what_offsets_hold_is_refused_unread),
        cmocka_unit_test(the_densest_text_costs_four_times_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
