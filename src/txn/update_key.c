#include "update_parts.h"

#include "base64.h"
#include "json_writer.h"
#include "value_path.h"

#define PARTITION_KEY_MAX 2048
#define SORT_KEY_MAX 1024

/* What one key attribute is read with. */
struct key_reading {
    const struct value_tape *tape;
    const struct key_attribute *attribute;
    size_t size_max;
    const struct value_path *path;
    struct buf *out;
    struct failure *failure;
};

static enum step refuse_size(const struct key_reading *r, size_t size) {
    if (size == 0)
        path_refuse(r->path, r->failure, "a key must not be empty");
    else
        path_refuse(r->path, r->failure, "a key attribute has at most %zu bytes here; this one has %zu", r->size_max,
                    size);
    return STEP_REFUSED;
}

static enum step append_string(const struct key_reading *r, tape_node n, size_t *ret_size) {
    struct json_string text = tape_string(r->tape, n);
    size_t size = json_string_size(text);
    if (size == 0 || size > r->size_max)
        return refuse_size(r, size);
    buf_append_cstr(r->out, "{\"S\":");
    json_string_append(text, r->out);
    *ret_size = size;
    return buf_append_char(r->out, '}') ? STEP_FINE : STEP_NO_MEMORY;
}

static enum step append_number(const struct key_reading *r, tape_node n, size_t *ret_size) {
    struct value_size size;
    if (!attribute_value_check(r->tape, n, r->path, 0, &size, r->failure))
        return STEP_REFUSED;
    *ret_size = size.item;
    return attribute_value_append(r->tape, n, NUMBERS_NORMAL, r->out) ? STEP_FINE : STEP_NO_MEMORY;
}

/* The bytes are decoded and encoded anew, so that two spellings give one key. */
static enum step append_binary(const struct key_reading *r, tape_node n, size_t *ret_size) {
    struct json_string text = tape_string(r->tape, n);
    struct arena arena = {0};
    struct buf bytes;
    buf_init(&bytes, text.raw.len);
    enum step step = STEP_NO_MEMORY;
    struct span decoded = json_string_text(text, &arena);
    if (!decoded.data)
        goto done;
    if (!base64_decode(decoded, &bytes)) {
        if (!buf_ok(&bytes))
            goto done;
        path_refuse(r->path, r->failure,
                    "the key is binary: a string in base64, with the standard alphabet and padding");
        step = STEP_REFUSED;
        goto done;
    }
    if (bytes.len == 0 || bytes.len > r->size_max) {
        step = refuse_size(r, bytes.len);
        goto done;
    }
    buf_append_cstr(r->out, "{\"B\":\"");
    base64_encode(buf_span(&bytes), r->out);
    *ret_size = bytes.len;
    if (buf_append_cstr(r->out, "\"}"))
        step = STEP_FINE;
done:
    buf_free(&bytes);
    arena_free(&arena);
    return step;
}

static enum step append_part(const struct key_reading *r, tape_node n, size_t *ret_size) {
    enum tape_type type = tape_type_of(r->tape, n);
    enum key_type key = r->attribute->type;
    if (key == KEY_NUMBER ? type != TAPE_NUMBER : type != TAPE_STRING) {
        path_refuse(r->path, r->failure, "the table's key %s takes a %s", r->attribute->name,
                    key == KEY_NUMBER   ? "number"
                    : key == KEY_BINARY ? "string in base64"
                                        : "string");
        return STEP_REFUSED;
    }
    json_append_string(r->out, span_cstr(r->attribute->name));
    buf_append_char(r->out, ':');
    size_t size;
    enum step step = key == KEY_NUMBER   ? append_number(r, n, &size)
                     : key == KEY_BINARY ? append_binary(r, n, &size)
                                         : append_string(r, n, &size);
    if (step == STEP_FINE)
        *ret_size = strlen(r->attribute->name) + size;
    return step;
}

/* A composite id has exactly the two key attributes. */
static bool check_names(const struct table_shape *table, const struct value_tape *t, tape_node n,
                        const struct value_path *id, struct failure *f) {
    const struct key_attribute *const parts[] = {&table->partition, &table->sort};
    TAPE_FOREACH_MEMBER(t, n, name) {
        struct json_string s = tape_string(t, name);
        if (json_string_is(s, table->partition.name) || json_string_is(s, table->sort.name))
            continue;
        struct value_path path = path_member(id, s);
        path_refuse(&path, f, "not a key attribute of the table, which has %s and %s", table->partition.name,
                    table->sort.name);
        return false;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
        if (tape_find(t, n, parts[i]->name) != TAPE_ROOT)
            continue;
        struct value_path path = path_member(id, json_string_of(parts[i]->name));
        path_refuse(&path, f, "the table's key needs it");
        return false;
    }
    return true;
}

static enum step read_composite(const struct table_shape *table, const struct value_tape *t, tape_node n,
                                const struct value_path *id, struct buf *out, size_t *ret_size, struct failure *f) {
    if (tape_type_of(t, n) != TAPE_OBJECT) {
        path_refuse(id, f, "the table has a sort key: id is an object of %s and %s", table->partition.name,
                    table->sort.name);
        return STEP_REFUSED;
    }
    if (!check_names(table, t, n, id, f))
        return STEP_REFUSED;
    const struct {
        const struct key_attribute *attribute;
        size_t size_max;
    } parts[] = {{&table->partition, PARTITION_KEY_MAX}, {&table->sort, SORT_KEY_MAX}};
    size_t total = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
        struct value_path path = path_member(id, json_string_of(parts[i].attribute->name));
        const struct key_reading r = {t, parts[i].attribute, parts[i].size_max, &path, out, f};
        size_t size;
        buf_append_char(out, i == 0 ? '{' : ',');
        enum step step = append_part(&r, tape_find(t, n, parts[i].attribute->name), &size);
        if (step != STEP_FINE)
            return step;
        total += size;
    }
    *ret_size = total;
    return buf_append_char(out, '}') ? STEP_FINE : STEP_NO_MEMORY;
}

/* One part of the key of a table that isn't known: the key attribute is taken to have the value's type. */
static enum step append_any_part(const struct value_tape *t, tape_node n, size_t size_max,
                                 const struct value_path *path, struct buf *out, size_t *ret_size, struct failure *f) {
    enum tape_type type = tape_type_of(t, n);
    if (type != TAPE_STRING && type != TAPE_NUMBER) {
        path_refuse(path, f, "a key is a string or a number");
        return STEP_REFUSED;
    }
    const struct key_attribute attribute = {.type = type == TAPE_NUMBER ? KEY_NUMBER : KEY_STRING};
    const struct key_reading r = {t, &attribute, size_max, path, out, f};
    return type == TAPE_NUMBER ? append_number(&r, n, ret_size) : append_string(&r, n, ret_size);
}

/* Of a table that isn't known: two members, sorted by name, so that their order doesn't matter. */
static enum step read_any_composite(const struct value_tape *t, tape_node n, const struct value_path *id,
                                    struct buf *out, size_t *ret_size, struct failure *f) {
    tape_node names[2] = {TAPE_ROOT, TAPE_ROOT};
    size_t count = 0;
    for (tape_node name = tape_first(n); name < tape_next(t, n); name = tape_next_member(t, name), count++)
        if (count < ARRAY_LENGTH(names))
            names[count] = name;
    if (count != ARRAY_LENGTH(names)) {
        path_refuse(id, f, "as an object it has the two key attributes of its table");
        return STEP_REFUSED;
    }
    if (span_compare(tape_string(t, names[0]).raw, tape_string(t, names[1]).raw) > 0) {
        tape_node first = names[0];
        names[0] = names[1];
        names[1] = first;
    }
    *ret_size = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        struct json_string name = tape_string(t, names[i]);
        struct value_path path = path_member(id, name);
        size_t size = 0;
        buf_append_char(out, i == 0 ? '{' : ',');
        json_string_append(name, out);
        buf_append_char(out, ':');
        enum step step = append_any_part(t, names[i] + 1, PARTITION_KEY_MAX, &path, out, &size, f);
        if (step != STEP_FINE)
            return step;
        *ret_size += json_string_size(name) + size;
    }
    return buf_append_char(out, '}') ? STEP_FINE : STEP_NO_MEMORY;
}

static enum step read_any_key(const struct value_tape *t, tape_node n, const struct value_path *id, struct buf *out,
                              size_t *ret_size, struct failure *f) {
    if (tape_type_of(t, n) == TAPE_OBJECT)
        return read_any_composite(t, n, id, out, ret_size, f);
    buf_append_cstr(out, "{\"\":");
    enum step step = append_any_part(t, n, PARTITION_KEY_MAX, id, out, ret_size, f);
    if (step != STEP_FINE)
        return step;
    return buf_append_char(out, '}') ? STEP_FINE : STEP_NO_MEMORY;
}

enum step update_read_key(const struct table_shape *table, const struct value_tape *t, tape_node n, struct buf *out,
                          size_t *ret_size, struct failure *f) {
    struct value_path id = path_root("id");
    if (table->any_key)
        return read_any_key(t, n, &id, out, ret_size, f);
    if (table->sort.name[0] != '\0')
        return read_composite(table, t, n, &id, out, ret_size, f);
    if (tape_type_of(t, n) == TAPE_OBJECT) {
        path_refuse(&id, f, "the table has no sort key: id is the value of %s alone", table->partition.name);
        return STEP_REFUSED;
    }
    const struct key_reading r = {t, &table->partition, PARTITION_KEY_MAX, &id, out, f};
    size_t size;
    buf_append_char(out, '{');
    enum step step = append_part(&r, n, &size);
    if (step != STEP_FINE)
        return step;
    *ret_size = size;
    return buf_append_char(out, '}') ? STEP_FINE : STEP_NO_MEMORY;
}

struct span update_id_text(const struct value_tape *t, tape_node n, struct arena *a) {
    if (tape_type_of(t, n) != TAPE_OBJECT)
        return tape_scalar_text(t, n);
    size_t size = sizeof "{}";
    TAPE_FOREACH_MEMBER(t, n, name)
        size += tape_scalar_text(t, name).len + tape_scalar_text(t, name + 1).len + sizeof ":,";
    char *text = arena_alloc(a, size);
    if (!text)
        return (struct span){NULL, 0};
    size_t len = 0;
    TAPE_FOREACH_MEMBER(t, n, name) {
        const struct span pieces[] = {len == 0 ? SPAN("{") : SPAN(","), tape_scalar_text(t, name), SPAN(":"),
                                      tape_scalar_text(t, name + 1)};
        for (size_t i = 0; i < ARRAY_LENGTH(pieces); i++) {
            memcpy(text + len, pieces[i].data, pieces[i].len);
            len += pieces[i].len;
        }
    }
    text[len++] = '}';
    return span_of(text, len);
}
