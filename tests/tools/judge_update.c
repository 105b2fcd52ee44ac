/* Says what the worker makes of update messages before it asks any service, for tests that hold a schema against it.
 *
 * Reads texts as frames.h has them. Writes a line for each: the error's name or "fine" for tables whose key is a
 * string, a number, binary, and a string with a number as the sort key, and the details that the first of them gives, a
 * JSON object. Audit records are written for every message. */
#include "digest.h"
#include "frames.h"
#include "update.h"

#include <stdlib.h>

#define TEXT_MAX ((size_t)4 << 20)
#define TABLES 4

static const struct key_attribute keys[TABLES][2] = {
    {{"id", KEY_STRING}, {"", KEY_STRING}},
    {{"id", KEY_NUMBER}, {"", KEY_STRING}},
    {{"id", KEY_BINARY}, {"", KEY_STRING}},
    {{"device", KEY_STRING}, {"at", KEY_NUMBER}},
};

static bool judge(const struct update_context *ctx, struct span body, bool with_details) {
    const struct delivery delivery = {.body = body, .message_id = SPAN("message-id")};
    struct update *u = update_read(ctx, &delivery);
    if (!u)
        return false;
    if (u->failure.type == ERROR_NONE && !update_build(ctx, u, 0) && u->failure.type == ERROR_NONE) {
        update_free(u);
        return false;
    }
    const char *error = u->failure.type == ERROR_NONE ? "fine" : error_type_name(u->failure.type);
    struct span details = buf_span(&u->failure.details);
    bool told = with_details ? printf("{%.*s}\n", (int)details.len, details.data) > 0 : printf("%s ", error) > 0;
    update_free(u);
    return told;
}

static bool judge_for_all(const struct table_shape *tables, struct digest *digest, struct span body) {
    for (size_t i = 0; i <= TABLES; i++) {
        const struct update_context ctx = {.table = &tables[i < TABLES ? i : 0],
                                           .audit_table = "audit_logs",
                                           .audit_table_exists = true,
                                           .audit = AUDIT_ALWAYS,
                                           .user_agent = "table-updater/0",
                                           .digest = digest,
                                           .hash_seed = {7, 11}};
        if (!judge(&ctx, body, i == TABLES))
            return false;
    }
    return true;
}

int main(void) {
    struct table_shape *tables = calloc(TABLES, sizeof *tables);
    struct digest *digest = digest_new();
    if (!tables || !digest)
        abort();
    for (size_t i = 0; i < TABLES; i++) {
        tables[i].name[0] = 't';
        tables[i].partition = tables[i].attributes[0] = keys[i][0];
        tables[i].sort = tables[i].attributes[1] = keys[i][1];
        tables[i].attribute_count = keys[i][1].name[0] ? 2 : 1;
    }
    struct buf text;
    buf_init(&text, TEXT_MAX);
    bool good = true;
    while (good && read_frame(&text))
        good = judge_for_all(tables, digest, buf_span(&text));
    good = good && feof(stdin);
    buf_free(&text);
    digest_free(digest);
    free(tables);
    return good && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
