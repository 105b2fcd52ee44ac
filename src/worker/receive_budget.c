#include "receive_budget.h"

#include "sqs.h"

/* Where the rate is limited, no more than a few seconds' worth, so that other workers can take the rest. */
unsigned receive_paced(unsigned most, unsigned rate) {
    if (!rate)
        return most;
    unsigned paced = rate < 4 ? 10 : rate > UINT32_MAX / 4 ? most : rate * 4;
    return paced < most ? paced : most;
}

/* Two receives share a small bound, so that one's messages are worked on while the other's come. */
unsigned receive_whole_batch(unsigned paced) {
    unsigned half = (paced + 1) / 2;
    return half < SQS_BATCH_MAX ? half : SQS_BATCH_MAX;
}

/* So many that at most a tenth of a small bound stays unused. Where workers are out of step it may stay so: with a
 * quarter they were slower for it after a fault than before. */
unsigned receive_least_batch(unsigned paced) {
    unsigned tenth = paced / 10 + 1;
    return tenth < SQS_BATCH_MAX ? tenth : SQS_BATCH_MAX;
}

unsigned receive_allowance(const struct receive_budget *b, const struct receive_reserve *r, unsigned batch,
                           size_t bytes_most) {
    unsigned taken = b->in_flight + r->messages, most = b->most;
    /* Where as many messages fail as may be in flight, there is no room for the one that is to tell. So one more is
     * allowed, but no second. */
    if (b->receiving == RECEIVE_ONE_MORE && r->receives == 0 && !b->some_wait)
        most++;
    if (b->receiving == RECEIVE_NOTHING || taken >= most || (b->receiving == RECEIVE_ONE_MORE && r->receives > 0))
        return 0;
    if (b->receiving == RECEIVE_ONE)
        return b->untried == 0 && r->receives <= r->late;
    unsigned wanted = b->receiving == RECEIVE_ONE_MORE ? 1 : batch, room = b->paced > taken ? b->paced - taken : 0;
    if (b->receiving == RECEIVE_FREELY && room < wanted && room < receive_least_batch(b->paced))
        return 0; /* there isn't room for a call's worth yet */
    if (b->receiving == RECEIVE_FREELY && b->begun_most && b->begun + r->messages + wanted > b->begun_most)
        return 0;
    if (b->receiving != RECEIVE_ONE_MORE && wanted > room)
        wanted = room;
    /* About half of the messages come while the other half is worked on: else all would begin at once. */
    unsigned on_their_way = b->paced / 2 > 2 * batch ? b->paced / 2 : 2 * batch;
    if (b->receiving == RECEIVE_FREELY && r->messages + wanted > on_their_way)
        return 0;
    size_t bytes = b->bytes + r->bytes;
    size_t fit = bytes < bytes_most ? (bytes_most - bytes) / r->bytes_each : 0;
    return fit < wanted ? (unsigned)fit : wanted;
}
