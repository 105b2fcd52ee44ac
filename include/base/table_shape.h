/* A table as DescribeTable tells of it: its key, the keys of its indexes (messages are checked against both), its
 * account and region. */
#pragma once

#include "span.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define KEY_NAME_MAX 255 /* bytes of a key attribute's name */
#define TABLE_NAME_MAX 1024 /* bytes; a table's ARN is taken as a name as well */
/* Of AttributeDefinitions: a table has 167 at DynamoDB's usual quotas (8 for each of 20 global indexes, one for each of
 * 5 local ones, its own key). Quotas can be raised; what a description has beyond these is read, but not kept. */
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
    char name[TABLE_NAME_MAX + 1]; /* as it was given, perhaps an ARN: requests use it */
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

/* Copies only the attributes in use. Their array takes 130 kB, which hardly any table fills: copying all of it would be
 * most of the memory that a start, or an invocation of the function, touches. */
static inline void table_shape_copy(struct table_shape *to, const struct table_shape *from) {
    memcpy(to, from, offsetof(struct table_shape, attributes));
    memcpy(to->attributes, from->attributes, from->attribute_count * sizeof *from->attributes);
}

/* The table's name in audit records, log ids and tokens, however the settings name it. Tables of different accounts or
 * regions may share a name, but can't be mistaken for each other: an audit table serves only tables of its own account
 * and region, where names are unique (a transaction can't span two regions or accounts), and DynamoDB keeps tokens
 * apart by account and region, too. */
static inline const char *table_identity(const struct table_shape *table) {
    return table->own_name[0] ? table->own_name : table->name;
}
