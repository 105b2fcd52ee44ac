#include "attribute_value.h"

#include "number.h"

#define TEXT_SIZE(literal) (sizeof(literal) - 1)

/* Of each array or object, and of each element or member in it. */
#define CONTAINER_OVERHEAD 3
#define ELEMENT_OVERHEAD 1

static bool check_number(const struct value_tape *t, tape_node n, const struct value_path *path, struct value_size *ret_size,
                         struct failure *f) {
    struct number number;
    switch (number_read(tape_number(t, n), &number)) {
    case NUMBER_FINE:
        *ret_size = (struct value_size){number.size, TEXT_SIZE("{'N':''}") + number.len, 0};
        return true;
    case NUMBER_TOO_MANY_DIGITS: path_refuse(path, f, "a number has at most 38 significant digits"); return false;
    case NUMBER_OUT_OF_RANGE:
        path_refuse(path, f, "a number is 0 or has a magnitude from 1E-130 to 9.9999999999999999999999999999999999999E+125");
        return false;
    }
    return false;
}

static bool check_value(const struct value_tape *t, tape_node n, const struct value_path *path, unsigned depth_left,
                        struct value_size *ret_size, bool *ret_too_deep, struct failure *f);

/* The name of a map's member; one without a name has no path of its own. */
static bool check_name(const struct value_path *parent, const struct value_path *path, size_t *ret_size, struct failure *f) {
    *ret_size = json_string_size(path->name);
    if (*ret_size > 0 && *ret_size <= ATTRIBUTE_NAME_MAX)
        return true;
    path_refuse(*ret_size == 0 ? parent : path, f, "an attribute's name has 1 to %d bytes", ATTRIBUTE_NAME_MAX);
    return false;
}

/* Depth is bounded by depth_left. */
static bool check_container(const struct value_tape *t, tape_node n, const struct value_path *path, unsigned depth_left,
                            struct value_size *ret_size, bool *ret_too_deep, struct failure *f) {
    if (depth_left == 0) {
        *ret_too_deep = true;
        return false;
    }
    bool object = tape_type_of(t, n) == TAPE_OBJECT;
    struct value_size size = {CONTAINER_OVERHEAD, TEXT_SIZE("{'L':[]}"), 1};
    tape_node end = tape_next(t, n);
    tape_node child = tape_first(n);
    for (size_t index = 0; child < end; index++) {
        struct value_path inner = object ? path_member(path, tape_string(t, child)) : path_element(path, index);
        struct value_size inner_size;
        size_t name_size = 0;
        if (object && !check_name(path, &inner, &name_size, f))
            return false;
        if (!check_value(t, object ? child + 1 : child, &inner, depth_left - 1, &inner_size, ret_too_deep, f))
            return false;
        size.item += name_size + inner_size.item + ELEMENT_OVERHEAD;
        size.text += inner_size.text + (index > 0);
        if (object)
            size.text += json_string_canonical_size(inner.name) + TEXT_SIZE(":");
        if (size.depth <= inner_size.depth)
            size.depth = inner_size.depth + 1;
        child = object ? tape_next_member(t, child) : tape_next(t, child);
    }
    *ret_size = size;
    return true;
}

static bool check_value(const struct value_tape *t, tape_node n, const struct value_path *path, unsigned depth_left,
                        struct value_size *ret_size, bool *ret_too_deep, struct failure *f) {
    switch (tape_type_of(t, n)) {
    case TAPE_OBJECT:
    case TAPE_ARRAY: return check_container(t, n, path, depth_left, ret_size, ret_too_deep, f);
    case TAPE_NUMBER: return check_number(t, n, path, ret_size, f);
    case TAPE_TRUE: *ret_size = (struct value_size){1, TEXT_SIZE("{'BOOL':true}"), 0}; return true;
    case TAPE_FALSE: *ret_size = (struct value_size){1, TEXT_SIZE("{'BOOL':false}"), 0}; return true;
    case TAPE_NULL: *ret_size = (struct value_size){1, TEXT_SIZE("{'NULL':true}"), 0}; return true;
    default: break;
    }
    struct json_string s = tape_string(t, n);
    *ret_size = (struct value_size){json_string_size(s), TEXT_SIZE("{'S':}") + json_string_canonical_size(s), 0};
    return true;
}

bool attribute_value_check(const struct value_tape *t, tape_node n, const struct value_path *path, unsigned max_depth,
                           struct value_size *ret_size, struct failure *f) {
    bool too_deep = false;
    if (check_value(t, n, path, max_depth, ret_size, &too_deep, f))
        return true;
    if (too_deep)
        path_refuse(path, f, "a value nests at most %u arrays and objects here", max_depth);
    return false;
}

bool attribute_map_append(const struct value_tape *t, tape_node object, struct buf *out) {
    char before = '{';
    for (tape_node name = tape_first(object); name < tape_next(t, object); name = tape_next_member(t, name)) {
        buf_append_char(out, before);
        json_string_append(tape_string(t, name), out);
        buf_append_char(out, ':');
        attribute_value_append(t, name + 1, out);
        before = ',';
    }
    return buf_append_cstr(out, before == '{' ? "{}" : "}");
}

static bool append_array(const struct value_tape *t, tape_node array, struct buf *out) {
    buf_append_cstr(out, "{\"L\":[");
    for (tape_node element = tape_first(array); element < tape_next(t, array); element = tape_next(t, element)) {
        if (element > tape_first(array))
            buf_append_char(out, ',');
        attribute_value_append(t, element, out);
    }
    return buf_append_cstr(out, "]}");
}

static bool append_number(struct span text, struct buf *out) {
    struct number number;
    if (number_read(text, &number) != NUMBER_FINE)
        return false;
    buf_append_cstr(out, "{\"N\":\"");
    buf_append(out, number.text, number.len);
    return buf_append_cstr(out, "\"}");
}

/* Depth is bounded by the check that was made before. */
bool attribute_value_append(const struct value_tape *t, tape_node n, struct buf *out) {
    switch (tape_type_of(t, n)) {
    case TAPE_OBJECT:
        buf_append_cstr(out, "{\"M\":");
        attribute_map_append(t, n, out);
        break;
    case TAPE_ARRAY: return append_array(t, n, out);
    case TAPE_NUMBER: return append_number(tape_number(t, n), out);
    case TAPE_TRUE: return buf_append_cstr(out, "{\"BOOL\":true}");
    case TAPE_FALSE: return buf_append_cstr(out, "{\"BOOL\":false}");
    case TAPE_NULL: return buf_append_cstr(out, "{\"NULL\":true}");
    default:
        buf_append_cstr(out, "{\"S\":");
        json_string_append(tape_string(t, n), out);
        break;
    }
    return buf_append_char(out, '}');
}

char attribute_value_type(const struct value_tape *t, tape_node n) {
    static const char types[] = {
        [TAPE_OBJECT] = 'M', [TAPE_ARRAY] = 'L', [TAPE_STRING] = 'S', [TAPE_NUMBER] = 'N',
        [TAPE_TRUE] = '0',   [TAPE_FALSE] = '0', [TAPE_NULL] = '-',
    };
    return types[tape_type_of(t, n)];
}
