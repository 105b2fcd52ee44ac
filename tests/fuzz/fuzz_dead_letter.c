/* A message into the DLQ and back, in every form and at every limit: always deliverable, and the original comes back
 * byte for byte under its key; once more with one call failing. The input: form, limit (2 bytes), length of the
 * idempotency key's default, then that and the body. */
#include "dead_letter.h"
#include "digest.h"
#include "scarce.h"
#include "sqs_text.h"

#include <stdint.h>
#include <stdlib.h>

#define WALL 1704677672343000LL

static void require(bool holds) {
    if (!holds)
        abort();
}

static struct update *read_message(const struct update_context *ctx, const struct delivery *delivery) {
    struct update *u = update_read(ctx, delivery);
    require(u != NULL);
    if (u->failure.type == ERROR_NONE)
        failure_for_id(&u->failure, ERROR_CONDITIONAL_CHECK, u->id);
    return u;
}

static struct dead_letter make(const struct update *u, const struct delivery *delivery, unsigned receive_count,
                               size_t limit, enum dead_letter_form form) {
    const struct delivery_facts facts = {.message_id = delivery->message_id,
                                         .queue = SPAN("updates"),
                                         .group_id = delivery->message_id,
                                         .receive_count = receive_count,
                                         .sent_at = WALL};
    struct dead_letter letter;
    require(dead_letter_make(u, delivery, &facts, WALL, limit, form, &letter));
    require(letter.form >= form);
    require(letter.size <= limit || letter.form == DEAD_LETTER_BARE);
    require(sqs_text_is_valid(buf_span(&letter.body)) && letter.body.len > 0);
    require(sqs_text_is_valid(buf_span(&letter.error_envelope)));
    return letter;
}

/* Read again it is what it was, with its origin. u is taken over. */
static struct update *read_again(const struct update_context *ctx, struct update *u) {
    uint8_t ids[sizeof u->log_id + sizeof u->request_hash];
    memcpy(ids, u->log_id, sizeof u->log_id);
    memcpy(ids + sizeof u->log_id, u->request_hash, sizeof u->request_hash);
    const bool unwrapped = u->unwrapped;
    const struct span body = u->source.body;
    const size_t keys = u->idempotency_key.len, own = u->source.idempotency_key.len;
    struct update *again = update_read_again(ctx, u);
    require(again != NULL);
    require(memcmp(ids, again->log_id, sizeof again->log_id) == 0);
    require(memcmp(ids + sizeof again->log_id, again->request_hash, sizeof again->request_hash) == 0);
    require(again->unwrapped == unwrapped && again->source.body.data == body.data &&
            again->source.body.len == body.len);
    require(again->idempotency_key.len == keys && again->source.idempotency_key.len == own);
    return again;
}

/* The letter comes back to the queue under another MessageId, fails again, and comes back once more. */
static void redrive(const struct update_context *ctx, const struct update *u, const struct dead_letter *letter,
                    size_t limit, int rounds) {
    const struct delivery delivery = {
        .body = buf_span(&letter->body),
        .body_space = letter->body.data,
        .message_id = SPAN("another"),
        .error_envelope = letter->error_envelope.len > 0 ? buf_span(&letter->error_envelope) : (struct span){NULL, 0}};
    struct update *again = read_message(ctx, &delivery);
    if (letter->form != DEAD_LETTER_BARE) {
        require(again->unwrapped);
        require(!u->unwrapped || span_equal(again->source.body, u->source.body));
        require(span_equal(again->idempotency_key, u->idempotency_key));
        require(memcmp(again->log_id, u->log_id, sizeof u->log_id) == 0);
        require(memcmp(again->request_hash, u->request_hash, sizeof u->request_hash) == 0);
        require(again->failure.type == u->failure.type);
    }
    if (rounds > 0) {
        struct dead_letter next = make(again, &delivery, 9, limit, letter->form);
        redrive(ctx, again, &next, limit, rounds - 1);
        dead_letter_free(&next);
    }
    update_free(read_again(ctx, again));
}

/* Wrapped by hand more often than is forgiven: each redrive gets deeper. */
static bool is_wrapped_still(const struct update_context *ctx, const struct update *u) {
    if (!u->unwrapped)
        return false;
    const struct delivery inner = {.body = u->source.body, .message_id = SPAN("another")};
    struct update *deeper = read_message(ctx, &inner);
    bool wrapped = deeper->unwrapped;
    update_free(deeper);
    return wrapped;
}

/* What is written over the delivered body is what stands beside it where that may not be. */
static void is_the_same_in_its_place(const struct update_context *ctx, const struct delivery *delivery,
                                     const struct update *u) {
    char *bytes = malloc(delivery->body.len);
    require(bytes != NULL);
    memcpy(bytes, delivery->body.data, delivery->body.len);
    struct delivery copy = *delivery;
    copy.body = span_of(bytes, delivery->body.len);
    copy.body_space = bytes;
    struct update *v = read_message(ctx, &copy);
    require(u->unwrapped == v->unwrapped && u->failure.type == v->failure.type);
    require(span_equal(u->source.body, v->source.body) && span_equal(u->idempotency_key, v->idempotency_key));
    require(memcmp(u->log_id, v->log_id, sizeof u->log_id) == 0 &&
            memcmp(u->request_hash, v->request_hash, sizeof u->request_hash) == 0);
    update_free(v);
    free(bytes);
}

static void there_and_back(const struct update_context *ctx, const struct delivery *delivery, size_t limit,
                           enum dead_letter_form form) {
    struct update *u = read_message(ctx, delivery);
    if (is_wrapped_still(ctx, u)) {
        update_free(u);
        return;
    }
    is_the_same_in_its_place(ctx, delivery, u);
    struct dead_letter letter = make(u, delivery, 5, limit, form);
    if (letter.form != DEAD_LETTER_BARE && !u->unwrapped) {
        const struct delivery back = {.body = buf_span(&letter.body),
                                      .message_id = SPAN("another"),
                                      .error_envelope = letter.error_envelope.len > 0 ? buf_span(&letter.error_envelope)
                                                                                      : (struct span){NULL, 0}};
        struct update *again = read_message(ctx, &back);
        require(again->unwrapped && span_equal(again->source.body, delivery->body));
        require(span_equal(again->source.idempotency_key, u->idempotency_key));
        update_free(again);
    }
    redrive(ctx, u, &letter, limit, 2);
    dead_letter_free(&letter);
    update_free(u);
}

/* With one call that fails: sent as it should be, or not made; and read as it should be, or not at all. */
static void try_scarce(const struct update_context *ctx, const struct delivery *delivery, size_t limit,
                       enum dead_letter_form form) {
    struct update *u = update_read(ctx, delivery);
    require(u || failing_calls_failed());
    if (!u)
        return;
    if (u->failure.type == ERROR_NONE)
        failure_for_id(&u->failure, ERROR_CONDITIONAL_CHECK, u->id);
    struct dead_letter letter;
    const struct delivery_facts facts = {
        .message_id = delivery->message_id, .queue = SPAN("updates"), .receive_count = 5, .sent_at = WALL};
    bool made = dead_letter_make(u, delivery, &facts, WALL, limit, form, &letter);
    require(made || failing_calls_failed());
    if (made && letter.form == DEAD_LETTER_WRAPPED && !u->unwrapped) {
        const struct delivery back = {.body = buf_span(&letter.body), .message_id = SPAN("another")};
        struct update *again = update_read(ctx, &back);
        require(again ? again->unwrapped && span_equal(again->source.body, delivery->body) : failing_calls_failed());
        update_free(again);
    }
    if (made)
        dead_letter_free(&letter);
    update_free(u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct digest *digest;
    if (!digest && !(digest = digest_new()))
        abort();
    if (size < 4)
        return 0;
    static const struct table_shape table = {.name = "t",
                                             .partition = {.name = "id", .type = KEY_STRING},
                                             .attribute_count = 1,
                                             .attributes = {{.name = "id", .type = KEY_STRING}}};
    const struct update_context ctx = {.table = &table,
                                       .audit_table = "audit_logs",
                                       .audit_table_exists = true,
                                       .audit = AUDIT_ON,
                                       .user_agent = "table-updater/0.0.0",
                                       .digest = digest,
                                       .hash_seed = {1, 2}};
    size_t limit = (size_t)data[1] << 8 | data[2];
    size_t id = 1 + data[3] % 36;
    if (size < 4 + id)
        return 0;
    const struct delivery delivery = {.message_id = span_of((const char *)data + 4, id),
                                      .body = span_of((const char *)data + 4 + id, size - 4 - id)};
    /* What SQS delivers is text that it took. */
    if (delivery.body.len == 0 || !sqs_text_is_valid(delivery.body) || !sqs_text_is_valid(delivery.message_id))
        return 0;
    plenty_begin();
    there_and_back(&ctx, &delivery, limit, (enum dead_letter_form)(data[0] % 3));
    uint64_t calls = failing_calls_end();
    scarce_begin(calls, data, size);
    try_scarce(&ctx, &delivery, limit, (enum dead_letter_form)(data[0] % 3));
    (void)failing_calls_end();
    return 0;
}
