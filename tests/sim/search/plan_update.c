/* The updates of a plan: their bodies, their keys, and how often and when they are sent. */
#include "plan.h"

#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX 2048

static char *text_of(const char *format, ...) PRINTF_LIKE(1, 2);
static char *text_of(const char *format, ...) {
    char text[BODY_MAX];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= sizeof text)
        abort();
    return world_text(span_of(text, (size_t)len));
}

/* What can't be read, or breaks a rule. Each has the mark. */
static char *invalid_body(unsigned u, unsigned which) {
    switch (which % 7) {
    case 0: return text_of("{\"id\":\"\",\"attributes\":{\"m\":\"upd-%u;\"}}", u);
    case 1: return text_of("{\"id\":\"k1\",\"attributes\":{\"m\":\"upd-%u;\"}", u);
    case 2: return text_of("{\"id\":\"k1\",\"attribute\":{\"m\":\"upd-%u;\"}}", u);
    case 3: return text_of("{\"id\":7,\"attributes\":{\"m\":\"upd-%u;\"}}", u);
    case 4: return text_of("{\"id\":\"k1\",\"attributes\":{\"id\":\"k2\",\"m\":\"upd-%u;\"}}", u);
    case 5: return text_of("{\"id\":\"k1\",\"attributes\":{\"m\":\"upd-%u;\"},\"condition_expression\":\"n <\"}", u);
    default: return text_of("no JSON: upd-%u;", u);
    }
}

/* Only what has an audit record may count. Nothing is drawn for it: the plans stay what they were. */
static bool may_count(const struct plan_update *p, unsigned u) {
    return p->kind == UPDATE_PLAIN && p->audited && u % 3 == 0;
}

static char *body_of(const struct plan_update *p, unsigned u, struct random *r) {
    char key[64] = "", audit[40] = "", condition[64] = "", attributes[80], counted[80] = "";
    if (p->kind == UPDATE_INVALID)
        return invalid_body(u, pick(r, 7));
    if (p->own_key)
        snprintf(key, sizeof key, ",\"idempotency_key\":\"key-%u\"", p->key);
    if (!p->audited || pick(r, 2))
        snprintf(audit, sizeof audit, ",\"enable_logging\":%s", p->audited ? "true" : "false");
    snprintf(attributes, sizeof attributes, "\"n\":%u", u);
    const char *letter = p->kind == UPDATE_NOBODY ? "nobody" : p->kind == UPDATE_POISON ? "p" : "k";
    if (p->kind == UPDATE_CHAIN) {
        letter = "v";
        snprintf(attributes, sizeof attributes, "\"version\":%u", p->version);
        snprintf(condition, sizeof condition, ",\"condition_expression\":\"version = %u\"", p->version - 1);
    } else if (p->kind == UPDATE_FALSE) {
        snprintf(condition, sizeof condition, ",\"condition_expression\":\"n = 1000%u OR n > 1000\"", pick(r, 10));
    } else if (p->kind == UPDATE_PLAIN && pick(r, 4) == 0) {
        snprintf(condition, sizeof condition, ",\"condition_expression\":\"n >= 0\"");
    }
    if (p->counts)
        snprintf(counted, sizeof counted, ",\"increment\":{\"count\":1},\"append\":{\"list\":[%u]}", u);
    return text_of("{\"id\":\"%s%u\",\"attributes\":{%s,\"m\":\"upd-%u;\"}%s%s%s%s}", letter, p->record, attributes, u,
                   counted, condition, audit, key);
}

/* As a message of the DLQ has it. */
static char *wrap(const char *inner, unsigned u, unsigned key) {
    char escaped[BODY_MAX];
    size_t len = 0;
    for (const char *at = inner; *at && len + 2 < sizeof escaped; at++) {
        if (*at == '"' || *at == '\\')
            escaped[len++] = '\\';
        escaped[len++] = *at;
    }
    escaped[len] = '\0';
    return text_of("{\"success\":false,\"error\":\"DatabaseError\",\"message\":\"The database "
                   "failed\",\"details\":{\"code\":\"InternalServerError\","
                   "\"source\":{\"body\":\"%s\",\"message_id\":\"origin-%u\",\"queue\":\"updates\",\"receive_count\":5,"
                   "\"sent_at\":\"2024-01-07T01:34:32.343Z\",\"idempotency_key\":\"key-%u\"}},\"timestamp\":\"2024-01-"
                   "07T02:34:32.343Z\"}",
                   escaped, u, key);
}

static enum update_kind draw_kind(struct random *r, bool poison) {
    static const enum update_kind usual[] = {UPDATE_PLAIN, UPDATE_PLAIN,  UPDATE_PLAIN, UPDATE_PLAIN,
                                             UPDATE_PLAIN, UPDATE_PLAIN,  UPDATE_CHAIN, UPDATE_CHAIN,
                                             UPDATE_CHAIN, UPDATE_NOBODY, UPDATE_FALSE, UPDATE_INVALID};
    if (poison && pick(r, 8) == 0)
        return UPDATE_POISON;
    return pick(r, 25) == 0 ? UPDATE_REUSED : usual[pick(r, sizeof usual / sizeof usual[0])];
}

static void draw_update(struct plan *p, struct random *r, bool poison, unsigned *versions) {
    unsigned u = p->update_count++;
    struct plan_update *update = &p->updates[u];
    *update = (struct plan_update){.kind = draw_kind(r, poison), .audited = pick(r, 3) > 0, .key = u};
    /* Few records have most of the updates. */
    update->record = pick(r, pick(r, 2) ? 2 : PLAN_RECORDS);
    update->group = update->kind == UPDATE_CHAIN ? PLAN_RECORDS + update->record % 2 : pick(r, 4);
    update->own_key = pick(r, 2);
    if (update->kind == UPDATE_REUSED &&
        (u == 0 || p->updates[u - 1].kind != UPDATE_PLAIN || p->updates[u - 1].wrapped))
        update->kind = UPDATE_PLAIN;
    if (update->kind == UPDATE_CHAIN) {
        update->record %= 2;
        update->version = ++versions[update->record];
    } else if (update->kind == UPDATE_REUSED) {
        struct plan_update *twin = &p->updates[u - 1];
        free(twin->body);
        twin->kind = UPDATE_REUSED;
        twin->counts = false;
        twin->own_key = update->own_key = true;
        update->audited = twin->audited;
        update->key = u - 1;
        twin->inner = twin->body = body_of(twin, u - 1, r);
    }
    update->counts = may_count(update, u);
    update->inner = update->body = body_of(update, u, r);
    update->wrapped =
        update->own_key && update->kind != UPDATE_INVALID && update->kind != UPDATE_REUSED && pick(r, 6) == 0;
    if (update->wrapped)
        update->body = wrap(update->inner, u, update->key);
}

static bool has_kind(const struct plan *p, enum update_kind kind) {
    for (unsigned u = 0; u < p->update_count; u++)
        if (p->updates[u].kind == kind)
            return true;
    return false;
}

void plan_draw_updates(struct plan *p, struct random *r) {
    unsigned versions[2] = {0, 0};
    /* One that fails by itself is found out by others that succeed beside it: so there must be room for others. */
    bool poison = pick(r, 6) == 0 && p->workers[0].max_in_flight >= 4 && !p->fifo;
    unsigned wanted = 20 + pick(r, 20);
    bool burst = pick(r, 3) == 0;
    while (p->update_count < wanted)
        draw_update(p, r, poison && !has_kind(p, UPDATE_POISON), versions);
    int64_t chain_at = 0;
    for (unsigned u = 0; u < p->update_count; u++) {
        int64_t at = burst && pick(r, 4) ? pick_within(r, 100 * MILLISECOND) : pick_within(r, p->length);
        /* A chain's producer keeps to its order. */
        if (p->updates[u].kind == UPDATE_CHAIN)
            at = chain_at += pick_within(r, p->length / p->update_count);
        p->messages[p->message_count++] = (struct plan_message){.update = u, .at = at};
        bool again = p->updates[u].own_key && p->updates[u].kind != UPDATE_INVALID &&
                     p->updates[u].kind != UPDATE_POISON && pick(r, 8) == 0;
        if (again && p->message_count < PLAN_MESSAGES_MAX)
            p->messages[p->message_count++] = (struct plan_message){.update = u, .at = at + pick_within(r, p->length)};
    }
}

static unsigned add_update(struct plan *p, struct random *r, enum update_kind kind, unsigned record, unsigned version,
                           int64_t at) {
    unsigned u = p->update_count++;
    struct plan_update *update = &p->updates[u];
    *update = (struct plan_update){.kind = kind,
                                   .audited = pick(r, 3) > 0,
                                   .key = u,
                                   .record = record,
                                   .version = version,
                                   .group = pick(r, 4),
                                   .own_key = pick(r, 2)};
    update->counts = may_count(update, u);
    update->inner = update->body = body_of(update, u, r);
    p->messages[p->message_count++] = (struct plan_message){.update = u, .at = at};
    return u;
}

unsigned plan_add_update(struct plan *p, struct random *r, enum update_kind kind, unsigned record, int64_t at) {
    return add_update(p, r, kind, record, 0, at);
}

unsigned plan_add_link(struct plan *p, struct random *r, unsigned record, unsigned version, int64_t at) {
    return add_update(p, r, UPDATE_CHAIN, record, version, at);
}
