#include "xml_reader.h"

#include <stdint.h>
#include <string.h>

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_name(char c, bool first) {
    bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || (unsigned char)c >= 0x80;
    return letter || (!first && ((c >= '0' && c <= '9') || c == '-' || c == '.' || c == ':'));
}

static enum xml_event fail(struct xml_reader *r) {
    r->failed = true;
    return XML_FAILED;
}

void xml_reader_init(struct xml_reader *r, struct span text) {
    *r = (struct xml_reader){.text = text};
}

struct span xml_open(const struct xml_reader *r, unsigned outward) {
    return outward < r->depth ? r->open[r->depth - 1 - outward] : SPAN("");
}

static struct span rest_of(const struct xml_reader *r) {
    return span_of(r->text.data + r->at, r->text.len - r->at);
}

static bool follows(const struct xml_reader *r, struct span what) {
    struct span rest = rest_of(r);
    return rest.len >= what.len && memcmp(rest.data, what.data, what.len) == 0;
}

/* Moves behind the next occurrence of what. False: there is none. */
static bool pass(struct xml_reader *r, struct span what) {
    struct span rest = rest_of(r);
    const char *found = rest.len ? memmem(rest.data, rest.len, what.data, what.len) : NULL;
    if (!found) {
        return false;
    }
    r->at += (size_t)(found - rest.data) + what.len;
    return true;
}

static void pass_blanks(struct xml_reader *r) {
    while (r->at < r->text.len && is_blank(r->text.data[r->at])) {
        r->at++;
    }
}

static bool take_name(struct xml_reader *r, struct span *ret_name) {
    size_t begin = r->at;
    while (r->at < r->text.len && is_name(r->text.data[r->at], r->at == begin)) {
        r->at++;
    }
    struct span whole = span_of(r->text.data + begin, r->at - begin);
    const char *colon = whole.len ? memrchr(whole.data, ':', whole.len) : NULL;
    *ret_name = colon ? span_of(colon + 1, (size_t)(whole.data + whole.len - colon) - 1) : whole;
    return ret_name->len > 0;
}

/* Skips attributes, which mean nothing to us. Leaves the reader at the tag's end. */
static bool pass_attributes(struct xml_reader *r) {
    for (;;) {
        pass_blanks(r);
        if (r->at == r->text.len) {
            return false;
        }
        char c = r->text.data[r->at];
        if (c == '>' || c == '/') {
            return true;
        }
        struct span name;
        if (!take_name(r, &name)) {
            return false;
        }
        pass_blanks(r);
        if (!follows(r, SPAN("="))) {
            return false;
        }
        r->at++;
        pass_blanks(r);
        if (!follows(r, SPAN("\"")) && !follows(r, SPAN("'"))) {
            return false;
        }
        bool doubled = r->text.data[r->at++] == '"';
        if (!pass(r, doubled ? SPAN("\"") : SPAN("'"))) {
            return false;
        }
    }
}

static enum xml_event begin_element(struct xml_reader *r, struct span *ret_value) {
    struct span name;
    r->at++;
    if ((r->depth == 0 && r->begun) || r->depth == XML_DEPTH_MAX || !take_name(r, &name) || !pass_attributes(r)) {
        return fail(r);
    }
    r->ends_at_once = follows(r, SPAN("/>"));
    if (!r->ends_at_once && !follows(r, SPAN(">"))) {
        return fail(r);
    }
    r->at += r->ends_at_once ? 2 : 1;
    r->begun = true;
    r->open[r->depth++] = name;
    *ret_value = name;
    return XML_BEGIN;
}

static enum xml_event end_element(struct xml_reader *r, struct span *ret_value) {
    struct span name;
    r->at += 2;
    if (!take_name(r, &name) || !span_equal(name, xml_open(r, 0))) {
        return fail(r);
    }
    pass_blanks(r);
    if (!follows(r, SPAN(">"))) {
        return fail(r);
    }
    r->at++;
    r->depth--;
    *ret_value = name;
    return XML_END;
}

/* Skips white space, comments and, at the beginning, a declaration. False: one of them has no end. */
static bool pass_what_says_nothing(struct xml_reader *r) {
    for (;;) {
        size_t before = r->at;
        struct span rest = rest_of(r);
        const char *tag = rest.len ? memchr(rest.data, '<', rest.len) : NULL;
        pass_blanks(r);
        if (tag && r->at != (size_t)(tag - r->text.data)) {
            r->at = before; /* this is text, and the white space is part of it */
            return true;
        }
        if (follows(r, SPAN("<!--"))) {
            r->at += 4;
            if (!pass(r, SPAN("-->"))) {
                return false;
            }
        } else if (!r->begun && follows(r, SPAN("<?"))) {
            if (!pass(r, SPAN("?>"))) {
                return false;
            }
        } else {
            return true;
        }
    }
}

static enum xml_event take_text(struct xml_reader *r, struct span *ret_value) {
    struct span rest = rest_of(r);
    const char *end = memchr(rest.data, '<', rest.len);
    if (r->depth == 0 || !end) {
        return fail(r);
    }
    *ret_value = span_of(rest.data, (size_t)(end - rest.data));
    r->at += ret_value->len;
    return XML_TEXT;
}

enum xml_event xml_next(struct xml_reader *r, struct span *ret_value) {
    *ret_value = SPAN("");
    if (r->failed) {
        return XML_FAILED;
    }
    if (r->ends_at_once) {
        r->ends_at_once = false;
        *ret_value = xml_open(r, 0);
        r->depth--;
        return XML_END;
    }
    if (!pass_what_says_nothing(r)) {
        return fail(r);
    }
    if (r->at == r->text.len) {
        return r->depth == 0 && r->begun ? XML_OVER : fail(r);
    }
    if (r->text.data[r->at] != '<') {
        return take_text(r, ret_value);
    }
    return follows(r, SPAN("</")) ? end_element(r, ret_value) : begin_element(r, ret_value);
}

static bool append_character(uint32_t c, struct buf *out) {
    if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) {
        return false;
    }
    char utf8[4];
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
    for (size_t i = len; i-- > 1; c >>= 6) {
        utf8[i] = (char)(0x80 | (c & 0x3F));
    }
    utf8[0] = (char)(first[len] | c);
    return buf_append(out, utf8, len);
}

/* "#65" or "#x41". */
static bool append_number(struct span digits, struct buf *out) {
    bool hex = digits.len && digits.data[0] == 'x';
    uint32_t c = 0;
    if (digits.len <= (hex ? 1 : 0) || digits.len > 8) {
        return false;
    }
    for (size_t i = hex ? 1 : 0; i < digits.len; i++) {
        char d = digits.data[i];
        uint32_t value = d >= '0' && d <= '9'                            ? (uint32_t)(d - '0')
                         : hex && (d | 0x20) >= 'a' && (d | 0x20) <= 'f' ? (uint32_t)((d | 0x20) - 'a') + 10
                                                                         : UINT32_MAX;
        if (value == UINT32_MAX) {
            return false;
        }
        c = c * (hex ? 16 : 10) + value;
    }
    return append_character(c, out);
}

static bool append_entity(struct span name, struct buf *out) {
    static const struct {
        const char *name;
        char c;
    } entities[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    for (size_t i = 0; i < ARRAY_LENGTH(entities); i++) {
        if (span_is(name, entities[i].name)) {
            return buf_append_char(out, entities[i].c);
        }
    }
    return name.len && name.data[0] == '#' && append_number(span_of(name.data + 1, name.len - 1), out);
}

bool xml_unescape(struct span text, struct buf *out) {
    while (text.len) {
        const char *amp = memchr(text.data, '&', text.len);
        size_t plain = amp ? (size_t)(amp - text.data) : text.len;
        if (!buf_append(out, text.data, plain)) {
            return false;
        }
        text = span_of(text.data + plain, text.len - plain);
        if (!text.len) {
            break;
        }
        const char *end = memchr(text.data, ';', text.len);
        if (!end || !append_entity(span_of(text.data + 1, (size_t)(end - text.data) - 1), out)) {
            return false;
        }
        size_t len = (size_t)(end - text.data) + 1;
        text = span_of(text.data + len, text.len - len);
    }
    return buf_ok(out);
}
