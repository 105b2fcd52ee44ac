/* A message attribute as SQS has it: a name, a type ("String", "Number", "Binary", or one of these with a label:
 * "Number.int"), and a value. */
#pragma once

#include "base64.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

#define MESSAGE_ATTRIBUTES_MAX 10 /* of one message */

struct message_attribute {
    struct span name, type;
    struct span value; /* as text; of a binary one its base64 */
    bool binary;
};

/* The bytes that SQS counts for it; a binary value counts with its decoded size. */
static inline size_t message_attribute_size(const struct message_attribute *a) {
    size_t value = a->value.len;
    if (a->binary) {
        size_t padding = 0;
        while (padding < 2 && padding < value && a->value.data[value - padding - 1] == '=')
            padding++;
        value = value / 4 * 3 - (value >= 4 ? padding : 0);
    }
    return a->name.len + a->type.len + value;
}

/* Whether a comes before b by name, byte by byte: the order in which SQS hashes attributes. */
static inline bool message_attribute_before(const struct message_attribute *a, const struct message_attribute *b) {
    size_t common = a->name.len < b->name.len ? a->name.len : b->name.len;
    int order = common ? memcmp(a->name.data, b->name.data, common) : 0;
    return order < 0 || (order == 0 && a->name.len < b->name.len);
}
static inline void message_attributes_sort(struct message_attribute *attributes, size_t count) {
    for (size_t i = 1; i < count; i++) {
        struct message_attribute moving = attributes[i];
        size_t at = i;
        for (; at > 0 && message_attribute_before(&moving, &attributes[at - 1]); at--)
            attributes[at] = attributes[at - 1];
        attributes[at] = moving;
    }
}
/* Keeps those that can be sent on as they are, sorted by name, and returns how many. A binary value that isn't base64
 * didn't come from SQS. */
static inline size_t message_attributes_keep_valid(struct message_attribute *attributes, size_t count) {
    size_t valid = 0;
    for (size_t i = 0; i < count; i++) {
        if (!attributes[i].binary || base64_valid(attributes[i].value)) {
            attributes[valid++] = attributes[i];
        }
    }
    message_attributes_sort(attributes, valid);
    return valid;
}
