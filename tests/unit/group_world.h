/* What the tests of FIFO queues share: groups of messages of which each updates a record of its own (so that nothing
 * but their group keeps them in order), and a watch that no transaction of a message comes before all earlier ones of
 * its group are settled. */
#pragma once

#include "worker_world.h"

#define GROUPS_MAX 60
#define GROUP_SIZE_MAX 60

enum fate {
    FATE_APPLIED,
    FATE_MALFORMED, /* goes to the DLQ without a transaction */
    FATE_REFUSED /* …after one: its condition is false */
};

struct grouped {
    struct scene scene;
    unsigned groups, size;
    bool unaudited;
    enum fate fates[GROUPS_MAX][GROUP_SIZE_MAX];
    struct sim_message *messages[GROUPS_MAX][GROUP_SIZE_MAX];
    struct scripted script;
    unsigned too_early; /* transactions that came before their turn */
    char first_early[64];
};

static inline void grouped_key(const struct grouped *g, unsigned group, unsigned place, char ret_key[static 32]) {
    snprintf(ret_key, 32, "k%u", group * g->size + place);
}

static inline bool grouped_applied(struct grouped *g, unsigned group, unsigned place) {
    char key[32];
    grouped_key(g, group, place, key);
    return strcmp(sim_table_get(g->scene.users, key, "n"), "0") != 0;
}

static inline bool grouped_settled(struct grouped *g, unsigned group, unsigned place) {
    const struct sim_message *m = g->messages[group][place];
    return !m || grouped_applied(g, group, place) || invariants_dead(&g->scene.invariants, m->id) > 0;
}

static inline enum sim_fate grouped_watch(void *ctx, const struct sim_transaction *t, struct transact_result *result) {
    struct grouped *g = ctx;
    const char *key = strstr(t->record, "\"k");
    unsigned index = (unsigned)strtoul(key + 2, NULL, 10), group = index / g->size, place = index % g->size;
    for (unsigned earlier = 0; earlier < place; earlier++)
        if (!grouped_settled(g, group, earlier) && g->too_early++ == 0)
            snprintf(g->first_early, sizeof g->first_early, "%u of group %u before %u", place, group, earlier);
    return scripted_hook(&g->script, t, result);
}

/* Everything up, nothing started; each group's messages will be `size`. */
static inline void grouped_init(struct grouped *g, uint64_t seed, unsigned groups, unsigned size) {
    assert_true(groups <= GROUPS_MAX && size <= GROUP_SIZE_MAX);
    *g = (struct grouped){.groups = groups, .size = size};
    scene_init_fifo(&g->scene, seed, groups * size);
    g->scene.db->hook = grouped_watch;
    g->scene.db->hook_ctx = g;
}

static inline void grouped_send(struct grouped *g, unsigned group, unsigned place) {
    char body[256], name[32], id[32];
    const char *logging = g->unaudited ? ",\"enable_logging\":false" : "";
    snprintf(name, sizeof name, "group-%u", group);
    snprintf(id, sizeof id, "%u/%u", group, place);
    grouped_key(g, group, place, body);
    char key[32];
    snprintf(key, sizeof key, "%.31s", body);
    if (g->fates[group][place] == FATE_MALFORMED)
        snprintf(body, sizeof body, "{\"id\":\"%s\"}", key);
    else
        snprintf(body, sizeof body, "{\"id\":\"%s\",\"attributes\":{\"n\":%u}%s%s}", key, place + 1,
                 g->fates[group][place] == FATE_REFUSED ? ",\"condition_expression\":\"n = 99\"" : "", logging);
    g->messages[group][place] = sim_queue_send_fifo(g->scene.queue, body, name, id);
}

/* All of them, the groups in turn. */
static inline void grouped_send_all(struct grouped *g) {
    for (unsigned place = 0; place < g->size; place++)
        for (unsigned group = 0; group < g->groups; group++)
            grouped_send(g, group, place);
}

static inline void grouped_start(struct grouped *g) {
    scene_start(&g->scene);
}

/* Each message is where it belongs: applied, or in the DLQ in the order of its group, which the DLQ's message bears
 * too. */
static inline void grouped_check(struct grouped *g) {
    const struct sim_message *m;
    for (unsigned group = 0; group < g->groups; group++) {
        char name[32];
        unsigned place = 0;
        snprintf(name, sizeof name, "group-%u", group);
        for (unsigned i = 0; i < g->size; i++)
            if (grouped_applied(g, group, i) != (g->fates[group][i] == FATE_APPLIED))
                fail_msg("message %u of group %u is %s", i, group,
                         grouped_applied(g, group, i) ? "applied" : "not applied");
        TAILQ_FOREACH(m, &g->scene.dlq->messages, link) {
            char key[300];
            if (strcmp(m->group_id, name) != 0)
                continue;
            while (place < g->size && g->fates[group][place] == FATE_APPLIED)
                place++;
            assert_true(place < g->size);
            invariants_key(m, key, sizeof key);
            assert_string_equal(key, g->messages[group][place]->id);
            assert_string_equal(m->deduplication_id, g->messages[group][place]->id);
            place++;
        }
        while (place < g->size && g->fates[group][place] == FATE_APPLIED)
            place++;
        assert_int_equal(place, g->size);
    }
}

static inline void grouped_done(struct grouped *g) {
    unsigned too_early = g->too_early;
    g->scene.invariants.unaudited = g->unaudited;
    scene_done(&g->scene);
    if (too_early)
        fail_msg("%u transactions came before their turn, the first %s", too_early, g->first_early);
}

/* Runs until the queue is empty, at most so long, and checks. */
static inline void grouped_finish(struct grouped *g, int64_t within) {
    scene_empties(&g->scene, within);
    grouped_check(g);
    grouped_done(g);
}
