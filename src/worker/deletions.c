#include "deletions.h"

static const int64_t LINGER = 50 * MILLISECOND;
static const unsigned FLIGHTS = 32;
/* Tries for at least this long: a receipt handle may work beyond its lease, as long as nobody else has received the
 * message. */
static const int64_t PATIENCE = 30 * MICROSECONDS;
static const int64_t USUAL = 2 * MICROSECONDS; /* deletes may take this long without counting as failing */

static struct call *send(void *ctx, struct batch_entry *const *entries, size_t count,
                         const struct call_options *options, struct batch_flight *flight) {
    struct deletions *d = ctx;
    struct span handles[SQS_BATCH_MAX];
    for (size_t i = 0; i < count; i++)
        handles[i] = container_of(entries[i], struct deletion, entry)->receipt_handle;
    const struct sqs_api *sqs = d->batcher.platform->sqs;
    return sqs->delete_batch(sqs->ctx, d->queue_url, handles, count, options, batcher_answered, flight);
}

static void on_ended(void *ctx, struct batch_entry *entry, enum batch_end end, const char *code) {
    struct deletions *d = ctx;
    d->count--;
    d->ended(container_of(entry, struct deletion, entry), end, code);
}

void deletions_init(struct deletions *d, const struct platform *platform, const char *queue_url,
                    void (*ended)(struct deletion *deletion, enum batch_end end, const char *code),
                    void (*changed)(void *ctx), void *ctx) {
    const struct batcher_kind kind = {.what = "Deleting messages",
                                      .counted_as = METRICS_DELETES,
                                      .linger = LINGER,
                                      .max_flights = FLIGHTS,
                                      .sets_aside = true,
                                      .send = send,
                                      .ended = on_ended,
                                      .changed = changed,
                                      .changed_ctx = ctx};
    d->queue_url = queue_url;
    d->ended = ended;
    batcher_init(&d->batcher, platform, &kind, d);
}

void deletions_add(struct deletions *d, struct deletion *deletion, int64_t until, bool alone, bool soon) {
    int64_t now = clock_monotonic(d->batcher.platform->clock);
    if (d->count++ == 0)
        d->since = now;
    deletion->entry.expires = until > now + PATIENCE ? until : now + PATIENCE;
    deletion->entry.solitary = alone;
    batcher_add(&d->batcher, &deletion->entry);
    if (soon)
        batcher_within(&d->batcher, BATCH_GROUP_LINGER);
}

void deletions_prolong(struct deletion *deletion, int64_t until) {
    if (until > deletion->entry.expires)
        deletion->entry.expires = until;
}

void deletions_remove(struct deletions *d, struct deletion *deletion) {
    d->count -= batch_entry_busy(&deletion->entry);
    batcher_remove(&d->batcher, &deletion->entry);
}

bool deletions_fail(const struct deletions *d) {
    const struct batcher *b = &d->batcher;
    int64_t progress = b->got_through > d->since ? b->got_through : d->since;
    return d->count > 0 && (batcher_in_trouble(b) || clock_monotonic(b->platform->clock) - progress > USUAL);
}
