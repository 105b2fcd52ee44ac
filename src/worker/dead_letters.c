#include "dead_letters.h"

static const int64_t LINGER = 50 * MILLISECOND;
static const unsigned FLIGHTS = 8;
static const size_t BATCH_BYTES_MAX = (size_t)1 << 20;

static bool is_fifo(const struct dead_letters *d) {
    return d->facts->queue.attributes.fifo;
}

static size_t size_limit(const struct dead_letters *d) {
    return d->facts->dlq.attributes.max_message_size;
}

static bool make(struct dead_letters *d, struct letter *l) {
    const struct sqs_message *original = l->original;
    update_free_request(l->update);
    struct delivery delivery = {
        .body = original->body, .message_id = original->message_id, .error_envelope = original->error_envelope};
    struct delivery_facts facts = {.message_id = original->message_id,
                                   .queue = span_cstr(d->facts->queue.name),
                                   .group_id = is_fifo(d) ? original->group_id : (struct span){NULL, 0},
                                   .receive_count = original->receive_count,
                                   .sent_at = original->sent_at,
                                   .attributes = original->attributes,
                                   .attribute_count = l->without_attributes ? 0 : original->attribute_count};
    if (!dead_letter_make(l->update, &delivery, &facts, clock_wall(d->batcher.platform->clock), size_limit(d),
                          l->least_form, &l->content))
        return false;
    l->made = true;
    if (l->content.form == DEAD_LETTER_BARE) {
        bool by_size = l->least_form < DEAD_LETTER_BARE; /* else the DLQ refused the other forms */
        repeated_line_say(by_size ? &d->body_alone : &d->envelope_refused, original->message_id, "");
    }
    return true;
}

static void drop(struct letter *l) {
    if (l->made)
        dead_letter_free(&l->content);
    l->made = false;
}

static void queue(struct dead_letters *d, struct letter *l) {
    if (!make(d, l)) {
        d->ended(l, LETTER_WITHOUT_MEMORY, "");
        return;
    }
    l->entry.size = l->content.size;
    if (l->is_first)
        batcher_add_first(&d->batcher, &l->entry);
    else
        batcher_add(&d->batcher, &l->entry);
    if (l->at_once)
        batcher_within(&d->batcher, 0);
    else if (is_fifo(d))
        batcher_within(&d->batcher, BATCH_GROUP_LINGER);
}

void dead_letters_send(struct dead_letters *d, struct letter *l, int64_t until, bool alone) {
    l->entry.expires = until;
    l->entry.solitary = l->entry.solitary || alone;
    queue(d, l);
}

void dead_letters_remove(struct dead_letters *d, struct letter *l) {
    batcher_remove(&d->batcher, &l->entry);
    drop(l);
}

static enum batch_leave on_leave(void *ctx, struct batch_entry *entry, bool others_go) {
    struct dead_letters *d = ctx;
    return d->leave(container_of(entry, struct letter, entry), others_go);
}

/* On a standard queue a message may have a group as well, for a fair share of the consumers (fair queues). It goes
 * along, as it does where SQS itself moves a message to its DLQ. */
static struct span fair_group(const struct dead_letters *d, const struct letter *l) {
    bool has_one = !is_fifo(d) && !l->original->sequence_number.data && !l->without_attributes;
    return has_one ? l->original->group_id : (struct span){NULL, 0};
}

static void fill(const struct dead_letters *d, const struct letter *l, struct sqs_send_entry *ret) {
    ret->body = buf_span(&l->content.body);
    if (is_fifo(d)) {
        /* The MessageId, and neither the original's deduplication id nor its idempotency key: with those the same
         * message, redriven and failed again within five minutes, would be dropped silently. */
        ret->group_id = l->original->group_id;
        ret->deduplication_id = l->original->message_id;
    } else {
        ret->group_id = fair_group(d, l);
    }
    ret->error_type = span_cstr(l->content.error_type);
    if (l->content.status_code[0])
        ret->status_code = span_cstr(l->content.status_code);
    if (l->content.error_envelope.len)
        ret->error_envelope = buf_span(&l->content.error_envelope);
    ret->attributes = l->content.attributes;
    ret->attribute_count = l->content.attribute_count;
    if (!l->without_attributes)
        ret->trace_header = l->original->trace_header;
}

static struct call *send(void *ctx, struct batch_entry *const *entries, size_t count,
                         const struct call_options *options, struct batch_flight *flight) {
    struct dead_letters *d = ctx;
    struct sqs_send_entry sends[SQS_BATCH_MAX] = {0};
    for (size_t i = 0; i < count; i++)
        fill(d, container_of(entries[i], struct letter, entry), &sends[i]);
    /* One attempt: before another one, a late failure has to be confirmed (on_leave()). */
    struct call_options once = {.deadline = options->deadline, .max_attempts = 1};
    const struct sqs_api *sqs = d->batcher.platform->sqs;
    return sqs->send_batch(sqs->ctx, d->facts->dlq.url, sends, count, &once, batcher_answered, flight);
}

/* The DLQ refuses it as it is. First the original's own attributes are left out, as they may be the reason; then
 * plainer forms follow. */
static void refused(struct dead_letters *d, struct letter *l, const char *code) {
    enum dead_letter_form form = l->content.form;
    bool had_more = l->content.attribute_count > 0 || (l->original->trace_header.data && !l->without_attributes) ||
                    fair_group(d, l).data;
    repeated_line_say(&d->plainer_form, l->original->message_id, code);
    drop(l);
    if (!had_more && form == DEAD_LETTER_BARE) {
        d->ended(l, LETTER_REFUSED, code);
        return;
    }
    if (had_more)
        l->without_attributes = true;
    else
        l->least_form = form + 1;
    queue(d, l);
}

static void on_ended(void *ctx, struct batch_entry *entry, enum batch_end end, const char *code) {
    struct dead_letters *d = ctx;
    struct letter *l = container_of(entry, struct letter, entry);
    if (end == BATCH_REFUSED) {
        refused(d, l, code);
        return;
    }
    drop(l);
    d->ended(l, end == BATCH_DONE ? LETTER_DELIVERED : end == BATCH_EXPIRED ? LETTER_EXPIRED : LETTER_SET_ASIDE, code);
}

void dead_letters_init(struct dead_letters *d, const struct platform *platform, const struct discovery_facts *facts,
                       enum batch_leave (*leave)(struct letter *letter, bool others_go),
                       void (*ended)(struct letter *letter, enum letter_end end, const char *code),
                       void (*changed)(void *ctx), void *ctx) {
    size_t limit = facts->dlq.attributes.max_message_size;
    const struct batcher_kind kind = {.what = "Sending to the DLQ",
                                      .counted_as = METRICS_DEAD_LETTERS,
                                      .max_bytes = limit < BATCH_BYTES_MAX ? limit : BATCH_BYTES_MAX,
                                      .linger = LINGER,
                                      .max_flights = FLIGHTS,
                                      .sets_aside = true,
                                      .leave = on_leave,
                                      .send = send,
                                      .ended = on_ended,
                                      .changed = changed,
                                      .changed_ctx = ctx};
    d->facts = facts;
    d->leave = leave;
    d->ended = ended;
    batcher_init(&d->batcher, platform, &kind, d);
    repeated_line_init(&d->body_alone, platform,
                       "A failed message is too large for its envelope: the DLQ gets its body alone");
    repeated_line_init(&d->envelope_refused, platform,
                       "The DLQ refuses a failed message's envelope: it gets its body alone");
    repeated_line_init(&d->plainer_form, platform, "The DLQ refuses a message; trying a plainer form");
}

void dead_letters_done(struct dead_letters *d) {
    batcher_done(&d->batcher);
    repeated_line_done(&d->body_alone);
    repeated_line_done(&d->envelope_refused);
    repeated_line_done(&d->plainer_form);
}
