#include "lines.h"

#include "siphash.h"

#include <stdlib.h>

static const size_t FIRST_BUCKETS = 64;

void lines_init(struct lines *lines, uint64_t seed0, uint64_t seed1) {
    *lines = (struct lines){.seed = {seed0, seed1}};
}

void lines_free(struct lines *lines) {
    for (size_t i = 0; i < lines->bucket_count; i++)
        for (struct waiting_line *l = lines->buckets[i], *next; l; l = next) {
            next = l->next;
            free(l);
        }
    free(lines->buckets);
    lines->buckets = NULL;
    lines->bucket_count = lines->count = 0;
}

/* A table that can't grow stays as it is: slower, not wrong. Only the first allocation has to succeed. */
static bool make_room(struct lines *lines) {
    if (lines->count < lines->bucket_count)
        return true;
    size_t count = lines->bucket_count ? lines->bucket_count * 2 : FIRST_BUCKETS;
    struct waiting_line **buckets = calloc(count, sizeof(struct waiting_line *));
    if (!buckets)
        return lines->bucket_count > 0;
    for (size_t i = 0; i < lines->bucket_count; i++)
        for (struct waiting_line *l = lines->buckets[i], *next; l; l = next) {
            next = l->next;
            l->next = buckets[l->hash & (count - 1)];
            buckets[l->hash & (count - 1)] = l;
        }
    free(lines->buckets);
    lines->buckets = buckets;
    lines->bucket_count = count;
    return true;
}

struct waiting_line *lines_get(struct lines *lines, struct span key) {
    if (!make_room(lines))
        return NULL;
    struct siphash h;
    siphash_begin(&h, lines->seed);
    siphash_update(&h, key);
    uint64_t hash = siphash_end(&h);
    struct waiting_line **bucket = &lines->buckets[hash & (lines->bucket_count - 1)];
    for (struct waiting_line *l = *bucket; l; l = l->next)
        if (l->hash == hash && span_equal(TAILQ_FIRST(&l->places)->key, key))
            return l;
    struct waiting_line *l = malloc(sizeof *l);
    if (!l)
        return NULL;
    *l = (struct waiting_line){.hash = hash, .next = *bucket};
    TAILQ_INIT(&l->places);
    *bucket = l;
    lines->count++;
    return l;
}

void line_put(struct waiting_line *line, struct place *place, struct place *after) {
    place->line = line;
    place->hash = line->hash;
    line->length++;
    if (after)
        TAILQ_INSERT_AFTER(&line->places, after, place, link);
    else
        TAILQ_INSERT_HEAD(&line->places, place, link);
}

void lines_leave(struct lines *lines, struct place *place) {
    struct waiting_line *l = place->line;
    TAILQ_REMOVE(&l->places, place, link);
    place->line = NULL;
    l->length--;
    if (!TAILQ_EMPTY(&l->places))
        return;
    struct waiting_line **at = &lines->buckets[l->hash & (lines->bucket_count - 1)];
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    free(l);
    lines->count--;
}
