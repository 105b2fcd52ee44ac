#include "record_queue.h"

void record_queue_init(struct record_queues *records, uint64_t seed0, uint64_t seed1) {
    keyed_queues_init(&records->queues, seed0, seed1);
}

void record_queue_free(struct record_queues *records) {
    keyed_queues_free(&records->queues);
}

static struct job *job_of(struct place *place) {
    return container_of(place, struct job, in_record);
}

/* NULL for no place. */
static struct job *job_at(struct place *place) {
    return place ? job_of(place) : NULL;
}

static bool is_older(const struct job *a, const struct job *b) {
    return a->sent_at != b->sent_at ? a->sent_at < b->sent_at : a->arrival < b->arrival;
}

bool record_queue_enter(struct record_queues *records, struct job *job, bool *ret_first, struct job **ret_displaced) {
    job->in_record.key = job->update->record;
    struct keyed_queue *queue = keyed_queues_get(&records->queues, job->in_record.key);
    if (!queue)
        return false;
    struct job *first = job_at(TAILQ_FIRST(&queue->places));
    bool has_begun = first && first->state != JOB_READY;
    struct place *after = TAILQ_LAST(&queue->places, place_list);
    while (after && is_older(job, job_of(after)) && !(job_of(after) == first && has_begun))
        after = TAILQ_PREV(after, place_list, link);
    keyed_queue_put(queue, &job->in_record, after);
    *ret_first = !after;
    *ret_displaced = after ? NULL : first;
    return true;
}

struct job *record_queue_give_way(struct record_queues *records, struct job *job, bool ties) {
    struct keyed_queue *queue = job->in_record.queue;
    struct job *first = job_at(TAILQ_NEXT(&job->in_record, link));
    int64_t before = ties ? job->sent_at + 1 : job->sent_at;
    if (TAILQ_FIRST(&queue->places) != &job->in_record || !first || first->state != JOB_BLOCKED ||
        first->sent_at >= before)
        return NULL;
    keyed_queues_leave(&records->queues, &job->in_record);
    struct place *after = TAILQ_LAST(&queue->places, place_list);
    while (after && job_of(after)->sent_at >= before)
        after = TAILQ_PREV(after, place_list, link);
    keyed_queue_put(queue, &job->in_record, after);
    return first;
}

uint64_t record_queue_hash(const struct job *job) {
    return job->in_record.hash;
}

unsigned record_queue_length(const struct job *job) {
    return job->in_record.queue->length;
}

struct job *record_queue_leave(struct record_queues *records, struct job *job) {
    struct keyed_queue *queue = job->in_record.queue;
    bool was_first = TAILQ_FIRST(&queue->places) == &job->in_record;
    struct job *next = job_at(TAILQ_NEXT(&job->in_record, link));
    keyed_queues_leave(&records->queues, &job->in_record);
    return was_first ? next : NULL;
}
