#include "attribute_value.h"

#define TEXT_SIZE(literal) (sizeof(literal) - 1)

/* Of each array or object, and of each element or member in it. */
#define CONTAINER_OVERHEAD 3
#define ELEMENT_OVERHEAD 1

static bool check_number(struct span text, const struct value_path *path, struct value_size *ret_size,
                         struct failure *f) {
    struct number number;
    switch (number_read(text, &number)) {
    case NUMBER_FINE: {
        size_t len = number_text_size(&number, NUMBERS_SHORT);
        *ret_size =
            (struct value_size){.item = number.size, .text = TEXT_SIZE("{'N':''}") + len, .zeros = number.len - len};
        return true;
    }
    case NUMBER_TOO_MANY_DIGITS: path_refuse(path, f, "a number has at most 38 significant digits"); return false;
    case NUMBER_OUT_OF_RANGE:
        path_refuse(path, f,
                    "a number is 0 or has a magnitude from 1E-130 to 9.9999999999999999999999999999999999999E+125");
        return false;
    }
    return false;
}

static struct value_size size_of_string(struct json_string text) {
    return (struct value_size){.item = json_string_size(text),
                               .text = TEXT_SIZE("{'S':}") + json_string_canonical_size(text)};
}

static bool check_scalar(const struct tape_scalar *scalar, const struct value_path *path, struct value_size *ret_size,
                         struct failure *f) {
    switch (scalar->type) {
    case TAPE_STRING: *ret_size = size_of_string(scalar->text); return true;
    case TAPE_NUMBER: return check_number(scalar->text.raw, path, ret_size, f);
    case TAPE_TRUE: *ret_size = (struct value_size){.item = 1, .text = TEXT_SIZE("{'BOOL':true}")}; return true;
    case TAPE_FALSE: *ret_size = (struct value_size){.item = 1, .text = TEXT_SIZE("{'BOOL':false}")}; return true;
    default: *ret_size = (struct value_size){.item = 1, .text = TEXT_SIZE("{'NULL':true}")}; return true;
    }
}

static bool check_value(const struct value_tape *t, tape_node n, const struct value_path *path, unsigned depth_left,
                        struct value_size *ret_size, bool *ret_too_deep, struct failure *f);

static void add_inner(struct value_size *size, const struct value_size *inner) {
    size->item += inner->item + ELEMENT_OVERHEAD;
    size->text += inner->text;
    size->zeros += inner->zeros;
    if (size->depth <= inner->depth)
        size->depth = inner->depth + 1;
}

/* The name of a map's member; one without a name has no path of its own. */
static bool check_name(const struct value_path *parent, const struct value_path *path, struct value_size *size,
                       struct failure *f) {
    size_t len = json_string_size(path->name);
    size->item += len;
    size->text += json_string_canonical_size(path->name) + TEXT_SIZE(":");
    if (len > 0 && len <= ATTRIBUTE_NAME_MAX)
        return true;
    path_refuse(len == 0 ? parent : path, f, "an attribute's name has 1 to %d bytes", ATTRIBUTE_NAME_MAX);
    return false;
}

static bool check_members(const struct value_tape *t, tape_node object, const struct value_path *path,
                          unsigned depth_left, struct value_size *size, bool *ret_too_deep, struct failure *f) {
    TAPE_FOREACH_MEMBER(t, object, name) {
        struct value_path inner = path_member(path, tape_string(t, name));
        struct value_size inner_size;
        if (!check_name(path, &inner, size, f) ||
            !check_value(t, name + 1, &inner, depth_left, &inner_size, ret_too_deep, f))
            return false;
        size->text += name > tape_first(object);
        add_inner(size, &inner_size);
    }
    return true;
}

/* A scalar, and the ones behind it that have no word of their own on the tape. */
static bool check_run(const struct value_tape *t, tape_node n, const struct value_path *path, size_t *index,
                      struct value_size *size, struct failure *f) {
    struct tape_scalar scalar = tape_scalar(t, n);
    do {
        struct value_path inner = path_element(path, *index);
        struct value_size inner_size;
        if (!check_scalar(&scalar, &inner, &inner_size, f))
            return false;
        size->text += (*index)++ > 0;
        add_inner(size, &inner_size);
    } while (tape_next_scalar(t, &scalar));
    return true;
}

static bool check_elements(const struct value_tape *t, tape_node array, const struct value_path *path,
                           unsigned depth_left, struct value_size *size, bool *ret_too_deep, struct failure *f) {
    size_t index = 0;
    for (tape_node n = tape_first(array); n < tape_next(t, array); n = tape_next(t, n)) {
        if (!tape_is_container(t, n)) {
            if (!check_run(t, n, path, &index, size, f))
                return false;
            continue;
        }
        struct value_path inner = path_element(path, index);
        struct value_size inner_size;
        if (!check_value(t, n, &inner, depth_left, &inner_size, ret_too_deep, f))
            return false;
        size->text += index++ > 0;
        add_inner(size, &inner_size);
    }
    return true;
}

/* Depth is bounded by depth_left. */
static bool check_value(const struct value_tape *t, tape_node n, const struct value_path *path, unsigned depth_left,
                        struct value_size *ret_size, bool *ret_too_deep, struct failure *f) {
    if (tape_type_of(t, n) == TAPE_STRING) { /* as most are */
        *ret_size = size_of_string(tape_string(t, n));
        return true;
    }
    if (!tape_is_container(t, n)) {
        struct tape_scalar scalar = tape_scalar(t, n);
        return check_scalar(&scalar, path, ret_size, f);
    }
    if (depth_left == 0) {
        *ret_too_deep = true;
        return false;
    }
    *ret_size = (struct value_size){.item = CONTAINER_OVERHEAD, .text = TEXT_SIZE("{'L':[]}"), .depth = 1};
    if (tape_type_of(t, n) == TAPE_OBJECT)
        return check_members(t, n, path, depth_left - 1, ret_size, ret_too_deep, f);
    return check_elements(t, n, path, depth_left - 1, ret_size, ret_too_deep, f);
}

bool attribute_value_check(const struct value_tape *t, tape_node n, const struct value_path *path, unsigned max_depth,
                           struct value_size *ret_size, struct failure *f) {
    if (tape_type_of(t, n) == TAPE_STRING) { /* as most are */
        *ret_size = size_of_string(tape_string(t, n));
        return true;
    }
    bool too_deep = false;
    if (check_value(t, n, path, max_depth, ret_size, &too_deep, f))
        return true;
    if (too_deep)
        path_refuse(path, f, "a value nests at most %u arrays and objects here", max_depth);
    return false;
}

void attribute_members_append(const struct value_tape *t, tape_node object, enum number_form form, struct buf *out) {
    TAPE_FOREACH_MEMBER(t, object, name) {
        if (name > tape_first(object))
            buf_append_char(out, ',');
        json_name_append(tape_string(t, name), out);
        attribute_value_append(t, name + 1, form, out);
    }
}

bool attribute_map_append(const struct value_tape *t, tape_node object, enum number_form form, struct buf *out) {
    buf_append_char(out, '{');
    attribute_members_append(t, object, form, out);
    return buf_append_char(out, '}');
}

static bool append_string(struct json_string text, struct buf *out) {
    if (!text.escaped)
        return buf_append_between(out, SPAN("{\"S\":\""), text.raw, SPAN("\"}"));
    buf_append_cstr(out, "{\"S\":");
    json_escaped_append(text.raw, out);
    return buf_append_char(out, '}');
}

OUT_OF_LINE static bool append_number(struct span text, enum number_form form, struct buf *out) {
    struct number number;
    return number_read(text, &number) == NUMBER_FINE && number_append_typed(&number, form, out);
}

static bool append_literal(enum tape_type type, struct buf *out) {
    return buf_append_cstr(out, type == TAPE_TRUE    ? "{\"BOOL\":true}"
                                : type == TAPE_FALSE ? "{\"BOOL\":false}"
                                                     : "{\"NULL\":true}");
}

static bool append_scalar(const struct tape_scalar *scalar, enum number_form form, struct buf *out) {
    switch (scalar->type) {
    case TAPE_NUMBER: return append_number(scalar->text.raw, form, out);
    case TAPE_STRING: return append_string(scalar->text, out);
    default: return append_literal(scalar->type, out);
    }
}

static void append_run(const struct value_tape *t, tape_node n, enum number_form form, struct buf *out) {
    struct tape_scalar scalar = tape_scalar(t, n);
    append_scalar(&scalar, form, out);
    while (tape_next_scalar(t, &scalar)) {
        buf_append_char(out, ',');
        append_scalar(&scalar, form, out);
    }
}

OUT_OF_LINE static bool append_array(const struct value_tape *t, tape_node array, enum number_form form,
                                     struct buf *out) {
    buf_append_cstr(out, "{\"L\":[");
    for (tape_node n = tape_first(array); n < tape_next(t, array); n = tape_next(t, n)) {
        if (n > tape_first(array))
            buf_append_char(out, ',');
        if (tape_is_container(t, n))
            attribute_value_append(t, n, form, out);
        else
            append_run(t, n, form, out);
    }
    return buf_append_cstr(out, "]}");
}

OUT_OF_LINE static bool append_map(const struct value_tape *t, tape_node object, enum number_form form,
                                   struct buf *out) {
    buf_append_cstr(out, "{\"M\":");
    attribute_map_append(t, object, form, out);
    return buf_append_char(out, '}');
}

/* Depth is bounded by the check that was made before. */
bool attribute_value_append(const struct value_tape *t, tape_node n, enum number_form form, struct buf *out) {
    switch (tape_type_of(t, n)) {
    case TAPE_STRING: return append_string(tape_string(t, n), out);
    case TAPE_NUMBER: return append_number(tape_number(t, n), form, out);
    case TAPE_ARRAY: return append_array(t, n, form, out);
    case TAPE_OBJECT: return append_map(t, n, form, out);
    default: return append_literal(tape_type_of(t, n), out);
    }
}

char attribute_value_type(const struct value_tape *t, tape_node n) {
    static const char types[] = {
        [TAPE_OBJECT] = 'M', [TAPE_ARRAY] = 'L', [TAPE_STRING] = 'S', [TAPE_NUMBER] = 'N',
        [TAPE_TRUE] = '0',   [TAPE_FALSE] = '0', [TAPE_NULL] = '-',
    };
    return types[tape_type_of(t, n)];
}
