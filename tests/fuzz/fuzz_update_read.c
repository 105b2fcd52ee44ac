/* Any bytes as a message's body: read, built, answered and recorded without a fault, and twice alike; once more with
 * one call failing, which changes no verdict. The first byte chooses the table and the audit mode. */
#include "dead_letter.h"
#include "digest.h"
#include "json_reader.h"
#include "scarce.h"
#include "update.h"
#include "update_plain.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define WALL 1704677672343000LL

static struct table_shape table_of(unsigned choice) {
    static const enum key_type types[] = {KEY_STRING, KEY_NUMBER, KEY_BINARY, KEY_STRING};
    struct table_shape t = {.name = "t", .partition = {.name = "id", .type = types[choice & 3]}};
    if (choice & 4)
        t.sort = (struct key_attribute){.name = "sk", .type = types[choice >> 3 & 3]};
    t.attributes[0] = t.partition;
    t.attributes[1] = (struct key_attribute){.name = "email", .type = KEY_STRING};
    t.attribute_count = 2;
    return t;
}

/* Stops the fuzzer where text isn't JSON as we ourselves would read it. */
static void require_json(struct span text) {
    const struct json_options options = {.max_depth = JSON_MAX_DEPTH, .reject_duplicates = true, .hash_seed = {5, 6}};
    struct json_reader reader;
    struct json_token token;
    json_reader_init(&reader, text, &options);
    enum json_event event;
    do
        event = json_next(&reader, &token);
    while (event != JSON_END && event != JSON_FAILED);
    json_reader_done(&reader);
    if (event == JSON_FAILED)
        abort();
}

static void require(bool holds) {
    if (!holds)
        abort();
}

static void try_hashes(const struct update *u) {
    require(u->audited == (u->request_hash[0] != '\0'));
    require(!u->audited || update_compare_hash(u, span_cstr(u->request_hash)) == HASH_SAME);
    require(update_compare_hash(u, SPAN("v1:")) == HASH_OTHER);
    require(update_compare_hash(u, SPAN("v0:")) == HASH_UNKNOWN);
    require(update_compare_hash(u, (struct span){NULL, 0}) == HASH_UNKNOWN);
}

/* What is told to be fit at a glance is, and so it is by its own pattern. Of the same text with one byte changed that
 * tells the same as no pattern. */
static void try_plain(const struct update_context *ctx, struct span body, const struct update *u) {
    struct update_pattern own = {0}, none = {0};
    struct update_plain plain;
    char changed[1024];
    bool told = update_is_plain(ctx, body, &own, &plain);
    if (told) {
        require(u->failure.type == ERROR_NONE && u->own_key == plain.has_key && update_body(u).data == body.data);
    }
    require(update_is_plain(ctx, body, &own, &plain) == told);
    if (body.len > 0 && body.len <= sizeof changed) {
        memcpy(changed, body.data, body.len);
        changed[(size_t)u->log_id[0] * 31 % body.len] = body.data[body.len / 2];
        struct span other = span_of(changed, body.len);
        require(update_is_plain(ctx, other, &own, &plain) == update_is_plain(ctx, other, &none, &plain));
    }
}

static void try_outputs(const struct update_context *ctx, struct update *u) {
    struct buf out;
    buf_init(&out, (size_t)64 << 20);
    if (u->failure.type == ERROR_NONE) {
        require_json(u->record);
        require_json(u->id);
        if (update_build(ctx, u, WALL)) {
            require_json(buf_span(&u->request));
            update_next_token(ctx, u);
            require_json(buf_span(&u->request));
            require(update_append_success(u, WALL, &out));
            require_json(buf_span(&out));
            buf_reset(&out);
            require(update_append_confirm_request(ctx, u, &out));
            require_json(buf_span(&out));
            try_hashes(u);
            char long_sentence[1027];
            const struct span sentences[] = {SPAN("The document path is invalid"),
                                             SPAN("An operand is wrong"),
                                             SPAN("Number overflow"),
                                             SPAN("Item size"),
                                             SPAN("Invalid ConditionExpression"),
                                             span_of(long_sentence, sizeof long_sentence)};
            memset(long_sentence, 'x', sizeof long_sentence);
            memcpy(long_sentence + sizeof long_sentence - 1025 + u->request.len % 4, "\xF0\x9F\x98\x80", 4);
            switch (u->request.len % 4) {
            case 3:
                update_fail_refused(ctx, u, sentences[u->request.len / 4 % ARRAY_LENGTH(sentences)], u->audited);
                require(u->failure.type == ERROR_VALIDATION);
                break;
            case 0: failure_database(&u->failure, SPAN("Code")); break;
            case 1: update_fail_condition(u, u->own_key); break;
            default: update_fail_reused_key(u); break;
            }
        }
        require(u->failure.type != ERROR_NONE);
    }
    require(!u->confirm_refusal || (u->audited && u->request_hash[0]));
    buf_reset(&out);
    require(failure_append_envelope(&u->failure, u->own_key ? SPAN("\"more\":1") : (struct span){NULL, 0}, WALL, &out));
    require_json(buf_span(&out));
    buf_reset(&out);
    failure_append_for_log(&u->failure, &out);
    require(buf_ok(&out));
    if (u->readable) {
        buf_reset(&out);
        require(update_append_failure_record(ctx, u, WALL, &out));
        require_json(buf_span(&out));
    }
    buf_free(&out);
}

/* With one call that fails: done, or not for lack of memory alone. */
static void try_scarce(const struct update_context *ctx, const struct delivery *delivery, enum error_type verdict) {
    struct buf out;
    buf_init(&out, (size_t)64 << 20);
    struct update *u = update_read(ctx, delivery);
    if (u) {
        require(u->failure.type == verdict);
        bool fit = verdict == ERROR_NONE;
        bool built = fit && update_build(ctx, u, WALL);
        require(!fit || built || failing_calls_failed() || u->failure.type == ERROR_VALIDATION);
        if (built)
            (void)update_append_success(u, WALL, &out);
        if (fit && u->failure.type == ERROR_NONE)
            failure_for_id(&u->failure, ERROR_CONDITIONAL_CHECK, u->id);
        buf_reset(&out);
        if (u->failure.type != ERROR_NONE)
            (void)failure_append_envelope(&u->failure, (struct span){NULL, 0}, WALL, &out);
        buf_reset(&out);
        bool recorded = u->readable && update_append_failure_record(ctx, u, WALL, &out);
        (void)failing_calls_end(); /* looking at it takes memory as well */
        if (recorded)
            require_json(buf_span(&out));
        else
            require(!u->readable || failing_calls_failed());
    } else {
        require(failing_calls_failed());
    }
    update_free(u);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct digest *digest;
    if (!digest && !(digest = digest_new()))
        abort();
    if (size == 0)
        return 0;
    const struct table_shape table = table_of(data[0]);
    const struct update_context ctx = {.table = &table,
                                       .audit_table = "audit_logs",
                                       .audit_table_exists = data[0] != 0xff,
                                       .audit = (enum audit_mode)((data[0] >> 5) % 3),
                                       .audit_ttl_days = data[0] >> 7,
                                       .audit_ends_early = data[0] >= 0xf0,
                                       .user_agent = "table-updater/0.0.0",
                                       .digest = digest,
                                       .hash_seed = {1, 2}};
    const struct delivery delivery = {.body = span_of((const char *)data + 1, size - 1),
                                      .message_id = SPAN("message-id")};
    plenty_begin();
    struct update *u = update_read(&ctx, &delivery);
    require(u != NULL);
    enum error_type verdict = u->failure.type;
    struct update *again = update_read(&ctx, &delivery);
    require(again && verdict == again->failure.type);
    require(memcmp(u->request_hash, again->request_hash, sizeof u->request_hash) == 0);
    update_free(again);
    try_plain(&ctx, delivery.body, u);
    try_outputs(&ctx, u);
    update_free(u);
    uint64_t calls = failing_calls_end();
    scarce_begin(calls, data, size);
    try_scarce(&ctx, &delivery, verdict);
    (void)failing_calls_end();
    return 0;
}
