#include "check.h"

#define CALL_DEADLINE (12 * MICROSECONDS)

bool check_wait(struct check *c) {
    c->waiting = true;
    while (c->waiting && !c->signal) {
        if (!loop_run(c->app->loop)) {
            break;
        }
    }
    return !c->waiting;
}

void check_go_on(struct check *c) {
    c->waiting = false;
    loop_stop(c->app->loop);
}

struct call_options check_call_options(const struct check *c) {
    return (struct call_options){.deadline = clock_monotonic(&c->app->services.machine_clock) + CALL_DEADLINE};
}

void check_answered(void *user, const struct call_result *result) {
    struct check_answer *answer = user;
    answer->result = *result;
    check_go_on(answer->check);
}

bool check_await(struct check_answer *answer, struct call *call) {
    if (!call) {
        answer->result = (struct call_result){.class = CALL_RETRY, .message = "there is no memory"};
        return true;
    }
    if (!check_wait(answer->check)) {
        call_cancel(call);
        return false;
    }
    return true;
}
