/* What stands in a DLQ, whoever put it there: it is read within bounds, what is told of it is text of the form that is
 * promised, and its key is the one that the worker would run it under; once more with one call failing. The input:
 * length of the attribute ErrorEnvelope (2 bytes), that, and the body. */
#include "letter.h"

#include "digest.h"
#include "id_choice.h"
#include "json_reader.h"
#include "scarce.h"

#include <stdint.h>
#include <stdlib.h>

static const uint64_t seed[2] = {3, 5};

static void require(bool holds) {
    if (!holds)
        abort();
}

/* One JSON value on one line. */
static void require_json(struct span text) {
    const struct json_options options = {.max_depth = JSON_MAX_DEPTH};
    struct json_reader r;
    struct json_token token;
    json_reader_init(&r, text, &options);
    require(json_next(&r, &token) != JSON_FAILED && json_skip(&r, &token) && json_next(&r, &token) == JSON_END);
    json_reader_done(&r);
    require(!memchr(text.data, '\n', text.len) && !memchr(text.data, '\r', text.len));
}

static void check(const struct letter *letter, const struct letter_delivery *d, struct digest *digest) {
    const struct table_shape table = {.name = "users", .partition = {"id", KEY_STRING}};
    const struct update_context context = {
        .table = &table, .audit_table = "audit", .digest = digest, .hash_seed = {seed[0], seed[1]}};
    const struct delivery delivery = {
        .body = d->body, .message_id = d->message_id, .error_envelope = d->error_envelope};
    struct update *u = update_read(&context, &delivery);
    require(u != NULL);
    require(letter->source.body.data != NULL);
    /* A key that is empty is none: such a message is refused. */
    require(u->idempotency_key.len == 0 || span_equal(letter->idempotency_key, u->idempotency_key));
    require(letter->has_key || span_equal(letter->idempotency_key, d->message_id));
    require((letter->form <= LETTER_BESIDE) == (letter->details.data != NULL));
    require(!u->unwrapped || letter->has_key);
    if (letter->details.data)
        require_json(letter->details);
    if (letter->id.data) {
        struct id_choice choice;
        struct buf why;
        bool ok;
        buf_init(&why, 1000);
        require_json(letter->id);
        /* It is itself, whatever it is. */
        require(id_choice_init(&choice, letter->id, NULL, seed, &why) == ID_CHOICE_FINE);
        require(id_choice_is(&choice, letter->id, &ok) && ok);
        id_choice_free(&choice);
        buf_free(&why);
    }
    update_free(u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    size_t length = data[0] | (size_t)data[1] << 8;
    const char *text = (const char *)data + 2;
    size -= 2;
    length = length < size ? length : size;
    const struct letter_delivery d = {.body = span_of(text + length, size - length),
                                      .message_id = SPAN("5fea7756-0ea4-451a-a703-a558b933e274"),
                                      .error_envelope = span_of(text, length)};
    struct digest *digest = digest_new();
    require(digest != NULL);
    plenty_begin();
    struct letter *letter = letter_read(seed, &d);
    uint64_t calls = failing_calls_end();
    require(letter != NULL);
    check(letter, &d, digest);
    letter_free(letter);
    scarce_begin(calls, data, size);
    letter = letter_read(seed, &d);
    (void)failing_calls_end();
    letter_free(letter);
    digest_free(digest);
    return 0;
}
