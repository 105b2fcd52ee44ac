#include "update_parts.h"

#include "value_path.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that the canonical form of nearly every message fits in. The request hash is made of it. */
#define USUAL_SCRATCH_SIZE 3072

struct whole {
    struct update update;
    struct update_parts parts;
};

static enum step read_key(const struct update_context *ctx, struct update *u, struct buf *scratch) {
    struct update_parts *p = u->parts;
    tape_node id = p->members[MEMBER_ID];
    size_t size = 0;
    enum step step = update_read_key(ctx->table, &p->tape, id, scratch, &size, &u->failure);
    if (step != STEP_FINE)
        return step;
    p->key_size = size;
    u->record = arena_copy(&p->arena, buf_span(scratch));
    u->id = update_id_text(&p->tape, id, &p->arena);
    return u->record.data && u->id.data ? STEP_FINE : STEP_NO_MEMORY;
}

static enum step check_audit(const struct update_context *ctx, struct update *u) {
    if (!u->audited || ctx->audit_table_exists)
        return STEP_FINE;
    /* There is no table for the record of this failure either. */
    u->audited = false;
    failure_validation(&u->failure, SPAN("enable_logging"),
                       "it asks for an audit record, but the audit table doesn't exist");
    return STEP_REFUSED;
}

static enum step refuse_undefined(const struct update_terms *terms, struct failure *f) {
    struct value_path member = path_root(terms->undefined_in->member);
    struct value_path path = path_member(&member, (struct json_string){terms->undefined, false});
    path_refuse(&path, f, "condition_expression uses it, but it isn't defined");
    return STEP_REFUSED;
}

static enum step parse_condition(struct update *u) {
    struct update_parts *p = u->parts;
    tape_node n = p->members[MEMBER_CONDITION];
    u->conditional = n != TAPE_ROOT;
    if (!u->conditional)
        return STEP_FINE;
    struct span text = json_string_text(tape_string(&p->tape, n), &p->arena);
    if (!text.data)
        return STEP_NO_MEMORY;
    struct condition_environment environment = update_terms_environment(&p->terms);
    environment.unguarded = u->create_if_missing;
    enum condition_status status = condition_parse(text, &environment, &p->condition, &u->failure);
    if (status == CONDITION_NO_MEMORY || p->terms.no_memory)
        return STEP_NO_MEMORY;
    if (status == CONDITION_REFUSED)
        return p->terms.undefined_in ? refuse_undefined(&p->terms, &u->failure) : STEP_REFUSED;
    return STEP_FINE;
}

static enum step read_condition(struct update *u) {
    struct update_parts *p = u->parts;
    switch (update_terms_init(&p->terms, &p->tape, &p->arena, p->members[MEMBER_NAMES], p->members[MEMBER_VALUES],
                              &u->failure)) {
    case TERMS_FINE: break;
    case TERMS_REFUSED: return STEP_REFUSED;
    default: return STEP_NO_MEMORY;
    }
    if (p->terms.text + p->terms.zeros > CONDITION_TERMS_TEXT_MAX) {
        failure_validation(&u->failure, SPAN("expression_attribute_values"),
                           "together with the names they have more than 2 MB");
        return STEP_REFUSED;
    }
    enum step step = parse_condition(u);
    if (step == STEP_FINE)
        step = update_read_operations(u);
    if (step != STEP_FINE)
        return step;
    return update_terms_all_used(&p->terms, &u->failure) ? STEP_FINE : STEP_REFUSED;
}

/* The message's own key counts where it can be one, whatever else is wrong: the DLQ's message keeps it. */
static enum step take_key(struct update *u) {
    struct update_parts *p = u->parts;
    tape_node n = p->members[MEMBER_KEY];
    if (n == TAPE_ROOT || tape_type_of(&p->tape, n) != TAPE_STRING ||
        json_string_size(tape_string(&p->tape, n)) > KEY_SIZE_MAX)
        return STEP_FINE;
    u->idempotency_key = json_string_text(tape_string(&p->tape, n), &p->arena);
    u->own_key = true;
    return u->idempotency_key.data ? STEP_FINE : STEP_NO_MEMORY;
}

static enum step check_key(struct update *u) {
    tape_node n = u->parts->members[MEMBER_KEY];
    if (n == TAPE_ROOT || u->own_key)
        return STEP_FINE;
    failure_validation(&u->failure, SPAN("idempotency_key"), "a key has at most %d bytes", KEY_SIZE_MAX);
    return STEP_REFUSED;
}

/* A look-alike or an index key that is refused here may have been applied before: earlier versions took look-alikes,
 * and an index may be new. The hash of an audited message tells whether it was. */
static enum step finish(const struct update_context *ctx, struct update *u, struct buf *scratch) {
    enum step verdict = update_check_lookalikes(u);
    if (verdict == STEP_FINE)
        verdict = update_check_repeatable(ctx, u);
    if (verdict == STEP_NO_MEMORY || !update_sort_parts(u))
        return STEP_NO_MEMORY;
    if (verdict == STEP_FINE)
        verdict = update_check_expression(u);
    if (verdict == STEP_FINE && u->failure.type != ERROR_NONE) { /* an index's key, noted on the way */
        u->of_index = true;
        u->confirm_refusal = u->audited;
        verdict = STEP_REFUSED;
    }
    bool hashed = u->audited && (verdict == STEP_FINE || u->confirm_refusal); /* only an audit record holds it */
    return !hashed || update_hash_request(ctx, u, scratch) ? verdict : STEP_NO_MEMORY;
}

/* In the order of the members: the first that breaks a rule is the one that is reported. */
static enum step validate(const struct update_context *ctx, struct update *u, struct buf *scratch) {
    struct update_parts *p = u->parts;
    enum step step = read_key(ctx, u, scratch);
    if (step != STEP_FINE)
        return step;
    tape_node attributes = p->members[MEMBER_ATTRIBUTES];
    if (attributes != TAPE_ROOT && !update_check_attributes(ctx, u, &p->tape, attributes, &p->attributes, &u->failure))
        return STEP_REFUSED;
    if ((step = check_audit(ctx, u)) != STEP_FINE || (step = read_condition(u)) != STEP_FINE ||
        (step = check_key(u)) != STEP_FINE)
        return step;
    if ((step = update_check_typed(ctx, u)) != STEP_FINE || (step = update_check_operations(ctx, u)) != STEP_FINE ||
        (step = update_check_whole(ctx, u)) != STEP_FINE)
        return step;
    return finish(ctx, u, scratch);
}

static bool is_audited(const struct update_context *ctx, const struct update_parts *p) {
    tape_node n = p->members[MEMBER_ENABLE_LOGGING];
    if (ctx->audit == AUDIT_ALWAYS || n == TAPE_ROOT)
        return ctx->audit != AUDIT_OFF;
    return tape_type_of(&p->tape, n) == TAPE_TRUE;
}

static enum step read_message(const struct update_context *ctx, const struct delivery *delivery, struct update *u) {
    struct update_parts *p = u->parts;
    enum step step = update_unwrap(ctx, delivery, u);
    if (step != STEP_FINE)
        return step;
    step = update_read_members(u);
    if (step == STEP_NO_MEMORY || take_key(u) == STEP_NO_MEMORY)
        return STEP_NO_MEMORY;
    if (step != STEP_FINE)
        return step;
    u->readable = true;
    u->audited = is_audited(ctx, p);
    if (!update_hash_key(ctx, u))
        return STEP_NO_MEMORY;
    struct buf scratch;
    char usual[USUAL_SCRATCH_SIZE];
    buf_init_lent(&scratch, usual, sizeof usual, REQUEST_SIZE_MAX);
    step = validate(ctx, u, &scratch);
    buf_free(&scratch);
    return step;
}

struct update *update_read(const struct update_context *ctx, const struct delivery *delivery) {
    struct whole *whole = malloc(sizeof *whole);
    if (!whole)
        return NULL;
    memset(whole, 0, offsetof(struct whole, parts.arena.first));
    struct update *u = &whole->update;
    u->parts = &whole->parts;
    failure_init(&u->failure);
    buf_init(&u->request, REQUEST_SIZE_MAX);
    enum step step = read_message(ctx, delivery, u);
    if (step == STEP_NO_MEMORY || !failure_ok(&u->failure)) {
        update_free(u);
        return NULL;
    }
    if (step == STEP_REFUSED)
        update_free_parts(u->parts);
    return u;
}

struct update *update_read_again(const struct update_context *ctx, struct update *u) {
    /* Not the delivered body: its own content may have been written over it. */
    struct delivery delivery = {.body = u->parts->body, .message_id = u->idempotency_key};
    struct update *again = update_read(ctx, &delivery);
    if (!again || !update_keep_origin(again, u)) {
        update_free(again);
        return NULL;
    }
    update_free(u);
    return again;
}

struct span update_body(const struct update *u) {
    return u->parts->body;
}

void update_free_parts(struct update_parts *p) {
    p->condition = NULL; /* the arena's */
    update_terms_free(&p->terms);
    update_operations_free(&p->operations);
    tape_free(&p->tape);
}

void update_free(struct update *u) {
    if (!u)
        return;
    update_free_parts(u->parts);
    arena_free(&u->parts->arena);
    buf_free(&u->parts->inner);
    buf_free(&u->parts->message);
    buf_free(&u->request);
    failure_free(&u->failure);
    /* It is the first member of its block. */
    free(u);
}
