#include "messages.h"

#include "message_letters.h"
#include "trace_fields.h"

#include <string.h>

static const unsigned NO_MEMORY_DELAY = 10; /* seconds */
static const unsigned NO_ROOM_DELAY = 3; /* seconds: by then the receives that expected smaller bodies are over */

unsigned messages_in_flight(const struct messages *all) {
    unsigned count = 0;
    for (size_t i = 0; i < MESSAGE_GONE; i++)
        count += all->counts[i];
    return count;
}

/* What comes in. */

static void set_next(struct message *m) {
    m->is_next = true;
    TAILQ_INSERT_TAIL(&m->all->next, m, in_next);
}

/* Returns a received message without working on it. Its body isn't needed for that. */
static void turn_away(struct messages *all, struct sqs_message *received, int64_t received_at, unsigned seconds,
                      const char *why) {
    struct sqs_message *rest = sqs_message_without_body(received);
    struct message *m = rest ? message_new(all, rest, received_at) : NULL;
    if (m)
        message_return(m, seconds, why);
    else
        sqs_message_free(rest); /* it comes again */
}

/* Takes a message in. False: it could not be taken, or is returned at once. */
static bool take(struct messages *all, struct sqs_message *received, int64_t received_at) {
    if (sqs_message_bytes(received) > IN_FLIGHT_BYTES_MAX - all->bytes) {
        /* It is larger than those that came lately, by which room was reserved. */
        turn_away(all, received, received_at, NO_ROOM_DELAY, "There is no room for it");
        return false;
    }
    struct message *m = message_new(all, received, received_at);
    if (!m) {
        sqs_message_free(received); /* it comes again */
        return false;
    }
    all->totals.received++;
    metrics_received(all->platform->metrics);
    bool first = true;
    if (!all->rules.may_begin)
        return true; /* the drain returns it, once no receive of ours is open that it could come to */
    if (all->fifo && !fifo_group_enter(&all->groups, &m->in_group, m->received->group_id, &first)) {
        message_return(m, NO_MEMORY_DELAY, "There is no memory for it");
        return false;
    }
    if (first)
        set_next(m);
    return true;
}

void messages_take(struct messages *all, struct sqs_message **received, size_t count, int64_t received_at) {
    bool in_order = true;
    for (size_t i = 0; i < count; i++) {
        /* On a FIFO queue, those behind one that could not be taken may be of its group, and must not go before it. */
        if (in_order)
            in_order = take(all, received[i], received_at) || !all->fifo;
        else
            turn_away(all, received[i], received_at, 0, "An earlier message could not be taken");
    }
}

void messages_begin_next(struct messages *all) {
    if (!all->rules.may_begin)
        return;
    for (struct message *m; (m = TAILQ_FIRST(&all->next));) {
        const struct update *u = m->update;
        bool fit = u->failure.type == ERROR_NONE || u->confirm_refusal || u->of_index;
        if (fit)
            message_enter(m, MESSAGE_APPLYING, "Its turn has come");
        else
            message_fail(m, "It is not fit");
    }
}

void messages_free_gone(struct messages *all) {
    for (struct message *m; (m = TAILQ_FIRST(&all->in_state[MESSAGE_GONE]));)
        message_free(m);
}

/* What is reported of them. */

static void lease_due(struct lease *lease, enum lease_due due, unsigned seconds) {
    struct message *m = container_of(lease, struct message, lease);
    struct messages *all = m->all;
    if (due == LEASE_EXTEND) {
        m->extension.seconds = seconds;
        visibilities_add(&all->visibilities, &m->extension, lease->until);
        return;
    }
    visibilities_remove(&all->visibilities, &m->extension);
    bool runs = m->state == MESSAGE_APPLYING && m->job.state == JOB_RUNNING;
    bool flies = m->state == MESSAGE_DEAD_LETTERING && m->letter.entry.flight;
    if (m->state == MESSAGE_DELETING) {
        lease_end(lease); /* its receipt handle may still work for a while */
    } else if (runs || flies) {
        lease_wait(lease); /* the outcome of what is under way is still awaited */
    } else {
        message_enter(m, MESSAGE_LOST, "Its visibility timeout is over");
        all->changed(all->ctx);
    }
}

static void extension_ended(struct message *m, enum batch_end end, const char *code) {
    struct messages *all = m->all;
    if (m->lease.lost)
        return;
    metrics_extension(all->platform->metrics, end != BATCH_DONE);
    if (end != BATCH_DONE) {
        LOG_EVENT(all->platform->log, LOG_LEVEL_DEBUG, "A visibility timeout was not extended",
                  LOG_S("message_id", m->received->message_id), LOG_C("code", code));
        lease_refused(&m->lease);
        return;
    }
    lease_extended(&m->lease, m->extension.entry.sent_at, m->extension.seconds);
    if (!all->rules.leaves) /* a worker that leaves has set the letter's time: it isn't prolonged */
        dead_letters_until(&m->letter, lease_end_of(&m->lease));
    deletions_prolong(&m->deletion, m->lease.until);
}

static void visibility_ended(struct visibility_change *change, enum batch_end end, const char *code) {
    if (change->returns) {
        struct message *m = container_of(change, struct message, comeback);
        m->all->totals.given_back += end == BATCH_DONE;
        if (end == BATCH_DONE)
            metrics_returned(m->all->platform->metrics);
        message_enter(m, MESSAGE_GONE, "It is visible again");
        return;
    }
    struct message *m = container_of(change, struct message, extension);
    if (m->state == MESSAGE_RETURNING)
        message_ask_to_return(m);
    else
        extension_ended(m, end, code);
}

static void deletion_ended(struct deletion *deletion, enum batch_end end, const char *code) {
    struct message *m = container_of(deletion, struct message, deletion);
    struct messages *all = m->all;
    if (end == BATCH_SET_ASIDE) {
        message_set_aside(m, "deleting it", code); /* with the receipt handle of its next delivery it may get through */
        return;
    }
    if (end == BATCH_DONE) {
        message_got_through(m);
    } else {
        all->totals.undeleted++;
        metrics_undeleted(all->platform->metrics);
        LOG_EVENT(all->platform->log, LOG_LEVEL_DEBUG,
                  "A message that is done with could not be deleted, and may be delivered once more",
                  LOG_S("message_id", m->received->message_id), LOG_C("code", code));
    }
    /* SQS may answer an expired receipt handle as if the message were deleted. */
    if (end == BATCH_DONE && deletion->entry.sent_at < m->lease.until)
        message_pass_group(m);
    else
        message_break_group(m);
    message_enter(m, MESSAGE_GONE, "Its deletion has ended");
}

void messages_applied(struct messages *all, const struct update *u) {
    struct message *m;
    TAILQ_FOREACH(m, &all->in_state[MESSAGE_DEAD_LETTERING], in_state) {
        m->applied_meanwhile = m->applied_meanwhile || !strcmp(m->update->log_id, u->log_id);
    }
}

static void log_applied(const struct message *m, int64_t now) {
    const struct log *log = m->all->platform->log;
    if (!log_wants(log, LOG_LEVEL_DEBUG))
        return;
    struct log_field fields[3 + TRACE_FIELDS] = {LOG_S("message_id", m->received->message_id),
                                                 LOG_I("receive_count", m->received->receive_count),
                                                 LOG_I("ms", (now - m->lease.received_at) / MILLISECOND)};
    trace_fields(m->received, fields + 3);
    log_event(m->all->platform->log, LOG_LEVEL_DEBUG, "A message was applied", fields);
}

void messages_applier_ended(struct message *m, enum job_outcome outcome) {
    struct messages *all = m->all;
    const struct job *job = &m->job;
    int64_t now = clock_monotonic(all->platform->clock);
    parking_served(&all->parking, record_queue_hash(job), now);
    switch (outcome) {
    case JOB_APPLIED:
        all->totals.applied++;
        metrics_applied(all->platform->metrics,
                        job->sent_at > 0 ? clock_wall(all->platform->clock) - job->sent_at : NEVER,
                        now - m->lease.received_at);
        log_applied(m, now);
        m->harmless = m->update->audited;
        message_enter(m, MESSAGE_DELETING, "It is applied");
        break;
    case JOB_FAILED: message_fail(m, "It failed"); break;
    case JOB_RETURN:
        LOG_EVENT(all->platform->log, LOG_LEVEL_WARNING, "A message is given back and tried again later",
                  LOG_S("message_id", m->received->message_id), LOG_C("why", job->return_why),
                  LOG_C("failure", job->signature), LOG_I("receive_count", job->receive_count),
                  LOG_I("seconds", job->return_seconds));
        message_return(m, job->return_seconds, job->return_why);
        break;
    case JOB_SET_ASIDE: message_set_aside(m, "applying it", job->signature); break;
    }
}

void messages_init(struct messages *all, const struct platform *platform, const struct discovery_facts *facts,
                   const struct update_context *context, struct applier *applier, unsigned max_in_flight,
                   void (*changed)(void *ctx), void *ctx) {
    *all = (struct messages){.platform = platform,
                             .facts = facts,
                             .context = context,
                             .applier = applier,
                             .rules = {.may_begin = true, .may_try_anew = true},
                             .fifo = facts->queue.attributes.fifo,
                             .changed = changed,
                             .ctx = ctx,
                             .leases = {platform, &facts->visibility, lease_due}};
    for (size_t i = 0; i < MESSAGE_STATES; i++)
        TAILQ_INIT(&all->in_state[i]);
    TAILQ_INIT(&all->next);
    uint64_t seed = random_next(platform->random);
    fifo_groups_init(&all->groups, seed, random_next(platform->random));
    parking_init(&all->parking, max_in_flight);
    deletions_init(&all->deletions, platform, facts->queue.url, deletion_ended, changed, ctx);
    visibilities_init(&all->visibilities, platform, facts->queue.url, visibility_ended, changed, ctx);
    dead_letters_init(&all->dead_letters, platform, facts, message_letter_leaves, message_letter_ended, changed, ctx);
    failure_audit_init(&all->failure_audit, platform, context, changed, ctx);
    repeated_line_init(&all->lease_lost, platform,
                       "A message's visibility timeout could not be extended: it is left to its next delivery");
}

void messages_done(struct messages *all) {
    for (size_t i = 0; i < MESSAGE_GONE; i++)
        for (struct message *m; (m = TAILQ_FIRST(&all->in_state[i]));)
            message_enter(m, MESSAGE_GONE, "The worker is gone");
    messages_free_gone(all);
    batcher_done(&all->deletions.batcher);
    batcher_done(&all->visibilities.batcher);
    dead_letters_done(&all->dead_letters);
    failure_audit_done(&all->failure_audit);
    fifo_groups_free(&all->groups);
    repeated_line_done(&all->lease_lost);
}
