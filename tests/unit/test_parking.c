#include "parking.h"
#include "worker_world.h"

#define HOT_RECORD "\"k0\""

/* One record with more messages than it can use, among others. */
struct crowd {
    struct scene *s;
    double rate, tokens; /* that the hot record is admitted with a second; 0: no bound */
    int64_t at;
    uint64_t others;
};

static enum sim_fate serve(void *ctx, const struct sim_transaction *t, struct transact_result *result) {
    struct crowd *c = ctx;
    if (!strstr(t->record, HOT_RECORD)) {
        c->others++;
        return SIM_RUN;
    }
    c->tokens += (double)(c->s->world.now - c->at) * c->rate / 1e6;
    c->tokens = c->tokens < c->rate ? c->tokens : c->rate;
    c->at = c->s->world.now;
    if (c->rate > 0 && c->tokens < 1) {
        sim_answer_cancelled(result, "ThrottlingError", t->audited ? "None" : NULL);
        return SIM_ANSWER;
    }
    c->tokens--;
    return SIM_RUN;
}

static void crowd_init(struct crowd *c, struct scene *s, uint64_t seed, double rate) {
    scene_init(s, seed, 1000);
    *c = (struct crowd){.s = s, .rate = rate, .at = s->world.now};
    s->db->hook = serve;
    s->db->hook_ctx = c;
    scene_start(s);
    scene_set(s, 999, 1);
    scene_empties(s, 10 * SECOND);
    c->others = 0;
}

/* Messages of which this part, per mille, is for one record (or where it isn't hot, for records of their own like all
 * else). How long until nine in ten of those for other records are applied. */
static int64_t others_take(struct crowd *c, unsigned count, unsigned per_mille, bool is_hot) {
    struct scene *s = c->s;
    struct random chance;
    unsigned others = 0;
    random_seed(&chance, 7);
    for (unsigned i = 0; i < count; i++) {
        bool hot = random_below(&chance, 1000) < per_mille && is_hot;
        others += !hot;
        scene_set(s, hot ? 0 : 1 + i % 998, i);
    }
    int64_t began = s->world.now;
    while (c->others * 10 < others * 9)
        world_run(&s->world, MILLISECOND);
    return s->world.now - began;
}

static void fault_18_a_record_with_a_share_of_all_messages_leaves_the_others_their_rate(void **state) {
    (void)state;
    static const unsigned shares[] = {50, 200, 500};
    static const double rates[] = {0, 5};
    for (size_t i = 0; i < ARRAY_LENGTH(shares); i++)
        for (size_t k = 0; k < ARRAY_LENGTH(rates); k++) {
            struct scene s;
            struct crowd c;
            int64_t time[2];
            for (unsigned hot = 0; hot < 2; hot++) {
                crowd_init(&c, &s, i, rates[k]);
                time[hot] = others_take(&c, 2000, shares[i], hot);
                for (size_t m = 0; m < s.sqs->all_count; m++)
                    assert_true(s.sqs->all[m]->receive_count <= 2);
                assert_int_equal(s.dlq->sent, 0);
                scene_done(&s);
            }
            if (9 * time[1] > 10 * time[0])
                fail_msg("share %u, rate %.0f: %.3f s instead of %.3f s", shares[i], rates[k], (double)time[1] / 1e6,
                         (double)time[0] / 1e6);
        }
}

/* Zipf: the k-th record is k times as rare as the first. */
static void fault_18_under_a_zipf_load_each_record_is_served_one_at_a_time_and_the_many_as_if_alone(void **state) {
    (void)state;
    int64_t time[2];
    for (unsigned zipf = 0; zipf < 2; zipf++) {
        struct scene s;
        struct crowd c;
        struct random chance;
        double sum = 0;
        uint64_t many = 0;
        crowd_init(&c, &s, 18, 0);
        random_seed(&chance, 9);
        for (unsigned k = 1; k < 1000; k++)
            sum += 1.0 / k;
        for (unsigned i = 0; i < 3000; i++) {
            double left = (double)random_below(&chance, 1 << 30) / (1 << 30) * sum;
            unsigned k = 1;
            while (k < 999 && (left -= 1.0 / k) > 0)
                k++;
            many += k > 10;
            scene_set(&s, zipf ? k - 1 : i % 999, i);
        }
        int64_t began = s.world.now;
        if (zipf) {
            /* All but the ten hottest. */
            while (s.db->committed < many * 9 / 10 + 1)
                world_run(&s.world, MILLISECOND);
        } else {
            while (s.db->committed < 2700)
                world_run(&s.world, MILLISECOND);
        }
        time[zipf] = s.world.now - began;
        scene_empties(&s, 5 * MINUTE);
        assert_int_equal(s.db->most_running_of_one_record, 1);
        scene_done(&s);
    }
    assert_true(9 * time[1] <= 10 * time[0]);
}

static void the_hot_record_itself_goes_on_near_its_own_pace(void **state) {
    (void)state;
    struct scene s;
    struct crowd c;
    crowd_init(&c, &s, 3, 0);
    others_take(&c, 4000, 300, true); /* and 1,200 for it, at some 80 a second */
    scene_empties(&s, 25 * SECOND);
    scene_done(&s);
}

static void a_queue_of_one_record_alone_gives_nothing_back(void **state) {
    (void)state;
    struct scene s;
    struct crowd c;
    crowd_init(&c, &s, 4, 0);
    for (unsigned i = 0; i < 1000; i++)
        scene_set(&s, 0, i);
    scene_empties(&s, MINUTE);
    for (size_t m = 0; m < s.sqs->all_count; m++)
        assert_int_equal(s.sqs->all[m]->receive_count, 1);
    assert_int_equal(scene_status(&s).given_back, 0);
    assert_int_equal(scene_n(&s, 0), 999);
    scene_done(&s);
}

static void where_sqs_counts_deliveries_strictly_or_in_a_hold_nothing_is_given_back(void **state) {
    (void)state;
    for (unsigned which = 0; which < 2; which++) {
        struct scene s;
        struct crowd c;
        crowd_init(&c, &s, 5, 0);
        sim_worker_kill(&s.worker);
        if (which == 0)
            s.worker.facts.queue.attributes.max_receive_count = 4;
        scene_start(&s);
        for (unsigned i = 0; i < 600; i++)
            scene_set(&s, i % 3 ? 0 : i, i);
        world_run(&s.world, 60 * MILLISECOND);
        if (which == 1)
            sim_dynamodb_set_mode(s.db, SIM_DOWN);
        uint64_t given_back = scene_status(&s).given_back;
        world_run(&s.world, 5 * SECOND);
        if (which == 1) { /* but for those that came while it wasn't noticed */
            given_back = scene_status(&s).given_back;
            world_run(&s.world, MINUTE);
        }
        assert_int_equal(scene_status(&s).given_back, given_back);
        sim_dynamodb_set_mode(s.db, SIM_UP);
        scene_empties(&s, 2 * MINUTE);
        scene_done(&s);
    }
}

static unsigned arrive(struct parking *p, uint64_t record, unsigned line, bool is_first, int64_t now) {
    struct arrival a = {.record = record, .line = line, .is_newest = true, .is_first = is_first};
    return parking_arrived(p, &a, now);
}

static void those_that_come_later_go_behind_and_those_that_come_again_stay(void **state) {
    (void)state;
    struct parking p;
    parking_init(&p, 256);
    int64_t now = SECOND;
    unsigned last = 0;
    for (unsigned i = 1; i < 2000; i++, now += MILLISECOND) {
        if (i % 2) {
            assert_int_equal(arrive(&p, 1000 + i, 1, true, now), 0);
            continue;
        }
        unsigned line = i / 2 < 17 ? i / 2 : 17;
        assert_int_equal(arrive(&p, 7, line, false, now), 0);
        unsigned seconds = arrive(&p, 7, line, true, now);
        assert_int_equal(seconds > 0, line > 16);
        assert_true(seconds + 1 >= last);
        last = seconds;
        if (i % 40 == 0)
            parking_served(&p, 7, now); /* 25 a second */
    }
    assert_in_range(last, 20, 60); /* 960 at 25 a second */
    assert_true(arrive(&p, 7, 2, true, now) >= last); /* though its line is short by now */
    assert_int_equal(arrive(&p, 7, 2, true, now + 2 * MINUTE), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fault_18_a_record_with_a_share_of_all_messages_leaves_the_others_their_rate),
        cmocka_unit_test(fault_18_under_a_zipf_load_each_record_is_served_one_at_a_time_and_the_many_as_if_alone),
        cmocka_unit_test(the_hot_record_itself_goes_on_near_its_own_pace),
        cmocka_unit_test(a_queue_of_one_record_alone_gives_nothing_back),
        cmocka_unit_test(where_sqs_counts_deliveries_strictly_or_in_a_hold_nothing_is_given_back),
        cmocka_unit_test(those_that_come_later_go_behind_and_those_that_come_again_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
