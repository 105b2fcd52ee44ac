/* Messages received from the DLQ, on their way into the redrive: those that are meant become parcels, all others
 * stay. */
#include "redrive_private.h"

#include <stdlib.h>
#include <string.h>

#define READY_MAX ((size_t)200)
#define READY_BYTES_MAX ((size_t)16 << 20)
#define READY_SECONDS ((size_t)5) /* worth of the rate */
#define NAMED_MAX 100U
#define CLOCK_DOUBT (3 * MICROSECONDS) /* how far a Date header may be from the time of a message */

size_t redrive_room(void *ctx) {
    const struct redrive *r = ctx;
    size_t most = READY_MAX;
    if (r->options.rate && r->options.rate * READY_SECONDS < most)
        most = r->options.rate * READY_SECONDS > SQS_BATCH_MAX ? r->options.rate * READY_SECONDS : SQS_BATCH_MAX;
    if (r->stopping || r->ready_count >= most || r->ready_bytes >= READY_BYTES_MAX || r->holds.count >= HOLDS_MAX)
        return 0;
    size_t left = most - r->ready_count;
    if (r->options.limit && letter_choice_is_all(r->options.choice)) {
        uint64_t wanted = r->options.limit - r->result.counts.taken;
        left = wanted < left ? (size_t)wanted : left;
    }
    return left;
}

/* It stays in the DLQ, hidden until the end. group: one that may have more behind it, and is looked at again. */
static void pass(struct hold *hold, struct parcel_group *group) {
    hold->mark = MARK_PASSED;
    hold->owner = group;
    if (group)
        group->passed++;
}

void parcel_free(struct parcel *p) {
    redrive_entry_free(&p->entry);
    letter_free(p->letter);
    sqs_message_free(p->message);
    free(p);
}

/* All waiting messages of a group stay, as they are behind one that couldn't be sent. */
static void block(struct redrive *r, struct parcel_group *group) {
    struct parcel *p, *next;
    group->blocked = true;
    for (p = TAILQ_FIRST(&r->ready); p; p = next) {
        next = TAILQ_NEXT(p, link);
        if (p->group != group)
            continue;
        TAILQ_REMOVE(&r->ready, p, link);
        r->ready_count--;
        r->ready_bytes -= p->entry.size;
        r->result.counts.behind++;
        pass(p->hold, NULL);
        group->parcels--;
        parcel_free(p);
    }
}

static void name_failed(struct redrive *r, struct span message_id, const char *why) {
    r->result.counts.failed++;
    if (r->named++ >= NAMED_MAX)
        return;
    LOG_EVENT(r->platform.log, LOG_LEVEL_WARNING, "A message can't be sent to the queue, and stays in the DLQ",
              LOG_S("message_id", message_id), LOG_C("reason", why));
    if (r->named == NAMED_MAX)
        log_event(r->platform.log, LOG_LEVEL_WARNING, "Further ones that can't be sent are counted, and not named",
                  NULL);
}

/* What stands before it in its group may go; what comes behind it may not. */
static void refuse_at_once(struct redrive *r, struct parcel *p, const char *why) {
    struct parcel_group *group = p->group;
    name_failed(r, hold_id(p->hold), why);
    pass(p->hold, NULL);
    parcel_free(p);
    if (group)
        group->blocked = true;
    parcel_group_left(group);
}

void redrive_refuse(struct redrive *r, struct parcel *p, const char *why) {
    struct parcel_group *group = p->group;
    if (group) {
        group->busy = false;
        block(r, group);
    }
    refuse_at_once(r, p, why);
}

static struct letter *read_letter(const struct redrive *r, const struct sqs_message *m) {
    struct letter_delivery delivery = {
        .body = m->body, .message_id = m->message_id, .error_envelope = m->error_envelope};
    for (size_t i = 0; i < m->attribute_count; i++)
        if (span_is(m->attributes[i].name, "ErrorType"))
            delivery.error_type = m->attributes[i].value;
    return letter_read(r->hash_seed, &delivery);
}

/* Makes a parcel of it; takes m and letter over. False: no memory. */
static bool add_parcel(struct redrive *r, struct hold *hold, struct parcel_group *group, struct sqs_message *m,
                       struct letter *letter) {
    struct parcel *p = calloc(1, sizeof *p);
    if (!p) {
        letter_free(letter);
        sqs_message_free(m);
        return false;
    }
    *p = (struct parcel){.hold = hold, .group = group, .message = m, .letter = letter};
    hold->mark = MARK_PARCEL;
    hold->owner = p;
    if (group)
        group->parcels++;
    r->result.counts.taken++;
    switch (
        redrive_entry_make(m, letter, r->options.queue_name, r->options.fifo, r->options.max_message_size, &p->entry)) {
    case REDRIVE_ENTRY_FINE: break;
    case REDRIVE_ENTRY_TOO_LARGE:
        refuse_at_once(r, p, "it is larger than the queue takes; raise the queue's MaximumMessageSize");
        return true;
    default:
        pass(hold, NULL);
        parcel_free(p);
        parcel_group_left(group);
        return false;
    }
    if (p->entry.left_out > 0)
        LOG_EVENT(r->platform.log, LOG_LEVEL_WARNING,
                  "A message has no place for all of its attributes beside its key: the last by name are left out",
                  LOG_S("message_id", m->message_id), LOG_I("attributes", p->entry.left_out));
    TAILQ_INSERT_TAIL(&r->ready, p, link);
    r->ready_count++;
    r->ready_bytes += p->entry.size;
    return true;
}

/* What comes back from the worker was sent to the DLQ after the beginning, which shows by SQS's own clock. Within the
 * seconds by which that may be wrong, its key shows it. */
static bool came_back(const struct redrive *r, const struct letter *letter, int64_t sent_at) {
    return sent_at >= r->options.begun_at - CLOCK_DOUBT && key_set_has(&r->early, letter->idempotency_key);
}

/* Takes m over. False: no memory. */
static bool sort_in(struct redrive *r, struct hold *hold, struct sqs_message *m) {
    struct letter *letter = read_letter(r, m);
    struct parcel_group *group = r->options.fifo && letter ? parcel_group_of(r, m->group_id) : NULL;
    bool ok = letter && (group || !r->options.fifo);
    bool back = ok && came_back(r, letter, m->sent_at);
    bool chosen = ok && !back && letter_is_chosen(r->options.choice, letter, m->sent_at, &ok);
    bool wanted = !r->stopping && !(r->options.limit && r->result.counts.taken >= r->options.limit);
    if (ok && chosen && wanted && !(group && group->blocked))
        return add_parcel(r, hold, group, m, letter);
    bool behind = ok && chosen && wanted;
    r->result.counts.behind += behind;
    r->result.counts.passed_over += ok && !chosen && !back;
    r->result.counts.later += back;
    pass(hold, ok && !chosen && !back ? group : NULL);
    if (group)
        parcel_group_settle(group);
    letter_free(letter);
    sqs_message_free(m);
    return ok;
}

/* One that is known came once more: its handle is the new one now. */
static bool came_again(struct redrive *r, struct hold *hold, const struct sqs_message *m) {
    bool ok = holds_renew(&r->holds, hold, m->receipt_handle);
    struct parcel *p = hold->mark == MARK_SENT ? hold->owner : NULL;
    const struct parcel *undeleted;
    TAILQ_FOREACH(undeleted, &r->undeleted, link) {
        if (undeleted == p)
            break;
    }
    if (undeleted) {
        TAILQ_REMOVE(&r->undeleted, p, link);
        TAILQ_INSERT_TAIL(&r->sent, p, link);
    }
    return ok;
}

bool redrive_took(void *ctx, struct sqs_message *m) {
    struct redrive *r = ctx;
    struct hold *hold = holds_find(&r->holds, m->message_id);
    bool fresh = !hold, ok;
    if (hold) {
        ok = came_again(r, hold, m);
        sqs_message_free(m);
    } else if (!(hold = holds_add(&r->holds, m->message_id, m->receipt_handle))) {
        sqs_message_free(m);
        ok = false;
    } else if (m->sent_at >= r->options.begun_at + CLOCK_DOUBT) {
        r->result.counts.later++;
        pass(hold, NULL);
        sqs_message_free(m);
        ok = true;
    } else {
        ok = sort_in(r, hold, m);
    }
    if (!ok) {
        r->result.no_memory = true;
        redrive_give_up(r, NULL, NULL);
    }
    if (r->holds.count >= HOLDS_MAX)
        r->result.full = true;
    return fresh;
}
