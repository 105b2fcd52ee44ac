/* What is judged when a worker has ended, and when everything has. */
#include "judge.h"

#include "sim_worker.h"

#include <stdlib.h>
#include <string.h>

static const int64_t TROUBLE_FADES = 30 * MICROSECONDS;
static const int64_t GIVING_BACK = 300 * MILLISECOND; /* takes as long at most */

void judge_identity(struct span envelope, char ret_identity[static SIM_MESSAGE_ID_SIZE]) {
    static const char mark[] = "\"message_id\":\"";
    const char *at = envelope.len ? memmem(envelope.data, envelope.len, mark, sizeof mark - 1) : NULL;
    size_t len = 0;
    if (at)
        for (at += sizeof mark - 1; at < envelope.data + envelope.len && *at != '"' && len + 1 < SIM_MESSAGE_ID_SIZE;
             at++)
            ret_identity[len++] = *at;
    ret_identity[len] = '\0';
}

void judge_drained(struct judge *j, unsigned worker) {
    const struct world *w = j->world;
    /* What was extended by a call whose answer was lost is hidden for as long, and nobody has it. */
    int64_t fades = TROUBLE_FADES + (int64_t)j->workers[worker].plan->visibility * SECOND;
    if (j->sqs_trouble_at + fades >= w->now || j->workers[worker].stood_until + TROUBLE_FADES >= w->now ||
        j->plan->sqs_latency > 100 * MILLISECOND)
        return; /* it may not have managed */
    for (size_t i = 0; i < w->sqs.all_count && i < j->seen_room; i++) {
        const struct seen *s = &j->seen[i];
        const struct holding *h = &s->holdings[worker];
        const struct sim_message *m = w->sqs.all[i];
        /* Its letter is on its way, and may yet be acknowledged. */
        const struct update_seen *u = &j->updates[s->update];
        bool elsewhere = s->judged && (u->letters_open[worker] > 0 || w->now - u->letter_ended[worker] < GIVING_BACK);
        /* Another has it as well, who extends its visibility. */
        for (unsigned k = 0; k < j->plan->worker_count; k++)
            elsewhere = elsewhere || (k != worker && s->holdings[k].life && s->holdings[k].told_until > w->now);
        if (s->judged && !elsewhere && s->last_holder == worker && h->life == j->workers[worker].life &&
            m->handle == h->handle && !m->deleted && !h->returned && m->visible_at > w->now)
            judge_broken(j, "drain", "worker %u has ended, and message %zu stays hidden for %.1f s", worker, i,
                         (double)(m->visible_at - w->now) / (double)SECOND);
    }
}

/* I1: is it applied, on the queue, or in the DLQ? */
static bool is_somewhere(const struct judge *j, const struct seen *s) {
    const struct world *w = j->world;
    char identity[SIM_MESSAGE_ID_SIZE];
    if (j->updates[s->update].commits > 0)
        return true;
    for (size_t i = 0; i < w->sqs.all_count; i++) {
        const struct sim_message *m = w->sqs.all[i];
        if (m->deleted)
            continue;
        if (m->queue == j->queue && i < j->seen_room && j->seen[i].judged && !strcmp(j->seen[i].identity, s->identity))
            return true;
        if (m->queue != j->dlq || plan_update_in(j->plan, m->body, strlen(m->body)) != s->update)
            continue;
        judge_identity(span_cstr(m->error_envelope[0] ? m->error_envelope : m->body), identity);
        if (!identity[0] || !strcmp(identity, s->identity))
            return true;
    }
    return false;
}

static struct json_object *member(struct json_object *object, const char *name) {
    struct json_object *value = NULL;
    if (json_object_is_type(object, json_type_object))
        json_object_object_get_ex(object, name, &value);
    return value;
}

/* I2: the success records are those of the audited effects, and say what was applied. */
static void judge_records(struct judge *j) {
    const struct sim_table *audit = sim_dynamodb_table(&j->world->dynamodb, SIM_AUDIT_TABLE);
    unsigned records = 0, effects = 0;
    json_object_object_foreach(audit->items, key, item) {
        const char *text = json_object_to_json_string_ext(item, JSON_C_TO_STRING_PLAIN);
        unsigned update = plan_update_in(j->plan, text, strlen(text));
        const char *status = json_object_get_string(member(member(item, "status"), "S"));
        if (update == j->plan->update_count || !status || strcmp(status, "success") != 0)
            continue;
        records++;
        const char *log_id = json_object_get_string(member(member(item, "log_id"), "S"));
        if (j->updates[update].audited_commits != 1 || !log_id || strcmp(log_id, j->updates[update].log_id) != 0)
            judge_broken(j, "I2", "the audit record %s tells of update %u, which has %u effects", key, update,
                         j->updates[update].audited_commits);
    }
    for (unsigned u = 0; u < j->plan->update_count; u++)
        effects += j->updates[u].audited_commits;
    if (records != effects)
        judge_broken(j, "I2", "%u audit records of %u effects", records, effects);
}

/* I2 once more, by what is stored: a chain's version is the number of its effects. */
static void judge_chains(struct judge *j) {
    const struct sim_table *users = sim_dynamodb_table(&j->world->dynamodb, SIM_TABLE);
    for (unsigned record = 0; record < PLAN_RECORDS; record++) {
        char name[16];
        unsigned commits = 0;
        snprintf(name, sizeof name, "v%u", record);
        for (unsigned u = 0; u < j->plan->update_count; u++)
            if (j->plan->updates[u].kind == UPDATE_CHAIN && j->plan->updates[u].record == record)
                commits += j->updates[u].commits;
        if (strtoul(sim_table_get(users, name, "version"), NULL, 10) != commits)
            judge_broken(j, "I2", "%s has version %s after %u effects", name, sim_table_get(users, name, "version"),
                         commits);
    }
}

/* How often a list's text has this number. */
static unsigned times_in(const char *list, unsigned number) {
    char element[32];
    unsigned times = 0;
    snprintf(element, sizeof element, "\"N\": \"%u\"", number);
    for (const char *at = list; (at = strstr(at, element)); at += strlen(element))
        times++;
    return times;
}

/* And by what a second effect would do again: a count is the number of its effects, and a list has each of them once.
 */
static void judge_counts(struct judge *j) {
    const struct sim_table *users = sim_dynamodb_table(&j->world->dynamodb, SIM_TABLE);
    for (unsigned record = 0; record < PLAN_RECORDS; record++) {
        char name[16];
        unsigned commits = 0;
        snprintf(name, sizeof name, "k%u", record);
        for (unsigned u = 0; u < j->plan->update_count; u++) {
            if (!j->plan->updates[u].counts || j->plan->updates[u].record != record)
                continue;
            commits += j->updates[u].commits > 0;
            unsigned times = times_in(sim_table_get(users, name, "list"), u);
            if (times != (j->updates[u].commits > 0))
                judge_broken(j, "I2", "%s has update %u in its list %u times after %u effects", name, u, times,
                             j->updates[u].commits);
        }
        if (strtoul(sim_table_get(users, name, "count"), NULL, 10) != commits)
            judge_broken(j, "I2", "%s counts %s after %u messages", name, sim_table_get(users, name, "count"), commits);
    }
}

void judge_end(struct judge *j) {
    const struct world *w = j->world;
    for (size_t i = 0; i < w->sqs.all_count && i < j->seen_room; i++)
        if (j->seen[i].judged && w->sqs.all[i]->deleted && !is_somewhere(j, &j->seen[i]))
            judge_broken(j, "I1", "message %zu is nowhere", i);
    judge_records(j);
    judge_chains(j);
    judge_counts(j);
    if (j->plan->feed_every)
        judge_beside(j);
}
