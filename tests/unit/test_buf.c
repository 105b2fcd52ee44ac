#include <stddef.h>
#include <stdlib.h>

/* The module with an allocator that can run dry. */
static void *scarce_realloc(void *old, size_t size);
#define realloc scarce_realloc
#include "buf.c"
#undef realloc

#include <setjmp.h>

#include <cmocka.h>

static int allocations_left;
static unsigned allocations;

static void *scarce_realloc(void *old, size_t size) {
    if (allocations_left == 0)
        return NULL;
    allocations_left--;
    allocations++;
    return realloc(old, size);
}

static int plenty(void **state) {
    (void)state;
    allocations_left = INT32_MAX;
    allocations = 0;
    return 0;
}

static void a_new_buffer_is_empty_and_owns_nothing(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    assert_null(b.data);
    assert_true(buf_ok(&b));
    assert_true(span_is(buf_span(&b), ""));
    assert_int_equal(allocations, 0);
    buf_free(&b);
}

static void what_is_appended_stands_in_order_before_a_nul(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    assert_true(buf_append_cstr(&b, "one "));
    assert_true(buf_append_span(&b, SPAN("two ")));
    assert_true(buf_append_char(&b, '3'));
    assert_true(buf_append(&b, "\0x", 2));
    assert_true(buf_printf(&b, " %d-%s", 4, "five"));
    assert_true(span_equal(buf_span(&b), SPAN("one two 3\0x 4-five")));
    assert_int_equal(b.data[b.len], 0);
    buf_free(&b);
    assert_null(b.data);
    assert_int_equal(b.max, 100);
}

static void lent_storage_is_used_until_it_is_too_small_and_never_freed(void **state) {
    (void)state;
    char storage[8] = "garbage";
    struct buf b;
    buf_init_lent(&b, storage, sizeof storage, 20);
    assert_true(span_is(buf_span(&b), ""));
    assert_true(buf_append_cstr(&b, "1234567"));
    assert_ptr_equal(b.data, storage);
    assert_int_equal(allocations, 0);
    assert_true(buf_append_char(&b, '8'));
    assert_ptr_not_equal(b.data, storage);
    assert_true(span_is(buf_span(&b), "12345678"));
    assert_string_equal(b.data, "12345678");
    assert_int_equal(allocations, 1);
    assert_true(buf_append_cstr(&b, "901234567890"));
    assert_false(buf_append_char(&b, '1'));
    assert_int_equal(b.failure, BUF_FULL);
    buf_free(&b);
    buf_init_lent(&b, storage, sizeof storage, 20);
    assert_true(buf_append_char(&b, 'x'));
    buf_free(&b);
    assert_null(b.data);
    assert_string_equal(storage, "x");
}

static void lent_storage_beyond_the_ceiling_is_not_used(void **state) {
    (void)state;
    char storage[8];
    struct buf b;
    buf_init_lent(&b, storage, sizeof storage, 3);
    assert_true(buf_append_cstr(&b, "123"));
    assert_false(buf_append_char(&b, '4'));
    assert_int_equal(b.failure, BUF_FULL);
    buf_free(&b);
}

static void where_lent_storage_cant_be_outgrown_it_keeps_what_it_holds(void **state) {
    (void)state;
    char storage[4];
    struct buf b;
    buf_init_lent(&b, storage, sizeof storage, 20);
    assert_true(buf_append_cstr(&b, "123"));
    allocations_left = 0;
    assert_false(buf_append_char(&b, '4'));
    assert_int_equal(b.failure, BUF_NO_MEMORY);
    assert_string_equal(b.data, "123");
    buf_free(&b);
}

static void the_ceiling_can_be_reached_and_not_passed(void **state) {
    (void)state;
    for (size_t max = 0; max < 300; max++) {
        struct buf b;
        buf_init(&b, max);
        for (size_t i = 0; i < max; i++)
            assert_true(buf_append_char(&b, 'x'));
        assert_true(b.capacity <= max + 1);
        assert_false(buf_append_char(&b, 'x'));
        assert_int_equal(b.failure, BUF_FULL);
        assert_int_equal(b.len, max);
        buf_free(&b);
    }
}

static void failure_sticks_until_the_buffer_is_reset(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 4);
    assert_true(buf_append_cstr(&b, "abc"));
    assert_false(buf_append_cstr(&b, "de"));
    assert_false(buf_append_char(&b, 'd'));
    assert_false(buf_append(&b, NULL, 0));
    assert_false(buf_printf(&b, "%s", ""));
    assert_null(buf_reserve(&b, 0));
    assert_true(span_is(buf_span(&b), "abc"));
    buf_reset(&b);
    assert_true(buf_ok(&b));
    assert_int_equal(b.len, 0);
    assert_int_equal(b.data[0], 0);
    assert_true(buf_append_cstr(&b, "wxyz"));
    buf_free(&b);
    assert_true(buf_ok(&b));
}

static void formatted_text_that_does_not_fit_changes_nothing(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 8);
    assert_true(buf_printf(&b, "%s", "12345678"));
    buf_reset(&b);
    assert_true(buf_printf(&b, "%d", 42));
    assert_false(buf_printf(&b, "%s", "1234567"));
    assert_int_equal(b.failure, BUF_FULL);
    assert_string_equal(b.data, "42");
    buf_free(&b);
}

static void reserved_room_is_counted_by_advancing(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    char *to = buf_reserve(&b, 500);
    assert_non_null(to);
    memset(to, 'r', 500);
    assert_int_equal(b.len, 0);
    buf_advance(&b, 499);
    assert_int_equal(b.len, 499);
    assert_int_equal(b.data[499], 0);
    assert_non_null(buf_reserve(&b, 501));
    assert_null(buf_reserve(&b, 502));
    buf_free(&b);
}

static void growth_is_geometric(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < 1 << 20; i++)
        assert_true(buf_append_char(&b, 'x'));
    assert_true(allocations < 20);
    buf_free(&b);
}

static void without_memory_the_buffer_keeps_what_it_has(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, SIZE_MAX);
    assert_true(buf_append_cstr(&b, "kept"));
    allocations_left = 0;
    assert_false(buf_printf(&b, "%0200d", 1));
    assert_int_equal(b.failure, BUF_NO_MEMORY);
    assert_string_equal(b.data, "kept");
    allocations_left = 1;
    assert_false(buf_append_char(&b, 'x'));
    buf_free(&b);
}

static void what_its_writer_calls_failed_takes_no_more(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    assert_true(buf_append_cstr(&b, "kept"));
    buf_fail(&b, BUF_NO_MEMORY);
    assert_false(buf_append_char(&b, 'x'));
    assert_null(buf_reserve(&b, 1));
    assert_int_equal(b.failure, BUF_NO_MEMORY);
    assert_string_equal(b.data, "kept");
    buf_reset(&b);
    assert_true(buf_append_cstr(&b, "again"));
    assert_string_equal(b.data, "again");
    buf_free(&b);
}

static void what_is_trimmed_keeps_its_text_and_can_grow_again(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    buf_trim(&b);
    assert_non_null(buf_reserve(&b, 900));
    assert_true(buf_append_cstr(&b, "kept"));
    buf_trim(&b);
    assert_int_equal(b.capacity, sizeof "kept");
    assert_string_equal(b.data, "kept");
    assert_true(buf_append_cstr(&b, " and more"));
    assert_string_equal(b.data, "kept and more");
    allocations_left = 0;
    buf_trim(&b);
    assert_string_equal(b.data, "kept and more");
    buf_free(&b);
    char storage[8];
    buf_init_lent(&b, storage, sizeof storage, 100);
    buf_trim(&b);
    assert_ptr_equal(b.data, storage);
    buf_free(&b);
}

static void a_text_is_appended_between_two_others_wherever_the_room_ends(void **state) {
    (void)state;
    static const struct {
        struct span before, text, after;
        const char *all;
    } cases[] = {{{"<", 1}, {"text", 4}, {">", 1}, "x<text>"},
                 {{"<", 1}, {NULL, 0}, {">", 1}, "x<>"},
                 {{"", 0}, {"text", 4}, {"\r\n", 2}, "xtext\r\n"},
                 {{"before", 6}, {"a text that is longer", 21}, {"after", 5}, "xbeforea text that is longerafter"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = strlen(cases[i].all);
        for (size_t max = 1; max <= len + 1; max++)
            for (size_t lent = 2; lent <= len + 2; lent++) {
                char storage[64];
                struct buf b;
                buf_init_lent(&b, storage, lent, max);
                assert_true(buf_append_char(&b, 'x'));
                bool fits = buf_append_between(&b, cases[i].before, cases[i].text, cases[i].after);
                assert_int_equal(fits, max >= len);
                assert_int_equal(buf_ok(&b), fits);
                if (fits)
                    assert_string_equal(b.data, cases[i].all);
                assert_true(b.len <= max && b.data[b.len] == '\0');
                assert_int_equal(buf_append_between(&b, SPAN(""), SPAN(""), SPAN("")), fits);
                buf_free(&b);
            }
    }
}

/* A buffer whose struct was made by hand has no bound yet. */
static void the_bound_is_found_where_it_is_missing_or_was_lowered(void **state) {
    (void)state;
    char storage[8];
    struct buf b = {.data = storage, .capacity = sizeof storage, .max = sizeof storage - 1};
    assert_true(buf_append_cstr(&b, "1234567"));
    assert_string_equal(storage, "1234567");
    assert_false(buf_append_char(&b, '8'));
    assert_int_equal(b.failure, BUF_FULL);
    b.len = 4;
    b.failure = BUF_FINE;
    assert_true(buf_append_cstr(&b, "abc"));
    assert_string_equal(storage, "1234abc");
}

static void a_zeroed_buffer_can_be_freed_and_holds_nothing(void **state) {
    (void)state;
    struct buf b = {0};
    assert_true(span_is(buf_span(&b), ""));
    assert_true(buf_append_cstr(&b, ""));
    assert_false(buf_append_char(&b, 'x'));
    buf_free(&b);
}

static void integers_are_written_in_decimal_digits(void **state) {
    (void)state;
    static const struct {
        int64_t number;
        const char *text;
    } cases[] = {
        {0, "0"}, {7, "7"}, {-10, "-10"}, {INT64_MAX, "9223372036854775807"}, {INT64_MIN, "-9223372036854775808"}};
    struct buf b;
    buf_init(&b, 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_reset(&b);
        assert_true(buf_append_integer(&b, cases[i].number));
        assert_string_equal(b.data, cases[i].text);
    }
    assert_false(buf_append_integer(&b, 1));
    assert_int_equal(b.failure, BUF_FULL);
    buf_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_new_buffer_is_empty_and_owns_nothing, plenty),
        cmocka_unit_test_setup(what_is_appended_stands_in_order_before_a_nul, plenty),
        cmocka_unit_test_setup(lent_storage_is_used_until_it_is_too_small_and_never_freed, plenty),
        cmocka_unit_test_setup(lent_storage_beyond_the_ceiling_is_not_used, plenty),
        cmocka_unit_test_setup(where_lent_storage_cant_be_outgrown_it_keeps_what_it_holds, plenty),
        cmocka_unit_test_setup(the_ceiling_can_be_reached_and_not_passed, plenty),
        cmocka_unit_test_setup(failure_sticks_until_the_buffer_is_reset, plenty),
        cmocka_unit_test_setup(formatted_text_that_does_not_fit_changes_nothing, plenty),
        cmocka_unit_test_setup(integers_are_written_in_decimal_digits, plenty),
        cmocka_unit_test_setup(reserved_room_is_counted_by_advancing, plenty),
        cmocka_unit_test_setup(growth_is_geometric, plenty),
        cmocka_unit_test_setup(without_memory_the_buffer_keeps_what_it_has, plenty),
        cmocka_unit_test_setup(what_its_writer_calls_failed_takes_no_more, plenty),
        cmocka_unit_test_setup(what_is_trimmed_keeps_its_text_and_can_grow_again, plenty),
        cmocka_unit_test_setup(a_text_is_appended_between_two_others_wherever_the_room_ends, plenty),
        cmocka_unit_test_setup(the_bound_is_found_where_it_is_missing_or_was_lowered, plenty),
        cmocka_unit_test_setup(a_zeroed_buffer_can_be_freed_and_holds_nothing, plenty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
