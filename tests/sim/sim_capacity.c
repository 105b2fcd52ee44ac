/* Write capacity: token buckets of tables and of single partition keys. A write in a transaction costs two units for
 * each KiB begun. Amazon DynamoDB Developer Guide, "Managing transaction workflows", "Burst and adaptive capacity". */
#include "sim_dynamodb_private.h"

#include "sim_action.h"

#include <stdlib.h>
#include <string.h>

static const int64_t UNIT = 1000000; /* levels are in millionths, so that a microsecond's refill is a whole number */
static const size_t KIB = 1024;

static int64_t cost_of(const struct sim_action *a) {
    size_t size = strlen(sim_json_text(a->put ? a->put : a->values ? a->values : a->key));
    return 2 * UNIT * (int64_t)((size + KIB - 1) / KIB);
}

static void refill(struct sim_bucket *b, unsigned per_second, unsigned burst_seconds, int64_t now) {
    int64_t full = (int64_t)per_second * (burst_seconds ? burst_seconds : 1) * UNIT;
    int64_t room = full - b->level, gained = (now - b->at) * (int64_t)per_second;
    b->level = !b->begun || gained >= room ? full : b->level + gained;
    b->begun = true;
    b->at = now;
}

static struct sim_bucket *partition_of(struct sim_table *table, const struct sim_action *a) {
    const char *key = sim_json_text(sim_member(a->key, table->shape.partition.name));
    struct sim_partition *p;
    LIST_FOREACH(p, &table->partitions, link) {
        if (!strcmp(p->key, key))
            return &p->bucket;
    }
    p = world_alloc(sizeof *p);
    p->key = world_text(span_cstr(key));
    LIST_INSERT_HEAD(&table->partitions, p, link);
    return &p->bucket;
}

bool sim_capacity_is_there(const struct sim_action *a, int64_t now) {
    struct sim_table *t = a->table;
    int64_t cost = cost_of(a);
    bool enough = true;
    if (t->write_capacity) {
        refill(&t->bucket, t->write_capacity, t->burst_seconds, now);
        enough = t->bucket.level >= cost;
    }
    if (t->partition_capacity) {
        struct sim_bucket *b = partition_of(t, a);
        refill(b, t->partition_capacity, t->burst_seconds, now);
        enough = enough && b->level >= cost;
    }
    return enough;
}

void sim_capacity_take(const struct sim_action *a) {
    struct sim_table *t = a->table;
    t->units += (uint64_t)(cost_of(a) / UNIT);
    if (t->write_capacity)
        t->bucket.level -= cost_of(a);
    if (t->partition_capacity)
        partition_of(t, a)->level -= cost_of(a);
}

const char *sim_capacity_reason(const struct sim_action *a) {
    return a->table->on_demand ? "ThrottlingError" : "ProvisionedThroughputExceeded";
}

void sim_capacity_done(struct sim_table *table) {
    struct sim_partition *next;
    for (struct sim_partition *p = LIST_FIRST(&table->partitions); p; p = next) {
        next = LIST_NEXT(p, link);
        free(p->key);
        free(p);
    }
}
