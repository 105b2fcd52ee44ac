#include "update_overlap.h"

#include <stdlib.h>

static int by_path(const void *left, const void *right) {
    const struct update_place *a = left, *b = right;
    int order = document_path_compare(a->path, a->count, b->path, b->count);
    return order ? order : (a->number > b->number) - (a->number < b->number);
}

static uint32_t later(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

static uint32_t lowest(const struct update_place *places, size_t count, size_t but) {
    uint32_t number = NO_OVERLAP;
    for (size_t i = 0; i < count; i++)
        if (i != but && places[i].number < number)
            number = places[i].number;
    return number;
}

/* Of places that agree in their first `depth` elements: those that end there stand first, and overlap all others. */
static uint32_t overlap_with_those_that_end(const struct update_place *places, size_t count, size_t ends) {
    if (ends == 0 || count < 2)
        return NO_OVERLAP;
    size_t first = 0;
    for (size_t i = 1; i < ends; i++)
        if (places[i].number < places[first].number)
            first = i;
    return later(places[first].number, lowest(places, count, first));
}

/* Of those that go on: some with a name, some with an index. */
static uint32_t overlap_of_map_and_list(const struct update_place *places, size_t count, size_t ends, uint32_t depth) {
    size_t names_end = ends;
    while (names_end < count && places[names_end].path[depth].name.data)
        names_end++;
    if (names_end == ends || names_end == count)
        return NO_OVERLAP;
    return later(lowest(places + ends, names_end - ends, SIZE_MAX),
                 lowest(places + names_end, count - names_end, SIZE_MAX));
}

/* The recursion ends at a path's elements, and each level looks at each place a few times. */
static uint32_t find(const struct update_place *places, size_t count, uint32_t depth) {
    size_t ends = 0;
    while (ends < count && places[ends].count == depth)
        ends++;
    uint32_t found = overlap_with_those_that_end(places, count, ends);
    uint32_t mixed = overlap_of_map_and_list(places, count, ends, depth);
    if (mixed < found)
        found = mixed;
    for (size_t from = ends, to; from < count; from = to) {
        to = from + 1;
        while (to < count && path_element_compare(&places[from].path[depth], &places[to].path[depth]) == 0)
            to++;
        uint32_t inner = to - from > 1 ? find(places + from, to - from, depth + 1) : NO_OVERLAP;
        if (inner < found)
            found = inner;
    }
    return found;
}

uint32_t update_find_overlap(struct update_place *places, size_t count) {
    if (count < 2)
        return NO_OVERLAP;
    qsort(places, count, sizeof *places, by_path);
    return find(places, count, 0);
}

bool update_places_overlap(const struct update_place *a, const struct update_place *b) {
    uint32_t i = 0;
    while (i < a->count && i < b->count && path_element_compare(&a->path[i], &b->path[i]) == 0)
        i++;
    if (i == a->count || i == b->count)
        return true;
    return i > 0 && !a->path[i].name.data != !b->path[i].name.data;
}
