/* The FIFO groups of a redrive: of each, one message is under way at a time, in order. */
#include "redrive_private.h"

#include "siphash.h"

#include <stdlib.h>
#include <string.h>

static struct parcel_groups *bucket_of(struct redrive *r, struct span id) {
    struct siphash hash;
    siphash_begin(&hash, r->hash_seed);
    siphash_update(&hash, id);
    return &r->groups[siphash_end(&hash) % GROUP_BUCKETS];
}

struct parcel_group *parcel_group_of(struct redrive *r, struct span id) {
    struct parcel_groups *bucket = bucket_of(r, id);
    struct parcel_group *group;
    LIST_FOREACH(group, bucket, link) {
        if (span_equal(span_of(group->id, group->id_len), id))
            return group;
    }
    group = calloc(1, sizeof *group);
    char *copy = group ? malloc(id.len + 1) : NULL;
    if (!copy) {
        free(group);
        return NULL;
    }
    if (id.len > 0)
        memcpy(copy, id.data, id.len);
    group->id = copy;
    group->id_len = id.len;
    LIST_INSERT_HEAD(bucket, group, link);
    return group;
}

static void group_free(struct parcel_group *group) {
    LIST_REMOVE(group, link);
    free(group->id);
    free(group);
}

/* One that is blocked stays so: what comes behind waits for the one that couldn't be sent. */
void parcel_group_settle(struct parcel_group *group) {
    if (group && group->parcels == 0 && group->passed == 0 && !group->blocked)
        group_free(group);
}

void parcel_group_left(struct parcel_group *group) {
    if (!group)
        return;
    group->parcels--;
    parcel_group_settle(group);
}

bool parcel_groups_reopen(struct redrive *r) {
    bool some = false;
    struct hold *hold, *next;
    for (hold = TAILQ_FIRST(&r->holds.held); hold; hold = next) {
        next = TAILQ_NEXT(hold, link);
        struct parcel_group *group = hold->mark == MARK_PASSED ? hold->owner : NULL;
        if (!group)
            continue;
        hold->owner = NULL;
        group->passed--;
        if (group->moved && !group->blocked) {
            some = true;
            r->result.counts.passed_over--; /* it is looked at, and counted, once more */
            holds_return(&r->holds, hold);
        }
        parcel_group_settle(group);
    }
    return some;
}

void parcel_groups_free(struct redrive *r) {
    for (size_t i = 0; i < GROUP_BUCKETS; i++)
        for (struct parcel_group *group = LIST_FIRST(&r->groups[i]), *next; group; group = next) {
            next = LIST_NEXT(group, link);
            group_free(group);
        }
}
