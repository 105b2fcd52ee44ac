/* The canonical forms of a request's parts: the same spelling for all requests that mean the same. */
#include "sigv4_private.h"

#define PART_MAX ((size_t)64 * 1024) /* of a path or query while it is converted */

static bool is_unreserved(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

static bool append_encoded(struct buf *out, char c) {
    static const char HEX[] = "0123456789ABCDEF";
    unsigned char byte = (unsigned char)c;
    const char text[] = {'%', HEX[byte >> 4], HEX[byte & 15]};
    return is_unreserved(c) ? buf_append_char(out, c) : buf_append(out, text, sizeof text);
}

/* Resolves "." and "..", and joins repeated slashes (RFC 3986, section 5.2.4). */
static bool append_resolved(struct span path, struct buf *out) {
    for (size_t at = 0; at < path.len;) {
        size_t end = at;
        while (end < path.len && path.data[end] != '/') {
            end++;
        }
        struct span segment = span_of(path.data + at, end - at);
        at = end + 1;
        if (span_is(segment, "..")) {
            while (out->len > 0 && out->data[--out->len] != '/') {
            }
        } else if (segment.len > 0 && !span_is(segment, ".")) {
            buf_append_char(out, '/');
            buf_append_span(out, segment);
        }
    }
    if (out->len == 0 || path.data[path.len - 1] == '/') {
        buf_append_char(out, '/');
    }
    return buf_ok(out);
}

bool sigv4_append_path(struct span path, bool keep, struct buf *out) {
    struct buf resolved;
    buf_init(&resolved, PART_MAX);
    bool ok = keep && path.len > 0 ? buf_append_span(&resolved, path) : append_resolved(path, &resolved);
    for (size_t i = 0; ok && i < resolved.len; i++) {
        ok = resolved.data[i] == '/' ? buf_append_char(out, '/') : append_encoded(out, resolved.data[i]);
    }
    buf_free(&resolved);
    return ok;
}

/* An encoded parameter: offsets and lengths in the scratch buffer. */
struct parameter {
    size_t name, name_len, value, value_len;
};

static int hex_value(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/* Appends text, some of whose characters may be encoded already, so that exactly those are encoded that must be. */
static size_t append_reencoded(struct span text, struct buf *out) {
    size_t before = out->len;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '%' && i + 2 < text.len && hex_value(text.data[i + 1]) >= 0 && hex_value(text.data[i + 2]) >= 0) {
            c = (char)(hex_value(text.data[i + 1]) * 16 + hex_value(text.data[i + 2]));
            i += 2;
        }
        append_encoded(out, c);
    }
    return out->len - before;
}

static bool comes_before(const struct buf *b, const struct parameter *x, const struct parameter *y) {
    int names = span_compare(span_of(b->data + x->name, x->name_len), span_of(b->data + y->name, y->name_len));
    return names
               ? names < 0
               : span_compare(span_of(b->data + x->value, x->value_len), span_of(b->data + y->value, y->value_len)) < 0;
}

static bool read_parameters(struct span query, struct buf *scratch, struct parameter *all, size_t *ret_count) {
    size_t count = 0;
    for (size_t at = 0; at < query.len;) {
        const char *begin = query.data + at;
        const char *ampersand = memchr(begin, '&', query.len - at);
        size_t len = ampersand ? (size_t)(ampersand - begin) : query.len - at;
        at += len + 1;
        if (len == 0) {
            continue;
        }
        if (count == SIGV4_PARAMETERS_MAX) {
            return false;
        }
        const char *equals = memchr(begin, '=', len);
        size_t name_len = equals ? (size_t)(equals - begin) : len;
        struct parameter *p = &all[count++];
        p->name = scratch->len;
        p->name_len = append_reencoded(span_of(begin, name_len), scratch);
        p->value = scratch->len;
        p->value_len = equals ? append_reencoded(span_of(equals + 1, len - name_len - 1), scratch) : 0;
    }
    *ret_count = count;
    return buf_ok(scratch);
}

bool sigv4_append_query(struct span query, struct buf *out) {
    struct parameter all[SIGV4_PARAMETERS_MAX];
    size_t count = 0;
    struct buf scratch;
    buf_init(&scratch, PART_MAX);
    bool ok = read_parameters(query, &scratch, all, &count);
    for (size_t i = 1; ok && i < count; i++) {
        struct parameter p = all[i];
        size_t k = i;
        for (; k > 0 && comes_before(&scratch, &p, &all[k - 1]); k--) {
            all[k] = all[k - 1];
        }
        all[k] = p;
    }
    for (size_t i = 0; ok && i < count; i++) {
        ok = (i == 0 || buf_append_char(out, '&')) && buf_append(out, scratch.data + all[i].name, all[i].name_len) &&
             buf_append_char(out, '=') && buf_append(out, scratch.data + all[i].value, all[i].value_len);
    }
    buf_free(&scratch);
    return ok;
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int compare_names(struct span a, struct span b) {
    size_t n = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < n; i++) {
        int order = (unsigned char)lower(a.data[i]) - (unsigned char)lower(b.data[i]);
        if (order) {
            return order;
        }
    }
    return (a.len > b.len) - (a.len < b.len);
}

/* Not signed: proxies may change or add these, and http_exchange.c adds User-Agent after signing. */
static bool is_left_out(struct span name) {
    static const char *const NAMES[] = {
        "authorization", "connection",        "expect",  "keep-alive", "te",
        "trailer",       "transfer-encoding", "upgrade", "user-agent", "x-amzn-trace-id"};
    for (size_t i = 0; i < ARRAY_LENGTH(NAMES); i++) {
        if (compare_names(name, span_cstr(NAMES[i])) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Without white space at the ends, and with one space for each run of it inside. */
static void append_trimmed(struct span value, struct buf *out) {
    size_t before = out->len;
    bool blank = false;
    for (size_t i = 0; i < value.len; i++) {
        if (is_blank(value.data[i])) {
            blank = true;
            continue;
        }
        if (blank && out->len > before) {
            buf_append_char(out, ' ');
        }
        blank = false;
        buf_append_char(out, value.data[i]);
    }
}

static void append_lower(struct span name, struct buf *out) {
    for (size_t i = 0; i < name.len; i++) {
        buf_append_char(out, lower(name.data[i]));
    }
}

bool sigv4_append_headers(const struct sigv4_header *headers, size_t count, struct buf *out,
                          struct buf *signed_headers) {
    const struct sigv4_header *sorted[SIGV4_HEADERS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_left_out(headers[i].name)) {
            continue;
        }
        if (n == SIGV4_HEADERS_MAX) {
            return false;
        }
        /* Headers with the same name keep their order. */
        size_t k = n++;
        for (; k > 0 && compare_names(headers[i].name, sorted[k - 1]->name) < 0; k--) {
            sorted[k] = sorted[k - 1];
        }
        sorted[k] = &headers[i];
    }
    for (size_t i = 0; i < n; i++) {
        bool again = i > 0 && compare_names(sorted[i]->name, sorted[i - 1]->name) == 0;
        if (again) {
            buf_append_char(out, ',');
        } else {
            if (i > 0) {
                buf_append_char(out, '\n');
                buf_append_char(signed_headers, ';');
            }
            append_lower(sorted[i]->name, out);
            append_lower(sorted[i]->name, signed_headers);
            buf_append_char(out, ':');
        }
        append_trimmed(sorted[i]->value, out);
    }
    return buf_append_char(out, '\n') && buf_ok(signed_headers);
}
