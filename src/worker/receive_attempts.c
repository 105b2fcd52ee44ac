#include "receive_attempts.h"

#include "clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const int64_t ATTEMPT_LIFE = 300 * MICROSECONDS;
/* The repeated call has to reach SQS before the attempt's life ends. */
static const int64_t MARGIN = 2 * MICROSECONDS;
static const unsigned HOPELESS = 6; /* cuts */
/* The wait after the second cut; it doubles with each further one, so that others have their turn. */
static const int64_t PATIENCE = 500 * MILLISECOND;

struct receive_attempt receive_attempt_new(struct random *random, unsigned max_messages, int64_t now) {
    struct receive_attempt attempt = {.max_messages = max_messages, .since = now};
    uint64_t high = random_next(random);
    snprintf(attempt.id, sizeof attempt.id, "%016" PRIx64 "%016" PRIx64, high, random_next(random));
    return attempt;
}

static void take_out(struct receive_attempts *attempts, size_t index) {
    attempts->count--;
    memmove(&attempts->lost[index], &attempts->lost[index + 1], (attempts->count - index) * sizeof attempts->lost[0]);
}

void receive_attempts_lost(struct receive_attempts *attempts, const struct receive_attempt *attempt, bool cut,
                           int64_t now) {
    if (cut && attempt->cuts + 1 >= HOPELESS)
        return;
    if (attempts->count == RECEIVE_ATTEMPTS_MAX)
        take_out(attempts, 0);
    struct receive_attempt *lost = &attempts->lost[attempts->count++];
    *lost = *attempt;
    lost->cuts += cut;
    lost->not_before = lost->cuts > 1 ? now + (PATIENCE << (lost->cuts - 2)) : now;
}

bool receive_attempts_repeat(struct receive_attempts *attempts, unsigned max_messages, int64_t hidden, int64_t now,
                             struct receive_attempt *ret_attempt) {
    int64_t life = (hidden < ATTEMPT_LIFE ? hidden : ATTEMPT_LIFE) - MARGIN;
    for (size_t i = 0; i < attempts->count;) {
        struct receive_attempt attempt = attempts->lost[i];
        bool over = now - attempt.since >= life;
        if (!over && (attempt.max_messages > max_messages || now < attempt.not_before)) {
            i++; /* its answer would have no room yet, or would be cut again */
            continue;
        }
        take_out(attempts, i);
        if (over)
            continue;
        *ret_attempt = attempt;
        return true;
    }
    return false;
}
