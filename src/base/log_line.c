#include "log_line.h"

#include "utf8.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#define REPLACEMENT SPAN("\xEF\xBF\xBD")
#define CUT_MARK SPAN("\xE2\x80\xA6")
#define LEAST_CUT 16 /* bytes that every value keeps */
#define TAIL (sizeof "}\n" - 1) /* what must still fit after the fields */

enum quoting { BARE, QUOTED };

static bool is_control(uint32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

/* Whether a character is invisible, ends a line, or changes the order in which others are shown. Such a line could pass
 * for another one. */
static bool is_unseen(uint32_t c) {
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x80, 0x9F},       {0xAD, 0xAD},       {0x34F, 0x34F},     {0x61C, 0x61C},     {0x115F, 0x1160},
        {0x17B4, 0x17B5},   {0x180B, 0x180F},   {0x200B, 0x200F},   {0x2028, 0x202E},   {0x2060, 0x206F},
        {0x3164, 0x3164},   {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFFB},
        {0x13430, 0x1343F}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(ranges) && c >= ranges[i].first; i++)
        if (c <= ranges[i].last)
            return true;
    return false;
}

/* The code point of a whole and valid sequence. */
static uint32_t decode(const unsigned char *p, size_t length) {
    uint32_t c = length == 1 ? p[0] : p[0] & (0x7FU >> length);
    for (size_t i = 1; i < length; i++)
        c = c << 6 | (p[i] & 0x3FU);
    return c;
}

/* As JSON escapes it: beyond U+FFFF as two surrogates. */
static void append_escaped(struct buf *out, uint32_t c) {
    if (c < 0x10000)
        (void)buf_printf(out, "\\u%04x", (unsigned)c);
    else
        (void)buf_printf(out, "\\u%04x\\u%04x", 0xD800U + ((c - 0x10000) >> 10), 0xDC00U + (c & 0x3FFU));
}

static void append_ascii(struct buf *out, unsigned char c, enum quoting quoting) {
    static const char *const short_forms[] = {
        ['\b'] = "\\b", ['\f'] = "\\f", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t"};
    if (c < ARRAY_LENGTH(short_forms) && short_forms[c])
        (void)buf_append_cstr(out, short_forms[c]);
    else if (is_control(c))
        (void)buf_printf(out, "\\u%04x", (unsigned)c);
    else if (quoting == QUOTED && (c == '"' || c == '\\'))
        (void)buf_append(out, (const char[]){'\\', (char)c}, 2);
    else
        (void)buf_append_char(out, (char)c);
}

/* Whatever the bytes are, the result is UTF-8 that moves no cursor, ends no line and hides nothing. */
static void append_clean(struct buf *out, struct span text, enum quoting quoting) {
    const unsigned char *p = (const unsigned char *)text.data;
    for (size_t i = 0, n = 0; i < text.len && buf_ok(out); i += n) {
        n = utf8_match(p + i, text.len - i);
        bool whole = n > 0 && n == utf8_length(p[i]);
        n = n > 0 ? n : 1;
        if (!whole)
            (void)buf_append_span(out, REPLACEMENT);
        else if (n == 1)
            append_ascii(out, p[i], quoting);
        else if (is_unseen(decode(p + i, n)))
            append_escaped(out, decode(p + i, n));
        else
            (void)buf_append(out, text.data + i, n);
    }
}

void log_append_clean(struct buf *out, struct span text, bool in_quotes) {
    append_clean(out, text, in_quotes ? QUOTED : BARE);
}

static void append_text(struct buf *out, struct span text, enum quoting quoting, size_t cut) {
    size_t len = text.len;
    if (len > cut) {
        len = cut;
        while (len > 0 && cut - len < 3 && ((unsigned char)text.data[len] & 0xC0) == 0x80)
            len--;
    }
    append_clean(out, span_of(text.data, len), quoting);
    if (len < text.len)
        (void)buf_append_span(out, CUT_MARK);
}

/* A value of the text format is quoted where it would run into its neighbours, or has escapes: only quotes show that
 * they are escapes. */
static enum quoting quoting_of(struct span text) {
    const unsigned char *p = (const unsigned char *)text.data;
    if (text.len == 0)
        return QUOTED;
    for (size_t i = 0, n = 0; i < text.len; i += n ? n : 1) {
        n = utf8_match(p + i, text.len - i);
        bool several = n > 1 && n == utf8_length(p[i]);
        if (several ? is_unseen(decode(p + i, n)) : p[i] <= ' ' || p[i] == '"' || p[i] == '=' || p[i] == 0x7F)
            return QUOTED;
    }
    return BARE;
}

static void append_value(struct buf *out, struct span text, enum quoting quoting, size_t cut) {
    if (quoting == QUOTED)
        (void)buf_append_char(out, '"');
    append_text(out, text, quoting, cut);
    if (quoting == QUOTED)
        (void)buf_append_char(out, '"');
}

static void append_field(struct buf *out, enum log_format format, const struct log_field *field, size_t cut) {
    bool json = format == LOG_FORMAT_JSON;
    (void)buf_printf(out, json ? ",\"%s\":" : " %s=", field->name);
    if (field->text.data)
        append_value(out, field->text, json ? QUOTED : quoting_of(field->text), cut);
    else
        (void)buf_printf(out, "%" PRId64, field->number);
}

static void append_head(struct buf *out, const struct log_line *line, size_t cut) {
    static const char *const levels[] = {"DEBUG", "INFO", "WARNING", "ERROR"};
    char time[ISO8601_SIZE];
    clock_iso8601(line->wall, time);
    if (line->format == LOG_FORMAT_JSON) {
        (void)buf_printf(out, "{\"time\":\"%s\",\"level\":\"%s\",\"message\":", time, levels[line->level]);
        append_value(out, span_cstr(line->message), QUOTED, cut);
    } else {
        (void)buf_printf(out, "%s %s ", time, levels[line->level]);
        append_text(out, span_cstr(line->message), BARE, cut);
    }
}

/* Takes back what comes after len, where it didn't fit. */
static bool keep(struct buf *out, size_t len) {
    if (buf_ok(out))
        return true;
    out->len = len;
    out->failure = BUF_FINE;
    return false;
}

/* Cuts values to `cut` bytes. False: even so not all fits, and the last fields are left out. */
static bool append_within(const struct log_line *line, struct buf *out, size_t cut) {
    size_t before = out->len;
    append_head(out, line, cut);
    bool fits = keep(out, before);
    const struct log_field *const lists[] = {line->always, line->fields};
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++) {
        for (const struct log_field *field = lists[i]; fits && field && field->name; field++) {
            before = out->len;
            append_field(out, line->format, field, cut);
            fits = keep(out, before);
        }
    }
    return fits;
}

#ifndef NDEBUG
/* Whether another field, or the head of a line of JSON, has this field's name: a reader of JSON would lose one. */
static bool is_repeated(const struct log_line *line, const struct log_field *field) {
    static const char *const head[] = {"time", "level", "message"};
    const struct log_field *const lists[] = {line->always, line->fields};
    bool again = false;
    for (size_t i = 0; i < ARRAY_LENGTH(head); i++)
        again = again || strcmp(field->name, head[i]) == 0;
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++)
        for (const struct log_field *other = lists[i]; other && other->name; other++)
            again = again || (other != field && strcmp(other->name, field->name) == 0);
    return again;
}

static bool names_differ(const struct log_line *line) {
    const struct log_field *const lists[] = {line->always, line->fields};
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++)
        for (const struct log_field *field = lists[i]; field && field->name; field++)
            if (is_repeated(line, field))
                return false;
    return true;
}
#endif

void log_line_append(const struct log_line *line, struct buf *out) {
    assert(names_differ(line));
    size_t begin = out->len;
    size_t max = out->max;
    out->max = begin + LOG_LINE_MAX - TAIL;
    for (size_t cut = LOG_LINE_MAX; !append_within(line, out, cut) && cut > LEAST_CUT; cut /= 2)
        out->len = begin;
    out->max = max;
    (void)buf_append_cstr(out, line->format == LOG_FORMAT_JSON ? "}\n" : "\n");
}
