#include "intake.h"

unsigned intake_waiting_for_dlq(const struct intake *i) {
    return i->messages.counts[MESSAGE_DEAD_LETTERING] + applier_unconfirmed(i->applier) + i->applier->tried_anew;
}

unsigned intake_waiting_for_delete(const struct intake *i) {
    return deletions_fail(&i->messages.deletions) ? i->messages.counts[MESSAGE_DELETING] : 0;
}

/* How many messages may wait for the DLQ, and how many for deletes, while that is down. */
static unsigned quarter(const struct intake *i) {
    unsigned quarter = i->max_in_flight / 4;
    return quarter ? quarter : 1;
}

/* Whether receiving has to wait for deletes. Messages that were applied and can't be deleted would come again. */
static bool deletes_hold_back(struct intake *i) {
    const struct messages *all = &i->messages;
    unsigned undeleted = all->counts[MESSAGE_DELETING];
    bool wait =
        (undeleted >= quarter(i) && deletions_fail(&all->deletions)) || all->deletions.batcher.retrying > quarter(i);
    if (wait && !i->waits_for_deletes)
        LOG_EVENT(i->platform->log, LOG_LEVEL_WARNING,
                  "Receiving pauses: a quarter of MAX_IN_FLIGHT is done with and can't be deleted. Their visibility "
                  "timeouts are extended meanwhile",
                  LOG_I("undeleted", undeleted));
    else if (!wait && i->waits_for_deletes)
        LOG_EVENT(i->platform->log, LOG_LEVEL_INFO, "Receiving goes on: messages can be deleted again",
                  LOG_I("undeleted", undeleted));
    i->waits_for_deletes = wait;
    return wait;
}

static struct receive_budget budget(const struct intake *i) {
    const struct messages *all = &i->messages;
    unsigned in_flight = messages_in_flight(all), most = i->max_in_flight;
    unsigned paced = receive_paced(most, applier_rate(i->applier));
    return (struct receive_budget){.receiving = applier_receiving(i->applier, in_flight >= paced),
                                   .in_flight = in_flight,
                                   .untried = all->counts[MESSAGE_WAITING] + all->counts[MESSAGE_APPLYING] -
                                              applier_unconfirmed(i->applier),
                                   .begun = i->applier->counts[JOB_READY] + i->applier->counts[JOB_RUNNING],
                                   .begun_most = applier_begun_most(i->applier),
                                   .some_wait = all->counts[MESSAGE_WAITING] > 0,
                                   .most = most,
                                   .paced = paced,
                                   .bytes = all->bytes};
}

/* On a FIFO queue, messages behind one that waits long are returned, to make room for other groups. */
static void make_room(struct intake *i, const struct receive_budget *b) {
    if (!i->messages.fifo || !b->some_wait || i->receiver.count > 0)
        return;
    if (b->receiving == RECEIVE_ONE_MORE)
        messages_make_room(&i->messages, i->max_in_flight - 1);
    else if (b->receiving == RECEIVE_FREELY || b->receiving == RECEIVE_WHAT_FITS)
        messages_make_room(&i->messages, b->paced - receive_whole_batch(b->paced));
}

/* Where receiving waits for room, what makes room waits for company until it is a quarter of a small bound, or until
 * more wait than run that could join them. */
static void settle(struct intake *i, const struct receive_budget *b) {
    struct batcher *batchers[] = {&i->messages.deletions.batcher, &i->messages.dead_letters.batcher};
    bool most_wait = batchers[0]->queued + batchers[1]->queued > b->begun;
    for (size_t n = 0; n < ARRAY_LENGTH(batchers); n++)
        if (most_wait || batchers[n]->queued >= (b->paced + 3) / 4)
            batcher_within(batchers[n], 0);
}

void intake_receive(struct intake *i) {
    if (i->asked_for_one_more && i->receiver.count == 0) {
        i->asked_for_one_more = false;
        applier_extra_ended(i->applier, i->receiver.failures > 0);
    }
    bool held_back = deletes_hold_back(i) || intake_waiting_for_dlq(i) >= quarter(i);
    struct receive_budget b = budget(i);
    if (held_back) {
        settle(i, &b);
        return;
    }
    /* A group of a FIFO queue waits for its first to be deleted. */
    if (i->messages.fifo && b.begun == 0)
        settle(i, &b);
    switch (receiver_turn(&i->receiver, &b)) {
    case RECEIVER_HAS_ENOUGH: break;
    case RECEIVER_TAKES_ONE_MORE:
        i->asked_for_one_more = true;
        applier_received_extra(i->applier);
        break;
    case RECEIVER_LACKS_ROOM:
        make_room(i, &b);
        if (b.in_flight + receive_least_batch(b.paced) > b.paced)
            settle(i, &b);
        break;
    }
}

bool intake_is_lost(const struct intake *i, int64_t since, struct lost_cause *ret_lost) {
    const struct messages *all = &i->messages;
    const struct trouble *receiving = &i->receiver.trouble;
    const struct batcher *batchers[] = {&all->dead_letters.batcher, &all->deletions.batcher,
                                        &all->visibilities.batcher};
    if (trouble_lasts_since(receiving, since)) {
        *ret_lost = (struct lost_cause){"Receiving", receiving->code, receiving->cause};
        return true;
    }
    for (size_t n = 0; n < ARRAY_LENGTH(batchers); n++)
        if (batcher_troubled_since(batchers[n], since)) {
            *ret_lost = (struct lost_cause){batchers[n]->kind.what, "", batchers[n]->trouble.cause};
            return true;
        }
    return false;
}

static void received(void *ctx, struct sqs_message **messages, size_t count, int64_t received_at) {
    struct intake *i = ctx;
    i->host.received(i->host.ctx);
    for (size_t n = 0; n < count; n++)
        backlog_received(&i->backlog, messages[n]->sent_at);
    messages_take(&i->messages, messages, count, received_at);
}

static void changed(void *ctx) {
    const struct intake *i = ctx;
    i->host.changed(i->host.ctx);
}

static struct backlog_view view_for_backlog(void *ctx) {
    const struct intake *i = ctx;
    const struct message_totals *t = &i->messages.totals;
    return (struct backlog_view){
        .received = t->received, .done = t->applied + t->dead_lettered, .in_flight = messages_in_flight(&i->messages)};
}

void intake_init(struct intake *i, const struct platform *platform, const struct discovery_facts *facts,
                 const struct update_context *context, struct applier *applier, unsigned max_in_flight,
                 bool until_empty, const struct intake_host *host) {
    const struct receiver_host receiver_host = {.received = received, .changed = changed, .ctx = i};
    i->platform = platform;
    i->applier = applier;
    i->host = *host;
    i->max_in_flight = max_in_flight;
    messages_init(&i->messages, platform, facts, context, applier, max_in_flight, changed, i);
    receiver_init(&i->receiver, platform, facts, until_empty, IN_FLIGHT_BYTES_MAX, &receiver_host);
    backlog_start(&i->backlog, platform, &facts->queue, view_for_backlog, i);
}

void intake_set_limit(struct intake *i, unsigned max_in_flight) {
    i->max_in_flight = max_in_flight;
    parking_resize(&i->messages.parking, max_in_flight);
}

void intake_close(struct intake *i) {
    backlog_stop(&i->backlog);
    receiver_close(&i->receiver);
    messages_hurry(&i->messages);
}

void intake_done(struct intake *i) {
    backlog_stop(&i->backlog);
    receiver_stop(&i->receiver);
    i->messages.rules.may_begin = false;
    messages_done(&i->messages);
}
