#include "typed_set.h"

#include "attribute_value.h"
#include "base64.h"

#include <stdlib.h>

#define NUMBER_SPELLING_MAX 512 /* bytes; no number of 38 digits needs so many, but for zeros that mean nothing */
#define ELEMENTS_MAX (ITEM_SIZE_MAX + 1) /* each has a byte, but for an empty one */

static size_t skip_digits(struct span text, size_t at) {
    while (at < text.len && text.data[at] >= '0' && text.data[at] <= '9')
        at++;
    return at;
}

/* digits [. [digits]] | . digits, and an exponent. */
static bool is_number(struct span text) {
    size_t whole = skip_digits(text, 0);
    size_t at = whole;
    size_t digits = whole;
    if (at < text.len && text.data[at] == '.') {
        size_t end = skip_digits(text, at + 1);
        digits += end - at - 1;
        at = end;
    }
    if (digits == 0)
        return false;
    if (at == text.len)
        return true;
    if (text.data[at] != 'e' && text.data[at] != 'E')
        return false;
    at++;
    if (at < text.len && (text.data[at] == '+' || text.data[at] == '-'))
        at++;
    size_t end = skip_digits(text, at);
    return end > at && end == text.len;
}

enum typed_number typed_number_read(struct json_string s, struct number *ret_number) {
    char decoded[NUMBER_SPELLING_MAX];
    struct span text = s.raw;
    if (s.escaped) {
        if (s.raw.len > sizeof decoded)
            return TYPED_NUMBER_NONE;
        text = span_of(decoded, json_string_decode_to(s, decoded));
    }
    bool negative = text.len > 0 && text.data[0] == '-';
    bool sign = negative || (text.len > 0 && text.data[0] == '+');
    struct span magnitude = span_of(text.data + sign, text.len - sign);
    if (!is_number(magnitude))
        return TYPED_NUMBER_NONE;
    return number_read(negative ? text : magnitude, ret_number) == NUMBER_FINE ? TYPED_NUMBER_FINE
                                                                               : TYPED_NUMBER_BEYOND;
}

enum typed_binary typed_binary_read(struct json_string s, struct buf *out) {
    if (!s.escaped) {
        if (base64_decode(s.raw, out))
            return TYPED_BINARY_FINE;
        return buf_ok(out) ? TYPED_BINARY_NONE : TYPED_BINARY_NO_MEMORY;
    }
    struct buf text;
    buf_init(&text, s.raw.len);
    enum typed_binary status = TYPED_BINARY_NO_MEMORY;
    if (json_string_decode(s, &text)) {
        if (base64_decode(buf_span(&text), out))
            status = TYPED_BINARY_FINE;
        else if (buf_ok(out))
            status = TYPED_BINARY_NONE;
    }
    buf_free(&text);
    return status;
}

/* What a set is read with. */
struct reading {
    struct typed_set set;
    enum typed_kind kind;
};

static bool append_text(struct reading *r, struct json_string s, bool *ret_fits) {
    struct typed_set *set = &r->set;
    struct number number;
    struct buf bytes;
    switch (r->kind) {
    case TYPED_NS:
        *ret_fits = typed_number_read(s, &number) == TYPED_NUMBER_FINE;
        if (!*ret_fits)
            return true;
        set->item_size += number.size;
        set->zeros += number.len - number_text_size(&number, NUMBERS_SHORT);
        return number_append(&number, NUMBERS_SHORT, &set->texts);
    case TYPED_BS: {
        buf_init(&bytes, s.raw.len);
        enum typed_binary status = typed_binary_read(s, &bytes);
        *ret_fits = status != TYPED_BINARY_NONE;
        set->item_size += bytes.len;
        bool done = status == TYPED_BINARY_NONE ||
                    (status == TYPED_BINARY_FINE && base64_encode(buf_span(&bytes), &set->texts));
        buf_free(&bytes);
        return done;
    }
    default: {
        *ret_fits = true;
        set->item_size += json_string_size(s);
        size_t before = set->texts.len;
        if (!json_string_append(s, &set->texts))
            return false;
        /* Without its quotes. */
        memmove(set->texts.data + before, set->texts.data + before + 1, set->texts.len - before - 2);
        set->texts.len -= 2;
        return true;
    }
    }
}

/* Makes room for all at once: growing by doubling, the largest sets would take far more memory. */
static enum typed_set_status make_room(struct typed_set *set, const struct value_tape *t, tape_node n) {
    size_t count = 0, text = 0;
    for (tape_node node = tape_first(n); node < tape_next(t, n) && !tape_is_container(t, node);
         node = tape_next(t, node)) {
        struct tape_scalar scalar = tape_scalar(t, node);
        do {
            count++;
            text += scalar.text.raw.len;
        } while (tape_next_scalar(t, &scalar));
    }
    if (count > ELEMENTS_MAX)
        return TYPED_SET_TOO_LARGE;
    set->elements = calloc(count + 1, sizeof *set->elements);
    return set->elements && buf_reserve(&set->texts, text + sizeof "''") ? TYPED_SET_FINE : TYPED_SET_NO_MEMORY;
}

static enum typed_set_status add(struct reading *r, const struct tape_scalar *scalar) {
    struct typed_set *set = &r->set;
    if (scalar->type != TAPE_STRING)
        return TYPED_SET_ELEMENT;
    size_t at = set->texts.len;
    bool fits = true;
    if (!append_text(r, scalar->text, &fits))
        return TYPED_SET_NO_MEMORY;
    if (!fits)
        return TYPED_SET_ELEMENT;
    size_t len = set->texts.len - at;
    set->text_size += len + sizeof "'',";
    set->elements[set->count++] = (struct typed_element){(uint32_t)at, (uint32_t)len};
    return TYPED_SET_FINE;
}

static struct span text_of(const struct typed_set *set, size_t i) {
    return span_of(buf_span(&set->texts).data + set->elements[i].at, set->elements[i].len);
}

static int compare(const void *left, const void *right, void *texts) {
    const struct typed_element *a = left, *b = right;
    const char *data = texts;
    return span_compare(span_of(data + a->at, a->len), span_of(data + b->at, b->len));
}

static enum typed_set_status sort(struct typed_set *set) {
    char none[1] = "";
    if (set->count > 1)
        qsort_r(set->elements, set->count, sizeof *set->elements, compare, set->texts.data ? set->texts.data : none);
    for (size_t i = 1; i < set->count; i++)
        if (span_equal(text_of(set, i - 1), text_of(set, i)))
            return TYPED_SET_REPEATED;
    return TYPED_SET_FINE;
}

static enum typed_set_status read_elements(struct reading *r, const struct value_tape *t, tape_node n) {
    enum typed_set_status room = make_room(&r->set, t, n);
    if (room != TYPED_SET_FINE)
        return room;
    for (tape_node node = tape_first(n); node < tape_next(t, n); node = tape_next(t, node)) {
        if (tape_is_container(t, node))
            return TYPED_SET_ELEMENT;
        struct tape_scalar scalar = tape_scalar(t, node);
        do {
            enum typed_set_status status = add(r, &scalar);
            if (status != TYPED_SET_FINE)
                return status;
        } while (tape_next_scalar(t, &scalar));
    }
    return sort(&r->set);
}

enum typed_set_status typed_set_read(const struct value_tape *t, tape_node n, enum typed_kind kind,
                                     struct typed_set *ret_set, size_t *ret_at) {
    struct reading r = {.kind = kind};
    buf_init(&r.set.texts, TAPE_TEXT_MAX);
    enum typed_set_status status = read_elements(&r, t, n);
    if (status == TYPED_SET_FINE) {
        *ret_set = r.set;
        return status;
    }
    *ret_at = r.set.count;
    typed_set_free(&r.set);
    return status;
}

static void append_number(struct span text, enum number_form form, struct buf *out) {
    struct number number;
    if (number_read(text, &number) == NUMBER_FINE)
        number_append(&number, form, out);
}

bool typed_set_append(const struct typed_set *set, enum typed_kind kind, enum number_form form, struct buf *out) {
    for (size_t i = 0; i < set->count; i++) {
        buf_append_cstr(out, i > 0 ? ",\"" : "[\"");
        if (kind == TYPED_NS)
            append_number(text_of(set, i), form, out);
        else
            buf_append_span(out, text_of(set, i));
        buf_append_char(out, '"');
    }
    return buf_append_char(out, ']');
}

void typed_set_free(struct typed_set *set) {
    buf_free(&set->texts);
    free(set->elements);
    *set = (struct typed_set){0};
}
