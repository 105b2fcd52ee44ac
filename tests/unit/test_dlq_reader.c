#include "dlq_reader.h"

#include "dlq_world.h"

#define VISIBILITY 60U

struct scene {
    struct dlq_world d;
    struct dlq_reader reader;
    size_t room;
    unsigned taken, fresh;
    bool seen[4000]; /* by the number in the body */
    bool ended, again; /* each message is told to have been received before */
    enum call_class class;
    unsigned stop_at;
};

static size_t room(void *ctx) {
    return ((struct scene *)ctx)->room;
}

static bool took(void *ctx, struct sqs_message *m) {
    struct scene *s = ctx;
    const char *number = memchr(m->body.data, 'r', m->body.len);
    unsigned long at = number ? strtoul(number + 1, NULL, 10) : 0;
    assert_true(at < ARRAY_LENGTH(s->seen));
    bool fresh = !s->seen[at];
    s->seen[at] = true;
    s->taken++;
    s->fresh += fresh;
    s->room -= s->room > 0;
    sqs_message_free(m);
    if (s->stop_at && s->taken == s->stop_at)
        dlq_reader_stop(&s->reader);
    return fresh;
}

static void ended(void *ctx, const struct call_result *result) {
    struct scene *s = ctx;
    assert_false(s->ended);
    s->ended = true;
    s->class = result ? result->class : CALL_OK;
}

static void begin(struct scene *s, uint64_t counted) {
    const struct dlq_reader_kind kind = {.queue_url = s->d.dlq->url,
                                         .visibility_seconds = VISIBILITY,
                                         .counted = counted,
                                         .room = room,
                                         .took = took,
                                         .ended = ended,
                                         .ctx = s};
    dlq_reader_init(&s->reader, &s->d.platform, &kind);
    dlq_reader_pump(&s->reader);
}

static void scene_init(struct scene *s, unsigned messages) {
    *s = (struct scene){.room = 1000000};
    dlq_world_init(&s->d, 5, false);
    dlq_world_fill(&s->d, messages);
}

static void scene_done(struct scene *s) {
    dlq_reader_done(&s->reader);
    dlq_world_done(&s->d);
}

static bool is_over(void *ctx) {
    return ((struct scene *)ctx)->ended;
}

static void all_messages_are_received_once_whatever_the_counts_say(void **state) {
    (void)state;
    static const uint64_t counted[] = {SQS_COUNT_UNKNOWN, 0, 1, 137, 200};
    for (size_t i = 0; i < ARRAY_LENGTH(counted); i++) {
        struct scene s;
        scene_init(&s, 137);
        begin(&s, counted[i]);
        assert_true(world_run_until(&s.d.w, is_over, &s, 30 * SECOND));
        assert_int_equal(s.taken, 137);
        assert_int_equal(s.class, CALL_OK);
        scene_done(&s);
    }
}

static void where_sqs_shows_a_part_of_the_queue_the_rest_is_found_all_the_same(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 900);
    s.d.w.sqs.short_receives = 700;
    begin(&s, 900);
    assert_true(world_run_until(&s.d.w, is_over, &s, 300 * SECOND));
    assert_int_equal(s.fresh, 900);
    scene_done(&s);
}

static void an_empty_queue_is_one_receive_of_a_second(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 0);
    int64_t began = s.d.w.now;
    begin(&s, 0);
    assert_true(world_run_until(&s.d.w, is_over, &s, 10 * SECOND));
    assert_int_equal(s.d.w.sqs.receive.calls, 1);
    assert_true(s.d.w.now - began >= SECOND);
    scene_done(&s);
}

static void no_more_is_asked_for_than_there_is_room_for(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 100);
    s.room = 13;
    begin(&s, 100);
    world_run(&s.d.w, 30 * SECOND);
    assert_int_equal(s.taken, 13);
    assert_int_equal(sim_queue_count(s.d.dlq).in_flight, 13);
    assert_false(s.ended);
    s.room = 50;
    dlq_reader_pump(&s.reader);
    world_run(&s.d.w, 20 * SECOND);
    assert_int_equal(s.taken, 63);
    scene_done(&s);
}

static void it_is_stopped_once_what_is_under_way_is_in(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 200);
    s.stop_at = 3;
    begin(&s, 200);
    assert_true(world_run_until(&s.d.w, is_over, &s, 10 * SECOND));
    assert_int_equal(s.class, CALL_OK);
    /* Nothing was received that isn't known. */
    assert_int_equal(sim_queue_count(s.d.dlq).in_flight, s.taken);
    assert_in_range(s.taken, 10, 40);
    scene_done(&s);
}

static void an_outage_of_less_than_a_minute_is_waited_for(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 30);
    s.d.w.sqs.receive.mode = SIM_DOWN;
    begin(&s, 30);
    world_run(&s.d.w, 40 * SECOND);
    assert_false(s.ended);
    assert_int_equal(world_logged(&s.d.w, "Receiving from the DLQ fails"), 1);
    s.d.w.sqs.receive.mode = SIM_UP;
    assert_true(world_run_until(&s.d.w, is_over, &s, 30 * SECOND));
    assert_int_equal(s.taken, 30);
    scene_done(&s);
}

static void what_lasts_ends_it_with_the_reason(void **state) {
    (void)state;
    static const struct {
        enum sim_mode mode;
        enum call_class class;
        int64_t within;
    } cases[] = {
        {SIM_DOWN, CALL_RETRY, 120 * SECOND}, {SIM_DENIED, CALL_DENIED, SECOND}, {SIM_EXPIRED, CALL_AUTH, SECOND}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct scene s;
        scene_init(&s, 30);
        s.d.w.sqs.receive.mode = cases[i].mode;
        begin(&s, 30);
        assert_true(world_run_until(&s.d.w, is_over, &s, cases[i].within));
        assert_int_equal(s.class, cases[i].class);
        assert_int_equal(s.taken, 0);
        scene_done(&s);
    }
}

static void lost_answers_hide_messages_that_come_again(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 300);
    s.d.w.sqs.receive.lost_answers = 200;
    begin(&s, 300);
    assert_true(world_run_until(&s.d.w, is_over, &s, 300 * SECOND));
    /* What a lost answer held is hidden, and known to nobody: the counts tell that some are missing. */
    assert_true(s.fresh <= 300 && s.fresh + 10 * s.d.w.sqs.receive.answers_lost >= 300);
    scene_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_messages_are_received_once_whatever_the_counts_say),
        cmocka_unit_test(where_sqs_shows_a_part_of_the_queue_the_rest_is_found_all_the_same),
        cmocka_unit_test(an_empty_queue_is_one_receive_of_a_second),
        cmocka_unit_test(no_more_is_asked_for_than_there_is_room_for),
        cmocka_unit_test(it_is_stopped_once_what_is_under_way_is_in),
        cmocka_unit_test(an_outage_of_less_than_a_minute_is_waited_for),
        cmocka_unit_test(what_lasts_ends_it_with_the_reason),
        cmocka_unit_test(lost_answers_hide_messages_that_come_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
