#include "sender_private.h"

#include <stdlib.h>

#define LINGER (20 * MILLISECOND) /* that a row waits for company */

static bool is_group_busy(const struct sender *s, const struct sender_row *row) {
    const struct sender_row *other;
    LIST_FOREACH(other, &s->busy[row->group % SENDER_GROUPS], busy) {
        if (other != row && other->group == row->group && span_equal(other->group_id, row->group_id)) {
            return true;
        }
    }
    return false;
}

/* Of a standard queue every row is its own group. */
static void begin_busy(struct sender *s, struct sender_row *row) {
    if (row->group_id.data && !row->is_busy) {
        row->is_busy = true;
        LIST_INSERT_HEAD(&s->busy[row->group % SENDER_GROUPS], row, busy);
    }
}

/* Its group may send others again. */
static void end_busy(struct sender_row *row) {
    if (row->is_busy) {
        row->is_busy = false;
        LIST_REMOVE(row, busy);
    }
}

void sender_forget(struct sender *s, struct sender_row *row) {
    end_busy(row);
    TAILQ_REMOVE(&s->all, row, in_order);
    s->count--;
    s->bytes -= row->size;
    free(row);
}

struct batch {
    struct sender_row *const *rows;
    size_t count, bytes;
    bool closed; /* nothing more may join */
};

/* Takes a row from its list into the batch where it fits. */
static bool join(struct sender *s, struct batch *batch, struct sender_row **rows, struct sender_rows *list,
                 struct sender_row *row) {
    bool fits = batch->count == 0 || batch->bytes + row->body.len <= SQS_MESSAGE_SIZE_MAX;
    if (!fits || (row->alone && batch->count > 0)) {
        batch->closed = batch->closed || !fits;
        return false;
    }
    TAILQ_REMOVE(list, row, link);
    if (list == &s->fresh) {
        s->fresh_count--;
    }
    begin_busy(s, row);
    rows[batch->count++] = row;
    batch->bytes += row->body.len;
    batch->closed = row->alone || batch->count == SQS_BATCH_MAX;
    return true;
}

/* Rows that failed go first, once they are due. Until then their group stays busy, and waits for them. */
static void gather_again(struct sender *s, struct batch *batch, struct sender_row **rows, int64_t now,
                         int64_t *ret_at) {
    struct sender_row *row = TAILQ_FIRST(&s->again);
    while (row && !batch->closed) {
        struct sender_row *next = TAILQ_NEXT(row, link);
        if (now < row->not_before) {
            *ret_at = row->not_before < *ret_at ? row->not_before : *ret_at;
        } else {
            (void)join(s, batch, rows, &s->again, row);
        }
        row = next;
    }
}

static void gather_fresh(struct sender *s, struct batch *batch, struct sender_row **rows) {
    struct sender_row *row = TAILQ_FIRST(&s->fresh);
    while (row && !batch->closed) {
        struct sender_row *next = TAILQ_NEXT(row, link);
        if (!row->group_id.data || !is_group_busy(s, row)) {
            (void)join(s, batch, rows, &s->fresh, row);
        }
        row = next;
    }
}

static void put_back(struct sender *s, struct sender_row **rows, size_t from, size_t count) {
    for (size_t i = count; i > from; i--) {
        struct sender_row *row = rows[i - 1];
        if (row->failures > 0) {
            TAILQ_INSERT_HEAD(&s->again, row, link);
        } else {
            end_busy(row);
            TAILQ_INSERT_HEAD(&s->fresh, row, link);
            s->fresh_count++;
        }
    }
}

/* How many of `count` rows may go now: all, or where that is less, as many as the rate gives in a tenth of a second. 0:
 * none yet, and *ret_at says when. */
static size_t within_rate(struct sender *s, size_t count, int64_t now, int64_t *ret_at) {
    struct limiter limiter = s->limiter;
    size_t at_once = limiter.rate / 10 > 1 ? limiter.rate / 10 : 1;
    size_t wanted = limiter.rate == 0 || count < at_once ? count : at_once;
    int64_t wait = 0;
    for (size_t i = 0; i < wanted; i++) {
        if (!limiter_take(&limiter, now, &wait)) {
            int64_t at = now + wait + (int64_t)(wanted - i - 1) * MICROSECONDS / limiter.rate;
            *ret_at = at < *ret_at ? at : *ret_at;
            return 0;
        }
    }
    s->limiter = limiter;
    return wanted;
}

size_t sender_take_batch(struct sender *s, struct sender_row *rows[static SQS_BATCH_MAX], int64_t *ret_at) {
    int64_t now = clock_monotonic(s->options.clock);
    struct batch batch = {.rows = rows};
    *ret_at = NEVER;
    gather_again(s, &batch, rows, now, ret_at);
    bool urgent = batch.count > 0;
    gather_fresh(s, &batch, rows);
    if (batch.count == 0) {
        return 0;
    }
    int64_t due = rows[0]->added + LINGER;
    if (!urgent && !batch.closed && !s->hurries && now < due && s->fresh_count == 0) {
        put_back(s, rows, 0, batch.count);
        *ret_at = due < *ret_at ? due : *ret_at;
        return 0;
    }
    size_t count = within_rate(s, batch.count, now, ret_at);
    put_back(s, rows, count, batch.count);
    return count;
}
