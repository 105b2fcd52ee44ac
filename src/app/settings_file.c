#include "settings_file.h"

#include "utf8.h"

#include <stdlib.h>
#include <string.h>

struct parser {
    const char *at, *end;
    unsigned line;
    char *out; /* where the next decoded byte goes; the storage has room for all of them */
    settings_file_problem *problem;
    void *ctx;
    struct settings_file *file;
};

static void fault(struct parser *p, unsigned line, const char *sentence) {
    p->problem(p->ctx, true, line, sentence);
}

static void warn(struct parser *p, unsigned line, const char *sentence) {
    p->problem(p->ctx, false, line, sentence);
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* A carriage return ends a line as well: files come from other systems. */
static bool is_newline(char c) {
    return c == '\n' || c == '\r';
}

static bool at_end(const struct parser *p) {
    return p->at == p->end;
}

/* The next byte, which there must be. */
static char take(struct parser *p) {
    char c = *p->at++;
    p->line += c == '\n';
    return c;
}

static void put(struct parser *p, char c) {
    *p->out++ = c;
}

static void skip_blanks(struct parser *p) {
    while (!at_end(p) && is_blank(*p->at)) {
        p->at++;
    }
}

static void skip_comment(struct parser *p) {
    unsigned line = p->line;
    bool backslash = false;
    while (!at_end(p) && !is_newline(*p->at)) {
        backslash = take(p) == '\\';
    }
    if (backslash && !at_end(p)) {
        warn(p, line,
             "this comment ends with a backslash: systemd before version 254 takes the next line as a part of it, and "
             "its setting is lost there");
    }
}

static void read_single_quoted(struct parser *p) {
    unsigned line = p->line;
    p->at++;
    while (!at_end(p)) {
        char c = take(p);
        if (c == '\'') {
            return;
        }
        put(p, c);
    }
    fault(p, line, "the quote ' that begins a value here never ends");
}

static void read_double_quoted(struct parser *p) {
    unsigned line = p->line;
    p->at++;
    while (!at_end(p)) {
        char c = take(p);
        if (c == '"') {
            return;
        }
        if (c != '\\') {
            put(p, c);
            continue;
        }
        if (at_end(p)) {
            break;
        }
        c = take(p);
        if (c == '\n') {
            continue;
        }
        if (!memchr("\"\\`$", c, 4)) {
            put(p, '\\');
        }
        put(p, c);
    }
    fault(p, line, "the quote \" that begins a value here never ends");
}

static void read_unquoted(struct parser *p) {
    char *kept = p->out; /* what stands behind it so far is white space */
    while (!at_end(p) && !is_newline(*p->at)) {
        char c = take(p);
        if (c == '\\') {
            c = at_end(p) ? '\n' : take(p);
            if (!is_newline(c)) {
                put(p, c);
            }
            kept = p->out;
            continue;
        }
        put(p, c);
        if (!is_blank(c)) {
            kept = p->out;
        }
    }
    p->out = kept;
}

static void read_value(struct parser *p) {
    for (;;) {
        skip_blanks(p);
        if (at_end(p) || is_newline(*p->at)) {
            return;
        }
        if (*p->at == '\'') {
            read_single_quoted(p);
        } else if (*p->at == '"') {
            read_double_quoted(p);
        } else {
            read_unquoted(p);
            return;
        }
    }
}

/* Whether an environment variable can be called so. */
static bool is_name(struct span s) {
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9')) {
            return false;
        }
    }
    return s.len > 0;
}

/* A line that is neither blank nor a comment. */
static void read_assignment(struct parser *p) {
    const char *begin = p->at;
    unsigned line = p->line;
    while (!at_end(p) && !is_newline(*p->at) && *p->at != '=') {
        p->at++;
    }
    if (at_end(p) || is_newline(*p->at)) {
        warn(p, line, "this line has no = and is skipped");
        return;
    }
    struct span name = span_of(begin, (size_t)(p->at - begin));
    while (name.len && is_blank(name.data[name.len - 1])) {
        name.len--;
    }
    p->at++;
    char *kept = p->out;
    memcpy(p->out, name.data, name.len);
    p->out += name.len;
    put(p, '\0');
    const char *value = p->out;
    read_value(p);
    put(p, '\0');
    if (!is_name(name)) {
        p->out = kept;
        fault(p, line, "what stands before the = is no name: letters, digits and _ only, and no \"export\"");
        return;
    }
    p->file->entries[p->file->count++] = (struct settings_file_entry){kept, value, line};
}

/* Warns of bytes that aren't UTF-8. We take them, but systemd doesn't. */
static void warn_of_other_encoding(struct parser *p, struct span text) {
    const unsigned char *bytes = (const unsigned char *)text.data;
    unsigned line = 1;
    for (size_t i = 0, n = 0; i < text.len; i += n) {
        n = utf8_match(bytes + i, text.len - i);
        if (n == 0 || n != utf8_length(bytes[i])) {
            warn(p, line,
                 "a byte here is not UTF-8: systemd passes the whole file over for it, and says nothing where its name "
                 "begins with \"-\"");
            return;
        }
        line += text.data[i] == '\n';
    }
}

/* Whether it has no NUL, which would end a C string, and no byte order mark, which would hide the first name. */
static bool is_text(struct parser *p, struct span text) {
    if (text.len >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0) {
        fault(p, 1, "the file begins with a byte order mark; save it as UTF-8 without one");
        return false;
    }
    unsigned line = 1;
    warn_of_other_encoding(p, text);
    for (size_t i = 0; i < text.len; i++) {
        line += text.data[i] == '\n';
        if (text.data[i] == '\0') {
            fault(p, line, "the file holds a NUL byte here: it is no text");
            return false;
        }
    }
    return true;
}

bool settings_file_parse(struct span text, settings_file_problem *problem, void *ctx, struct settings_file *ret_file) {
    size_t most = 1; /* entries: each takes a = of its own */
    for (size_t i = 0; i < text.len; i++) {
        most += text.data[i] == '=';
    }
    struct settings_file file = {.entries = calloc(most, sizeof *file.entries)};
    /* A value is never longer than it is written, and the = and the line's end make room for two NULs; the last line
     * may have no end. */
    file.storage = malloc(text.len + 1);
    if (!file.entries || !file.storage) {
        settings_file_free(&file);
        return false;
    }
    struct parser p = {text.data, text.data + text.len, 1, file.storage, problem, ctx, &file};
    bool readable = text.len && is_text(&p, text);
    while (readable && !at_end(&p)) {
        if (is_blank(*p.at) || is_newline(*p.at)) {
            (void)take(&p);
        } else if (*p.at == '#' || *p.at == ';') {
            skip_comment(&p);
        } else {
            read_assignment(&p);
        }
    }
    *ret_file = file;
    return true;
}

const char *settings_file_get(const struct settings_file *file, const char *name) {
    for (size_t i = file->count; i > 0; i--) {
        if (strcmp(file->entries[i - 1].name, name) == 0) {
            return file->entries[i - 1].value;
        }
    }
    return NULL;
}

void settings_file_free(struct settings_file *file) {
    for (size_t i = 0; i < file->count; i++) {
        explicit_bzero((char *)file->entries[i].value, strlen(file->entries[i].value));
    }
    free(file->entries);
    free(file->storage);
    *file = (struct settings_file){0};
}
