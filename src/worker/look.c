#include "look.h"

#include <stddef.h>
#include <string.h>

static const int64_t LOOK_LASTS = 60 * MICROSECONDS;
static const int64_t LOOK_DEADLINE = 20 * MICROSECONDS;

static bool key_equal(const struct key_attribute *a, const struct key_attribute *b) {
    return !strcmp(a->name, b->name) && (a->name[0] == '\0' || a->type == b->type);
}

static const struct key_attribute *find_attribute(const struct table_shape *shape, const char *name) {
    for (size_t i = 0; i < shape->attribute_count; i++)
        if (!strcmp(shape->attributes[i].name, name))
            return &shape->attributes[i];
    return NULL;
}

bool table_keys_equal(const struct table_shape *a, const struct table_shape *b) {
    return key_equal(&a->partition, &b->partition) && key_equal(&a->sort, &b->sort);
}

bool table_definitions_equal(const struct table_shape *a, const struct table_shape *b) {
    if (a->attribute_count != b->attribute_count)
        return false;
    /* DescribeTable promises no order. */
    for (size_t i = 0; i < a->attribute_count; i++) {
        const struct key_attribute *other = find_attribute(b, a->attributes[i].name);
        if (!other || other->type != a->attributes[i].type)
            return false;
    }
    return true;
}

static void report(void *user) {
    struct look *look = user;
    if (look->worst == LOOK_SAME)
        look->same_at = look->began_at;
    look->done(look->ctx, look->worst, &look->result);
}

void look_init(struct look *look, const struct platform *platform, const struct discovery_facts *facts,
               void (*done)(void *ctx, enum look_outcome outcome, const struct call_result *result), void *ctx) {
    memset(look, 0, offsetof(struct look, table));
    look->platform = platform;
    look->facts = facts;
    look->done = done;
    look->ctx = ctx;
    table_shape_copy(&look->table, &facts->table);
    timer_init(&look->timer, report, look);
}

/* Takes over the attribute definitions, where an index was added or removed: messages are checked against the new ones.
 * This is safe, as nobody keeps a pointer into the definitions. */
static void take_over(struct look *look, const struct table_shape *shape) {
    if (table_definitions_equal(shape, &look->table))
        return;
    LOG_EVENT(look->platform->log, LOG_LEVEL_INFO,
              "The table's indexes have changed: messages are checked against them as they are now",
              LOG_C("table", look->table.name), LOG_I("attributes_before", look->table.attribute_count),
              LOG_I("attributes", shape->attribute_count));
    look->table.attribute_count = shape->attribute_count;
    memcpy(look->table.attributes, shape->attributes, shape->attribute_count * sizeof *shape->attributes);
}

static void answered(struct look *look, size_t slot, const struct call_result *result,
                     const struct table_shape *shape) {
    const struct table_shape *before = slot == 0 ? &look->facts->table : &look->facts->audit_table;
    enum look_outcome outcome = LOOK_UNREADABLE;
    look->calls[slot] = NULL;
    if (result->class == CALL_OK && shape)
        outcome = table_keys_equal(shape, before) ? LOOK_SAME : LOOK_CHANGED;
    else if (result->from_service && !strcmp(result->code, "ResourceNotFoundException"))
        outcome = LOOK_CHANGED;
    if (outcome == LOOK_SAME && slot == 0)
        take_over(look, shape);
    /* "Changed" is certain, and goes before "unreadable", which is only a doubt. */
    if (outcome != LOOK_SAME && look->worst != LOOK_CHANGED) {
        look->worst = outcome;
        look->result = *result;
    }
    if (--look->waiting == 0)
        timer_start(look->platform->timers, &look->timer, clock_monotonic(look->platform->clock));
}

static void table_answered(void *user, const struct call_result *result, const struct table_shape *shape, bool active) {
    (void)active;
    answered(user, 0, result, shape);
}

static void audit_answered(void *user, const struct call_result *result, const struct table_shape *shape, bool active) {
    (void)active;
    answered(user, 1, result, shape);
}

void look_begin(struct look *look, bool fresh) {
    if (look->waiting || look->timer.running)
        return;
    int64_t now = clock_monotonic(look->platform->clock);
    look->worst = LOOK_SAME;
    look->result = (struct call_result){.class = CALL_OK};
    if (!fresh && look->same_at && now - look->same_at < LOOK_LASTS) {
        timer_start(look->platform->timers, &look->timer, now);
        return;
    }
    look->began_at = now;
    const struct dynamodb_api *db = look->platform->dynamodb;
    struct call_options options = {.deadline = now + LOOK_DEADLINE, .max_attempts = fresh ? 1 : 0};
    look->calls[0] = db->describe_table(db->ctx, look->facts->table.name, &options, table_answered, look);
    look->waiting += look->calls[0] != NULL;
    if (look->facts->audit_table_exists) {
        look->calls[1] = db->describe_table(db->ctx, look->facts->audit_table.name, &options, audit_answered, look);
        look->waiting += look->calls[1] != NULL;
    }
    if (!look->calls[0] || (look->facts->audit_table_exists && !look->calls[1])) {
        look->worst = LOOK_UNREADABLE; /* no memory: the same as no answer */
        look->result.class = CALL_RETRY;
        if (look->waiting == 0)
            timer_start(look->platform->timers, &look->timer, now + MICROSECONDS);
    }
}

void look_cancel(struct look *look) {
    const struct dynamodb_api *db = look->platform->dynamodb;
    for (size_t i = 0; i < ARRAY_LENGTH(look->calls); i++)
        if (look->calls[i]) {
            db->cancel(db->ctx, look->calls[i]);
            look->calls[i] = NULL;
        }
    look->waiting = 0;
    timer_stop(look->platform->timers, &look->timer);
}
