#include "csv_columns.h"

#include "json_writer.h"

#include <stdio.h>
#include <stdlib.h>

#define NAMES_MAX ((size_t)8 * 1024 * 1024) /* the header is a row: twice its bytes, escaped */

/* A name may be long, and is quoted in part. */
#define NAME "%.*s"
#define NAME_OF(span) (int)((span).len < 80 ? (span).len : 80), (span).data

static const struct {
    const char *word;
    enum csv_type type;
} TYPES[] = {{"S", CSV_STRING}, {"N", CSV_NUMBER}, {"BOOL", CSV_BOOLEAN}, {"JSON", CSV_JSON}};

void csv_columns_init(struct csv_columns *c) {
    *c = (struct csv_columns){0};
    buf_init(&c->names, NAMES_MAX);
}

void csv_columns_free(struct csv_columns *c) {
    buf_free(&c->names);
    free(c->all);
    *c = (struct csv_columns){0};
}

/* Cuts the type off the field. False: what stands behind its last colon is none. */
static bool read_type(struct span *field, enum csv_type *ret_type, bool *ret_given) {
    const char *colon = memrchr(field->data, ':', field->len);
    *ret_type = CSV_STRING;
    *ret_given = colon != NULL;
    if (!colon) {
        return true;
    }
    struct span word = span_of(colon + 1, field->len - (size_t)(colon + 1 - field->data));
    for (size_t i = 0; i < ARRAY_LENGTH(TYPES); i++) {
        if (span_is(word, TYPES[i].word)) {
            *ret_type = TYPES[i].type;
            field->len = (size_t)(colon - field->data);
            return true;
        }
    }
    return false;
}

static enum csv_type type_of_key(enum key_type type) {
    return type == KEY_NUMBER ? CSV_NUMBER : CSV_STRING; /* a binary key is a string in base64 */
}

/* Takes the column's role, and a key's type, from the table. False: the header says otherwise. */
static bool take_role(struct csv_column *column, bool type_given, const struct table_shape *table,
                      char why[static ROW_READER_WHY_SIZE]) {
    if (!table) {
        column->role = span_is(column->name, "id") ? CSV_PARTITION_KEY : CSV_ATTRIBUTE;
        if (column->role == CSV_PARTITION_KEY && column->type == CSV_BOOLEAN) {
            (void)snprintf(why, ROW_READER_WHY_SIZE, "The key's column id can't be BOOL");
            return false;
        }
        return true;
    }
    const struct key_attribute *const parts[] = {&table->partition, &table->sort};
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
        if (parts[i]->name[0] == '\0' || !span_is(column->name, parts[i]->name)) {
            continue;
        }
        enum csv_type type = type_of_key(parts[i]->type);
        if (type_given && column->type != type) {
            (void)snprintf(why, ROW_READER_WHY_SIZE,
                           "The column " NAME " is a key of the table, whose type there is %c: leave the type out",
                           NAME_OF(column->name), (char)parts[i]->type);
            return false;
        }
        column->type = type;
        column->role = i == 0 ? CSV_PARTITION_KEY : CSV_SORT_KEY;
        return true;
    }
    column->role = CSV_ATTRIBUTE;
    return true;
}

static bool has_room(struct csv_columns *c, char why[static ROW_READER_WHY_SIZE]) {
    if (c->count == CSV_COLUMNS_MAX) {
        (void)snprintf(why, ROW_READER_WHY_SIZE, "The header has more than %d columns", CSV_COLUMNS_MAX);
        return false;
    }
    if (c->count < c->capacity) {
        return true;
    }
    size_t capacity = c->capacity ? 2 * c->capacity : 32;
    struct csv_column *grown = realloc(c->all, capacity * sizeof *grown);
    if (!grown) {
        (void)snprintf(why, ROW_READER_WHY_SIZE, "There is no memory");
        return false;
    }
    c->all = grown;
    c->capacity = capacity;
    return true;
}

bool csv_columns_add(struct csv_columns *c, struct span field, const struct table_shape *table,
                     char why[static ROW_READER_WHY_SIZE]) {
    if (!has_room(c, why)) {
        return false;
    }
    struct csv_column column = {.name = field};
    bool type_given = false;
    if (memchr(field.data, '\r', field.len)) {
        (void)snprintf(
            why, ROW_READER_WHY_SIZE,
            "The header holds a carriage return: where lines end in one alone, give what tr '\\r' '\\n' writes");
        return false;
    }
    if (!read_type(&column.name, &column.type, &type_given)) {
        (void)snprintf(why, ROW_READER_WHY_SIZE,
                       "The header's column " NAME " has a type that isn't S, N, BOOL or JSON; where the colon is part "
                       "of its name, add :S",
                       NAME_OF(field));
        return false;
    }
    if (column.name.len == 0) {
        (void)snprintf(why, ROW_READER_WHY_SIZE, "Column %zu has no name in the header", c->count + 1);
        return false;
    }
    if (!take_role(&column, type_given, table, why)) {
        return false;
    }
    /* Offsets for now: the buffer moves while it grows. */
    size_t at = c->names.len;
    buf_append_span(&c->names, column.name);
    size_t quoted = c->names.len;
    json_append_string(&c->names, column.name);
    if (!buf_append_char(&c->names, ':')) {
        (void)snprintf(why, ROW_READER_WHY_SIZE, "There is no memory");
        return false;
    }
    column.name = span_of(NULL, quoted - at);
    column.quoted = span_of(NULL, c->names.len - quoted);
    c->all[c->count++] = column;
    return true;
}

static int by_name(const void *a, const void *b) {
    const struct csv_column *const *x = a, *const *y = b;
    return span_compare((*x)->name, (*y)->name);
}

/* A column whose name an earlier one has too; NULL: none. */
static const struct csv_column *find_repeated(const struct csv_columns *c, const struct csv_column **sorted) {
    for (size_t i = 0; i < c->count; i++) {
        sorted[i] = &c->all[i];
    }
    qsort(sorted, c->count, sizeof(struct csv_column *), by_name);
    for (size_t i = 1; i < c->count; i++) {
        if (span_equal(sorted[i - 1]->name, sorted[i]->name)) {
            return sorted[i];
        }
    }
    return NULL;
}

static bool check_once(const struct csv_columns *c, char why[static ROW_READER_WHY_SIZE]) {
    const struct csv_column **sorted = malloc((c->count + 1) * sizeof(const struct csv_column *));
    if (!sorted) {
        (void)snprintf(why, ROW_READER_WHY_SIZE, "There is no memory");
        return false;
    }
    const struct csv_column *repeated = find_repeated(c, sorted);
    if (repeated) {
        (void)snprintf(why, ROW_READER_WHY_SIZE, "The header has two columns " NAME, NAME_OF(repeated->name));
    }
    free(sorted);
    return !repeated;
}

/* A hint for a header of one column that holds the separators of other programs. */
static const char *other_separator(const struct csv_columns *c) {
    struct span name = c->count == 1 ? c->all[0].name : (struct span){NULL, 0};
    bool semicolons = name.data && memchr(name.data, ';', name.len);
    bool tabs = name.data && memchr(name.data, '\t', name.len);
    return semicolons ? ". It is one column with semicolons in it: put commas between columns"
           : tabs     ? ". It is one column with tabs in it: put commas between columns"
                      : "";
}

/* A column is an attribute whatever its name is. Where that name is a member's of the message, or has a blank at an
 * end, something else may have been meant: an update that was to have a condition would have none. */
static void find_caution(struct csv_columns *c) {
    static const char *const members[] = {
        "condition_expression",        "create_if_missing", "enable_logging",   "expression_attribute_names",
        "expression_attribute_values", "idempotency_key",   "typed_attributes",
    };
    for (size_t i = 0; i < c->count && !c->caution[0]; i++) {
        struct span name = c->all[i].role == CSV_ATTRIBUTE ? c->all[i].name : SPAN("x");
        bool is_member = false;
        for (size_t k = 0; k < ARRAY_LENGTH(members); k++) {
            is_member = is_member || span_is(name, members[k]);
        }
        bool has_blank = name.data[0] == ' ' || name.data[name.len - 1] == ' ';
        if (is_member || has_blank) {
            (void)snprintf(c->caution, sizeof c->caution, "The column \"" NAME "\" is an attribute like any other%s",
                           NAME_OF(name),
                           has_blank                               ? ", with the blank in its name"
                           : span_is(name, "condition_expression") ? ", and no condition: that is --condition"
                                                                   : "; members of the message are for JSON lines");
        }
    }
}

bool csv_columns_check(struct csv_columns *c, const struct table_shape *table, char why[static ROW_READER_WHY_SIZE]) {
    const char *at = c->names.data;
    unsigned of_role[CSV_SORT_KEY + 1] = {0};
    for (size_t i = 0; i < c->count; i++) {
        c->all[i].name.data = at;
        c->all[i].quoted.data = at + c->all[i].name.len;
        at = c->all[i].quoted.data + c->all[i].quoted.len;
        of_role[c->all[i].role]++;
    }
    if (!check_once(c, why)) {
        return false;
    }
    const char *partition = table ? table->partition.name : "id", *sort = table ? table->sort.name : "";
    bool no_partition = of_role[CSV_PARTITION_KEY] == 0;
    if (no_partition || (sort[0] != '\0' && of_role[CSV_SORT_KEY] == 0)) {
        (void)snprintf(why, ROW_READER_WHY_SIZE, "The header has no column %.255s, which is the %s%s",
                       no_partition ? partition : sort,
                       table ? "table's key" : "key's name where TABLE_NAME doesn't say another", other_separator(c));
        return false;
    }
    if (of_role[CSV_ATTRIBUTE] == 0) {
        (void)snprintf(why, ROW_READER_WHY_SIZE,
                       "The header has no column besides the key's: there is nothing to update");
        return false;
    }
    find_caution(c);
    return true;
}
