#include "typed_value.h"

#include "arena.h"
#include "base64.h"
#include "json_writer.h"
#include "typed_set.h"

static const char *const kinds[] = {
    [TYPED_S] = "S", [TYPED_N] = "N", [TYPED_B] = "B",   [TYPED_BOOL] = "BOOL", [TYPED_NULL] = "NULL",
    [TYPED_M] = "M", [TYPED_L] = "L", [TYPED_SS] = "SS", [TYPED_NS] = "NS",     [TYPED_BS] = "BS",
};

/* What the value of the only member must be. */
static const char *const forms[] = {
    [TYPED_S] = "S takes a string",
    [TYPED_N] = "N takes a number as a string",
    [TYPED_B] = "B takes a string in base64, with the standard alphabet and padding",
    [TYPED_BOOL] = "BOOL takes true or false",
    [TYPED_NULL] = "NULL takes true",
    [TYPED_M] = "M takes an object of typed values",
    [TYPED_L] = "L takes an array of typed values",
    [TYPED_SS] = "SS takes an array of strings that isn't empty",
    [TYPED_NS] = "NS takes an array of numbers as strings that isn't empty",
    [TYPED_BS] = "BS takes an array of strings in base64 that isn't empty",
};

struct checking {
    const struct value_tape *tape;
    struct failure *failure;
    bool too_deep, no_memory;
};

enum typed_kind typed_value_kind(const struct value_tape *t, tape_node n) {
    if (tape_type_of(t, n) != TAPE_OBJECT || tape_is_empty(t, n))
        return TYPED_NONE;
    tape_node name = tape_first(n);
    if (tape_next_member(t, name) != tape_next(t, n))
        return TYPED_NONE;
    unsigned kind = 0;
    while (kind < TYPED_NONE && !json_string_is(tape_string(t, name), kinds[kind]))
        kind++;
    return (enum typed_kind)kind;
}

/* The value of the only member. */
static tape_node content_of(tape_node n) {
    return tape_first(n) + 1;
}

static bool refuse_form(const struct checking *c, enum typed_kind kind, const struct value_path *path) {
    path_refuse(path, c->failure, "%s", forms[kind]);
    return false;
}

static bool check_number(struct checking *c, tape_node n, const struct value_path *path, struct value_size *ret_size) {
    struct number number;
    switch (typed_number_read(tape_string(c->tape, n), &number)) {
    case TYPED_NUMBER_FINE: break;
    case TYPED_NUMBER_NONE: return refuse_form(c, TYPED_N, path);
    case TYPED_NUMBER_BEYOND:
        path_refuse(path, c->failure,
                    "a number has at most 38 significant digits, and is 0 or of a magnitude from 1E-130 to 9.99E+125");
        return false;
    }
    size_t len = number_text_size(&number, NUMBERS_SHORT);
    *ret_size =
        (struct value_size){.item = number.size, .text = sizeof "{'N':''}" - 1 + len, .zeros = number.len - len};
    return true;
}

static bool check_binary(struct checking *c, tape_node n, const struct value_path *path, struct value_size *ret_size) {
    struct buf bytes;
    struct json_string text = tape_string(c->tape, n);
    buf_init(&bytes, text.raw.len);
    enum typed_binary status = typed_binary_read(text, &bytes);
    *ret_size = (struct value_size){.item = bytes.len, .text = sizeof "{'B':''}" - 1 + (bytes.len + 2) / 3 * 4};
    buf_free(&bytes);
    if (status == TYPED_BINARY_NONE)
        return refuse_form(c, TYPED_B, path);
    c->no_memory = c->no_memory || status == TYPED_BINARY_NO_MEMORY;
    return status == TYPED_BINARY_FINE;
}

static bool check_set(struct checking *c, tape_node n, enum typed_kind kind, const struct value_path *path,
                      struct value_size *ret_size) {
    struct typed_set set;
    size_t at = 0;
    switch (typed_set_read(c->tape, n, kind, &set, &at)) {
    case TYPED_SET_FINE: break;
    case TYPED_SET_NO_MEMORY: c->no_memory = true; return false;
    case TYPED_SET_ELEMENT: {
        struct value_path element = path_element(path, at);
        static const char *const elements[] = {
            [TYPED_SS] = "an element of SS is a string",
            [TYPED_NS] = "an element of NS is a number as a string, of at most 38 digits and in range",
            [TYPED_BS] = "an element of BS is a string in base64"};
        path_refuse(&element, c->failure, "%s", elements[kind]);
        return false;
    }
    case TYPED_SET_REPEATED: path_refuse(path, c->failure, "a set has each element once"); return false;
    case TYPED_SET_TOO_LARGE:
        path_refuse(path, c->failure, "a set of so many elements doesn't fit a record");
        return false;
    }
    *ret_size =
        (struct value_size){.item = set.item_size, .text = sizeof "{'SS':[]}" - 1 + set.text_size, .zeros = set.zeros};
    typed_set_free(&set);
    return true;
}

static bool check_value(struct checking *c, tape_node n, const struct value_path *path, unsigned depth_left,
                        struct value_size *ret_size);

static void add_inner(struct value_size *size, const struct value_size *inner) {
    size->item += inner->item + 1;
    size->text += inner->text + 1;
    size->zeros += inner->zeros;
    if (size->depth <= inner->depth)
        size->depth = inner->depth + 1;
}

static bool check_map(struct checking *c, tape_node n, const struct value_path *path, unsigned depth_left,
                      struct value_size *size) {
    const struct value_tape *t = c->tape;
    TAPE_FOREACH_MEMBER(t, n, name) {
        struct json_string s = tape_string(t, name);
        struct value_path inner = path_member(path, s);
        size_t len = json_string_size(s);
        if (len == 0 || len > ATTRIBUTE_NAME_MAX) {
            path_refuse(len == 0 ? path : &inner, c->failure, "an attribute's name has 1 to %d bytes",
                        ATTRIBUTE_NAME_MAX);
            return false;
        }
        struct value_size inner_size;
        if (!check_value(c, name + 1, &inner, depth_left, &inner_size))
            return false;
        size->item += len;
        size->text += json_string_canonical_size(s) + 1;
        add_inner(size, &inner_size);
    }
    return true;
}

static bool check_list(struct checking *c, tape_node n, const struct value_path *path, unsigned depth_left,
                       struct value_size *size) {
    const struct value_tape *t = c->tape;
    size_t index = 0;
    for (tape_node element = tape_first(n); element < tape_next(t, n); element = tape_next(t, element), index++) {
        struct value_path inner = path_element(path, index);
        struct value_size inner_size;
        /* A scalar is no typed value, so the walk ends at it: that only the first of a run has a word doesn't
         * matter. */
        if (!check_value(c, element, &inner, depth_left, &inner_size))
            return false;
        add_inner(size, &inner_size);
    }
    return true;
}

static bool check_container(struct checking *c, tape_node n, enum typed_kind kind, const struct value_path *path,
                            unsigned depth_left, struct value_size *ret_size) {
    if (tape_type_of(c->tape, n) != (kind == TYPED_M ? TAPE_OBJECT : TAPE_ARRAY))
        return refuse_form(c, kind, path);
    if (depth_left == 0) {
        c->too_deep = true;
        return false;
    }
    *ret_size = (struct value_size){.item = 3, .text = sizeof "{'L':[]}" - 1, .depth = 1};
    return kind == TYPED_M ? check_map(c, n, path, depth_left - 1, ret_size)
                           : check_list(c, n, path, depth_left - 1, ret_size);
}

static bool check_content(struct checking *c, tape_node n, enum typed_kind kind, const struct value_path *path,
                          unsigned depth_left, struct value_size *ret_size) {
    enum tape_type type = tape_type_of(c->tape, n);
    struct json_string s;
    switch (kind) {
    case TYPED_S:
        if (type != TAPE_STRING)
            break;
        s = tape_string(c->tape, n);
        *ret_size = (struct value_size){.item = json_string_size(s),
                                        .text = sizeof "{'S':}" - 1 + json_string_canonical_size(s)};
        return true;
    case TYPED_N:
        if (type != TAPE_STRING)
            break;
        return check_number(c, n, path, ret_size);
    case TYPED_B:
        if (type != TAPE_STRING)
            break;
        return check_binary(c, n, path, ret_size);
    case TYPED_BOOL:
        *ret_size = (struct value_size){.item = 1, .text = sizeof "{'BOOL':false}" - 1};
        if (type != TAPE_TRUE && type != TAPE_FALSE)
            break;
        return true;
    case TYPED_NULL:
        *ret_size = (struct value_size){.item = 1, .text = sizeof "{'NULL':true}" - 1};
        if (type != TAPE_TRUE)
            break;
        return true;
    case TYPED_M:
    case TYPED_L: return check_container(c, n, kind, path, depth_left, ret_size);
    default:
        if (type != TAPE_ARRAY || tape_is_empty(c->tape, n))
            break;
        return check_set(c, n, kind, path, ret_size);
    }
    return refuse_form(c, kind, path);
}

/* Depth is bounded by depth_left. */
static bool check_value(struct checking *c, tape_node n, const struct value_path *path, unsigned depth_left,
                        struct value_size *ret_size) {
    enum typed_kind kind = typed_value_kind(c->tape, n);
    if (kind == TYPED_NONE) {
        path_refuse(path, c->failure,
                    "a typed value is an object of one member named S, N, B, BOOL, NULL, M, L, SS, NS or BS");
        return false;
    }
    return check_content(c, content_of(n), kind, path, depth_left, ret_size);
}

enum typed_status typed_value_check(const struct value_tape *t, tape_node n, const struct value_path *path,
                                    unsigned max_depth, struct value_size *ret_size, struct failure *f) {
    struct checking c = {.tape = t, .failure = f};
    if (check_value(&c, n, path, max_depth, ret_size))
        return TYPED_FINE;
    if (c.no_memory)
        return TYPED_NO_MEMORY;
    if (c.too_deep)
        path_refuse(path, f, "a value nests at most %u lists and maps here", max_depth);
    return TYPED_REFUSED;
}

static void append_binary(struct json_string text, struct buf *out) {
    struct buf bytes;
    buf_init(&bytes, text.raw.len);
    if (typed_binary_read(text, &bytes) != TYPED_BINARY_FINE)
        buf_fail(out, BUF_NO_MEMORY); /* it was read before */
    base64_encode(buf_span(&bytes), out);
    buf_free(&bytes);
}

static void append_set(const struct value_tape *t, tape_node n, enum typed_kind kind, enum number_form form,
                       struct buf *out) {
    struct typed_set set;
    size_t at;
    if (typed_set_read(t, n, kind, &set, &at) != TYPED_SET_FINE) {
        buf_fail(out, BUF_NO_MEMORY); /* it was read before */
        return;
    }
    typed_set_append(&set, kind, form, out);
    typed_set_free(&set);
}

static void append_list(const struct value_tape *t, tape_node n, enum number_form form, struct buf *out) {
    buf_append_char(out, '[');
    for (tape_node element = tape_first(n); element < tape_next(t, n); element = tape_next(t, element)) {
        if (element > tape_first(n))
            buf_append_char(out, ',');
        typed_value_append(t, element, form, out);
    }
    buf_append_char(out, ']');
}

/* Depth is bounded by the check that was made before. */
bool typed_value_append(const struct value_tape *t, tape_node n, enum number_form form, struct buf *out) {
    enum typed_kind kind = typed_value_kind(t, n);
    tape_node content = content_of(n);
    struct number number;
    if (kind == TYPED_NONE)
        return false;
    buf_printf(out, "{\"%s\":", kinds[kind]);
    switch (kind) {
    case TYPED_S: json_string_append(tape_string(t, content), out); break;
    case TYPED_N:
        if (typed_number_read(tape_string(t, content), &number) != TYPED_NUMBER_FINE)
            return false;
        buf_append_char(out, '"');
        number_append(&number, form, out);
        buf_append_char(out, '"');
        break;
    case TYPED_B:
        buf_append_char(out, '"');
        append_binary(tape_string(t, content), out);
        buf_append_char(out, '"');
        break;
    case TYPED_BOOL: buf_append_cstr(out, tape_type_of(t, content) == TAPE_TRUE ? "true" : "false"); break;
    case TYPED_NULL: buf_append_cstr(out, "true"); break;
    case TYPED_M:
        buf_append_char(out, '{');
        typed_members_append(t, content, '\0', form, out);
        buf_append_char(out, '}');
        break;
    case TYPED_L: append_list(t, content, form, out); break;
    default: append_set(t, content, kind, form, out); break;
    }
    return buf_append_char(out, '}');
}

bool typed_members_append(const struct value_tape *t, tape_node object, char before, enum number_form form,
                          struct buf *out) {
    TAPE_FOREACH_MEMBER(t, object, name) {
        if (before)
            buf_append_char(out, before);
        json_string_append(tape_string(t, name), out);
        buf_append_char(out, ':');
        typed_value_append(t, name + 1, form, out);
        before = ',';
    }
    return buf_ok(out);
}
