/* The frozen formats: what an audit record is found by, and what it was for. They outlive upgrades, so nothing here may change but by
 * a new version in front of the hash. */
#include "update_parts.h"

#include "digest.h"

#define HASH_VERSION "v1:"

bool update_hash_key(const struct update_context *ctx, struct update *u) {
    uint8_t hash[SHA256_SIZE];
    if (!digest_sha256_begin(ctx->digest) || !digest_sha256_update(ctx->digest, span_cstr(ctx->table->name)) ||
        !digest_sha256_update(ctx->digest, span_of("\0", 1)) || !digest_sha256_update(ctx->digest, u->idempotency_key) ||
        !digest_sha256_end(ctx->digest, hash))
        return false;
    hex_encode(hash, sizeof hash, u->log_id);
    return true;
}

/* Hashes what scratch holds, and empties it. */
static bool update_digest(struct digest *digest, struct buf *scratch) {
    bool done = buf_ok(scratch) && digest_sha256_update(digest, buf_span(scratch));
    buf_reset(scratch);
    return done;
}

/* What a message means: its key, line feed, its attributes as the inside of an M, sorted by name, and where it has a condition, line feed
 * and the condition's canonical form. None of the three has a line feed of its own outside of strings, where JSON escapes it. */
bool update_hash_request(const struct update_context *ctx, struct update *u, struct buf *scratch) {
    struct update_parts *p = u->parts;
    struct digest *digest = ctx->digest;
    buf_reset(scratch);
    if (!digest_sha256_begin(digest))
        return false;
    buf_append_span(scratch, u->record);
    buf_append_char(scratch, '\n');
    /* Its size is known: it shall not be grown by doubling. */
    if (!buf_reserve(scratch, p->attributes.text + p->attributes.zeros + sizeof "{}\n"))
        return false;
    attribute_map_append(&p->tape, p->members[MEMBER_ATTRIBUTES], NUMBERS_NORMAL, scratch);
    if (p->condition) {
        buf_append_char(scratch, '\n');
        size_t text = tape_string(&p->tape, p->members[MEMBER_CONDITION]).raw.len;
        if (!update_digest(digest, scratch) || !buf_reserve(scratch, p->terms.text + p->terms.zeros + text))
            return false;
        struct condition_environment environment = update_terms_environment(&p->terms);
        condition_append_canonical(p->condition, &environment, scratch);
    }
    uint8_t hash[SHA256_SIZE];
    if (!update_digest(digest, scratch) || !digest_sha256_end(digest, hash))
        return false;
    memcpy(u->request_hash, HASH_VERSION, sizeof HASH_VERSION - 1);
    hex_encode(hash, sizeof hash, u->request_hash + sizeof HASH_VERSION - 1);
    return true;
}

enum stored_hash update_compare_hash(const struct update *u, struct span stored) {
    struct span version = SPAN(HASH_VERSION);
    if (stored.len < version.len || memcmp(stored.data, version.data, version.len) != 0)
        return HASH_UNKNOWN;
    return span_is(stored, u->request_hash) ? HASH_SAME : HASH_OTHER;
}

void update_fail_reused_key(struct update *u) {
    failure_validation(&u->failure, SPAN("idempotency_key"), "the key was used before, for a message that means something else");
}
