#include "json_slots.h"

#include "buf.h"
#include "json_reader.h"

#include <string.h>

#define DEPTH_MAX 32

static bool store(const struct json_token *token, const struct json_slot *slot) {
    slot->text[0] = '\0';
    if (slot->is_number) {
        *slot->is_number = token->event == JSON_NUMBER;
    }
    if (token->event == JSON_NULL) {
        return true;
    }
    struct buf out;
    buf_init_lent(&out, slot->text, slot->size, slot->size - 1);
    bool fine = token->event == JSON_STRING ? json_unescape(token->raw, &out) : buf_append_span(&out, token->raw);
    fine = fine && !memchr(slot->text, '\0', out.len);
    if (!fine && !slot->cut) {
        slot->text[0] = '\0';
    }
    return fine || slot->cut;
}

static bool is_scalar(const struct json_token *token) {
    return token->event == JSON_STRING || token->event == JSON_NUMBER || token->event == JSON_NULL;
}

static const struct json_slot *slot_of(const struct json_slots *slots, const struct json_token *name) {
    for (size_t i = 0; i < slots->count; i++) {
        if (slots->slots[i].name && json_token_is(name, slots->slots[i].name)) {
            return &slots->slots[i];
        }
    }
    return NULL;
}

/* Reads the members of the object that the reader is in. object: the member whose value is an object to read into
 * inner; NULL: none. */
static bool read_members(struct json_reader *r, const struct json_slots *slots, const char *object,
                         const struct json_slots *inner) {
    struct json_token token;
    while (json_next(r, &token) == JSON_NAME) {
        const struct json_slot *slot = slot_of(slots, &token);
        bool is_inner = object && json_token_is(&token, object);
        if (json_next(r, &token) == JSON_FAILED) {
            return false;
        }
        bool fine = true;
        if (is_inner && token.event == JSON_OBJECT_BEGIN) {
            fine = read_members(r, inner, NULL, NULL);
        } else if (slot && is_scalar(&token)) {
            fine = store(&token, slot);
        } else {
            fine = json_skip(r, &token);
        }
        if (!fine) {
            return false;
        }
    }
    return token.event == JSON_OBJECT_END;
}

bool json_slots_read(struct span text, const struct json_slots *document, const char *object,
                     const struct json_slots *inner) {
    const struct json_options options = {.max_depth = DEPTH_MAX};
    struct json_reader r;
    struct json_token token;
    json_reader_init(&r, text, &options);
    bool fine = json_next(&r, &token) == JSON_OBJECT_BEGIN && read_members(&r, document, object, inner) &&
                json_next(&r, &token) == JSON_END;
    json_reader_done(&r);
    return fine;
}
