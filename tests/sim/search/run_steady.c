/* A backlog, an outage, and whether the rate is back at nine tenths a minute after it (fault 16); 30 s after deletes
 * that failed (34). */
#include "run_private.h"

static const size_t BACKLOG = 60;
static const int64_t WINDOW = 30 * MICROSECONDS;

static void run_until(struct run *r, int64_t until) {
    while (r->world.now < until) {
        while (r->judge.queue->count < BACKLOG)
            run_feed(r, true);
        if (world_next(&r->world) > until) {
            r->world.now = until;
            return;
        }
        world_step(&r->world);
        slots_review(r);
    }
}

static uint64_t applied_until(struct run *r, int64_t until) {
    uint64_t before = r->world.dynamodb.committed;
    run_until(r, until);
    return r->world.dynamodb.committed - before;
}

/* What can't be deleted is kept: nothing comes a second time for it (fault 34). */
static void judge_receives(struct run *r) {
    const struct sim_sqs *sqs = &r->world.sqs;
    size_t again = 0;
    for (size_t i = 0; i < sqs->all_count; i++)
        again += sqs->all[i]->receive_count > 1;
    if (again > 0)
        judge_broken(&r->judge, "lease", "%zu messages were received more than once while deletes failed", again);
}

void steady_run(struct run *r) {
    const struct plan_fault *f = &r->plan->faults[0];
    int64_t start = r->world.now, over = start + f->at + f->lasts,
            recovers = f->kind == FAULT_UNDELETED ? WINDOW : MINUTE;
    if (f->left_out)
        return;
    run_until(r, start + f->at - WINDOW);
    uint64_t before = applied_until(r, start + f->at);
    run_until(r, over + recovers);
    uint64_t after = applied_until(r, over + recovers + WINDOW);
    if (after * 10 < before * 9)
        judge_broken(&r->judge, "recovery",
                     "%llu were applied in 30 s before %s, and %llu in 30 s from %.0f s after it",
                     (unsigned long long)before, fault_name(f->kind), (unsigned long long)after,
                     (double)recovers / (double)SECOND);
    if (f->kind == FAULT_UNDELETED)
        judge_receives(r);
}
