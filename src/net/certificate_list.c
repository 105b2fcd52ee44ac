#include "certificate_list.h"

#include "base64.h"

#include <stdlib.h>
#include <string.h>

#define BEGIN "-----BEGIN"
#define BEGIN_REST " CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"
#define CERTIFICATE_MAX ((size_t)1 << 20)
#define LIST_MAX ((size_t)64 << 20)

/* Universal tags (ITU-T X.690). Those of constructed types include the "constructed" bit. */
enum {
    INTEGER = 0x02,
    BIT_STRING = 0x03,
    OBJECT_IDENTIFIER = 0x06,
    UNIVERSAL_STRING = 0x1C,
    BMP_STRING = 0x1E,
    SEQUENCE = 0x30,
    SET = 0x31,
    VERSION = 0xA0 /* [0] */
};

struct element {
    unsigned tag;
    struct span whole, content;
};

/* Takes the next element off the front. False: none is there with a definite length in its shortest form. */
static bool take(struct span *rest, struct element *ret_element) {
    const unsigned char *bytes = (const unsigned char *)rest->data;
    size_t head = 2, len = 0;
    if (rest->len < head || (bytes[0] & 0x1F) == 0x1F) {
        return false;
    }
    size_t more = bytes[1] & 0x80 ? bytes[1] & 0x7FU : 0;
    if (!more) {
        len = bytes[1] & 0x80 ? CERTIFICATE_MAX : bytes[1];
    } else if (more > 3 || rest->len < head + more || bytes[2] == 0) {
        return false;
    }
    for (size_t i = 0; i < more; i++) {
        len = len << 8 | bytes[head++];
    }
    if ((more && len < 0x80) || len > rest->len - head) {
        return false;
    }
    *ret_element = (struct element){bytes[0], span_of(rest->data, head + len), span_of(rest->data + head, len)};
    *rest = span_of(rest->data + head + len, rest->len - head - len);
    return true;
}

static bool take_a(struct span *rest, unsigned tag, struct element *ret_element) {
    return take(rest, ret_element) && ret_element->tag == tag;
}

/* Finds the subject. False: it is no certificate, as far as this looks at it (RFC 5280, 4.1). */
static bool find_subject(struct span certificate, struct span *ret_subject) {
    struct element all, signed_part, e;
    if (!take_a(&certificate, SEQUENCE, &all) || certificate.len > 0 || !take_a(&all.content, SEQUENCE, &signed_part) ||
        !take_a(&all.content, SEQUENCE, &e) || !take_a(&all.content, BIT_STRING, &e) || all.content.len > 0) {
        return false;
    }
    struct span rest = signed_part.content, before = rest;
    if (!take_a(&rest, VERSION, &e)) {
        rest = before; /* version 1 leaves the field out */
    }
    /* Serial number, algorithm, issuer, validity, subject, key. */
    static const unsigned tags[] = {INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE};
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        if (!take_a(&rest, tags[i], &e)) {
            return false;
        }
        *ret_subject = i == 4 ? e.whole : *ret_subject;
    }
    return true;
}

static uint64_t mix(uint64_t x) {
    x *= 0x9E3779B97F4A7C15U;
    x ^= x >> 29;
    x *= 0xBF58476D1CE4E5B9U;
    return x ^ x >> 32;
}

/* Counts only visible ASCII characters: all kinds of strings write these as the same bytes, except two kinds whose
 * characters have several bytes. */
static uint64_t of_value(struct span value) {
    uint64_t sum = 0;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        if (c > ' ' && c <= '~') {
            sum += mix((uint64_t)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c));
        }
    }
    return sum;
}

/* A sum doesn't depend on the order: the parts of a name that form a set may stand in any order. */
uint64_t certificate_name_likeness(struct span name) {
    struct element all, set, part, oid, value;
    uint64_t sum = 0;
    if (!take_a(&name, SEQUENCE, &all)) {
        return LIKE_ANY;
    }
    while (all.content.len > 0) {
        if (!take_a(&all.content, SET, &set)) {
            return LIKE_ANY;
        }
        while (set.content.len > 0) {
            if (!take_a(&set.content, SEQUENCE, &part) || !take_a(&part.content, OBJECT_IDENTIFIER, &oid) ||
                !take(&part.content, &value) || value.tag == UNIVERSAL_STRING || value.tag == BMP_STRING) {
                return LIKE_ANY;
            }
            sum += of_value(value.content);
        }
    }
    return sum | 1;
}

/* Decodes the lines from at to stop, which is the start of a line. False: a line isn't base64, or follows padding. */
static bool read_lines(const char *at, const char *stop, struct buf *out) {
    bool ended = false; /* a line ended in padding */
    while (at < stop) {
        const char *newline = memchr(at, '\n', (size_t)(stop - at));
        size_t len = (size_t)(newline - at);
        len -= len > 0 && at[len - 1] == '\r';
        if (len > 0 && (ended || !base64_decode(span_of(at, len), out))) {
            return false;
        }
        ended = ended || (len > 0 && at[len - 1] == '=');
        at = newline + 1;
    }
    return true;
}

/* Takes one certificate's text, which begins right after BEGIN, off the front. False: it isn't plainly a
 * certificate. */
static bool read_one(struct span *rest, struct buf *out) {
    struct span text = *rest;
    const size_t begin = sizeof BEGIN_REST - 1, end = sizeof END - 1;
    if (text.len < begin || memcmp(text.data, BEGIN_REST, begin) != 0) {
        return false;
    }
    const char *at = text.data + begin, *stop = memchr(at, '-', text.len - begin);
    size_t left = stop ? text.len - (size_t)(stop - text.data) : 0;
    if (left < end || memcmp(stop, END, end) != 0 || stop[-1] != '\n' ||
        (left > end && stop[end] != '\n' && stop[end] != '\r')) {
        return false;
    }
    *rest = span_of(stop + end, left - end);
    return read_lines(at, stop, out);
}

static bool add(struct certificate_list *list, size_t at, size_t *room) {
    struct span subject = {NULL, 0}, bytes = span_of(list->bytes.data + at, list->bytes.len - at);
    if (!find_subject(bytes, &subject)) {
        return false;
    }
    if (list->count == *room) {
        size_t more = *room ? 2 * *room : 16;
        struct certificate_entry *grown = realloc(list->entries, more * sizeof *grown);
        if (!grown) {
            return false;
        }
        list->entries = grown;
        *room = more;
    }
    list->entries[list->count++] =
        (struct certificate_entry){.at = at, .len = bytes.len, .likeness = certificate_name_likeness(subject)};
    return true;
}

bool certificate_list_read(struct span text, struct certificate_list *ret_list) {
    struct certificate_list list = {0};
    size_t room = 0;
    bool plain = !memchr(text.data, '\0', text.len);
    buf_init(&list.bytes, LIST_MAX);
    plain = plain && buf_reserve(&list.bytes, text.len / 4 * 3);
    for (struct span rest = text; plain;) {
        const char *begin = memmem(rest.data, rest.len, BEGIN, sizeof BEGIN - 1);
        if (!begin) {
            break;
        }
        size_t at = list.bytes.len, from = (size_t)(begin - rest.data) + sizeof BEGIN - 1;
        plain = begin == text.data || begin[-1] == '\n';
        rest = span_of(rest.data + from, rest.len - from);
        plain = plain && read_one(&rest, &list.bytes) && add(&list, at, &room);
    }
    if (!plain || list.count == 0) {
        certificate_list_free(&list);
        return false;
    }
    *ret_list = list;
    return true;
}

struct span certificate_list_bytes(const struct certificate_list *list, size_t index) {
    return span_of(list->bytes.data + list->entries[index].at, list->entries[index].len);
}

void certificate_list_free(struct certificate_list *list) {
    buf_free(&list->bytes);
    free(list->entries);
    *list = (struct certificate_list){0};
}
