/* What an update is made of between the reading of its message and the building of its request. */
#pragma once

#include "arena.h"
#include "attribute_value.h"
#include "condition.h"
#include "update_member.h"
#include "update_operations.h"
#include "update_terms.h"
#include "update.h"
#include "value_tape.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The limit of a partition key. Whether an index has an attribute as its partition or sort key isn't known here. */
#define INDEX_KEY_SIZE_MAX 2048
#define KEY_SIZE_MAX 256 /* bytes of an idempotency key */
/* DynamoDB takes 2 MB of names and values in a request. We bound their DynamoDB JSON by that. This is stricter, but
 * only for lists of hundreds of thousands of small values, and it bounds the request. */
#define CONDITION_TERMS_TEXT_MAX ((size_t)2 << 20)
#define REQUEST_SIZE_MAX ((size_t)64 << 20)

struct update_parts {
    struct span body; /* what was read: the delivered body, or what it was unwrapped to */
    struct buf inner; /* owns an unwrapped body that may not be written over the delivered one */
    struct buf message; /* owns what an event held as a string */
    struct value_tape tape; /* empty once the request is built, or the update failed */
    tape_node members[MEMBER_COUNT]; /* their values; TAPE_ROOT: absent */
    struct condition *condition; /* in the arena; NULL: the message has none */
    struct update_terms terms;
    size_t key_size; /* bytes that DynamoDB counts for the key's attributes; 0: the id is unfit */
    struct value_size attributes; /* of attributes and typed_attributes as one map, without its braces */
    struct update_operations operations;
    uint32_t whole_count; /* attributes and typed_attributes; they have the first names and values */
    uint32_t name_count; /* names that the update has; they are the first of the request */
    /* Owns what the update's spans point at, where it isn't the body, and what is made of a short message. The last
     * member: what it has room for isn't cleared. */
    struct arena arena;
};

enum step {
    STEP_FINE,
    STEP_REFUSED, /* u->failure says why */
    STEP_NO_MEMORY
};

/* update_read.c: frees what only building needs. */
void update_free_parts(struct update_parts *p);

/* unwrap.c: reads into p->tape the delivered body, or what it wraps: one of our DLQ messages, an SNS notification or
 * an EventBridge event. Sets p->body, u->source, u->unwrapped, and the idempotency key of a body that has none of its
 * own. */
MUST_USE enum step update_unwrap(const struct update_context *ctx, const struct delivery *delivery, struct update *u);

/* unwrap.c: details.source, where the text is an error envelope of ours; else TAPE_ROOT. */
tape_node update_envelope_source(const struct value_tape *t);
/* unwrap.c: u was read from the body that an earlier reading of the same message had unwrapped. It takes over that
 * reading's key and source, and the buffers that own the body. False: no memory, and earlier is as it was. */
MUST_USE bool update_keep_origin(struct update *u, struct update *earlier);

/* update_members.c: notes where the known members stand; whether there are others. */
bool update_find_members(struct update_parts *p);
/* Finds the members and checks the message's shape. */
MUST_USE enum step update_read_members(struct update *u);

/* update_key.c: checks the id at n against the table's key, and appends the key in normal form to out:
 * {"id":{"S":"x"}}, the partition key first. *ret_size: bytes that DynamoDB counts for the key's attributes, names
 * included. */
MUST_USE enum step update_read_key(const struct table_shape *table, const struct value_tape *t, tape_node n,
                                   struct buf *out, size_t *ret_size, struct failure *f);
/* The id as the message spells it, without white space: text of the tape, or a copy in a. Its data is NULL where there
 * is no memory. */
MUST_USE struct span update_id_text(const struct value_tape *t, tape_node n, struct arena *a);

/* update_attributes.c: whether the table has this as a key attribute, which no update may change. */
bool update_is_key(const struct table_shape *table, struct json_string name);
/* The attribute as an index has it as a key; NULL: none does. */
const struct key_attribute *update_index_key(const struct table_shape *table, struct json_string name);
/* Refuses the name of an attribute that is too long or empty, or that the table has as a key. */
MUST_USE bool update_check_name(const struct table_shape *table, const struct value_path *parent,
                                const struct value_path *path, struct failure *f);
/* Notes in f that an index can't have a plain value as its key. Everything else is still checked, and comes first: only
 * where all else is fine does this refuse the message, whose hash is known by then. */
void update_check_index_key(const struct key_attribute *key, const struct value_tape *t, tape_node n,
                            const struct value_path *path, struct failure *f);
/* Checks the attributes at n against the table, and their sizes, with u->audited and the key that was read. */
MUST_USE bool update_check_attributes(const struct update_context *ctx, const struct update *u,
                                      const struct value_tape *t, tape_node n, struct value_size *ret_size,
                                      struct failure *f);

/* update_typed.c: checks typed_attributes as update_check_attributes() does attributes, and adds them to
 * p->attributes; the sizes of the whole are left to update_check_whole(). */
MUST_USE enum step update_check_typed(const struct update_context *ctx, struct update *u);

/* update_operations.c: reads the paths of set, increment, append and remove into p->operations. Their #names count as
 * used. */
MUST_USE enum step update_read_operations(struct update *u);
/* Refuses a message that updates more than one expression can hold; the error names the member that updates most. */
enum step update_refuse_count(struct update *u);
/* update_operation_check.c: checks each of them against the table, and its value; sorts the values. */
MUST_USE enum step update_check_operations(const struct update_context *ctx, struct update *u);
/* Refuses what a late second delivery would do twice, unless an audit record prevents that. */
MUST_USE enum step update_check_repeatable(const struct update_context *ctx, struct update *u);

/* update_expression.c: numbers the placeholders of what is updated; the operations are sorted by then. */
void update_number_placeholders(struct update_parts *p);
/* How many values the update has; they are the first of the request. */
uint32_t update_value_count(const struct update_parts *p);
/* Append the UpdateExpression, and members of ExpressionAttributeNames and -Values. Each name has a comma behind it;
 * values only have commas between them. */
void update_append_expression(const struct update_parts *p, struct buf *out);
void update_append_names(const struct update_parts *p, struct buf *out);
void update_append_values(const struct update_parts *p, struct buf *out);

/* update_map.c: whether the message has any of set, increment, append and remove. */
bool update_has_operations(const struct update_parts *p);
/* Appends the map of what there is beside the attributes: {"set":{"M":…},…}. */
void update_append_map(const struct update *u, enum number_form form, struct buf *out);
/* Whether there is anything beside the attributes. */
bool update_has_map(const struct update *u);

/* update_whole.c: what holds for all that a message updates together: no two at one place, and the sizes. */
MUST_USE enum step update_check_whole(const struct update_context *ctx, struct update *u);
/* The first member that updates something: errors of the whole name it. */
enum member update_first_member(const struct update_parts *p);
/* Bytes that the audit record's `update` takes, its name included; 0: it has none. */
size_t update_audit_map_size(const struct update *u);
/* Sorts all that is updated, and numbers it: its canonical form. False: no memory. */
MUST_USE bool update_sort_parts(struct update *u);
/* Refuses what doesn't fit an UpdateExpression, once it is sorted. */
MUST_USE enum step update_check_expression(struct update *u);

/* update_lookalike.c: refuses what looks like DynamoDB's JSON or like an update operator where plain values stand. */
MUST_USE enum step update_check_lookalikes(struct update *u);

/* request_hash.c: u->log_id, of the table and the idempotency key. False: no memory. */
MUST_USE bool update_hash_key(const struct update_context *ctx, struct update *u);
/* u->request_hash, of the sorted tape and the record; scratch is written over. False: no memory. */
MUST_USE bool update_hash_request(const struct update_context *ctx, struct update *u, struct buf *scratch);

/* What audit records differ in. */
struct audit_record {
    const char *error; /* NULL: it is a success */
    bool attributes, update; /* whether these are held */
};

/* audit.c: appends the item. */
bool audit_append(const struct update_context *ctx, const struct update *u, const struct audit_record *r, int64_t wall,
                  struct buf *out);
/* Appends the success record as an item, {"log_id":…}. */
bool audit_append_item(const struct update_context *ctx, const struct update *u, int64_t wall, struct buf *out);
/* Bytes that DynamoDB counts for the success record of u. attributes_size: of its `count` attributes with their names.
 * update_size: of its `update` with its name; 0: it has none. */
size_t audit_item_size(const struct update_context *ctx, const struct update *u, size_t attributes_size, size_t count,
                       size_t update_size);
/* Bytes of the text that audit_append_item() appends, at most, without the attributes'. */
size_t audit_item_text(const struct update_context *ctx, const struct update *u);
