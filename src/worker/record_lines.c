#include "record_lines.h"

#include "siphash.h"
#include "span.h"

#include <stdlib.h>

struct record {
    struct record *next; /* in its bucket */
    uint64_t hash;
    struct job_list line; /* the first is under way or may be */
};

static const size_t FIRST_BUCKETS = 64;

void record_lines_init(struct record_lines *lines, uint64_t seed0, uint64_t seed1) {
    *lines = (struct record_lines){.seed = {seed0, seed1}};
}

void record_lines_free(struct record_lines *lines) {
    for (size_t i = 0; i < lines->bucket_count; i++)
        for (struct record *r = lines->buckets[i], *next; r; r = next) {
            next = r->next;
            free(r);
        }
    free(lines->buckets);
    lines->buckets = NULL;
    lines->bucket_count = lines->record_count = 0;
}

/* A table that can't grow stays as it is: slower, not wrong. Only the first allocation has to succeed. */
static bool make_room(struct record_lines *lines) {
    if (lines->record_count < lines->bucket_count)
        return true;
    size_t count = lines->bucket_count ? lines->bucket_count * 2 : FIRST_BUCKETS;
    struct record **buckets = calloc(count, sizeof(struct record *));
    if (!buckets)
        return lines->bucket_count > 0;
    for (size_t i = 0; i < lines->bucket_count; i++)
        for (struct record *r = lines->buckets[i], *next; r; r = next) {
            next = r->next;
            r->next = buckets[r->hash & (count - 1)];
            buckets[r->hash & (count - 1)] = r;
        }
    free(lines->buckets);
    lines->buckets = buckets;
    lines->bucket_count = count;
    return true;
}

static bool is_older(const struct job *a, const struct job *b) {
    return a->sent_at != b->sent_at ? a->sent_at < b->sent_at : a->arrival < b->arrival;
}

/* The line of job's record, made where there is none. NULL: no memory. */
static struct record *find_or_make(struct record_lines *lines, const struct job *job) {
    struct siphash h;
    siphash_begin(&h, lines->seed);
    siphash_update(&h, job->update->record);
    uint64_t hash = siphash_end(&h);
    struct record **bucket = &lines->buckets[hash & (lines->bucket_count - 1)];
    for (struct record *r = *bucket; r; r = r->next)
        if (r->hash == hash && span_equal(TAILQ_FIRST(&r->line)->update->record, job->update->record))
            return r;
    struct record *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->hash = hash;
    r->next = *bucket;
    TAILQ_INIT(&r->line);
    *bucket = r;
    lines->record_count++;
    return r;
}

bool record_lines_enter(struct record_lines *lines, struct job *job, bool *ret_first, struct job **ret_displaced) {
    struct record *r = make_room(lines) ? find_or_make(lines, job) : NULL;
    if (!r)
        return false;
    job->record = r;
    struct job *first = TAILQ_FIRST(&r->line);
    bool has_begun = first && first->state != JOB_READY;
    struct job *after = TAILQ_LAST(&r->line, job_list);
    while (after && is_older(job, after) && !(after == first && has_begun))
        after = TAILQ_PREV(after, job_list, in_record);
    if (after)
        TAILQ_INSERT_AFTER(&r->line, after, job, in_record);
    else
        TAILQ_INSERT_HEAD(&r->line, job, in_record);
    *ret_first = !after;
    *ret_displaced = after ? NULL : first;
    return true;
}

uint64_t record_lines_hash(const struct job *job) {
    return job->record->hash;
}

struct job *record_lines_leave(struct record_lines *lines, struct job *job) {
    struct record *r = job->record;
    bool was_first = TAILQ_FIRST(&r->line) == job;
    TAILQ_REMOVE(&r->line, job, in_record);
    job->record = NULL;
    struct job *first = TAILQ_FIRST(&r->line);
    if (first)
        return was_first ? first : NULL;
    struct record **at = &lines->buckets[r->hash & (lines->bucket_count - 1)];
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    free(r);
    lines->record_count--;
    return NULL;
}
