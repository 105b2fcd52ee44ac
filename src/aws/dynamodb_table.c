#include "dynamodb_response.h"

#include <stdlib.h>
#include <string.h>

#define ARN_SIZE 512

/* DescribeTable's answer while it is read. KeySchema may stand before the definitions that have its types. */
struct table {
    bool active;
    bool has_partition, has_sort;
    struct key_attribute partition, sort; /* type 0: not defined yet */
    char own_name[TABLE_OWN_NAME_SIZE];
    char arn[ARN_SIZE];
    bool strongly_consistent;
    size_t attribute_count;
    struct key_attribute attributes[TABLE_ATTRIBUTES_MAX]; /* last: those beyond the count are never touched */
};

/* One element of KeySchema or AttributeDefinitions. */
struct pair {
    char name[KEY_NAME_MAX + 1];
    char type[8]; /* HASH or RANGE; S, N or B */
};

static enum decode_status pair_member(void *user, struct json_reader *r, const struct json_token *name,
                                      const struct json_token *value) {
    struct pair *p = user;
    if (json_token_is(name, "AttributeName")) {
        return decode_text(value, p->name, sizeof p->name);
    }
    if (json_token_is(name, "KeyType") || json_token_is(name, "AttributeType")) {
        return decode_text(value, p->type, sizeof p->type);
    }
    return decode_skip(r, value);
}

static enum decode_status read_pair(struct json_reader *r, const struct json_token *value, struct pair *ret_pair) {
    struct pair p = {.name = ""};
    enum decode_status status = decode_object(r, value, pair_member, &p);
    if (status == DECODE_FINE && (!p.name[0] || !p.type[0])) {
        return DECODE_GARBAGE;
    }
    *ret_pair = p;
    return status;
}

static enum decode_status key_element(void *user, struct json_reader *r, const struct json_token *value) {
    struct table *t = user;
    struct pair p;
    enum decode_status status = read_pair(r, value, &p);
    if (status != DECODE_FINE) {
        return status;
    }
    if (strcmp(p.type, "HASH") == 0 && !t->has_partition) {
        t->has_partition = true;
        memcpy(t->partition.name, p.name, sizeof p.name);
        return DECODE_FINE;
    }
    if (strcmp(p.type, "RANGE") == 0 && !t->has_sort) {
        t->has_sort = true;
        memcpy(t->sort.name, p.name, sizeof p.name);
        return DECODE_FINE;
    }
    return DECODE_GARBAGE;
}

static enum decode_status definition(void *user, struct json_reader *r, const struct json_token *value) {
    struct table *t = user;
    struct pair p;
    enum decode_status status = read_pair(r, value, &p);
    if (status != DECODE_FINE) {
        return status;
    }
    if (p.type[1] || !strchr("SNB", p.type[0])) {
        return DECODE_GARBAGE;
    }
    enum key_type type = (enum key_type)p.type[0];
    struct key_attribute *const keys[] = {&t->partition, &t->sort};
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++) {
        if (!keys[i]->type && strcmp(keys[i]->name, p.name) == 0) {
            keys[i]->type = type;
        }
    }
    if (t->attribute_count < TABLE_ATTRIBUTES_MAX) {
        struct key_attribute *a = &t->attributes[t->attribute_count++];
        memcpy(a->name, p.name, sizeof p.name);
        a->type = type;
    }
    return DECODE_FINE;
}

static enum decode_status table_member(void *user, struct json_reader *r, const struct json_token *name,
                                       const struct json_token *value) {
    struct table *t = user;
    if (json_token_is(name, "KeySchema")) {
        return decode_array(r, value, key_element, t);
    }
    if (json_token_is(name, "TableName")) {
        return decode_text(value, t->own_name, sizeof t->own_name);
    }
    if (json_token_is(name, "TableStatus")) {
        t->active = value->event == JSON_STRING && (json_token_is(value, "ACTIVE") || json_token_is(value, "UPDATING"));
    }
    if (json_token_is(name, "TableArn") && decode_text(value, t->arn, sizeof t->arn) != DECODE_FINE) {
        t->arn[0] = '\0'; /* one that doesn't fit counts as absent */
    }
    if (json_token_is(name, "MultiRegionConsistency")) {
        t->strongly_consistent = value->event == JSON_STRING && json_token_is(value, "STRONG");
    }
    return decode_skip(r, value);
}

static enum decode_status describe_member(void *user, struct json_reader *r, const struct json_token *name,
                                          const struct json_token *value) {
    return json_token_is(name, "Table") ? decode_object(r, value, table_member, user) : decode_skip(r, value);
}

/* There may be any number of definitions. So they are read in a second pass, when the key's names are known. */
static enum decode_status definitions_member(void *user, struct json_reader *r, const struct json_token *name,
                                             const struct json_token *value) {
    return json_token_is(name, "AttributeDefinitions") ? decode_array(r, value, definition, user)
                                                       : decode_skip(r, value);
}

static enum decode_status definitions_of_table(void *user, struct json_reader *r, const struct json_token *name,
                                               const struct json_token *value) {
    return json_token_is(name, "Table") ? decode_object(r, value, definitions_member, user) : decode_skip(r, value);
}

/* Copies one part of an ARN, up to its colon, if it fits. Returns what follows the colon; NULL: there is no such part,
 * or it doesn't fit. */
static const char *copy_part(const char *part, char *ret_text, size_t size) {
    const char *colon = part ? strchr(part, ':') : NULL;
    if (!colon || (size_t)(colon - part) >= size) {
        return NULL;
    }
    memcpy(ret_text, part, (size_t)(colon - part));
    ret_text[colon - part] = '\0';
    return colon + 1;
}

/* arn:aws:dynamodb:region:account:table/name */
static void read_place(const char *arn, struct table_shape *shape) {
    char scheme[8], partition[32], service[16];
    const char *rest = copy_part(arn, scheme, sizeof scheme);
    rest = copy_part(rest, partition, sizeof partition);
    rest = copy_part(rest, service, sizeof service);
    rest = copy_part(rest, shape->region, sizeof shape->region);
    rest = copy_part(rest, shape->account, sizeof shape->account);
    if (!rest || strcmp(scheme, "arn") != 0) {
        shape->region[0] = shape->account[0] = '\0';
    }
}

static enum decode_status make_shape(const struct table *t, struct table_shape *ret_shape, bool *ret_active) {
    if (!t->has_partition || !t->partition.type || (t->has_sort && !t->sort.type)) {
        return DECODE_GARBAGE;
    }
    ret_shape->partition = t->partition;
    ret_shape->sort = t->sort;
    ret_shape->sort.type = t->has_sort ? t->sort.type : KEY_STRING;
    memcpy(ret_shape->own_name, t->own_name, sizeof t->own_name);
    ret_shape->attribute_count = t->attribute_count;
    memcpy(ret_shape->attributes, t->attributes, t->attribute_count * sizeof *t->attributes);
    read_place(t->arn, ret_shape);
    ret_shape->strongly_consistent = t->strongly_consistent;
    *ret_active = t->active;
    return DECODE_FINE;
}

enum decode_status dynamodb_read_table(struct span body, struct table_shape *ret_shape, bool *ret_active) {
    struct table *t = malloc(sizeof *t);
    if (!t) {
        return DECODE_NO_MEMORY;
    }
    memset(t, 0, offsetof(struct table, attributes));
    enum decode_status status = decode_read(body, describe_member, t);
    if (status == DECODE_FINE) {
        status = decode_read(body, definitions_of_table, t);
    }
    if (status == DECODE_FINE) {
        status = make_shape(t, ret_shape, ret_active);
    }
    free(t);
    return status;
}
