#include "repeated_line.h"
#include "worker_world.h"

struct stage {
    struct world world;
    struct platform platform;
    struct repeated_line line;
};

static void begin(struct stage *s) {
    sim_usual_world(&s->world, 1);
    s->platform = (struct platform){.clock = &s->world.clock, .timers = &s->world.timers, .log = &s->world.log};
    repeated_line_init(&s->line, &s->platform, "It fails");
}

static void end(struct stage *s) {
    repeated_line_done(&s->line);
    world_done(&s->world);
}

static void the_first_is_told_at_once_and_those_of_its_minute_in_one_line_with_their_count(void **state) {
    (void)state;
    struct stage s;
    begin(&s);
    repeated_line_say(&s.line, SPAN("first"), "Denied");
    assert_non_null(strstr(s.world.log_text.data, "It fails message_id=first code=Denied"));
    assert_null(strstr(s.world.log_text.data, "messages="));
    for (int i = 0; i < 500; i++) {
        repeated_line_say(&s.line, SPAN("other"), "");
        world_run(&s.world, 100 * MILLISECOND);
    }
    assert_int_equal(world_logged(&s.world, "It fails"), 1);
    world_run(&s.world, 11 * SECOND);
    assert_int_equal(world_logged(&s.world, "It fails"), 2);
    assert_non_null(strstr(s.world.log_text.data, "It fails message_id=other messages=500"));
    /* A quiet minute, and all begins anew. */
    world_run(&s.world, 2 * MINUTE);
    assert_int_equal(world_logged(&s.world, "It fails"), 2);
    repeated_line_say(&s.line, SPAN("late"), "");
    assert_int_equal(world_logged(&s.world, "It fails message_id=late"), 1);
    end(&s);
}

static void what_was_not_told_is_told_at_the_end(void **state) {
    (void)state;
    struct stage s;
    begin(&s);
    char id[300];
    memset(id, 'i', sizeof id);
    for (int i = 0; i < 3; i++)
        repeated_line_say(&s.line, span_of(id, sizeof id), "");
    assert_int_equal(world_logged(&s.world, "It fails"), 1);
    repeated_line_done(&s.line);
    assert_int_equal(world_logged(&s.world, "It fails"), 2);
    assert_non_null(strstr(s.world.log_text.data, "messages=2"));
    end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_is_told_at_once_and_those_of_its_minute_in_one_line_with_their_count),
        cmocka_unit_test(what_was_not_told_is_told_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
