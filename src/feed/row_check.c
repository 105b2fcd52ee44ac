#include "row_check.h"

#include "row_compose.h"
#include "row_group.h"
#include "sqs_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX (4 * ROW_SIZE_MAX) /* of a composed message; max_size bounds it below that */

void row_check_init(struct row_check *c, const struct row_check_options *options) {
    *c = (struct row_check){.options = *options, .context = *options->context};
    if ((options->job || options->log) && c->context.audit == AUDIT_OFF) {
        c->context.audit = AUDIT_ON; /* a row that is silent asks for a record once it is sent */
    }
    buf_init(&c->body, BODY_MAX);
    buf_init(&c->escaped, BODY_MAX);
    failure_init(&c->failure);
}

void row_check_free(struct row_check *c) {
    update_free(c->update);
    buf_free(&c->body);
    buf_free(&c->escaped);
    failure_free(&c->failure);
    *c = (struct row_check){0};
}

static void forget(struct row_check *c) {
    update_free(c->update);
    c->update = NULL;
    buf_reset(&c->body);
    if (c->failure.type != ERROR_NONE) {
        failure_free(&c->failure);
        failure_init(&c->failure);
    }
}

/* Whether a glance shows that the row is fit, and nothing but the row itself is needed of it. */
static bool is_plain(struct row_check *c, struct span text) {
    const struct row_check_options *o = &c->options;
    c->plain = (struct update_plain){0};
    return !o->group_by && !o->condition && update_is_plain(&c->context, text, &c->pattern, &c->plain);
}

static bool read_text(struct row_check *c, struct span text) {
    const struct delivery delivery = {.body = text, .message_id = span_cstr(c->key)};
    update_free(c->update);
    c->update = update_read(&c->context, &delivery);
    return c->update != NULL;
}

static void make_key(struct row_check *c, uint64_t number) {
    if (c->options.job) {
        (void)snprintf(c->key, sizeof c->key, "%.128s:%" PRIu64, c->options.job, number);
    } else {
        uint64_t words[2] = {random_next(c->options.random), random_next(c->options.random)};
        hex_encode((const uint8_t *)words, sizeof words, c->key);
    }
}

static bool has_own_key(const struct row_check *c) {
    return c->update ? c->update->own_key : c->plain.has_key;
}

/* A key that isn't the default: the producer's own, or that of what wraps the message. */
static bool has_key(const struct row_check *c) {
    return has_own_key(c) || (c->update && !span_is(c->update->idempotency_key, c->key));
}

static void refuse_key(struct row_check *c) {
    failure_validation(&c->failure, SPAN("idempotency_key"), "%s",
                       has_own_key(c)
                           ? "a job gives each row its own key: leave the member out, or enqueue without --job"
                           : "what wraps the message gives it a key, and a job would give it another, under which it "
                             "could be applied once more: enqueue without --job");
}

/* The text to be sent. False: no memory. */
static bool compose(struct row_check *c, struct span text, struct span *ret_body) {
    const struct row_check_options *o = &c->options;
    struct span message = c->update ? update_body(c->update) : text;
    bool wrapped = message.data != text.data, keyed = has_key(c);
    bool logs = o->log || o->job != NULL;
    *ret_body = text;
    if (!logs && !o->condition && keyed) {
        return true; /* what wraps it is sent as well: the worker unwraps it */
    }
    struct row_members members = {.has_key = c->plain.has_key, .has_enable_logging = c->plain.has_enable_logging};
    if (c->update && (logs || o->condition)) {
        members = row_members_of(message);
    }
    const struct row_additions additions = {.key = wrapped && !has_own_key(c) ? c->update->idempotency_key
                                                   : keyed                    ? (struct span){NULL, 0}
                                                                              : span_cstr(c->key),
                                            .enable_logging = logs,
                                            .condition = span_cstr(o->condition)};
    if (!row_compose(message, &members, &additions, &c->body)) {
        return false;
    }
    *ret_body = buf_span(&c->body);
    return true;
}

static bool find_group(struct row_check *c, struct row_message *message) {
    uint8_t hash[SHA256_SIZE];
    switch (row_group_of(c->update, c->options.group_by, c->options.context->digest, c->group)) {
    case GROUP_NO_MEMORY: return false;
    case GROUP_MISSING:
        failure_validation(&c->failure, SPAN("attributes"),
                           "--group-by names an attribute that it doesn't have as a string, a number or a boolean");
        return true;
    case GROUP_FOUND: break;
    }
    /* Not made of the row's own key: of two rows with one key SQS would drop the second without a word. */
    if (!digest_sha256(c->options.context->digest, span_cstr(c->key), hash)) {
        return false;
    }
    hex_encode(hash, sizeof hash, c->deduplication);
    message->group_id = span_cstr(c->group);
    message->deduplication_id = span_cstr(c->deduplication);
    return true;
}

/* Whether there is U+FFFE or U+FFFF, the only characters of JSON's text that SQS refuses. */
static bool has_refused(struct span text) {
    const char *at = text.data, *end = text.data + text.len;
    while (at && (at = memchr(at, 0xEF, (size_t)(end - at)))) {
        if (end - at >= 3 && at[1] == '\xBF' && (at[2] == '\xBE' || at[2] == '\xBF')) {
            return true;
        }
        at++;
    }
    return false;
}

/* The same message, in text that SQS takes. False: no memory. */
static bool escape(struct row_check *c, struct span *body) {
    if (!has_refused(*body)) {
        return true;
    }
    buf_reset(&c->escaped);
    if (!sqs_text_append_escaped(*body, &c->escaped)) {
        return false;
    }
    *body = buf_span(&c->escaped);
    return true;
}

/* A condition that was added may make a row unfit that was fit. */
static bool check_again(struct row_check *c, struct row_message *message) {
    struct span body = message->body;
    if (!read_text(c, body)) {
        return false;
    }
    message->failure = c->update->failure.type != ERROR_NONE ? &c->update->failure : NULL;
    return true;
}

static bool complete(struct row_check *c, struct span text, struct row_message *message) {
    const struct row_check_options *o = &c->options;
    if (o->job && has_key(c)) {
        refuse_key(c);
        return failure_ok(&c->failure);
    }
    if (o->group_by && !find_group(c, message)) {
        return false;
    }
    if (c->failure.type != ERROR_NONE) {
        return failure_ok(&c->failure);
    }
    if (o->dry && !o->condition) {
        message->body = text;
    } else if (!compose(c, text, &message->body) || (o->condition && !check_again(c, message))) {
        return false;
    }
    bool fits_anyway = o->dry && message->body.len <= o->max_size / 2; /* an escape has six bytes for three */
    if (!fits_anyway && !escape(c, &message->body)) {
        return false;
    }
    if (!message->failure && message->body.len > o->max_size) {
        failure_set(&c->failure, ERROR_INVALID_INPUT, "The message has %zu bytes, and the queue takes %zu at most",
                    message->body.len, o->max_size);
    }
    return failure_ok(&c->failure);
}

/* Adds a hint where the row is the beginning of a value that stands on several lines. False: no memory. */
static bool hint_at_lines(struct failure *failure, struct span text) {
    const char *hint = span_is(text, "{")   ? "jq -c . FILE writes them so"
                       : span_is(text, "[") ? "jq -c '.[]' FILE writes an array's so"
                                            : NULL;
    if (hint) {
        (void)buf_printf(&failure->message, ". Rows stand on one line each: %s", hint);
    }
    return failure_ok(failure);
}

bool row_check(struct row_check *c, const struct row *row, struct row_message *ret_message) {
    forget(c);
    *ret_message = (struct row_message){.failure = row->failure};
    if (row->failure) {
        return true;
    }
    bool plain = is_plain(c, row->message);
    if (!plain || !c->options.dry) {
        make_key(c, row->place.number);
    }
    if (!plain && !read_text(c, row->message)) {
        return false;
    }
    if (c->update && c->update->failure.type != ERROR_NONE) {
        ret_message->failure = &c->update->failure;
        return hint_at_lines(&c->update->failure, row->message);
    }
    if (!complete(c, row->message, ret_message)) {
        return false;
    }
    if (c->failure.type != ERROR_NONE) {
        ret_message->failure = &c->failure;
    }
    ret_message->plain = plain;
    return true;
}

bool row_check_condition(const struct update_context *context, const char *condition, struct failure *ret_failure) {
    struct table_shape *any = calloc(1, sizeof *any);
    struct update_context anywhere = *context;
    struct row_members none = {.condition = {NULL, 0}};
    struct buf body;
    failure_init(ret_failure);
    anywhere.table = any;
    buf_init(&body, BODY_MAX);
    const struct row_additions additions = {.condition = span_cstr(condition)};
    if (any) {
        any->any_key = true;
    }
    bool composed = any && row_compose(SPAN("{\"id\":1,\"attributes\":{\"a\":1}}"), &none, &additions, &body);
    const struct delivery delivery = {.body = buf_span(&body), .message_id = SPAN("-")};
    struct update *u = composed ? update_read(&anywhere, &delivery) : NULL;
    bool fine = u && (u->failure.type == ERROR_NONE || strpbrk(condition, "#:") != NULL);
    if (!u) {
        failure_set(ret_failure, ERROR_DATABASE, "There is no memory");
    } else if (!fine) {
        failure_free(ret_failure);
        *ret_failure = u->failure;
        failure_init(&u->failure);
    }
    update_free(u);
    buf_free(&body);
    free(any);
    return fine;
}

bool row_append_with_key(struct span message, struct span key, struct buf *out) {
    struct row_members members = {.condition = {NULL, 0}};
    const struct row_additions additions = {.key = key};
    return row_compose(message, &members, &additions, out);
}
