#include "worker_world.h"

#include "batcher.h"

static void fault_10_of_a_batch_of_deletes_only_those_that_failed_are_sent_again(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, 1, 12);
    scene_set(&s, 11, 1);
    scene_start(&s);
    scene_empties(&s, 10 * SECOND);
    for (uint32_t mask = 0; mask < 1024; mask++) {
        uint64_t calls = s.sqs->remove.calls;
        s.sqs->fail_deletes = mask;
        for (unsigned i = 0; i < 10; i++)
            scene_set(&s, i, mask);
        STEP_WHILE(&s.world, s.sqs->remove.calls == calls);
        world_run(&s.world, 50 * MILLISECOND);
        assert_int_equal(s.sqs->last_delete_count, 10);
        assert_int_equal(s.queue->count, __builtin_popcount(mask));
        uint64_t executed = s.sqs->remove.executed, deleted = s.queue->deleted;
        scene_empties(&s, 10 * SECOND);
        assert_int_equal(s.queue->deleted - deleted, __builtin_popcount(mask));
        assert_true(s.sqs->remove.executed - executed <= (uint64_t)__builtin_popcount(mask));
    }
    assert_int_equal(s.queue->stale_deletes, 0);
    scene_done(&s);
}

struct probe {
    struct world w;
    struct batcher batcher;
    struct batch_entry entries[40];
    struct {
        size_t count, first;
    } calls[200];
    unsigned call_count, done, refused, expired, trouble, taken;
    bool was_in_trouble;
    unsigned ends[40];
    /* The answers to come. */
    const char *whole_code; /* NULL: fine */
    int whole_status; /* 0: 400 */
    int64_t retry_after;
    size_t poison; /* this entry (by number, counted from 1) fails any call with it as a whole */
    size_t most_bytes; /* that pass on the way; 0: any */
    uint64_t failing; /* entries (by number) that fail alone */
    const char *entry_code;
    struct batch_flight *flights[200];
    struct {
        size_t index[SQS_BATCH_MAX], count;
    } under_way[200];
    struct timer answer;
    unsigned answered;
    bool no_memory;
};

static struct call *probe_send(void *ctx, struct batch_entry *const *entries, size_t count,
                               const struct call_options *options, struct batch_flight *flight) {
    struct probe *p = ctx;
    (void)options;
    if (p->no_memory || p->call_count == ARRAY_LENGTH(p->calls))
        return NULL;
    unsigned at = p->call_count++;
    p->calls[at].count = count;
    p->flights[at] = flight;
    p->under_way[at].count = count;
    for (size_t i = 0; i < count; i++)
        p->under_way[at].index[i] = (size_t)(entries[i] - p->entries);
    if (!p->answer.running)
        timer_start(&p->w.timers, &p->answer, p->w.now + 10 * MILLISECOND);
    return (struct call *)(void *)p;
}

static void probe_answer(void *user) {
    struct probe *p = user;
    unsigned at = p->answered++;
    struct call_result result = {.class = CALL_OK, .status = 200};
    struct sqs_entry_result results[SQS_BATCH_MAX] = {0};
    const char *whole_code = p->whole_code;
    size_t bytes = 0;
    bool poisoned = false;
    for (size_t i = 0; i < p->under_way[at].count; i++) {
        poisoned = poisoned || p->under_way[at].index[i] + 1 == p->poison;
        bytes += p->entries[p->under_way[at].index[i]].size;
    }
    if (poisoned || (p->most_bytes && bytes > p->most_bytes))
        whole_code = "";
    if (whole_code)
        sim_call_fail(&result,
                      poisoned          ? 403
                      : p->most_bytes   ? 413
                      : p->whole_status ? p->whole_status
                                        : 400,
                      whole_code, "");
    result.retry_after = p->retry_after;
    for (size_t i = 0; i < p->under_way[at].count; i++) {
        bool fails = p->failing >> p->under_way[at].index[i] & 1;
        results[i].ok = !fails;
        if (fails)
            snprintf(results[i].code, sizeof results[i].code, "%s", p->entry_code ? p->entry_code : "InternalError");
    }
    if (p->answered < p->call_count)
        timer_start(&p->w.timers, &p->answer, p->w.now + 10 * MILLISECOND);
    batcher_answered(p->flights[at], &result, whole_code ? NULL : results, whole_code ? 0 : p->under_way[at].count);
    if (p->answered < p->call_count && !p->answer.running)
        timer_start(&p->w.timers, &p->answer, p->w.now + 10 * MILLISECOND);
}

static void probe_ended(void *ctx, struct batch_entry *entry, enum batch_end end, const char *code) {
    struct probe *p = ctx;
    (void)code;
    assert_false(batch_entry_busy(entry));
    p->ends[entry - p->entries]++;
    p->done += end == BATCH_DONE;
    p->refused += end == BATCH_REFUSED;
    p->expired += end == BATCH_EXPIRED;
}

/* Trouble that began or ended. */
static void probe_changed(void *ctx) {
    struct probe *p = ctx;
    p->trouble += batcher_in_trouble(&p->batcher) != p->was_in_trouble;
    p->was_in_trouble = batcher_in_trouble(&p->batcher);
}

static struct sim_worker shared;

static void probe_init(struct probe *p, uint64_t seed, size_t max_bytes) {
    *p = (struct probe){0};
    struct world *w = &p->w;
    sim_usual_world(w, seed);
    sim_worker_init(&shared, w);
    shared.platform = (struct platform){
        .sqs = &shared.sqs, .clock = &w->clock, .timers = &w->timers, .random = &shared.random, .log = &w->log};
    struct batcher_kind kind = {.what = "Probing",
                                .max_bytes = max_bytes,
                                .linger = 50 * MILLISECOND,
                                .max_flights = 2,
                                .send = probe_send,
                                .ended = probe_ended,
                                .changed = probe_changed,
                                .changed_ctx = p};
    batcher_init(&p->batcher, &shared.platform, &kind, p);
    timer_init(&p->answer, probe_answer, p);
}

static void probe_done(struct probe *p) {
    batcher_done(&p->batcher);
    world_done(&p->w);
}

static void add(struct probe *p, size_t i, int64_t patience) {
    p->entries[i].expires = patience == NEVER ? NEVER : p->w.now + patience;
    batcher_add(&p->batcher, &p->entries[i]);
}

static void entries_wait_for_company_and_no_longer_than_their_linger(void **state) {
    (void)state;
    struct probe p;
    probe_init(&p, 1, 0);
    for (size_t i = 0; i < 25; i++)
        add(&p, i, NEVER);
    world_run(&p.w, MILLISECOND);
    assert_int_equal(p.call_count, 2);
    world_run(&p.w, 200 * MILLISECOND);
    assert_int_equal(p.call_count, 3);
    assert_int_equal(p.calls[2].count, 5);
    assert_int_equal(p.done, 25);
    probe_done(&p);
}

static void what_somebody_waits_for_lingers_less_and_takes_its_company_along(void **state) {
    (void)state;
    struct probe p;
    probe_init(&p, 1, 0);
    batcher_within(&p.batcher, MILLISECOND); /* nothing is queued */
    for (size_t i = 0; i < 3; i++)
        add(&p, i, NEVER);
    world_run(&p.w, 20 * MILLISECOND);
    batcher_within(&p.batcher, 5 * MILLISECOND);
    batcher_within(&p.batcher, 500 * MILLISECOND); /* never longer */
    world_run(&p.w, 4 * MILLISECOND);
    assert_int_equal(p.call_count, 0);
    world_run(&p.w, 2 * MILLISECOND);
    assert_int_equal(p.call_count, 1);
    assert_int_equal(p.calls[0].count, 3);
    /* In trouble it changes nothing. */
    p.whole_code = "ServiceUnavailable";
    add(&p, 3, NEVER);
    world_run(&p.w, 100 * MILLISECOND);
    unsigned calls = p.call_count;
    batcher_within(&p.batcher, 0);
    world_run(&p.w, 100 * MILLISECOND);
    assert_int_equal(p.call_count, calls);
    probe_done(&p);
}

/* 20 and above are taken back, 10 to 19 stay, the others go. */
static enum batch_leave probe_leave(void *ctx, struct batch_entry *entry, bool others_go) {
    struct probe *p = ctx;
    size_t i = (size_t)(entry - p->entries);
    if (i >= 20) {
        batcher_remove(&p->batcher, entry);
        p->taken++;
        return BATCH_TAKEN;
    }
    return i >= 10 && others_go ? BATCH_STAYS : BATCH_GOES;
}

static void an_entry_goes_when_its_owner_gives_leave_and_holds_up_nobody_before_it(void **state) {
    (void)state;
    struct probe p;
    probe_init(&p, 3, 0);
    p.batcher.kind.leave = probe_leave;
    for (size_t i = 20; i < 40; i++)
        add(&p, i, NEVER);
    world_run(&p.w, 100 * MILLISECOND);
    assert_int_equal(p.call_count, 0); /* an empty batch is no call */
    world_run(&p.w, 2 * SECOND);
    assert_int_equal(p.taken, 20);
    add(&p, 10, NEVER);
    add(&p, 11, NEVER);
    add(&p, 21, NEVER);
    p.entries[1].expires = NEVER;
    batcher_add_first(&p.batcher, &p.entries[1]);
    world_run(&p.w, 5 * SECOND);
    assert_int_equal(p.calls[0].count, 1); /* the first alone: one behind it stays */
    assert_int_equal(p.under_way[0].index[0], 1);
    assert_int_equal(p.done, 3);
    assert_int_equal(p.taken, 21);
    probe_done(&p);
}

static void one_that_keeps_failing_keeps_nobody_waiting(void **state) {
    (void)state;
    struct probe p;
    probe_init(&p, 2, 0);
    p.failing = 1;
    add(&p, 0, NEVER);
    world_run(&p.w, 5 * MINUTE);
    assert_int_equal(p.done, 0);
    assert_in_range(p.call_count, 15, 60);
    for (size_t i = 1; i < 10; i++) {
        unsigned done = p.done;
        add(&p, i, NEVER);
        world_run(&p.w, 100 * MILLISECOND);
        assert_int_equal(p.done, done + 1);
        world_run(&p.w, 3 * SECOND);
    }
    /* Ten that arrive together don't hasten it either. */
    unsigned before = p.call_count;
    for (size_t i = 10; i < 40; i++)
        add(&p, i, NEVER);
    world_run(&p.w, 100 * MILLISECOND);
    assert_in_range(p.call_count - before, 3, 4);
    p.failing = 0;
    world_run(&p.w, MINUTE);
    assert_int_equal(p.done, 40);
    probe_done(&p);
}

static void in_trouble_one_call_at_a_time_finds_the_end_of_it(void **state) {
    (void)state;
    static const char *const codes[] = {"InternalError",
                                        "AccessDenied",
                                        "QueueDoesNotExist",
                                        "KmsDisabled",
                                        "ThrottlingException",
                                        "SerializationException",
                                        "UnknownOperationException",
                                        "InvalidAction",
                                        "MissingParameter",
                                        "SomethingNew",
                                        "NotSignedUp",
                                        "AccountBlocked"};
    for (size_t c = 0; c < ARRAY_LENGTH(codes); c++) {
        struct probe p;
        probe_init(&p, 3, 0);
        p.whole_code = codes[c];
        for (size_t i = 0; i < 40; i++)
            add(&p, i, NEVER);
        world_run(&p.w, 10 * MINUTE);
        assert_in_range(p.call_count, 25, 100);
        assert_int_equal(p.done + p.refused + p.expired, 0);
        assert_int_equal(p.trouble, 1);
        assert_true(batcher_in_trouble(&p.batcher));
        assert_int_equal(world_logged(&p.w, "Probing fails; trying again until it works"), 1);
        for (unsigned call = 0; call < p.call_count; call++)
            assert_int_equal(p.calls[call].count, 10); /* as they were, not one by one */
        p.whole_code = NULL;
        world_run(&p.w, 30 * SECOND);
        assert_int_equal(p.done, 40);
        assert_int_equal(p.trouble, 2);
        probe_done(&p);
    }
}

static void an_answer_that_names_no_entry_is_told_as_that(void **state) {
    (void)state;
    struct probe p;
    probe_init(&p, 4, 0);
    p.failing = UINT64_MAX;
    p.entry_code = "";
    for (size_t i = 0; i < 10; i++)
        add(&p, i, NEVER);
    world_run(&p.w, MINUTE);
    assert_int_equal(world_logged(&p.w, "Probing fails; trying again until it works"), 1);
    assert_int_equal(world_logged(&p.w, "code=\"the answer names no entry as SQS does\" status=200"), 1);
    p.failing = 0;
    world_run(&p.w, MINUTE);
    assert_int_equal(p.done, 10);
    probe_done(&p);
}

static void entries_refused_as_a_whole_are_told_apart_one_by_one(void **state) {
    (void)state;
    struct probe p;
    probe_init(&p, 4, 0);
    p.whole_code = "InvalidMessageContents";
    for (size_t i = 0; i < 10; i++)
        add(&p, i, NEVER);
    world_run(&p.w, 10 * SECOND);
    assert_int_equal(p.refused, 10);
    assert_int_equal(p.call_count, 11);
    assert_int_equal(p.trouble, 0);
    probe_done(&p);
}

static void an_entry_is_refused_by_a_code_that_names_it_and_by_no_other(void **state) {
    (void)state;
    static const char *const passing[] = {"KmsAccessDenied",    "OverLimit",     "ExpiredToken", "InvalidClientTokenId",
                                          "ServiceUnavailable", "InternalError", "SomethingNew"};
    for (size_t c = 0; c < ARRAY_LENGTH(passing); c++) {
        struct probe p;
        probe_init(&p, 5, 0);
        p.batcher.kind.what = "Changing the visibility of messages";
        p.failing = 3;
        p.entry_code = passing[c];
        add(&p, 0, NEVER);
        world_run(&p.w, MINUTE);
        assert_int_equal(p.refused, 0);
        assert_int_equal(world_logged(&p.w, "Changing the visibility of messages keeps failing for one entry at least; "
                                            "trying again until it works"),
                         1); /* not at each try */
        p.entry_code = c % 2 ? "InvalidMessageContents" : "AWS.SimpleQueueService.ReceiptHandleIsInvalid";
        add(&p, 1, NEVER);
        world_run(&p.w, MINUTE);
        assert_int_equal(p.refused, 2);
        probe_done(&p);
    }
}

static void a_batch_too_large_for_the_way_goes_one_by_one_and_what_is_too_large_alone_is_refused(void **state) {
    (void)state;
    struct probe p;
    probe_init(&p, 11, 1000);
    p.most_bytes = 500;
    for (size_t i = 0; i < 3; i++) {
        p.entries[i].size = i == 1 ? 501 : 240;
        add(&p, i, NEVER);
    }
    world_run(&p.w, SECOND);
    assert_int_equal(p.call_count, 4);
    assert_int_equal(p.done, 2);
    assert_int_equal(p.refused, 1);
    assert_int_equal(p.trouble, 0);
    /* Those after them try it in company again. */
    p.entries[3].size = p.entries[4].size = 100;
    add(&p, 3, NEVER);
    add(&p, 4, NEVER);
    world_run(&p.w, SECOND);
    assert_int_equal(p.calls[4].count, 2);
    probe_done(&p);
}

/* A receipt handle: whatever says so means something else. */
static void what_is_small_in_itself_is_never_refused_for_its_size(void **state) {
    (void)state;
    struct probe p;
    probe_init(&p, 12, 0);
    p.whole_code = "";
    p.whole_status = 413;
    for (size_t i = 0; i < 3; i++)
        add(&p, i, NEVER);
    world_run(&p.w, MINUTE);
    assert_int_equal(p.refused, 0);
    assert_true(batcher_in_trouble(&p.batcher));
    assert_in_range(p.call_count, 5, 30);
    p.whole_code = NULL;
    world_run(&p.w, 30 * SECOND);
    assert_int_equal(p.done, 3);
    probe_done(&p);
}

static void one_that_a_firewall_refuses_keeps_its_company_no_longer(void **state) {
    (void)state;
    struct probe p;
    probe_init(&p, 13, 0);
    p.poison = 4;
    for (size_t i = 0; i < 10; i++)
        add(&p, i, NEVER);
    world_run(&p.w, 30 * SECOND);
    assert_int_equal(p.done, 9);
    assert_int_equal(p.refused, 0);
    p.poison = 0;
    world_run(&p.w, 30 * SECOND);
    assert_int_equal(p.done, 10);
    probe_done(&p);
}

static void an_hour_of_retry_after_stops_a_batcher_for_seconds(void **state) {
    (void)state;
    struct probe p;
    probe_init(&p, 14, 0);
    p.whole_code = "";
    p.whole_status = 503;
    p.retry_after = HOUR;
    add(&p, 0, NEVER);
    world_run(&p.w, SECOND);
    p.whole_code = NULL;
    p.retry_after = 0;
    world_run(&p.w, 15 * SECOND);
    assert_int_equal(p.call_count, 1); /* it is heeded, though */
    world_run(&p.w, 6 * SECOND);
    assert_int_equal(p.done, 1);
    probe_done(&p);
}

static void whoever_has_little_time_waits_a_second_at_most_in_trouble(void **state) {
    (void)state;
    struct probe p;
    probe_init(&p, 15, 0);
    p.whole_code = "";
    p.whole_status = 503;
    p.retry_after = HOUR;
    add(&p, 0, NEVER);
    world_run(&p.w, SECOND);
    assert_int_equal(p.call_count, 1);
    batcher_hurry(&p.batcher);
    world_run(&p.w, 1100 * MILLISECOND);
    assert_int_equal(p.call_count, 2);
    world_run(&p.w, 10 * SECOND);
    assert_in_range(p.call_count, 10, 22);
    p.whole_code = NULL;
    world_run(&p.w, 1100 * MILLISECOND);
    assert_int_equal(p.done, 1);
    probe_done(&p);
}

static void an_entry_whose_time_is_over_is_given_up_wherever_it_stands(void **state) {
    (void)state;
    struct probe p;
    probe_init(&p, 6, 0);
    p.failing = 1;
    add(&p, 0, 30 * SECOND);
    world_run(&p.w, 31 * SECOND);
    assert_int_equal(p.expired, 1);
    p.whole_code = "InternalError";
    add(&p, 1, 30 * SECOND);
    world_run(&p.w, 55 * SECOND);
    assert_int_equal(p.expired, 2);
    probe_done(&p);
}

static void each_is_given_up_in_its_own_time_whatever_the_order_they_came_in(void **state) {
    (void)state;
    static const int patience[] = {50, 20, 70, 20, 10, 60, 30};
    struct probe p;
    probe_init(&p, 6, 0);
    p.whole_code = "InternalError";
    for (size_t i = 0; i < ARRAY_LENGTH(patience); i++)
        add(&p, i, patience[i] * SECOND);
    for (int second = 1; second <= 100; second++) {
        world_run(&p.w, SECOND);
        unsigned over = 0, overdue = 0;
        for (size_t i = 0; i < ARRAY_LENGTH(patience); i++) {
            over += patience[i] <= second;
            overdue += patience[i] + 25 <= second; /* who was on the way, or waited for the next try */
        }
        assert_in_range(p.expired, overdue, over);
    }
    assert_int_equal(p.expired, ARRAY_LENGTH(patience));
    probe_done(&p);
}

static void trouble_lasts_only_while_there_is_something_to_send(void **state) {
    (void)state;
    struct probe p;
    probe_init(&p, 10, 0);
    p.whole_code = "InternalError";
    add(&p, 0, 30 * SECOND);
    world_run(&p.w, 20 * MINUTE);
    assert_int_equal(p.expired, 1);
    assert_false(batcher_troubled_since(&p.batcher, p.w.now));
    add(&p, 1, 30 * MINUTE);
    world_run(&p.w, 9 * MINUTE);
    assert_false(batcher_troubled_since(&p.batcher, p.w.now - 10 * MINUTE));
    world_run(&p.w, 2 * MINUTE);
    assert_true(batcher_troubled_since(&p.batcher, p.w.now - 10 * MINUTE));
    probe_done(&p);
}

static void what_is_removed_has_no_end(void **state) {
    (void)state;
    struct probe p;
    probe_init(&p, 7, 0);
    p.failing = 4;
    for (size_t i = 0; i < 4; i++)
        add(&p, i, NEVER);
    batcher_remove(&p.batcher, &p.entries[0]); /* queued */
    world_run(&p.w, 55 * MILLISECOND);
    batcher_remove(&p.batcher, &p.entries[1]); /* in flight */
    world_run(&p.w, 10 * MILLISECOND);
    batcher_remove(&p.batcher, &p.entries[2]); /* waits for its turn */
    world_run(&p.w, MINUTE);
    assert_int_equal(p.ends[0] + p.ends[1] + p.ends[2], 0);
    assert_int_equal(p.ends[3], 1);
    probe_done(&p);
}

static void a_batch_keeps_to_its_bytes(void **state) {
    (void)state;
    struct probe p;
    probe_init(&p, 8, 100);
    static const size_t sizes[] = {60, 40, 1, 100, 99, 2, 250, 50, 50};
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        p.entries[i].size = sizes[i];
        add(&p, i, NEVER);
    }
    world_run(&p.w, SECOND);
    static const size_t counts[] = {2, 1, 1, 1, 1, 1, 2};
    assert_int_equal(p.call_count, ARRAY_LENGTH(counts));
    for (size_t i = 0; i < ARRAY_LENGTH(counts); i++)
        assert_int_equal(p.calls[i].count, counts[i]);
    assert_int_equal(p.done, ARRAY_LENGTH(sizes));
    probe_done(&p);
}

static void without_memory_for_a_call_it_is_tried_again(void **state) {
    (void)state;
    struct probe p;
    probe_init(&p, 9, 0);
    p.no_memory = true;
    for (size_t i = 0; i < 4; i++)
        add(&p, i, NEVER);
    world_run(&p.w, 10 * SECOND);
    p.no_memory = false;
    world_run(&p.w, 2 * SECOND);
    assert_int_equal(p.done, 4);
    assert_int_equal(p.call_count, 1);
    probe_done(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fault_10_of_a_batch_of_deletes_only_those_that_failed_are_sent_again),
        cmocka_unit_test(entries_wait_for_company_and_no_longer_than_their_linger),
        cmocka_unit_test(what_somebody_waits_for_lingers_less_and_takes_its_company_along),
        cmocka_unit_test(an_entry_goes_when_its_owner_gives_leave_and_holds_up_nobody_before_it),
        cmocka_unit_test(one_that_keeps_failing_keeps_nobody_waiting),
        cmocka_unit_test(in_trouble_one_call_at_a_time_finds_the_end_of_it),
        cmocka_unit_test(an_answer_that_names_no_entry_is_told_as_that),
        cmocka_unit_test(entries_refused_as_a_whole_are_told_apart_one_by_one),
        cmocka_unit_test(an_entry_is_refused_by_a_code_that_names_it_and_by_no_other),
        cmocka_unit_test(a_batch_too_large_for_the_way_goes_one_by_one_and_what_is_too_large_alone_is_refused),
        cmocka_unit_test(what_is_small_in_itself_is_never_refused_for_its_size),
        cmocka_unit_test(one_that_a_firewall_refuses_keeps_its_company_no_longer),
        cmocka_unit_test(an_hour_of_retry_after_stops_a_batcher_for_seconds),
        cmocka_unit_test(whoever_has_little_time_waits_a_second_at_most_in_trouble),
        cmocka_unit_test(an_entry_whose_time_is_over_is_given_up_wherever_it_stands),
        cmocka_unit_test(each_is_given_up_in_its_own_time_whatever_the_order_they_came_in),
        cmocka_unit_test(trouble_lasts_only_while_there_is_something_to_send),
        cmocka_unit_test(what_is_removed_has_no_end),
        cmocka_unit_test(a_batch_keeps_to_its_bytes),
        cmocka_unit_test(without_memory_for_a_call_it_is_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
