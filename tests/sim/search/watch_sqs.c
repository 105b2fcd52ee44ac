#include "watch.h"

#include <stdlib.h>
#include <string.h>

static const int64_t SHORT = 400 * MILLISECOND;

static struct sim_message *message_at(const struct judge *j, size_t index) {
    return index < j->world->sqs.all_count ? j->world->sqs.all[index] : NULL;
}

static void receive_ended(struct watched *c) {
    struct judge_worker *w = &c->watch->judge->workers[c->watch->worker];
    w->open_receives--;
}

/* Whether an older one could have come in its place. */
static bool jumped(const struct judge *j, const struct sim_message *m) {
    const struct sim_message *older = TAILQ_FIRST(&m->queue->messages);
    return older && older->index < m->index && older->visible_at <= m->received_at && j->world->sqs.reorders > 0;
}

static void on_received(void *user, const struct call_result *result, struct sqs_message **messages, size_t count,
                        size_t corrupt) {
    struct watched *c = user;
    struct watch *w = c->watch;
    struct judge *j = w->judge;
    int64_t now = j->world->now;
    trace_note(j->trace, now, TRACE_RECEIVED, w->worker, result->class, count, span_cstr(result->code));
    judge_received(j, w->worker, result);
    if (count > 0)
        judge_brought(j, w->worker, &c->receive, c->began, count);
    if (result->class == CALL_OK && count == 0 && now - c->began < SHORT && j->world->sqs.never_waits)
        w->struck->short_polls++;
    for (size_t i = 0; i < count; i++) {
        size_t index = 0;
        unsigned number = 0;
        if (!watched_handle(messages[i]->receipt_handle, &index, &number))
            abort();
        const struct sim_message *m = message_at(j, index);
        w->struck->duplicates += m->visible_at == m->received_at;
        w->struck->reorders += jumped(j, m);
        /* One that is given again keeps its receive, and has its visibility anew. */
        int64_t until = m->received_at + (int64_t)c->visibility * MICROSECONDS;
        judge_delivered(j, w->worker, m, m->visible_at > until ? m->visible_at : until);
    }
    watched_end(c);
    c->done.received(c->user, result, messages, count, corrupt);
    free(c);
}

static struct call *receive(void *ctx, const struct sqs_receive_request *request, const struct call_options *options,
                            sqs_received *done, void *user) {
    struct watch *w = ctx;
    struct judge *j = w->judge;
    struct watched *c = watched_new(w, user);
    c->done.received = done;
    c->count = request->max_messages;
    c->visibility = request->visibility_seconds;
    c->ended = receive_ended;
    trace_note(j->trace, j->world->now, TRACE_RECEIVE, w->worker, request->max_messages, request->wait_seconds,
               request->attempt_id ? span_cstr(request->attempt_id) : SPAN(""));
    c->receive = judge_receive(j, w->worker);
    return watched_started(c, w->sqs.receive(w->sqs.ctx, request, options, on_received, c));
}

static struct watched *new_batch(struct watch *w, size_t count, sqs_batch_done *done, void *user) {
    struct watched *c = watched_new(w, user);
    c->done.batch = done;
    c->count = (unsigned)count;
    return c;
}

/* The batch is over; what is left for the worker to hear. */
static void finish(struct watched *c, const struct call_result *result, const struct sqs_entry_result *entries,
                   size_t count) {
    for (size_t i = 0; entries && i < count; i++)
        c->watch->struck->failed_entries += !entries[i].ok && !strcmp(entries[i].code, "InternalError");
    watched_end(c);
    c->done.batch(c->user, result, entries, count);
    free(c);
}

static void on_deleted(void *user, const struct call_result *result, const struct sqs_entry_result *entries,
                       size_t count) {
    struct watched *c = user;
    struct judge *j = c->watch->judge;
    trace_note(j->trace, j->world->now, TRACE_DELETED, c->watch->worker, result->class, count, SPAN(""));
    for (size_t i = 0; result->class == CALL_OK && entries && i < count; i++)
        if (entries[i].ok || entries[i].code[0])
            judge_deletes_answered(j, c->watch->worker);
    for (size_t i = 0; i < c->count; i++) {
        const struct sim_message *m = message_at(j, c->entries[i].index);
        if (m)
            judge_deleted(j, c->watch->worker, m, c->entries[i].handle, entries && i < count && entries[i].ok, result);
    }
    finish(c, result, entries, count);
}

static struct call *delete_batch(void *ctx, const char *queue_url, const struct span *receipt_handles, size_t count,
                                 const struct call_options *options, sqs_batch_done *done, void *user) {
    struct watch *w = ctx;
    struct judge *j = w->judge;
    struct watched *c = new_batch(w, count, done, user);
    for (size_t i = 0; i < count; i++) {
        const struct sim_message *m = NULL;
        if (watched_handle(receipt_handles[i], &c->entries[i].index, &c->entries[i].handle) &&
            (m = message_at(j, c->entries[i].index)))
            judge_deleting(j, w->worker, m);
    }
    return watched_started(c,
                           w->sqs.delete_batch(w->sqs.ctx, queue_url, receipt_handles, count, options, on_deleted, c));
}

static void on_changed(void *user, const struct call_result *result, const struct sqs_entry_result *entries,
                       size_t count) {
    struct watched *c = user;
    struct judge *j = c->watch->judge;
    for (size_t i = 0; entries && i < count; i++) {
        const struct sim_message *m = message_at(j, c->entries[i].index);
        trace_note(j->trace, j->world->now, TRACE_CHANGED, c->watch->worker, c->entries[i].index, entries[i].ok,
                   span_cstr(entries[i].code));
        if (m && entries[i].ok)
            judge_changed(j, c->watch->worker, m, c->entries[i].handle, c->entries[i].seconds, c->began);
    }
    finish(c, result, entries, count);
}

static struct call *change_batch(void *ctx, const char *queue_url, const struct sqs_visibility_entry *entries,
                                 size_t count, const struct call_options *options, sqs_batch_done *done, void *user) {
    struct watch *w = ctx;
    struct judge *j = w->judge;
    struct watched *c = new_batch(w, count, done, user);
    for (size_t i = 0; i < count; i++) {
        if (!watched_handle(entries[i].receipt_handle, &c->entries[i].index, &c->entries[i].handle))
            abort();
        c->entries[i].seconds = entries[i].visibility_seconds;
        const struct sim_message *m = message_at(j, c->entries[i].index);
        if (m)
            judge_changing(j, w->worker, m, c->entries[i].handle, entries[i].visibility_seconds);
        trace_note(j->trace, j->world->now, TRACE_CHANGE, w->worker, c->entries[i].index, entries[i].visibility_seconds,
                   SPAN(""));
    }
    return watched_started(
        c, w->sqs.change_visibility_batch(w->sqs.ctx, queue_url, entries, count, options, on_changed, c));
}

static void on_dead_sent(void *user, const struct call_result *result, const struct sqs_entry_result *entries,
                         size_t count) {
    struct watched *c = user;
    struct judge *j = c->watch->judge;
    c->watch->struck->dead_letters_failed += result->class != CALL_OK;
    for (size_t i = 0; i < c->count; i++)
        judge_did(j, c->watch->worker, (unsigned)c->entries[i].index, DOING_SEND_DEAD,
                  entries && i < count && entries[i].ok, result);
    for (size_t i = 0; entries && i < count; i++) {
        trace_note(j->trace, j->world->now, TRACE_DEAD_SENT, c->watch->worker, c->entries[i].index, entries[i].ok,
                   SPAN(""));
        if (entries[i].ok)
            judge_dead_acknowledged(j, c->watch->worker, (unsigned)c->entries[i].index, c->entries[i].identity,
                                    c->began);
    }
    finish(c, result, entries, count);
}

static struct call *send_batch(void *ctx, const char *queue_url, const struct sqs_send_entry *entries, size_t count,
                               const struct call_options *options, sqs_batch_done *done, void *user) {
    struct watch *w = ctx;
    struct judge *j = w->judge;
    struct watched *c = new_batch(w, count, done, user);
    for (size_t i = 0; i < count; i++) {
        struct span envelope = entries[i].error_envelope.len ? entries[i].error_envelope : entries[i].body;
        unsigned update = plan_update_in(j->plan, entries[i].body.data, entries[i].body.len);
        c->entries[i].index = update;
        judge_identity(envelope, c->entries[i].identity);
        if (update < j->plan->update_count)
            judge_sending_dead(j, w->worker, update, entries[i].error_type);
        else
            judge_fed_dead(j, w->worker, entries[i].body, entries[i].error_type);
    }
    return watched_started(c, w->sqs.send_batch(w->sqs.ctx, queue_url, entries, count, options, on_dead_sent, c));
}

static void on_attributes(void *user, const struct call_result *result, const struct sqs_queue_attributes *attributes) {
    struct watched *c = user;
    watched_end(c);
    c->done.attributes(c->user, result, attributes);
    free(c);
}

static struct call *get_attributes(void *ctx, const char *queue_url, const struct call_options *options,
                                   sqs_attributes_done *done, void *user) {
    struct watch *w = ctx;
    struct watched *c = watched_new(w, user);
    c->done.attributes = done;
    return watched_started(c, w->sqs.get_attributes(w->sqs.ctx, queue_url, options, on_attributes, c));
}

static void cancel(void *ctx, struct call *call) {
    struct watch *w = ctx;
    if (call)
        watched_cancel((struct watched *)call, w->sqs.cancel, w->sqs.ctx);
}

struct sqs_api watch_sqs(struct watch *w) {
    return (struct sqs_api){.ctx = w,
                            .receive = receive,
                            .delete_batch = delete_batch,
                            .change_visibility_batch = change_batch,
                            .send_batch = send_batch,
                            .get_attributes = get_attributes,
                            .cancel = cancel};
}
