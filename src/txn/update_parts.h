/* What an update is made of between the reading of its message and the building of its request. */
#pragma once

#include "arena.h"
#include "attribute_value.h"
#include "condition.h"
#include "update_terms.h"
#include "update.h"
#include "value_tape.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order of the contract's table, which is the order they are reported in. */
enum member {
    MEMBER_ID,
    MEMBER_ATTRIBUTES,
    MEMBER_ENABLE_LOGGING,
    MEMBER_CONDITION,
    MEMBER_NAMES,
    MEMBER_VALUES,
    MEMBER_KEY,
    MEMBER_COUNT
};

#define KEY_SIZE_MAX 256 /* bytes of an idempotency key */
/* DynamoDB takes 2 MB of names and values in a request. Their DynamoDB JSON is bounded by that, which is stricter and bounds the request:
 * only lists of hundreds of thousands of small values are told apart by it. */
#define CONDITION_TERMS_TEXT_MAX ((size_t)2 << 20)
#define REQUEST_SIZE_MAX ((size_t)64 << 20)

struct update_parts {
    struct span body;       /* what was read: the delivered body, or what it was unwrapped to */
    struct buf inner;       /* owns an unwrapped body that may not be written over the delivered one */
    struct arena arena;     /* owns what the update's spans point at, where it isn't the body */
    struct value_tape tape; /* empty once the request is built, or the update failed */
    tape_node members[MEMBER_COUNT]; /* their values; TAPE_ROOT: absent */
    struct condition *condition;     /* NULL: the message has none */
    struct update_terms terms;
    size_t key_size;              /* bytes that DynamoDB counts for the key's attributes; 0: the id is unfit */
    struct value_size attributes; /* of the attributes as one map, without its braces */
};

enum step {
    STEP_FINE,
    STEP_REFUSED, /* u->failure says why */
    STEP_NO_MEMORY
};

/* update_read.c: frees what only building needs. */
void update_free_parts(struct update_parts *p);

/* unwrap.c: reads the delivered body, and what it wraps where it is one of our DLQ messages, into p->tape. Sets p->body, u->source,
 * u->unwrapped and the idempotency key that holds unless the body has one of its own. */
MUST_USE enum step update_unwrap(const struct update_context *ctx, const struct delivery *delivery, struct update *u);

/* unwrap.c: u was read of what an earlier reading of the same message has unwrapped: it takes over the key and the source, and what owns the
 * unwrapped body. False: no memory, and earlier is as it was. */
MUST_USE bool update_keep_origin(struct update *u, struct update *earlier);

/* update_members.c: finds the members and checks the message's shape. */
MUST_USE enum step update_read_members(struct update *u);

/* update_key.c: checks the id at n against the table's key, and appends the key in normal form to out: {"id":{"S":"x"}}, the partition
 * key first. *ret_size: bytes that DynamoDB counts for the key's attributes, names included. */
MUST_USE enum step update_read_key(const struct table_shape *table, const struct value_tape *t, tape_node n, struct buf *out,
                                   size_t *ret_size, struct failure *f);
/* The id as the message spells it, without white space: text of the tape, or a copy in a. Its data is NULL where there is no memory. */
MUST_USE struct span update_id_text(const struct value_tape *t, tape_node n, struct arena *a);

/* update_attributes.c: checks the attributes at n against the table, and their sizes, with u->audited and the key that was read. */
MUST_USE bool update_check_attributes(const struct update_context *ctx, const struct update *u, const struct value_tape *t, tape_node n,
                                      struct value_size *ret_size, struct failure *f);

/* request_hash.c: u->log_id, of the table and the idempotency key. False: no memory. */
MUST_USE bool update_hash_key(const struct update_context *ctx, struct update *u);
/* u->request_hash, of the sorted tape and the record; scratch is written over. False: no memory. */
MUST_USE bool update_hash_request(const struct update_context *ctx, struct update *u, struct buf *scratch);

/* audit.c: appends the success record as an item, {"log_id":…}. */
bool audit_append_item(const struct update_context *ctx, const struct update *u, int64_t wall, struct buf *out);
/* Bytes that DynamoDB counts for the success record of u, whose `count` attributes have so many bytes with their names. */
size_t audit_item_size(const struct update_context *ctx, const struct update *u, size_t attributes_size, size_t count);
/* Bytes of the text that audit_append_item() appends, at most, without the attributes'. */
size_t audit_item_text(const struct update_context *ctx, const struct update *u);
