#include "id_choice.h"

#include "number.h"
#include "update_parts.h"

#define NORMAL_MAX ((size_t)16 << 20)

enum { AS_STRING, AS_JSON };

static bool append_scalar(const struct value_tape *t, tape_node n, struct buf *out) {
    if (tape_type_of(t, n) == TAPE_STRING)
        return json_string_append(tape_string(t, n), out);
    struct number number;
    if (tape_type_of(t, n) != TAPE_NUMBER)
        return buf_append_cstr(out, "null"); /* no key, and equal to none */
    if (number_read(tape_number(t, n), &number) != NUMBER_FINE)
        return buf_append_span(out, tape_number(t, n));
    return number_append(&number, NUMBERS_NORMAL, out);
}

/* The value without regard to a table; its members are sorted by then. */
static bool append_normal(const struct value_tape *t, struct buf *out) {
    if (tape_type_of(t, TAPE_ROOT) != TAPE_OBJECT)
        return append_scalar(t, TAPE_ROOT, out);
    const char *before = "{";
    TAPE_FOREACH_MEMBER(t, TAPE_ROOT, name) {
        buf_append_cstr(out, before);
        json_string_append(tape_string(t, name), out);
        buf_append_char(out, ':');
        append_scalar(t, name + 1, out);
        before = ",";
    }
    return buf_append_char(out, '}');
}

/* Reads JSON text, which is no id where it can't be read, and appends both of its forms. False: no memory. */
static bool append_forms(const struct id_choice *c, struct span json, struct buf *normal, struct buf *key,
                         struct failure *f) {
    struct value_tape t;
    struct tape_error error;
    enum tape_status status = tape_read(json, c->hash_seed, &t, &error);
    if (status != TAPE_READ)
        return status == TAPE_REFUSED;
    enum tape_type type = tape_type_of(&t, TAPE_ROOT);
    bool ok = true;
    if (type == TAPE_STRING || type == TAPE_NUMBER || type == TAPE_OBJECT) {
        size_t size;
        ok = tape_sort(&t, TAPE_ROOT) && append_normal(&t, normal);
        enum step step = c->table && ok ? update_read_key(c->table, &t, TAPE_ROOT, key, &size, f) : STEP_REFUSED;
        ok = ok && step != STEP_NO_MEMORY;
        if (step != STEP_FINE)
            buf_reset(key);
    }
    tape_free(&t);
    return ok;
}

static enum id_choice_status fill(struct id_choice *c, struct span text, struct buf *ret_why) {
    struct buf quoted;
    struct failure f[2];
    buf_init(&quoted, NORMAL_MAX);
    failure_init(&f[AS_STRING]);
    failure_init(&f[AS_JSON]);
    bool ok = json_append_string(&quoted, text) &&
              append_forms(c, buf_span(&quoted), &c->forms[AS_STRING], &c->keys[AS_STRING], &f[AS_STRING]) &&
              append_forms(c, text, &c->forms[AS_JSON], &c->keys[AS_JSON], &f[AS_JSON]);
    enum id_choice_status status = ok ? ID_CHOICE_FINE : ID_CHOICE_NO_MEMORY;
    if (ok && c->table && !c->keys[AS_STRING].len && !c->keys[AS_JSON].len) {
        /* Text that is JSON was meant as JSON: its reason is told. */
        const struct failure *told = &f[c->forms[AS_JSON].len ? AS_JSON : AS_STRING];
        buf_append_span(ret_why, failure_reason(told));
        status = ID_CHOICE_UNFIT;
    }
    buf_free(&quoted);
    failure_free(&f[AS_STRING]);
    failure_free(&f[AS_JSON]);
    return status;
}

enum id_choice_status id_choice_init(struct id_choice *c, struct span text, const struct table_shape *table,
                                     const uint64_t hash_seed[static 2], struct buf *ret_why) {
    *c = (struct id_choice){.table = table, .hash_seed = {hash_seed[0], hash_seed[1]}};
    for (size_t i = 0; i < ARRAY_LENGTH(c->forms); i++) {
        buf_init(&c->forms[i], NORMAL_MAX);
        buf_init(&c->keys[i], NORMAL_MAX);
    }
    return fill(c, text, ret_why);
}

static bool is_among(const struct buf forms[static 2], const struct buf *form) {
    for (size_t i = 0; i < 2; i++)
        if (forms[i].len > 0 && span_equal(buf_span(&forms[i]), buf_span(form)))
            return true;
    return false;
}

bool id_choice_is(const struct id_choice *c, struct span id, bool *ret_ok) {
    *ret_ok = true;
    if (!id.data)
        return false;
    struct buf normal, key;
    struct failure f;
    buf_init(&normal, NORMAL_MAX);
    buf_init(&key, NORMAL_MAX);
    failure_init(&f);
    *ret_ok = append_forms(c, id, &normal, &key, &f);
    bool same = *ret_ok && (is_among(c->forms, &normal) || is_among(c->keys, &key));
    failure_free(&f);
    buf_free(&normal);
    buf_free(&key);
    return same;
}

void id_choice_free(struct id_choice *c) {
    for (size_t i = 0; i < ARRAY_LENGTH(c->forms); i++) {
        buf_free(&c->forms[i]);
        buf_free(&c->keys[i]);
    }
}
