#include "update_again.h"

bool update_again_read(const struct update_context *ctx, const struct update *u, struct update_again *again) {
    *again = (struct update_again){.update = *u, .parts = {.key_size = u->parts->key_size}};
    again->update.parts = &again->parts;
    failure_init(&again->update.failure);
    struct tape_error error;
    if (tape_read(u->parts->body, ctx->hash_seed, &again->parts.tape, &error) != TAPE_READ)
        return false;
    (void)update_find_members(&again->parts);
    return true;
}

bool update_again_no_memory(struct update_again *again, enum step step) {
    bool told = failure_ok(&again->update.failure);
    again->update.failure.type = ERROR_NONE;
    return step == STEP_NO_MEMORY || !told;
}

bool update_again_read_operations(struct update_again *again, bool *ret_fit) {
    struct update_parts *p = &again->parts;
    enum terms_status terms =
        update_terms_init(&p->terms, &p->tape, &p->arena, p->members[MEMBER_NAMES], TAPE_ROOT, &again->update.failure);
    enum step step = terms == TERMS_FINE ? STEP_FINE : terms == TERMS_REFUSED ? STEP_REFUSED : STEP_NO_MEMORY;
    if (step == STEP_FINE)
        step = update_read_operations(&again->update);
    *ret_fit = step == STEP_FINE;
    return !update_again_no_memory(again, step);
}

void update_again_free(struct update_again *again) {
    update_free_parts(&again->parts);
    arena_free(&again->parts.arena);
    failure_free(&again->update.failure);
}
