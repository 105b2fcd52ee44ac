#include "message_cost.h"

#include "dead_letter.h"
#include "digest.h"
#include "heap_count.h"

#include <stdlib.h>

#define WALL 1704677672343000LL
#define RECORD_MAX ((size_t)8 << 20)

bool message_context(struct update_context *ret) {
    static const struct table_shape table = {
        .name = "t", .partition = {.name = "id", .type = KEY_STRING}, .attribute_count = 1, .attributes = {{.name = "id", .type = KEY_STRING}}};
    *ret = (struct update_context){.table = &table,
                                   .audit_table = "audit_logs",
                                   .audit_table_exists = true,
                                   .audit = AUDIT_ON,
                                   .user_agent = "table-updater/0.0.0",
                                   .digest = digest_new(),
                                   .hash_seed = {1, 2}};
    return ret->digest;
}

void message_live(const struct update_context *ctx, const struct delivery *delivery, bool *ret_failed) {
    struct update *u = update_read(ctx, delivery);
    if (!u)
        abort();
    *ret_failed = u->failure.type != ERROR_NONE || !update_build(ctx, u, WALL);
    if (!*ret_failed)
        failure_for_id(&u->failure, ERROR_CONDITIONAL_CHECK, u->id); /* and then it is refused after all */
    update_free_request(u);
    struct dead_letter letter;
    const struct delivery_facts facts = {.message_id = delivery->message_id, .queue = SPAN("q"), .receive_count = 1, .sent_at = WALL};
    if (!dead_letter_make(u, delivery, &facts, WALL, BODY_MAX, DEAD_LETTER_WRAPPED, &letter))
        abort();
    dead_letter_free(&letter);
    struct buf record;
    buf_init(&record, RECORD_MAX);
    if (u->readable && u->audited && !update_append_failure_record(ctx, u, delivery->message_id, WALL, &record))
        abort();
    buf_free(&record);
    update_free(u);
}

double message_share(const struct update_context *ctx, const struct delivery *delivery, bool *ret_failed) {
    heap_count_begin();
    message_live(ctx, delivery, ret_failed);
    return ((double)heap_count_peak() + (double)delivery->body.len) / (double)delivery->body.len;
}
