/* What a table's key and index keys are: what DescribeTable says, as far as messages are checked against it, and its
 * place. */
#pragma once

#include "span.h"

#include <stdbool.h>
#include <stddef.h>

#define KEY_NAME_MAX 255         /* bytes of a key attribute's name */
#define TABLE_NAME_MAX 1024      /* bytes; a table's ARN is taken as a name as well */
#define TABLE_ATTRIBUTES_MAX 64  /* AttributeDefinitions: 2 + 2 for each of 20 + 5 indexes is the most that DynamoDB has */

#define TABLE_REGION_SIZE 64
#define TABLE_ACCOUNT_SIZE 16

enum key_type { KEY_STRING = 'S', KEY_NUMBER = 'N', KEY_BINARY = 'B' };

struct key_attribute {
    char name[KEY_NAME_MAX + 1];
    enum key_type type;
};

struct table_shape {
    char name[TABLE_NAME_MAX + 1];
    struct key_attribute partition; /* HASH */
    struct key_attribute sort;      /* RANGE; its name is empty where the table has none */
    size_t attribute_count;         /* AttributeDefinitions: the table's key and its indexes' keys */
    struct key_attribute attributes[TABLE_ATTRIBUTES_MAX];
    char region[TABLE_REGION_SIZE];   /* of its ARN; empty: not told */
    char account[TABLE_ACCOUNT_SIZE]; /* likewise */
    bool strongly_consistent;         /* a global table of strong multi-Region consistency: it takes no transactions */
};
