#include "message_cost.h"

#include "dead_letter.h"
#include "digest.h"

#include <stdlib.h>
#include <string.h>

#define WALL 1704677672343000LL
#define RECORD_MAX ((size_t)8 << 20)

bool message_context(struct update_context *ret) {
    static const struct table_shape table = {.name = "t",
                                             .partition = {.name = "id", .type = KEY_STRING},
                                             .attribute_count = 1,
                                             .attributes = {{.name = "id", .type = KEY_STRING}}};
    *ret = (struct update_context){.table = &table,
                                   .audit_table = "audit_logs",
                                   .audit_table_exists = true,
                                   .audit = AUDIT_ON,
                                   .user_agent = "table-updater/0.0.0",
                                   .digest = digest_new(),
                                   .hash_seed = {1, 2}};
    return ret->digest;
}

#define ENVELOPE_BEGIN                                                                                                 \
    "{\"success\":false,\"error\":\"E\",\"details\":{\"source\":{\"idempotency_key\":\"k\",\"body\":\""
#define ENVELOPE_END "\"}}}"
#define NO_CHARACTER "\xEF\xBF\xBE" /* U+FFFE */

const char *message_mark(enum message_form form) {
    return form == FORM_REFUSED ? NO_CHARACTER : "";
}

static bool is_escaped(char c) {
    return c == '"' || c == '\\';
}

size_t message_room(enum message_form form, const char *text) {
    size_t room = strlen(text);
    for (const char *at = text; form != FORM_PLAIN && *at; at++)
        room += is_escaped(*at);
    return room;
}

void message_append(enum message_form form, struct span message, struct buf *out) {
    if (form == FORM_PLAIN) {
        buf_append_span(out, message);
        return;
    }
    const size_t mark = sizeof NO_CHARACTER - 1;
    buf_append_cstr(out, ENVELOPE_BEGIN);
    for (size_t i = 0; i < message.len; i++) {
        const char *at = message.data + i;
        if (message.len - i >= mark && memcmp(at, NO_CHARACTER, mark) == 0) {
            buf_append_cstr(out, "\\ufffe");
            i += mark - 1;
            continue;
        }
        if (is_escaped(*at))
            buf_append_char(out, '\\');
        buf_append_char(out, *at);
    }
    buf_append_cstr(out, ENVELOPE_END);
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
    const struct delivery_facts facts = {
        .message_id = delivery->message_id, .queue = SPAN("q"), .receive_count = 1, .sent_at = WALL};
    if (!dead_letter_make(u, delivery, &facts, WALL, BODY_MAX, DEAD_LETTER_WRAPPED, &letter))
        abort();
    dead_letter_free(&letter);
    struct buf record;
    buf_init(&record, RECORD_MAX);
    if (u->readable && u->audited && !update_append_failure_record(ctx, u, WALL, &record))
        abort();
    buf_free(&record);
    update_free(u);
}
