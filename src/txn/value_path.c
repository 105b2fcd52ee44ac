#include "value_path.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#define REASON_SIZE 1024 /* one may quote a sentence of DynamoDB's */

/* The recursion is as deep as the walk that made the frames. */
static void append_path(const struct value_path *path, struct buf *out) {
    if (path->parent)
        append_path(path->parent, out);
    if (!path->name.raw.data) {
        buf_printf(out, "[%zu]", path->index);
        return;
    }
    if (path->parent)
        buf_append_char(out, '.');
    json_string_decode(path->name, out);
}

/* More than the path's text takes. */
static size_t text_max(const struct value_path *path) {
    size_t max = 0;
    for (; path; path = path->parent)
        max += path->name.raw.len + sizeof ".[18446744073709551615]";
    return max;
}

/* The length without the part of a character that cutting at len left at the end. */
static size_t cut_between_characters(const char *text, size_t len) {
    size_t at = len;
    while (at > 0 && ((unsigned char)text[at - 1] & 0xc0) == 0x80)
        at--;
    if (at == 0)
        return 0;
    unsigned char first = (unsigned char)text[at - 1];
    size_t needs = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    return len - (at - 1) < needs ? at - 1 : len;
}

void path_refuse(const struct value_path *path, struct failure *f, const char *reason_format, ...) {
    char reason[REASON_SIZE];
    va_list arguments;
    va_start(arguments, reason_format);
    int len = vsnprintf(reason, sizeof reason, reason_format, arguments);
    va_end(arguments);
    struct buf field;
    buf_init(&field, SIZE_MAX);
    if (buf_reserve(&field, text_max(path)))
        append_path(path, &field);
    if (len >= REASON_SIZE)
        reason[cut_between_characters(reason, REASON_SIZE - 1)] = '\0';
    failure_validation(f, buf_span(&field), "%s", len < 0 ? "" : reason);
    if (!buf_ok(&field))
        buf_fail(&f->details, BUF_NO_MEMORY);
    buf_free(&field);
}
