/* What is judged at the server: each commit, each arrival in the DLQ. */
#include "judge_private.h"

#include <stdlib.h>
#include <string.h>

static const int64_t TOKEN_LIFE = 600 * MICROSECONDS;

/* The commits of one key, whichever update had it. */
static void judge_effect(struct judge *j, unsigned update, bool audited) {
    const struct plan *p = j->plan;
    unsigned key = p->updates[update].key, commits = 0;
    int64_t last = NEVER;
    for (unsigned i = 0; i < p->update_count; i++)
        if (p->updates[i].key == key && j->updates[i].commits) {
            commits += j->updates[i].commits;
            if (last == NEVER || j->updates[i].last_commit > last)
                last = j->updates[i].last_commit;
        }
    if (audited && commits)
        judge_broken(j, "I2", "the key of update %u, audited, has one more effect", update);
    else if (commits && j->world->now - last < TOKEN_LIFE)
        judge_broken(j, "I2", "the key of update %u has one more effect after %.3f s", update,
                     (double)(j->world->now - last) / (double)SECOND);
}

/* FIFO: nothing before it in its group waits to be done with. */
static void judge_order(struct judge *j, unsigned update) {
    const struct sim_message *mine = NULL;
    const struct world *w = j->world;
    if (!j->plan->fifo)
        return;
    for (size_t i = 0; i < w->sqs.all_count && i < j->seen_room && !mine; i++)
        if (j->seen[i].judged && j->seen[i].update == update)
            mine = w->sqs.all[i];
    for (size_t i = 0; mine && i < mine->index; i++)
        if (j->seen[i].judged && j->seen[i].update != update && !strcmp(w->sqs.all[i]->group_id, mine->group_id) &&
            !judge_is_settled(j, &j->seen[i]))
            judge_broken(j, "order", "update %u was applied before message %zu of its group was done with", update, i);
}

static void on_commit(void *ctx, const struct sim_transaction *t) {
    struct judge *j = ctx;
    unsigned update = plan_update_in(j->plan, t->body.data, t->body.len);
    trace_note(j->trace, j->world->now, TRACE_COMMIT, NO_WORKER, update, t->audited, SPAN(""));
    if (update == j->plan->update_count) {
        judge_fed_applied(j, t->body);
        return;
    }
    struct update_seen *u = &j->updates[update];
    if (t->audited != j->plan->updates[update].audited)
        judge_broken(j, "I2", "update %u was applied %s audit record", update, t->audited ? "with an" : "without its");
    judge_effect(j, update, t->audited);
    if (u->commits == 0)
        judge_order(j, update);
    if (u->commits++ == 0)
        u->first_commit = j->world->now;
    u->last_commit = j->world->now;
    u->audited_commits += t->audited;
    snprintf(u->log_id, sizeof u->log_id, "%.64s", t->log_id);
}

static void on_deleting(void *ctx, struct sim_message *m) {
    struct judge *j = ctx;
    trace_note(j->trace, j->world->now, TRACE_DELETED, NO_WORKER, m->index, 1, SPAN(""));
}

/* The original of a message in the DLQ, byte for byte. */
static bool has_original(const struct sim_message *m, const struct plan_update *u) {
    struct json_object *envelope = json_tokener_parse(m->body), *details = NULL, *source = NULL, *body = NULL;
    bool inside = json_object_is_type(envelope, json_type_object) &&
                  json_object_object_get_ex(envelope, "details", &details) &&
                  json_object_object_get_ex(details, "source", &source) &&
                  json_object_object_get_ex(source, "body", &body) && !strcmp(json_object_get_string(body), u->inner);
    json_object_put(envelope);
    return inside || !strcmp(m->body, u->inner) || !strcmp(m->body, u->body);
}

static void on_sent(void *ctx, struct sim_message *m) {
    struct judge *j = ctx;
    unsigned update = plan_update_in(j->plan, m->body, strlen(m->body));
    if (m->queue != j->dlq || update == j->plan->update_count)
        return;
    trace_note(j->trace, j->world->now, TRACE_DEAD_SENT, NO_WORKER, update, m->index, span_cstr(m->error_type));
    j->updates[update].in_dlq_before = true;
    if (!has_original(m, &j->plan->updates[update]))
        judge_broken(j, "I1", "the original of update %u can't be had from its message in the DLQ", update);
}

void judge_watch_servers(struct judge *j) {
    j->world->dynamodb.was_committed = on_commit;
    j->world->dynamodb.observer = j;
    j->world->sqs.deleting = on_deleting;
    j->world->sqs.was_sent = on_sent;
    j->world->sqs.observer = j;
}
