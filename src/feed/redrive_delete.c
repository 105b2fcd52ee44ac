/* The redrive's deletes: of what the queue has acknowledged, and of nothing else. */
#include "redrive_private.h"

#include <stdlib.h>
#include <string.h>

#define DELETE_DEADLINE (60 * MICROSECONDS)

static const char what[] = "Deleting from the DLQ";

static void on_deleted(void *user, const struct call_result *result, const struct sqs_entry_result *entries,
                       size_t count);

static bool begin(struct redrive *r, struct redrive_flight *flight) {
    struct span handles[SQS_BATCH_MAX];
    struct parcel *p;
    *flight = (struct redrive_flight){.redrive = r};
    while (flight->count < SQS_BATCH_MAX && (p = TAILQ_FIRST(&r->sent))) {
        TAILQ_REMOVE(&r->sent, p, link);
        handles[flight->count] = hold_handle(p->hold);
        flight->parcels[flight->count++] = p;
    }
    const struct sqs_api *sqs = r->platform.sqs;
    const struct call_options options = {.deadline = redrive_now(r) + DELETE_DEADLINE};
    flight->call =
        sqs->delete_batch(sqs->ctx, r->options.dlq_url, handles, flight->count, &options, on_deleted, flight);
    if (flight->call)
        return true;
    while (flight->count > 0)
        TAILQ_INSERT_HEAD(&r->sent, flight->parcels[--flight->count], link);
    return false;
}

void redrive_pump_deletes(struct redrive *r) {
    while (!TAILQ_EMPTY(&r->sent) && r->deletes_under_way < (r->delete_trouble.since ? 1U : REDRIVE_FLIGHTS)) {
        if (redrive_now(r) < r->delete_trouble.until) {
            redrive_wake_at(r, r->delete_trouble.until);
            return;
        }
        struct redrive_flight *flight = r->deletes;
        while (flight->call)
            flight++;
        if (!begin(r, flight)) {
            (void)redrive_note_trouble(r, &r->delete_trouble, &(struct call_result){.class = CALL_RETRY}, what);
            return;
        }
        r->deletes_under_way++;
    }
}

static void deleted(struct redrive *r, struct parcel *p) {
    r->result.counts.moved++;
    r->proved = true;
    holds_forget(&r->holds, p->hold);
    struct parcel_group *group = p->group;
    free(p);
    parcel_group_left(group);
}

/* The handle isn't known: it is too old, or its message is deleted. */
static bool handle_is_stale(const char *code) {
    return strstr(code, "ReceiptHandle") || strstr(code, "NotInflight") || strstr(code, "InvalidParameterValue");
}

/* While it is hidden for us nobody else can have it. So a stale handle means that an earlier delete, whose answer was
 * lost, has deleted it. (AWS calls a second delete a success; other services don't.) Once that time is over it may be
 * visible again: then it comes again, and is known. */
static bool is_deleted(const struct redrive *r, const struct parcel *p, const struct sqs_entry_result *entry) {
    return entry->ok || (handle_is_stale(entry->code) && redrive_now(r) < p->hold->expires);
}

static void on_deleted(void *user, const struct call_result *result, const struct sqs_entry_result *entries,
                       size_t count) {
    struct redrive_flight *flight = user;
    struct redrive *r = flight->redrive;
    bool fine = result->class == CALL_OK && count == flight->count, again = false;
    flight->call = NULL;
    r->deletes_under_way--;
    if (fine)
        r->delete_trouble = (struct redrive_trouble){0};
    for (size_t i = flight->count; i > 0; i--) {
        struct parcel *p = flight->parcels[i - 1];
        if (fine && is_deleted(r, p, &entries[i - 1])) {
            deleted(r, p);
        } else if (fine && handle_is_stale(entries[i - 1].code)) {
            TAILQ_INSERT_TAIL(&r->undeleted, p, link);
            parcel_group_left(p->group);
            p->group = NULL;
        } else {
            TAILQ_INSERT_HEAD(&r->sent, p, link);
            again = true;
        }
    }
    if (!fine)
        again = redrive_note_trouble(r, &r->delete_trouble, result, what);
    else if (again)
        again = redrive_note_trouble(r, &r->delete_trouble, &(struct call_result){.class = CALL_THROTTLED}, what);
    /* What can't be deleted now is left: whoever redrives it again does so under the same key. */
    struct parcel *p;
    while (r->stopping && !again && r->result.failure && (p = TAILQ_FIRST(&r->sent))) {
        TAILQ_REMOVE(&r->sent, p, link);
        TAILQ_INSERT_TAIL(&r->undeleted, p, link);
    }
    r->host.moved_on(r->host.ctx, &r->result.counts);
    redrive_wake_at(r, redrive_now(r));
}
