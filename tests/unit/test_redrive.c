#include "worker_world.h"

#include "redrive.h"

#include "letter_holds.h"

/* A queue, its DLQ, the worker, and a redrive between them, in virtual time. */
struct stage {
    struct scene s;
    struct sqs_api sqs;
    struct random random;
    struct dlq_platform platform;
    struct letter_choice choice;
    struct redrive_options options;
    struct redrive *redrive;
    unsigned done;
    struct redrive_result result;
    struct call_result failure;
};

static void moved_on(void *ctx, const struct redrive_counts *counts) {
    (void)ctx;
    assert_true(counts->moved <= counts->sent && counts->sent <= counts->taken);
}

static void done(void *ctx, const struct redrive_result *result) {
    struct stage *g = ctx;
    g->done++;
    g->result = *result;
    g->failure = result->failure ? *result->failure : (struct call_result){0};
}

static void stage_init(struct stage *g, uint64_t seed, bool fifo, unsigned records) {
    *g = (struct stage){.choice = {.since = INT64_MIN}};
    if (fifo)
        scene_init_fifo(&g->s, seed, records);
    else
        scene_init(&g->s, seed, records);
    g->sqs = sim_sqs_api(&g->s.world.sqs);
    random_seed(&g->random, seed);
    g->platform = (struct dlq_platform){&g->sqs, &g->s.world.clock, &g->s.world.timers, &g->random, &g->s.world.log};
    g->options = (struct redrive_options){.dlq_url = g->s.dlq->url,
                                          .queue_url = g->s.queue->url,
                                          .queue_name = g->s.queue->name,
                                          .fifo = fifo,
                                          .max_message_size = SQS_MESSAGE_SIZE_MAX,
                                          .choice = &g->choice};
}

static void start(struct stage *g) {
    const struct redrive_host host = {moved_on, done, g};
    g->options.counted = sim_queue_visible(g->s.dlq);
    int64_t now = clock_wall(&g->s.world.clock);
    g->options.begun_at = now - now % MICROSECONDS;
    g->done = 0;
    g->redrive = redrive_start(&g->platform, &g->options, &host);
    assert_non_null(g->redrive);
}

static void kill_it(struct stage *g) {
    redrive_free(g->redrive);
    g->redrive = NULL;
}

static bool is_over(void *ctx) {
    return ((struct stage *)ctx)->done > 0;
}

static void finish(struct stage *g, int64_t within) {
    if (!world_run_until(&g->s.world, is_over, g, within))
        fail_msg("not over: taken %u, sent %u, moved %u\n%.2000s", (unsigned)g->result.counts.taken,
                 (unsigned)g->result.counts.sent, (unsigned)g->result.counts.moved,
                 g->s.world.log_text.data ? g->s.world.log_text.data : "");
    kill_it(g);
    assert_int_equal(g->done, 1);
}

/* The scene's own invariants are of messages that come by the queue. */
static void stage_end(struct stage *g) {
    redrive_free(g->redrive);
    sim_worker_kill(&g->s.worker);
    sim_worker_kill(&g->s.other);
    invariants_done(&g->s.invariants);
    world_done(&g->s.world);
}

/* As SQS moves them: without an envelope. Each adds one to the record's n. */
static void fill(struct stage *g, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        char body[100];
        snprintf(body, sizeof body, "{\"id\":\"k%u\",\"increment\":{\"m\":1},\"enable_logging\":true}", i);
        sim_queue_send(g->s.dlq, body);
    }
}

static void fill_group(struct stage *g, const char *group, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        char body[100], id[40];
        snprintf(body, sizeof body, "{\"id\":\"k%u\",\"attributes\":{\"n\":%u},\"idempotency_key\":\"%s-%u\"}", i % 5,
                 i, group, i);
        snprintf(id, sizeof id, "%s-%u", group, i);
        sim_queue_send_fifo(g->s.dlq, body, group, id);
    }
}

static const char *key_of_envelope(const struct sim_message *m) {
    const char *at = strstr(m->error_envelope, "\"idempotency_key\":\"");
    assert_non_null(at);
    return at + sizeof "\"idempotency_key\":\"" - 1;
}

static void all_that_is_there_moves_and_each_has_its_message_id_as_its_key(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 1, false, 0);
    fill(&g, 137);
    char ids[137][SIM_MESSAGE_ID_SIZE];
    size_t count = 0;
    struct sim_message *m;
    TAILQ_FOREACH(m, &g.s.dlq->messages, link) {
        memcpy(ids[count++], m->id, SIM_MESSAGE_ID_SIZE);
    }
    start(&g);
    finish(&g, 60 * SECOND);
    assert_int_equal(g.result.counts.moved, 137);
    assert_int_equal(g.result.counts.failed, 0);
    assert_null(g.result.failure);
    assert_int_equal(g.s.dlq->count, 0);
    assert_int_equal(g.s.queue->count, 137);
    TAILQ_FOREACH(m, &g.s.queue->messages, link) {
        bool found = false;
        for (size_t i = 0; i < 137; i++)
            found = found || strncmp(key_of_envelope(m), ids[i], strlen(ids[i])) == 0;
        assert_true(found);
    }
    stage_end(&g);
}

static bool all_settled(void *ctx) {
    const struct stage *g = ctx;
    return g->s.queue->count == 0;
}

static unsigned effects(const struct stage *g, unsigned record) {
    char key[32];
    snprintf(key, sizeof key, "k%u", record);
    const char *m = sim_table_get(g->s.users, key, "m");
    return m ? (unsigned)strtoul(m, NULL, 10) : 0;
}

/* Killed at a moment, and run again: with the worker beside it, and answers that are lost. */
static void killed_at(uint64_t seed, int64_t at, unsigned lost) {
    enum { COUNT = 60 };
    struct stage g;
    stage_init(&g, seed, false, COUNT);
    fill(&g, COUNT);
    g.s.sqs->send.lost_answers = g.s.sqs->remove.lost_answers = lost;
    scene_start(&g.s);
    start(&g);
    world_run(&g.s.world, at);
    kill_it(&g);
    /* What the killed one held comes back by itself. */
    world_run(&g.s.world, HOLDS_VISIBILITY * SECOND);
    g.s.sqs->send.lost_answers = g.s.sqs->remove.lost_answers = 0;
    start(&g);
    finish(&g, 300 * SECOND);
    if (!world_run_until(&g.s.world, all_settled, &g, 600 * SECOND))
        fail_msg("left: %zu", g.s.queue->count);
    assert_int_equal(g.s.dlq->count, 0);
    for (unsigned i = 0; i < COUNT; i++)
        if (effects(&g, i) != 1)
            fail_msg("seed %u, killed at %lld: k%u has %u effects", (unsigned)seed, (long long)at, i, effects(&g, i));
    stage_end(&g);
}

static void fault_12_killed_at_any_moment_nothing_is_lost_and_nothing_applied_twice(void **state) {
    (void)state;
    for (int64_t at = 0; at < 40; at++)
        killed_at((uint64_t)at + 1, at * 12 * MILLISECOND, at % 2 ? 300 : 0);
}

static void what_fails_again_meanwhile_is_left(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 3, false, 0);
    fill(&g, 45); /* no record is there: each fails */
    scene_start(&g.s);
    world_run(&g.s.world, SECOND);
    g.options.rate = 20;
    start(&g);
    finish(&g, 120 * SECOND);
    assert_int_equal(g.result.counts.moved, 45);
    assert_true(world_run_until(&g.s.world, all_settled, &g, 120 * SECOND));
    assert_int_equal(g.s.dlq->count, 45);
    /* Once more: under the same keys, in envelopes that don't nest. */
    start(&g);
    finish(&g, 120 * SECOND);
    assert_int_equal(g.result.counts.moved, 45);
    assert_true(world_run_until(&g.s.world, all_settled, &g, 120 * SECOND));
    const struct sim_message *m;
    TAILQ_FOREACH(m, &g.s.dlq->messages, link) {
        assert_non_null(strstr(m->body, "RecordNotFoundError"));
        assert_null(strstr(strstr(m->body, "RecordNotFoundError") + 1, "RecordNotFoundError"));
    }
    stage_end(&g);
}

static void what_came_after_the_beginning_is_left(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 3, false, 0);
    fill(&g, 120);
    g.options.rate = 10;
    start(&g);
    world_run(&g.s.world, 4 * SECOND);
    fill(&g, 7);
    finish(&g, 60 * SECOND);
    assert_int_equal(g.result.counts.moved, 120);
    assert_int_equal(g.result.counts.later, 7);
    assert_int_equal(sim_queue_visible(g.s.dlq), 7);
    stage_end(&g);
}

static void only_what_is_meant_moves_and_the_rest_is_visible_again(void **state) {
    (void)state;
    static const uint64_t seed[2] = {1, 2};
    struct stage g;
    struct buf why;
    struct id_choice id;
    stage_init(&g, 5, false, 0);
    fill(&g, 80);
    fill(&g, 80);
    buf_init(&why, 100);
    assert_int_equal(id_choice_init(&id, SPAN("k7"), NULL, seed, &why), ID_CHOICE_FINE);
    g.choice.id = &id;
    start(&g);
    finish(&g, 60 * SECOND);
    assert_int_equal(g.result.counts.moved, 2);
    assert_int_equal(g.result.counts.passed_over, 158);
    assert_int_equal(sim_queue_visible(g.s.dlq), 158);
    assert_int_equal(g.s.queue->count, 2);
    id_choice_free(&id);
    buf_free(&why);
    stage_end(&g);
}

static void a_limit_bounds_what_moves(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 5, false, 0);
    fill(&g, 80);
    g.options.limit = 13;
    start(&g);
    finish(&g, 60 * SECOND);
    assert_int_equal(g.result.counts.moved, 13);
    assert_int_equal(g.s.queue->count, 13);
    assert_int_equal(g.s.dlq->received, 13);
    assert_int_equal(sim_queue_visible(g.s.dlq), 67);
    stage_end(&g);
}

static void a_rate_is_kept(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 5, false, 0);
    fill(&g, 100);
    g.options.rate = 10;
    int64_t began = g.s.world.now;
    start(&g);
    finish(&g, 60 * SECOND);
    assert_int_equal(g.result.counts.moved, 100);
    assert_in_range(g.s.world.now - began, 9 * SECOND, 14 * SECOND);
    stage_end(&g);
}

static void entries_that_fail_are_sent_again_alone_and_only_what_was_acknowledged_is_deleted(void **state) {
    (void)state;
    for (uint32_t mask = 1; mask < 1024; mask += 37) {
        struct stage g;
        stage_init(&g, 5, false, 0);
        fill(&g, 10);
        g.s.sqs->fail_sends = mask;
        g.s.sqs->fail_deletes = mask >> 1;
        start(&g);
        finish(&g, 120 * SECOND);
        assert_int_equal(g.result.counts.moved, 10);
        assert_int_equal(g.s.queue->sent, 10);
        assert_int_equal(g.s.dlq->count, 0);
        stage_end(&g);
    }
}

static void a_batch_is_no_larger_than_a_message_may_be(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 5, false, 0);
    fill(&g, 40);
    g.options.max_message_size = 1024;
    start(&g);
    finish(&g, 60 * SECOND);
    assert_int_equal(g.result.counts.moved, 40);
    assert_in_range(g.s.sqs->largest_send_batch, 600, 1024);
    stage_end(&g);
}

static void what_the_queue_refuses_stays_and_is_named(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 5, false, 0);
    fill(&g, 10);
    g.s.sqs->fail_sends = 5;
    g.s.sqs->fail_as_senders = true;
    start(&g);
    finish(&g, 120 * SECOND);
    assert_int_equal(g.result.counts.failed, 2);
    assert_int_equal(g.result.counts.moved, 8);
    assert_int_equal(sim_queue_visible(g.s.dlq), 2);
    assert_int_equal(world_logged(&g.s.world, "can't be sent to the queue, and stays in the DLQ"), 2);
    stage_end(&g);
}

static void what_something_on_the_way_does_not_let_pass_stays_and_the_others_move(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 5, false, 0);
    fill(&g, 15);
    char large[3000];
    memset(large, 'x', sizeof large);
    large[sizeof large - 1] = '\0';
    sim_queue_send(g.s.dlq, large);
    fill(&g, 15);
    g.s.sqs->most_send_bytes = 2000;
    start(&g);
    world_run(&g.s.world, 10 * SECOND);
    assert_int_equal(g.s.queue->count, 30);
    finish(&g, 120 * SECOND);
    assert_int_equal(g.result.counts.failed, 1);
    assert_int_equal(g.result.counts.moved, 30);
    assert_int_equal(sim_queue_visible(g.s.dlq), 1);
    stage_end(&g);
}

static void denied_it_ends_with_the_reason_and_all_is_visible_again(void **state) {
    (void)state;
    for (int what = 0; what < 2; what++) {
        struct stage g;
        stage_init(&g, 5, false, 0);
        fill(&g, 50);
        *(what ? &g.s.sqs->remove.mode : &g.s.sqs->send.mode) = SIM_DENIED;
        start(&g);
        finish(&g, 60 * SECOND);
        assert_int_equal(g.failure.class, CALL_DENIED);
        assert_int_equal(g.result.counts.moved, 0);
        /* Before a delete has worked, no more than one batch goes. */
        assert_int_equal(g.s.queue->count, what ? 10 : 0);
        assert_int_equal(sim_queue_visible(g.s.dlq), 50);
        stage_end(&g);
    }
}

static void an_outage_of_half_a_minute_is_waited_for_and_a_longer_one_ends_it(void **state) {
    (void)state;
    for (int longer = 0; longer < 2; longer++)
        for (int what = 0; what < 3; what++) {
            struct stage g;
            stage_init(&g, 5, false, 0);
            fill(&g, 50);
            struct sim_operation *o = what == 0 ? &g.s.sqs->send : what == 1 ? &g.s.sqs->remove : &g.s.sqs->receive;
            o->mode = SIM_DOWN;
            start(&g);
            world_run(&g.s.world, 30 * SECOND);
            assert_int_equal(g.done, 0);
            if (!longer)
                o->mode = SIM_UP;
            finish(&g, 300 * SECOND);
            assert_int_equal(g.result.counts.moved, longer ? 0 : 50);
            assert_int_equal(g.failure.class, longer ? CALL_RETRY : CALL_OK);
            if (longer)
                assert_int_equal(sim_queue_visible(g.s.dlq), 50);
            stage_end(&g);
        }
}

static void stopped_at_any_moment_what_was_begun_is_finished_and_the_rest_is_visible(void **state) {
    (void)state;
    for (int64_t at = 0; at < 30; at++) {
        struct stage g;
        stage_init(&g, (uint64_t)at, false, 0);
        fill(&g, 60);
        start(&g);
        world_run(&g.s.world, at * 10 * MILLISECOND);
        if (!g.done)
            redrive_stop(g.redrive);
        finish(&g, 60 * SECOND);
        assert_int_equal(g.result.counts.sent, g.result.counts.moved);
        assert_int_equal(g.s.queue->count, g.result.counts.moved);
        assert_int_equal(sim_queue_visible(g.s.dlq), 60 - g.result.counts.moved);
        stage_end(&g);
    }
}

static void handles_that_are_too_old_converge_once_the_message_comes_again(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 8, false, 0);
    fill(&g, 100);
    g.s.sqs->ignored_deletes = 200;
    g.s.sqs->duplicates = 100;
    start(&g);
    finish(&g, 120 * SECOND);
    assert_true(g.s.queue->count >= 100);
    stage_end(&g);
}

/* The numbers of a group's messages as they came to the queue. */
struct order {
    char text[4000];
    size_t count;
};
static struct order order_of(const struct stage *g, const char *group) {
    struct order o = {.text = ""};
    const struct sim_message *m;
    TAILQ_FOREACH(m, &g->s.queue->messages, link) {
        if (strcmp(m->group_id, group) != 0)
            continue;
        const char *key = strstr(m->body, "idempotency_key\":\"");
        assert_non_null(key);
        key = strchr(key, '-') + 1;
        snprintf(o.text + strlen(o.text), sizeof o.text - strlen(o.text), "%.*s ", (int)strcspn(key, "\""), key);
        o.count++;
    }
    return o;
}

static void assert_ordered(const struct stage *g, const char *group, unsigned count) {
    struct order o = order_of(g, group);
    char *at = o.text;
    long last = -1;
    while (*at) {
        long number = strtol(at, &at, 10);
        if (number <= last)
            fail_msg("group %s: %s", group, o.text);
        last = number;
        at += *at == ' ';
    }
    assert_int_equal(o.count, count);
}

static void fifo_groups_move_in_order_however_sends_fail(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed < 15; seed++) {
        struct stage g;
        stage_init(&g, seed, true, 0);
        fill_group(&g, "a", 25);
        fill_group(&g, "b", 3);
        fill_group(&g, "c", 12);
        g.s.sqs->failed_entries = 200;
        g.s.sqs->send.lost_answers = g.s.sqs->remove.lost_answers = 100;
        start(&g);
        finish(&g, 600 * SECOND);
        assert_int_equal(g.result.counts.moved, 40);
        assert_ordered(&g, "a", 25);
        assert_ordered(&g, "b", 3);
        assert_ordered(&g, "c", 12);
        assert_int_equal(g.s.dlq->count, 0);
        stage_end(&g);
    }
}

static void of_a_fifo_group_those_that_are_meant_move_in_order_past_the_others(void **state) {
    (void)state;
    struct stage g;
    static const uint64_t seed[2] = {1, 2};
    struct buf why;
    struct id_choice id;
    stage_init(&g, 4, true, 0);
    fill_group(&g, "a", 30); /* each fifth is about k2 */
    fill_group(&g, "b", 4);
    buf_init(&why, 100);
    assert_int_equal(id_choice_init(&id, SPAN("k2"), NULL, seed, &why), ID_CHOICE_FINE);
    g.choice.id = &id;
    start(&g);
    finish(&g, 120 * SECOND);
    /* Of group a two stand among the first ten: then the eight others hide two more, and at last none. */
    assert_true(g.result.counts.moved >= 3);
    assert_ordered(&g, "a", (unsigned)g.result.counts.moved - 1);
    assert_ordered(&g, "b", 1);
    assert_int_equal(sim_queue_visible(g.s.dlq), 34 - g.result.counts.moved);
    assert_int_equal(g.result.counts.passed_over, 10 + 3); /* each that was seen once, however often it was looked at */
    id_choice_free(&id);
    buf_free(&why);
    stage_end(&g);
}

static void of_a_fifo_group_what_stands_behind_one_that_cannot_be_sent_stays(void **state) {
    (void)state;
    struct stage g;
    stage_init(&g, 4, true, 0);
    fill_group(&g, "a", 3);
    char large[3000];
    memset(large, 'x', sizeof large);
    large[sizeof large - 1] = '\0';
    sim_queue_send_fifo(g.s.dlq, large, "a", "large");
    for (unsigned i = 0; i < 9; i++) {
        char id[16];
        snprintf(id, sizeof id, "behind-%u", i);
        sim_queue_send_fifo(g.s.dlq, "{\"id\":\"k1\",\"attributes\":{\"n\":1}}", "a", id);
    }
    fill_group(&g, "b", 12);
    g.options.max_message_size = 2000;
    start(&g);
    finish(&g, 120 * SECOND);
    assert_int_equal(g.result.counts.moved, 15);
    assert_int_equal(g.result.counts.failed, 1);
    assert_int_equal(g.result.counts.behind, 6);
    assert_ordered(&g, "a", 3);
    assert_ordered(&g, "b", 12);
    assert_int_equal(sim_queue_visible(g.s.dlq), 10);
    stage_end(&g);
}

static void fault_12_a_fifo_send_that_is_repeated_after_a_kill_is_one_message(void **state) {
    (void)state;
    for (int64_t at = 0; at < 40; at++) {
        struct stage g;
        stage_init(&g, (uint64_t)at + 1, true, 0);
        fill_group(&g, "a", 14);
        fill_group(&g, "b", 5);
        start(&g);
        world_run(&g.s.world, at * 20 * MILLISECOND);
        kill_it(&g);
        world_run(&g.s.world, HOLDS_VISIBILITY * SECOND);
        start(&g);
        finish(&g, 120 * SECOND);
        assert_ordered(&g, "a", 14);
        assert_ordered(&g, "b", 5);
        assert_int_equal(g.s.dlq->count, 0);
        stage_end(&g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_there_moves_and_each_has_its_message_id_as_its_key),
        cmocka_unit_test(fault_12_killed_at_any_moment_nothing_is_lost_and_nothing_applied_twice),
        cmocka_unit_test(what_fails_again_meanwhile_is_left),
        cmocka_unit_test(what_came_after_the_beginning_is_left),
        cmocka_unit_test(only_what_is_meant_moves_and_the_rest_is_visible_again),
        cmocka_unit_test(a_limit_bounds_what_moves),
        cmocka_unit_test(a_rate_is_kept),
        cmocka_unit_test(entries_that_fail_are_sent_again_alone_and_only_what_was_acknowledged_is_deleted),
        cmocka_unit_test(a_batch_is_no_larger_than_a_message_may_be),
        cmocka_unit_test(what_the_queue_refuses_stays_and_is_named),
        cmocka_unit_test(what_something_on_the_way_does_not_let_pass_stays_and_the_others_move),
        cmocka_unit_test(denied_it_ends_with_the_reason_and_all_is_visible_again),
        cmocka_unit_test(an_outage_of_half_a_minute_is_waited_for_and_a_longer_one_ends_it),
        cmocka_unit_test(stopped_at_any_moment_what_was_begun_is_finished_and_the_rest_is_visible),
        cmocka_unit_test(handles_that_are_too_old_converge_once_the_message_comes_again),
        cmocka_unit_test(fifo_groups_move_in_order_however_sends_fail),
        cmocka_unit_test(of_a_fifo_group_those_that_are_meant_move_in_order_past_the_others),
        cmocka_unit_test(of_a_fifo_group_what_stands_behind_one_that_cannot_be_sent_stays),
        cmocka_unit_test(fault_12_a_fifo_send_that_is_repeated_after_a_kill_is_one_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
