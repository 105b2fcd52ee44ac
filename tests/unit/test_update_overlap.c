#include "update_fixture.h"

#include "update_overlap.h"

#define PLACES_MAX 64

/* Paths of one-letter names and one-digit indexes, "a.b[1]", without any other syntax. */
static uint32_t read_simply(const char *text, struct path_element *elements) {
    uint32_t count = 0;
    for (size_t i = 0; text[i]; i++) {
        if (text[i] >= 'a' && text[i] <= 'z')
            elements[count++] = (struct path_element){.name = span_of(text + i, 1)};
        else if (text[i] >= '0' && text[i] <= '9')
            elements[count++] = (struct path_element){.index = (uint32_t)(text[i] - '0')};
    }
    return count;
}

/* By comparing each with each. */
static uint32_t find_slowly(const struct update_place *places, size_t count) {
    for (uint32_t second = 0; second < count; second++)
        for (uint32_t first = 0; first < second; first++)
            if (update_places_overlap(&places[first], &places[second]))
                return second;
    return NO_OVERLAP;
}

static uint32_t overlap_of(const char *const *paths, size_t count) {
    struct path_element elements[PLACES_MAX][8];
    struct update_place places[PLACES_MAX];
    for (size_t i = 0; i < count; i++)
        places[i] = (struct update_place){elements[i], read_simply(paths[i], elements[i]), (uint32_t)i};
    uint32_t slowly = find_slowly(places, count);
    assert_int_equal(update_find_overlap(places, count), slowly);
    return slowly;
}

static void two_overlap_where_one_begins_the_other_or_a_map_would_be_a_list(void **state) {
    (void)state;
    static const struct {
        const char *paths[4];
        uint32_t second;
    } cases[] = {
        {{"a", "b", "c.d", "c.e"}, NO_OVERLAP},
        {{"a", "a", "b", "c"}, 1},
        {{"a.b", "c", "a", "d"}, 2},
        {{"a", "c", "d", "a.b"}, 3},
        {{"a[0]", "a[1]", "b", "c"}, NO_OVERLAP},
        {{"a[0]", "b", "a.b", "c"}, 2},
        {{"a.b", "b", "c", "a[0]"}, 3},
        {{"a.b[1].c", "a.b[2]", "a.b[1]", "a.b"}, 2},
        {{"b", "a.b.c", "a.c", "a.b"}, 3},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_int_equal(overlap_of(cases[i].paths, 4), cases[i].second);
    assert_int_equal(overlap_of(cases[0].paths, 0), NO_OVERLAP);
    assert_int_equal(overlap_of(cases[0].paths, 1), NO_OVERLAP);
}

/* Of many sets made at random, the second path is the same that comparing each with each finds. */
static void the_first_that_overlaps_one_before_it_is_found(void **state) {
    (void)state;
    uint64_t random = 88172645463325252ULL;
    unsigned overlapping = 0;
    for (unsigned round = 0; round < 20000; round++) {
        char texts[PLACES_MAX][16];
        const char *paths[PLACES_MAX];
        size_t count = 2 + round % 12;
        for (size_t i = 0; i < count; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            size_t len = 0, elements = 1 + random % 4;
            for (size_t n = 0; n < elements; n++) {
                unsigned choice = (unsigned)(random >> (8 * n + 4)) % 5;
                texts[i][len++] = (char)(n > 0 && choice < 2 ? '0' + choice : 'a' + choice);
            }
            texts[i][len] = '\0';
            paths[i] = texts[i];
        }
        overlapping += overlap_of(paths, count) != NO_OVERLAP;
    }
    assert_in_range(overlapping, 5000, 19000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_overlap_where_one_begins_the_other_or_a_map_would_be_a_list),
        cmocka_unit_test(the_first_that_overlaps_one_before_it_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
