/* What a table's key and index keys are: what DescribeTable says, as far as messages are checked against it, and its
 * place. */
#pragma once

#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define KEY_NAME_MAX 255 /* bytes of a key attribute's name */
#define TABLE_NAME_MAX 1024 /* bytes; a table's ARN is taken as a name as well */
/* Of AttributeDefinitions: a table has 167 at DynamoDB's usual quotas (8 for each of 20 global indexes, one for each of
 * 5 local ones, its own key). Quotas can be raised; what a description has beyond these is read, and not kept. */
#define TABLE_ATTRIBUTES_MAX 512
#define TABLE_OWN_NAME_SIZE 256

#define TABLE_REGION_SIZE 64
#define TABLE_ACCOUNT_SIZE 16

enum key_type { KEY_STRING = 'S', KEY_NUMBER = 'N', KEY_BINARY = 'B' };

struct key_attribute {
    char name[KEY_NAME_MAX + 1];
    enum key_type type;
};

struct table_shape {
    char name[TABLE_NAME_MAX + 1]; /* as it was given, an ARN perhaps: what requests say */
    char own_name[TABLE_OWN_NAME_SIZE]; /* TableName, as DescribeTable tells it; empty: not told */
    struct key_attribute partition; /* HASH */
    struct key_attribute sort; /* RANGE; its name is empty where the table has none */
    char region[TABLE_REGION_SIZE]; /* of its ARN; empty: not told */
    char account[TABLE_ACCOUNT_SIZE]; /* likewise */
    bool any_key; /* the table isn't known: no key has a name, and an id may have any form that fits some table */
    bool strongly_consistent; /* a global table of strong multi-Region consistency: it takes no transactions */
    size_t attribute_count; /* AttributeDefinitions: the table's key and its indexes' keys, as far as kept */
    struct key_attribute attributes[TABLE_ATTRIBUTES_MAX]; /* last: those beyond the count are never touched */
};

/* The room for attributes has 130 kB, which hardly any table uses: copied whole, it is most of what a start and an
 * invocation of the function touch of memory. */
static inline void table_shape_copy(struct table_shape *to, const struct table_shape *from) {
    memcpy(to, from, offsetof(struct table_shape, attributes));
    memcpy(to->attributes, from->attributes, from->attribute_count * sizeof *from->attributes);
}

/* What a table is called in audit records, log ids and tokens, whichever way the settings name it. Tables of different
 * accounts or regions may share a name; no mistake comes of it: an audit table only ever serves tables of its own
 * account and region, where names are unique (one transaction can't span two of them), and DynamoDB keeps tokens apart
 * by account and region, too. */
static inline const char *table_identity(const struct table_shape *table) {
    return table->own_name[0] ? table->own_name : table->name;
}
