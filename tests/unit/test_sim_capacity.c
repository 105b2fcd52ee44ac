/* The simulated write capacity. */
#include "sim_table_fixture.h"

/* How many of so many updates of a record, without a pause between them, are not throttled. */
static unsigned admitted(struct tables *t, const char *key, unsigned updates) {
    unsigned count = 0;
    for (unsigned i = 0; i < updates; i++)
        count += transact(t, key, 2, 1, "", "").call.class == CALL_OK;
    return count;
}

static void a_table_admits_what_its_capacity_is_and_no_more(void **state) {
    (void)state;
    struct tables t;
    tables_init(&t);
    t.db->transact.latency = t.db->transact.jitter = 0;
    t.users->write_capacity = 20; /* a small write in a transaction costs two */
    assert_int_equal(admitted(&t, "k", 30), 10);
    struct transact_result r = transact(&t, "k", 2, 1, "a", "");
    expect_reasons(&r, "ProvisionedThroughputExceeded", "None");
    assert_int_equal(r.call.class, CALL_THROTTLED);
    world_run(&t.world, 500 * MILLISECOND);
    assert_int_equal(admitted(&t, "k", 30), 5);
    t.users->burst_seconds = 10;
    world_run(&t.world, 100 * SECOND);
    assert_int_equal(admitted(&t, "k", 300), 100);
    assert_int_equal(t.users->units, 230);
    world_done(&t.world);
}

static void a_hot_key_is_throttled_alone(void **state) {
    (void)state;
    struct tables t;
    tables_init(&t);
    t.db->transact.latency = t.db->transact.jitter = 0;
    sim_table_put(t.users, "cold", "n", "1");
    t.users->partition_capacity = 4;
    t.users->on_demand = true;
    assert_int_equal(admitted(&t, "k", 10), 2);
    struct transact_result r = transact(&t, "k", 2, 1, "", "");
    expect_reasons(&r, "ThrottlingError", NULL);
    assert_int_equal(admitted(&t, "cold", 10), 2);
    world_done(&t.world);
}

static void a_false_condition_costs_and_a_throttle_does_not(void **state) {
    (void)state;
    struct tables t;
    tables_init(&t);
    t.db->transact.latency = t.db->transact.jitter = 0;
    t.users->write_capacity = 2;
    struct transact_result r = transact(&t, "k", 2, 9, "", "");
    expect_reasons(&r, "ConditionalCheckFailed", NULL);
    for (int i = 0; i < 3; i++) {
        r = transact(&t, "k", 2, 1, "", "");
        expect_reasons(&r, "ProvisionedThroughputExceeded", NULL);
    }
    assert_int_equal(t.users->units, 2);
    world_run(&t.world, SECOND);
    assert_int_equal(admitted(&t, "k", 1), 1);
    world_done(&t.world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_admits_what_its_capacity_is_and_no_more),
        cmocka_unit_test(a_hot_key_is_throttled_alone),
        cmocka_unit_test(a_false_condition_costs_and_a_throttle_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
