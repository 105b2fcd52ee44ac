#include "record_lines.h"

void record_lines_init(struct record_lines *records, uint64_t seed0, uint64_t seed1) {
    lines_init(&records->lines, seed0, seed1);
}

void record_lines_free(struct record_lines *records) {
    lines_free(&records->lines);
}

static struct job *job_of(struct place *place) {
    return container_of(place, struct job, in_record);
}

/* NULL where nobody stands. */
static struct job *job_at(struct place *place) {
    return place ? job_of(place) : NULL;
}

static bool is_older(const struct job *a, const struct job *b) {
    return a->sent_at != b->sent_at ? a->sent_at < b->sent_at : a->arrival < b->arrival;
}

bool record_lines_enter(struct record_lines *records, struct job *job, bool *ret_first, struct job **ret_displaced) {
    job->in_record.key = job->update->record;
    struct waiting_line *line = lines_get(&records->lines, job->in_record.key);
    if (!line)
        return false;
    struct job *first = job_at(TAILQ_FIRST(&line->places));
    bool has_begun = first && first->state != JOB_READY;
    struct place *after = TAILQ_LAST(&line->places, place_list);
    while (after && is_older(job, job_of(after)) && !(job_of(after) == first && has_begun))
        after = TAILQ_PREV(after, place_list, link);
    line_put(line, &job->in_record, after);
    *ret_first = !after;
    *ret_displaced = after ? NULL : first;
    return true;
}

struct job *record_lines_give_way(struct record_lines *records, struct job *job, bool ties) {
    struct waiting_line *line = job->in_record.line;
    struct job *first = job_at(TAILQ_NEXT(&job->in_record, link));
    int64_t before = ties ? job->sent_at + 1 : job->sent_at;
    if (TAILQ_FIRST(&line->places) != &job->in_record || !first || first->state != JOB_BLOCKED ||
        first->sent_at >= before)
        return NULL;
    lines_leave(&records->lines, &job->in_record);
    struct place *after = TAILQ_LAST(&line->places, place_list);
    while (after && job_of(after)->sent_at >= before)
        after = TAILQ_PREV(after, place_list, link);
    line_put(line, &job->in_record, after);
    return first;
}

uint64_t record_lines_hash(const struct job *job) {
    return job->in_record.hash;
}

unsigned record_lines_length(const struct job *job) {
    return job->in_record.line->length;
}

struct job *record_lines_leave(struct record_lines *records, struct job *job) {
    struct waiting_line *line = job->in_record.line;
    bool was_first = TAILQ_FIRST(&line->places) == &job->in_record;
    struct job *next = job_at(TAILQ_NEXT(&job->in_record, link));
    lines_leave(&records->lines, &job->in_record);
    return was_first ? next : NULL;
}
