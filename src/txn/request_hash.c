/* The frozen formats: what an audit record is found by, and what it was for. They outlive upgrades, so nothing here may
 * change but by a new version in front of the hash. */
#include "update_parts.h"

#include "digest.h"
#include "typed_value.h"

#define PLAIN_VERSION "v1:"
#define WHOLE_VERSION "v2:"
#define HASH_VERSION_SIZE (sizeof PLAIN_VERSION - 1)

bool update_hash_key(const struct update_context *ctx, struct update *u) {
    return audit_log_id(ctx->digest, table_identity(ctx->table), u->idempotency_key, u->log_id);
}

/* Hashes what scratch holds, and empties it. */
static bool update_digest(struct digest *digest, struct buf *scratch) {
    bool done = buf_ok(scratch) && digest_sha256_update(digest, buf_span(scratch));
    buf_reset(scratch);
    return done;
}

/* Whether v1 tells the whole message: it has attributes and perhaps a condition, and nothing else that counts. */
static bool is_plain(const struct update *u) {
    return !update_has_map(u) && u->parts->members[MEMBER_TYPED] == TAPE_ROOT;
}

static bool append_condition(struct update_parts *p, struct digest *digest, struct buf *scratch) {
    if (!p->condition)
        return true;
    size_t text = tape_string(&p->tape, p->members[MEMBER_CONDITION]).raw.len;
    if (!update_digest(digest, scratch) || !buf_reserve(scratch, p->terms.text + p->terms.zeros + text))
        return false;
    struct condition_environment environment = update_terms_environment(&p->terms);
    return condition_append_canonical(p->condition, &environment, scratch);
}

/* What v2 adds: line feed; typed_attributes as the inside of an M, sorted by name; line feed; and the map of all else,
 * as audit records have it: set, increment, append and remove, each sorted by path (element by element, names by their
 * bytes and before indexes), and create_if_missing. */
static bool append_rest(const struct update *u, struct digest *digest, struct buf *scratch) {
    const struct update_parts *p = u->parts;
    tape_node typed = p->members[MEMBER_TYPED];
    size_t text = p->attributes.text + p->attributes.zeros + p->operations.text + p->operations.zeros;
    if (!update_digest(digest, scratch) || !buf_reserve(scratch, text + 256))
        return false;
    buf_append_cstr(scratch, "\n{");
    if (typed != TAPE_ROOT)
        typed_members_append(&p->tape, typed, '\0', NUMBERS_NORMAL, scratch);
    buf_append_cstr(scratch, "}\n");
    update_append_map(u, NUMBERS_NORMAL, scratch);
    return buf_ok(scratch);
}

/* Hashes what a message means: its key; line feed; its attributes as the inside of an M, sorted by name; and where it
 * has a condition, line feed and the condition's canonical form. None of the three has a line feed of its own: in
 * strings JSON escapes it. In v2 the attributes may be {}, and the line of the condition is always there, empty where
 * there is none. */
bool update_hash_request(const struct update_context *ctx, struct update *u, struct buf *scratch) {
    struct update_parts *p = u->parts;
    struct digest *digest = ctx->digest;
    bool plain = is_plain(u);
    buf_reset(scratch);
    if (!digest_sha256_begin(digest))
        return false;
    buf_append_span(scratch, u->record);
    buf_append_char(scratch, '\n');
    /* Its size is known: so it needn't grow by doubling. */
    if (!buf_reserve(scratch, p->attributes.text + p->attributes.zeros + sizeof "{}\n"))
        return false;
    if (p->members[MEMBER_ATTRIBUTES] != TAPE_ROOT)
        attribute_map_append(&p->tape, p->members[MEMBER_ATTRIBUTES], NUMBERS_NORMAL, scratch);
    else
        buf_append_cstr(scratch, "{}");
    if (p->condition || !plain)
        buf_append_char(scratch, '\n');
    if (!append_condition(p, digest, scratch) || (!plain && !append_rest(u, digest, scratch)))
        return false;
    uint8_t hash[SHA256_SIZE];
    if (!update_digest(digest, scratch) || !digest_sha256_end(digest, hash))
        return false;
    memcpy(u->request_hash, plain ? PLAIN_VERSION : WHOLE_VERSION, HASH_VERSION_SIZE);
    hex_encode(hash, sizeof hash, u->request_hash + HASH_VERSION_SIZE);
    return true;
}

static bool is_known_version(struct span stored) {
    return stored.len >= HASH_VERSION_SIZE && (memcmp(stored.data, PLAIN_VERSION, HASH_VERSION_SIZE) == 0 ||
                                               memcmp(stored.data, WHOLE_VERSION, HASH_VERSION_SIZE) == 0);
}

enum stored_hash update_compare_hash(const struct update *u, struct span stored) {
    if (!is_known_version(stored))
        return HASH_UNKNOWN;
    return span_is(stored, u->request_hash) ? HASH_SAME : HASH_OTHER;
}

void update_fail_condition(struct update *u, bool has_record) {
    if (u->create_if_missing)
        failure_of_condition(&u->failure, u->id);
    else
        failure_for_id(&u->failure, has_record ? ERROR_CONDITIONAL_CHECK : ERROR_RECORD_NOT_FOUND, u->id);
}

void update_fail_reused_key(struct update *u) {
    failure_validation(&u->failure, SPAN("idempotency_key"),
                       "the key was used before, for a message that means something else");
}
