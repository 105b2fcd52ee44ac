#include "visibilities.h"

static const int64_t LINGER = 50 * MILLISECOND;
static const unsigned FLIGHTS = 32;

static struct call *send(void *ctx, struct batch_entry *const *entries, size_t count,
                         const struct call_options *options, struct batch_flight *flight) {
    struct visibilities *v = ctx;
    struct sqs_visibility_entry changes[SQS_BATCH_MAX];
    for (size_t i = 0; i < count; i++) {
        const struct visibility_change *change = container_of(entries[i], struct visibility_change, entry);
        changes[i] = (struct sqs_visibility_entry){change->receipt_handle, change->seconds};
    }
    const struct sqs_api *sqs = v->batcher.platform->sqs;
    return sqs->change_visibility_batch(sqs->ctx, v->queue_url, changes, count, options, batcher_answered, flight);
}

static void on_ended(void *ctx, struct batch_entry *entry, enum batch_end end, const char *code) {
    struct visibilities *v = ctx;
    v->ended(container_of(entry, struct visibility_change, entry), end, code);
}

void visibilities_init(struct visibilities *v, const struct platform *platform, const char *queue_url,
                       void (*ended)(struct visibility_change *change, enum batch_end end, const char *code),
                       void (*changed)(void *ctx), void *ctx) {
    const struct batcher_kind kind = {.what = "Changing the visibility of messages",
                                      .counted_as = METRICS_VISIBILITIES,
                                      .linger = LINGER,
                                      .max_flights = FLIGHTS,
                                      .halves_time = true,
                                      .send = send,
                                      .ended = on_ended,
                                      .changed = changed,
                                      .changed_ctx = ctx};
    v->queue_url = queue_url;
    v->ended = ended;
    batcher_init(&v->batcher, platform, &kind, v);
}

void visibilities_add(struct visibilities *v, struct visibility_change *change, int64_t until) {
    change->entry.expires = until;
    batcher_add(&v->batcher, &change->entry);
}

void visibilities_remove(struct visibilities *v, struct visibility_change *change) {
    batcher_remove(&v->batcher, &change->entry);
}
