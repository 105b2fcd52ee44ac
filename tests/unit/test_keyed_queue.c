#include "worker_world.h"

#include "keyed_queue.h"

static void enter(struct keyed_queues *lines, struct place *place, const char *key, struct place *after) {
    *place = (struct place){.key = span_cstr(key)};
    struct keyed_queue *line = keyed_queues_get(lines, place->key);
    assert_non_null(line);
    keyed_queue_put(line, place, after);
}

static void a_line_keeps_the_order_its_places_were_put_in(void **state) {
    (void)state;
    struct keyed_queues lines;
    struct place a, b, c, d, other;
    keyed_queues_init(&lines, 1, 2);
    enter(&lines, &a, "group", NULL);
    enter(&lines, &c, "group", &a);
    enter(&lines, &b, "group", &a);
    enter(&lines, &d, "group", NULL);
    enter(&lines, &other, "another", NULL);
    assert_int_equal(lines.count, 2);
    const struct place *expected[] = {&d, &a, &b, &c};
    const struct place *at = TAILQ_FIRST(&a.queue->places);
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++, at = TAILQ_NEXT(at, link))
        assert_ptr_equal(at, expected[i]);
    assert_null(at);
    assert_ptr_not_equal(other.queue, a.queue);
    struct place *all[] = {&a, &d, &c, &other, &b};
    for (size_t i = 0; i < ARRAY_LENGTH(all); i++) {
        keyed_queues_leave(&lines, all[i]);
        assert_null(all[i]->queue);
    }
    assert_int_equal(lines.count, 0);
    keyed_queues_free(&lines);
}

/* The one whose bytes the line was found by may leave before the others. */
static void a_line_is_found_by_whoever_still_stands_in_it(void **state) {
    (void)state;
    struct keyed_queues lines;
    char first_key[] = "group", second_key[] = "group";
    struct place first, second, third;
    keyed_queues_init(&lines, 3, 4);
    enter(&lines, &first, first_key, NULL);
    enter(&lines, &second, second_key, &first);
    keyed_queues_leave(&lines, &first);
    memset(first_key, 'x', sizeof first_key - 1);
    enter(&lines, &third, "group", &second);
    assert_ptr_equal(third.queue, second.queue);
    keyed_queues_leave(&lines, &second);
    keyed_queues_leave(&lines, &third);
    keyed_queues_free(&lines);
}

static void an_empty_key_is_a_key(void **state) {
    (void)state;
    struct keyed_queues lines;
    struct place nameless, again, named;
    keyed_queues_init(&lines, 5, 6);
    enter(&lines, &nameless, "", NULL);
    enter(&lines, &again, "", &nameless);
    enter(&lines, &named, "g", NULL);
    assert_ptr_equal(nameless.queue, again.queue);
    assert_ptr_not_equal(nameless.queue, named.queue);
    keyed_queues_leave(&lines, &named);
    keyed_queues_leave(&lines, &nameless);
    keyed_queues_leave(&lines, &again);
    keyed_queues_free(&lines);
}

static void a_line_that_ended_leaves_its_memory_to_the_next_and_nothing_else(void **state) {
    (void)state;
    struct keyed_queues lines;
    struct place first, second, third;
    keyed_queues_init(&lines, 7, 8);
    enter(&lines, &first, "a", NULL);
    first.queue->applied = 3;
    const struct keyed_queue *line = first.queue;
    keyed_queues_leave(&lines, &first);
    assert_int_equal(lines.spare_count, 1);
    enter(&lines, &second, "b", NULL);
    assert_ptr_equal(second.queue, line);
    assert_int_equal(second.queue->length, 1);
    assert_int_equal(second.queue->applied, 0);
    assert_int_equal(lines.spare_count, 0);
    enter(&lines, &third, "a", NULL);
    assert_ptr_not_equal(third.queue, line);
    keyed_queues_leave(&lines, &second);
    keyed_queues_leave(&lines, &third);
    assert_int_equal(lines.spare_count, 2);
    keyed_queues_free(&lines);
    assert_int_equal(lines.spare_count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_keeps_the_order_its_places_were_put_in),
        cmocka_unit_test(a_line_is_found_by_whoever_still_stands_in_it),
        cmocka_unit_test(an_empty_key_is_a_key),
        cmocka_unit_test(a_line_that_ended_leaves_its_memory_to_the_next_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
