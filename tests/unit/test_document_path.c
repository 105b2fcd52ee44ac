#include "update_fixture.h"

#include "document_path.h"

/* `#n` is the attribute "a.b"; nothing else is defined. */
static int find_name(void *ctx, struct span placeholder, struct span *ret_name) {
    (void)ctx;
    if (!span_is(placeholder, "#n"))
        return -1;
    *ret_name = SPAN("a.b");
    return 0;
}

static const struct condition_environment environment = {.find_name = find_name};

static enum condition_status read_path(const char *text, struct arena *arena, struct path_element *elements,
                                       uint32_t *count, struct failure *f) {
    failure_init(f);
    return document_path_read(span_cstr(text), &environment, arena, elements, count, f);
}

static void a_path_is_read_as_conditions_have_it_and_written_in_one_form(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"city", "city"},
        {" address . city ", "address.city"},
        {"items[0].price", "items[0].price"},
        {"m[1][22]", "m[1][22]"},
        {"`first name`.x", "`first name`.x"},
        {"`plain`", "plain"},
        {"`and`.or_", "`and`.or_"},
        {"`it``s`", "`it``s`"},
        {"`1st`", "`1st`"},
        {"#n.x", "`a.b`.x"},
        {"size", "size"},
        {"`\xC3\xA9`", "`\xC3\xA9`"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct arena arena = {0};
        struct path_element elements[DOCUMENT_PATH_MAX];
        uint32_t count = 0;
        struct failure f;
        struct buf out;
        buf_init(&out, 1000);
        assert_int_equal(read_path(cases[i][0], &arena, elements, &count, &f), CONDITION_FINE);
        assert_true(document_path_append(elements, count, &out));
        assert_buf(&out, cases[i][1]);
        size_t size = 0;
        for (uint32_t n = 0; n < count; n++)
            if (elements[n].name.data)
                size += document_name_size(elements[n].name) + (n > 0);
        assert_true(size <= out.len);
        buf_free(&out);
        failure_free(&f);
        arena_free(&arena);
    }
}

static void what_is_no_path_is_refused_with_a_reason(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", "expected an attribute's name at character 1 (the end)"},
        {"a.", "expected an attribute's name after '.' at character 3 (the end)"},
        {"a..b", "expected an attribute's name after '.' at character 3"},
        {"a[", "expected a list index from 0 to 2147483647 after '[' at character 3 (the end)"},
        {"a[-1]", "expected a list index from 0 to 2147483647 after '[' at character 3"},
        {"a[2147483648]", "expected a list index from 0 to 2147483647 after '[' at character 3"},
        {"a[0", "expected ']' after the number at character 4 (the end)"},
        {"[0]", "expected an attribute's name at character 1"},
        {"first-name", "unexpected '-' at character 6: a name with other characters than letters, digits and '_' "
                       "stands in backquotes"},
        {"first name", "expected '.', '[' or the end after 'first' at character 7"},
        {"and", "expected an attribute's name at character 1: as a name, a keyword stands in backquotes"},
        {":v", "expected an attribute's name at character 1"},
        {"a = 1", "expected '.', '[' or the end after 'a' at character 3"},
        {"`a", "no closing backquote for the one at character 1"},
        {"size(a)", "expected '.', '[' or the end after 'size' at character 5"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct arena arena = {0};
        struct path_element elements[DOCUMENT_PATH_MAX];
        uint32_t count = 0;
        struct failure f;
        assert_int_equal(read_path(cases[i][0], &arena, elements, &count, &f), CONDITION_REFUSED);
        assert_span(failure_reason(&f), cases[i][1]);
        failure_free(&f);
        arena_free(&arena);
    }
}

static void a_path_has_up_to_32_elements(void **state) {
    (void)state;
    for (size_t elements = 31; elements <= 33; elements++) {
        char *rest = repeated("[0]", elements - 1);
        char *text = text_of("a%s", rest);
        struct arena arena = {0};
        struct path_element path[DOCUMENT_PATH_MAX];
        uint32_t count = 0;
        struct failure f;
        enum condition_status status = read_path(text, &arena, path, &count, &f);
        assert_int_equal(status, elements > 32 ? CONDITION_REFUSED : CONDITION_FINE);
        if (status == CONDITION_FINE)
            assert_int_equal(count, elements);
        else
            assert_span(failure_reason(&f), "a path has more than 32 elements at character 96");
        failure_free(&f);
        arena_free(&arena);
        free(text);
        free(rest);
    }
}

static void a_placeholder_that_is_not_defined_is_refused(void **state) {
    (void)state;
    struct arena arena = {0};
    struct path_element elements[DOCUMENT_PATH_MAX];
    uint32_t count = 0;
    struct failure f;
    assert_int_equal(read_path("#m.x", &arena, elements, &count, &f), CONDITION_REFUSED);
    failure_free(&f);
    arena_free(&arena);
}

static void paths_are_ordered_by_their_elements_names_before_indexes(void **state) {
    (void)state;
    static const char *const sorted[] = {"a", "a.b", "a.b.c", "a.b[0]", "a.c", "a[2]", "a[2].x", "a[10]", "`a-b`", "b"};
    struct arena arena = {0};
    struct path_element paths[ARRAY_LENGTH(sorted)][DOCUMENT_PATH_MAX];
    uint32_t counts[ARRAY_LENGTH(sorted)] = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(sorted); i++) {
        struct failure f;
        assert_int_equal(read_path(sorted[i], &arena, paths[i], &counts[i], &f), CONDITION_FINE);
        failure_free(&f);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(sorted); i++)
        for (size_t j = 0; j < ARRAY_LENGTH(sorted); j++) {
            int order = document_path_compare(paths[i], counts[i], paths[j], counts[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_read_as_conditions_have_it_and_written_in_one_form),
        cmocka_unit_test(what_is_no_path_is_refused_with_a_reason),
        cmocka_unit_test(a_path_has_up_to_32_elements),
        cmocka_unit_test(a_placeholder_that_is_not_defined_is_refused),
        cmocka_unit_test(paths_are_ordered_by_their_elements_names_before_indexes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
