#include "error_body.h"

#include "buf.h"
#include "json_reader.h"

#include <string.h>

#define TEXT_MAX ((size_t)8 * CALL_MESSAGE_SIZE) /* of a message's raw text; an escape takes up to six bytes */
#define XML_MAX ((size_t)64 * 1024) /* of a body in XML, this much is looked at */

void error_copy_text(struct span text, char *ret_text, size_t size) {
    size_t len = text.len < size ? text.len : size - 1;
    while (len < text.len && len > 0 && ((unsigned char)text.data[len] & 0xc0) == 0x80) {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        ret_text[i] = c < 0x20 || c == 0x7f ? ' ' : text.data[i];
    }
    ret_text[len] = '\0';
}

bool error_set_code(struct span type, char ret_code[static CALL_CODE_SIZE]) {
    const char *colon = type.len ? memchr(type.data, ':', type.len) : NULL;
    size_t len = colon ? (size_t)(colon - type.data) : type.len;
    const char *hash = len ? memrchr(type.data, '#', len) : NULL;
    size_t at = hash ? (size_t)(hash - type.data) + 1 : 0;
    if (len == at || len - at >= CALL_CODE_SIZE) {
        return false;
    }
    for (size_t i = at; i < len; i++) {
        char c = type.data[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
              c == '.')) {
            return false;
        }
    }
    memcpy(ret_code, type.data + at, len - at);
    ret_code[len - at] = '\0';
    return true;
}

/* The longest beginning of a raw JSON string, at most max bytes, that ends between characters and escapes. */
static struct span raw_beginning(struct span raw, size_t max) {
    if (raw.len <= max) {
        return raw;
    }
    size_t at = 0;
    for (;;) {
        size_t next = at + 1;
        if (raw.data[at] == '\\') {
            /* A surrogate pair is two escapes; the first half alone can't be decoded. */
            bool unicode = raw.data[at + 1] == 'u';
            bool first_half = unicode && (raw.data[at + 2] | 0x20) == 'd' && strchr("89abAB", raw.data[at + 3]);
            next = at + (first_half ? 12 : unicode ? 6 : 2);
        } else {
            while (next < raw.len && ((unsigned char)raw.data[next] & 0xc0) == 0x80) {
                next++;
            }
        }
        if (next > max) {
            return span_of(raw.data, at);
        }
        at = next;
    }
}

static void take_string(struct span raw, struct buf *scratch, bool is_type, struct call_result *result) {
    buf_reset(scratch);
    if (!json_unescape(raw_beginning(raw, TEXT_MAX), scratch)) {
        return;
    }
    if (is_type) {
        (void)error_set_code(buf_span(scratch), result->code);
    } else {
        error_copy_text(buf_span(scratch), result->message, sizeof result->message);
    }
}

/* Reads the members of the error's object that we know. False: the body is no JSON object. */
static bool read_members(struct json_reader *reader, struct buf *scratch, struct call_result *result) {
    struct json_token token;
    if (json_next(reader, &token) != JSON_OBJECT_BEGIN) {
        return false;
    }
    while (json_next(reader, &token) == JSON_NAME) {
        bool is_type = json_token_is(&token, "__type");
        bool is_message = json_token_is(&token, "message") || json_token_is(&token, "Message");
        if (json_next(reader, &token) == JSON_STRING && (is_type || is_message)) {
            take_string(token.raw, scratch, is_type, result);
        } else if (!json_skip(reader, &token)) {
            return false;
        }
    }
    return token.event == JSON_OBJECT_END && json_next(reader, &token) == JSON_END;
}

static void read_json(struct span body, struct call_result *result) {
    const struct json_options options = {.max_depth = JSON_MAX_DEPTH};
    struct json_reader reader;
    struct buf scratch;
    json_reader_init(&reader, body, &options);
    buf_init(&scratch, TEXT_MAX);
    if (!read_members(&reader, &scratch, result)) {
        result->code[0] = '\0';
        result->message[0] = '\0';
    }
    json_reader_done(&reader);
    buf_free(&scratch);
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span without_blanks(struct span s) {
    while (s.len && is_blank(s.data[0])) {
        s = span_of(s.data + 1, s.len - 1);
    }
    while (s.len && is_blank(s.data[s.len - 1])) {
        s.len--;
    }
    return s;
}

/* What follows text in s; absent if s doesn't contain it. */
static struct span behind(struct span s, struct span text) {
    const char *at = s.len ? memmem(s.data, s.len, text.data, text.len) : NULL;
    return at ? span_of(at + text.len, s.len - (size_t)(at + text.len - s.data)) : (struct span){NULL, 0};
}

/* An element's raw text; absent if there is no such element, or it contains another one. */
static struct span element(struct span xml, struct span begin, struct span end) {
    struct span text = behind(xml, begin);
    const char *close = text.len ? memchr(text.data, '<', text.len) : NULL;
    if (!close || (size_t)(text.data + text.len - close) < end.len || memcmp(close, end.data, end.len) != 0) {
        return (struct span){NULL, 0};
    }
    return without_blanks(span_of(text.data, (size_t)(close - text.data)));
}

/* Decodes the references that texts in XML need (the five named ones and &#39;), and no others. */
static void take_text(struct span text, char *ret_text, size_t size) {
    static const struct {
        struct span name;
        char stands_for;
    } references[] = {{{"&lt;", 4}, '<'},   {{"&gt;", 4}, '>'},    {{"&amp;", 5}, '&'},
                      {{"&quot;", 6}, '"'}, {{"&apos;", 6}, '\''}, {{"&#39;", 5}, '\''}};
    char plain[CALL_MESSAGE_SIZE + 4]; /* the extra bytes show where the last character that fits ends */
    size_t len = 0;
    for (size_t at = 0; at < text.len && len < sizeof plain; len++) {
        size_t taken = 1;
        plain[len] = text.data[at];
        for (size_t i = 0; text.data[at] == '&' && i < ARRAY_LENGTH(references); i++) {
            struct span name = references[i].name;
            if (text.len - at >= name.len && memcmp(text.data + at, name.data, name.len) == 0) {
                plain[len] = references[i].stands_for;
                taken = name.len;
            }
        }
        at += taken;
    }
    error_copy_text(span_of(plain, len), ret_text, size);
}

/* <ErrorResponse><Error><Code>…</Code><Message>…</Message></Error><RequestId>…</RequestId></ErrorResponse>, or <Error>
 * alone. */
static void read_xml(struct span body, struct call_result *result) {
    struct span xml = span_of(body.data, body.len < XML_MAX ? body.len : XML_MAX);
    struct span error = behind(xml, SPAN("<Error"));
    while (error.len && error.data[0] != '>' && !is_blank(error.data[0])) {
        error = behind(error, SPAN("<Error"));
    }
    if (!error_set_code(element(error, SPAN("<Code>"), SPAN("</Code>")), result->code)) {
        return;
    }
    take_text(element(error, SPAN("<Message>"), SPAN("</Message>")), result->message, sizeof result->message);
    take_text(element(error, SPAN("<RequestId>"), SPAN("</RequestId>")), result->request_id, sizeof result->request_id);
}

void error_body_read(struct span body, struct call_result *result) {
    result->code[0] = result->message[0] = result->request_id[0] = '\0';
    struct span text = without_blanks(body);
    if (text.len && text.data[0] == '<') {
        read_xml(text, result);
    } else {
        read_json(body, result);
    }
}
