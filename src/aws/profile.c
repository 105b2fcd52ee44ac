#include "profile.h"

#include <stdint.h>
#include <stdlib.h>

enum section { SECTION_NONE, SECTION_SKIPPED, SECTION_PROFILE, SECTION_SERVICES, SECTION_SSO_SESSION };

/* A setting, or (if name is absent) the mark that its section exists. All spans point into the file's text. */
struct setting {
    enum section section;
    bool prefixed; /* written as [profile x] in a config file */
    struct span section_name;
    struct span name;
    struct span nested; /* absent: it is not nested */
    struct span value;
};

struct profile_file {
    char *text;
    size_t len;
    struct setting *settings;
    size_t count, capacity;
    bool prefixed_default; /* there is a [profile default] */
};

#define NOT_KEPT SIZE_MAX

struct parser {
    struct profile_file *file;
    enum profile_kind kind;
    enum section section;
    bool prefixed;
    struct span section_name;
    bool in_setting; /* a setting stands above; lines that are indented deeper belong to it */
    size_t indent; /* of that setting */
    size_t setting; /* its index, or NOT_KEPT */
    const char *reason;
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static struct span trim(struct span s) {
    while (s.len && is_blank(s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len && is_blank(s.data[s.len - 1])) {
        s.len--;
    }
    return s;
}

static struct span without_comment(struct span s) {
    for (size_t i = 1; i < s.len; i++) {
        if ((s.data[i] == '#' || s.data[i] == ';') && is_blank(s.data[i - 1])) {
            return span_of(s.data, i);
        }
    }
    return s;
}

static enum profile_status malformed(struct parser *p, const char *reason) {
    p->reason = reason;
    return PROFILE_MALFORMED;
}

static enum profile_status keep(struct parser *p, struct span name, struct span nested, struct span value) {
    struct profile_file *f = p->file;
    if (f->count == PROFILE_SETTINGS_MAX) {
        return malformed(p, "there are too many settings");
    }
    if (f->count == f->capacity) {
        size_t capacity = f->capacity ? f->capacity * 2 : 32;
        struct setting *settings = realloc(f->settings, capacity * sizeof *settings);
        if (!settings) {
            return PROFILE_NO_MEMORY;
        }
        f->settings = settings;
        f->capacity = capacity;
    }
    f->settings[f->count++] = (struct setting){p->section, p->prefixed, p->section_name, name, nested, value};
    return PROFILE_FINE;
}

/* Splits "name = value". Makes the name lower case in place: the text is our own copy. */
static bool split_setting(struct parser *p, struct span line, struct span *ret_name, struct span *ret_value) {
    const char *equals = memchr(line.data, '=', line.len);
    if (!equals) {
        return false;
    }
    struct span name = trim(span_of(line.data, (size_t)(equals - line.data)));
    if (!name.len) {
        return false;
    }
    char *text = p->file->text + (name.data - p->file->text);
    for (size_t i = 0; i < name.len; i++) {
        if (text[i] >= 'A' && text[i] <= 'Z') {
            text[i] = (char)(text[i] - 'A' + 'a');
        }
    }
    *ret_name = name;
    *ret_value = trim(without_comment(span_of(equals + 1, line.len - (size_t)(equals - line.data) - 1)));
    return true;
}

static struct span unquote(struct span s) {
    if (s.len >= 2 && (s.data[0] == '"' || s.data[0] == '\'') && s.data[s.len - 1] == s.data[0]) {
        return span_of(s.data + 1, s.len - 2);
    }
    return s;
}

/* Whether a section's title is word followed by a name. */
static bool title_has_prefix(struct span title, struct span word, struct span *ret_name) {
    if (title.len <= word.len || memcmp(title.data, word.data, word.len) != 0 || !is_blank(title.data[word.len])) {
        return false;
    }
    struct span name = unquote(trim(span_of(title.data + word.len, title.len - word.len)));
    if (!name.len) {
        return false;
    }
    *ret_name = name;
    return true;
}

static void enter_section(struct parser *p, struct span title) {
    p->in_setting = false;
    p->prefixed = false;
    p->section_name = title;
    if (p->kind == PROFILE_CREDENTIALS || span_is(title, "default")) {
        p->section = SECTION_PROFILE;
    } else if (title_has_prefix(title, SPAN("profile"), &p->section_name)) {
        p->section = SECTION_PROFILE;
        p->prefixed = true;
        p->file->prefixed_default = p->file->prefixed_default || span_is(p->section_name, "default");
    } else if (title_has_prefix(title, SPAN("services"), &p->section_name)) {
        p->section = SECTION_SERVICES;
    } else if (title_has_prefix(title, SPAN("sso-session"), &p->section_name)) {
        p->section = SECTION_SSO_SESSION;
    } else {
        p->section = SECTION_SKIPPED;
    }
}

static enum profile_status parse_section(struct parser *p, struct span line) {
    const char *end = memchr(line.data, ']', line.len);
    if (!end) {
        return malformed(p, "a section's name has no closing bracket");
    }
    struct span rest = trim(span_of(end + 1, line.len - (size_t)(end - line.data) - 1));
    if (rest.len && rest.data[0] != '#' && rest.data[0] != ';') {
        return malformed(p, "something follows a section's closing bracket");
    }
    struct span title = trim(span_of(line.data + 1, (size_t)(end - line.data) - 1));
    if (!title.len) {
        return malformed(p, "a section has no name");
    }
    enter_section(p, title);
    if (p->section == SECTION_SKIPPED) {
        return PROFILE_FINE;
    }
    return keep(p, (struct span){NULL, 0}, (struct span){NULL, 0}, SPAN(""));
}

static enum profile_status parse_continuation(struct parser *p, struct span line) {
    if (p->setting == NOT_KEPT) {
        return PROFILE_FINE;
    }
    struct setting *above = &p->file->settings[p->setting];
    if (above->value.len) {
        struct span more = trim(without_comment(line));
        above->value.len = (size_t)(more.data + more.len - above->value.data);
        return PROFILE_FINE;
    }
    struct span nested, value;
    if (!split_setting(p, line, &nested, &value)) {
        return malformed(p, "a nested setting has to be name = value");
    }
    return keep(p, above->name, nested, value);
}

static enum profile_status parse_setting(struct parser *p, struct span line, size_t indent) {
    if (p->section == SECTION_NONE) {
        return malformed(p, "a setting stands before the first [section]");
    }
    struct span name, value;
    if (!split_setting(p, line, &name, &value)) {
        return malformed(p, "a setting has to be name = value");
    }
    p->in_setting = true;
    p->indent = indent;
    p->setting = NOT_KEPT;
    if (p->section == SECTION_SKIPPED) {
        return PROFILE_FINE;
    }
    enum profile_status status = keep(p, name, (struct span){NULL, 0}, value);
    if (status == PROFILE_FINE) {
        p->setting = p->file->count - 1;
    }
    return status;
}

static enum profile_status parse_line(struct parser *p, struct span whole) {
    struct span line = trim(whole);
    if (!line.len || line.data[0] == '#' || line.data[0] == ';') {
        return PROFILE_FINE;
    }
    if (memchr(line.data, '\0', line.len)) {
        return malformed(p, "there is a NUL byte");
    }
    size_t indent = (size_t)(line.data - whole.data);
    if (p->in_setting && indent > p->indent) {
        return parse_continuation(p, line);
    }
    return line.data[0] == '[' ? parse_section(p, line) : parse_setting(p, line, indent);
}

static enum profile_status parse_text(struct parser *p, size_t *ret_line) {
    const char *at = p->file->text;
    size_t left = p->file->len;
    for (size_t line = 1; left; line++) {
        const char *newline = memchr(at, '\n', left);
        size_t len = newline ? (size_t)(newline - at) : left;
        enum profile_status status = parse_line(p, span_of(at, len));
        if (status != PROFILE_FINE) {
            *ret_line = line;
            return status;
        }
        len += newline ? 1 : 0;
        at += len;
        left -= len;
    }
    return PROFILE_FINE;
}

enum profile_status profile_parse(enum profile_kind kind, struct span text, struct profile_file **ret_file,
                                  struct profile_fault *ret_fault) {
    if (text.len > PROFILE_FILE_MAX) {
        *ret_fault = (struct profile_fault){1, "the file is larger than 1 MiB"};
        return PROFILE_MALFORMED;
    }
    if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0) {
        *ret_fault = (struct profile_fault){1, "the file begins with a byte order mark; save it as UTF-8 without one"};
        return PROFILE_MALFORMED;
    }
    struct profile_file *file = calloc(1, sizeof *file);
    if (!file) {
        return PROFILE_NO_MEMORY;
    }
    file->text = malloc(text.len + 1);
    if (!file->text) {
        profile_free(file);
        return PROFILE_NO_MEMORY;
    }
    if (text.len) {
        memcpy(file->text, text.data, text.len);
    }
    file->text[text.len] = '\0';
    file->len = text.len;
    struct parser p = {.file = file, .kind = kind, .section = SECTION_NONE};
    size_t line = 0;
    enum profile_status status = parse_text(&p, &line);
    if (status != PROFILE_FINE) {
        if (status == PROFILE_MALFORMED) {
            *ret_fault = (struct profile_fault){line, p.reason};
        }
        profile_free(file);
        return status;
    }
    *ret_file = file;
    return PROFILE_FINE;
}

void profile_free(struct profile_file *file) {
    if (!file) {
        return;
    }
    if (file->text) {
        explicit_bzero(file->text, file->len);
    }
    free(file->text);
    free(file->settings);
    free(file);
}

static bool in_profile(const struct profile_file *f, const struct setting *s, struct span profile) {
    return s->section == SECTION_PROFILE && span_equal(s->section_name, profile) &&
           (s->prefixed || !f->prefixed_default || !span_is(profile, "default"));
}

static bool in_section(const struct setting *s, enum section section, struct span name) {
    return s->section == section && span_equal(s->section_name, name);
}

bool profile_exists(const struct profile_file *file, const char *profile) {
    struct span name = span_cstr(profile);
    for (size_t i = 0; file && i < file->count; i++) {
        if (in_profile(file, &file->settings[i], name)) {
            return true;
        }
    }
    return false;
}

struct span profile_get(const struct profile_file *file, const char *profile, const char *name) {
    struct span wanted = span_cstr(profile);
    for (size_t i = file ? file->count : 0; i-- > 0;) {
        const struct setting *s = &file->settings[i];
        if (s->name.data && !s->nested.data && span_is(s->name, name) && in_profile(file, s, wanted)) {
            return s->value;
        }
    }
    return (struct span){NULL, 0};
}

size_t profile_line(const struct profile_file *file, struct span value) {
    uintptr_t begin = file ? (uintptr_t)file->text : 0, at = (uintptr_t)value.data;
    if (!file || !value.data || at < begin || at - begin >= file->len) {
        return 0;
    }
    size_t line = 1;
    for (const char *c = file->text; c < value.data; c++) {
        line += *c == '\n';
    }
    return line;
}

static bool section_exists(const struct profile_file *file, enum section section, struct span name) {
    for (size_t i = 0; file && i < file->count; i++) {
        if (in_section(&file->settings[i], section, name)) {
            return true;
        }
    }
    return false;
}

bool profile_services_exist(const struct profile_file *file, struct span services) {
    return section_exists(file, SECTION_SERVICES, services);
}

bool profile_sso_session_exists(const struct profile_file *file, struct span session) {
    return section_exists(file, SECTION_SSO_SESSION, session);
}

struct span profile_get_sso_session(const struct profile_file *file, struct span session, const char *name) {
    for (size_t i = file ? file->count : 0; i-- > 0;) {
        const struct setting *s = &file->settings[i];
        if (s->name.data && !s->nested.data && span_is(s->name, name) && in_section(s, SECTION_SSO_SESSION, session)) {
            return s->value;
        }
    }
    return (struct span){NULL, 0};
}

struct span profile_get_service(const struct profile_file *file, struct span services, const char *service,
                                const char *name) {
    for (size_t i = file ? file->count : 0; i-- > 0;) {
        const struct setting *s = &file->settings[i];
        if (s->nested.data && span_is(s->nested, name) && span_is(s->name, service) &&
            in_section(s, SECTION_SERVICES, services)) {
            return s->value;
        }
    }
    return (struct span){NULL, 0};
}
