/* Which part of a message DynamoDB speaks of when it refuses its update: its sentences name none. */
#include "update_again.h"

#include "value_path.h"

#include <string.h>

static bool says(struct span sentence, const char *words) {
    return memmem(sentence.data, sentence.len, words, strlen(words)) != NULL;
}

enum about { ABOUT_ALL, ABOUT_PATHS, ABOUT_OPERANDS, ABOUT_NUMBERS };

static enum about about(struct span sentence) {
    if (says(sentence, "document path"))
        return ABOUT_PATHS;
    if (says(sentence, "perand"))
        return ABOUT_OPERANDS;
    return says(sentence, "umber") || says(sentence, "digits") ? ABOUT_NUMBERS : ABOUT_ALL;
}

static bool may_be_meant(const struct update_operation *operation, enum about what) {
    switch (what) {
    case ABOUT_PATHS: return operation->count > 1;
    case ABOUT_OPERANDS: return operation->member == MEMBER_INCREMENT || operation->member == MEMBER_APPEND;
    case ABOUT_NUMBERS: return operation->member == MEMBER_INCREMENT;
    default: return true;
    }
}

/* The first operation that may be meant, and how many may. */
static const struct update_operation *find(const struct update_operations *o, enum about what, uint32_t *ret_count) {
    const struct update_operation *first = NULL;
    *ret_count = 0;
    for (uint32_t i = 0; i < o->count; i++) {
        if (!may_be_meant(&o->list[i], what))
            continue;
        if (!first)
            first = &o->list[i];
        ++*ret_count;
    }
    return first;
}

static void refuse(const struct update_parts *p, struct failure *f, struct span sentence, const char *before) {
    enum about what = about(sentence);
    bool whole = p->members[MEMBER_ATTRIBUTES] != TAPE_ROOT || p->members[MEMBER_TYPED] != TAPE_ROOT;
    uint32_t count = 0;
    const struct update_operation *operation = NULL;
    if (what != ABOUT_ALL || !whole)
        operation = find(&p->operations, what, &count);
    if (!operation && !whole)
        operation = find(&p->operations, ABOUT_ALL, &count);
    enum member member = p->members[MEMBER_ATTRIBUTES] != TAPE_ROOT ? MEMBER_ATTRIBUTES : MEMBER_TYPED;
    struct value_path parent = path_root(member_name(operation ? operation->member : member));
    struct value_path path = operation && count == 1 ? path_member(&parent, operation->written) : parent;
    path_refuse(&path, f, "%s%.*s", before, (int)sentence.len, sentence.data);
}

static void fail_refused(const struct update_context *ctx, struct update *u, struct span sentence, bool by_audit) {
    const char *before = by_audit ? "only the audit record is refused: " : "";
    if (says(sentence, "ConditionExpression")) {
        failure_validation(&u->failure, SPAN("condition_expression"), "%s%.*s", before, (int)sentence.len,
                           sentence.data);
        return;
    }
    struct update_again again;
    bool fit = true;
    bool done = update_again_read(ctx, u, &again) &&
                (!update_has_operations(&again.parts) || update_again_read_operations(&again, &fit));
    if (done)
        refuse(&again.parts, &u->failure, sentence, before);
    else /* without memory: without the path */
        failure_validation(&u->failure, span_cstr(member_name(update_first_member(u->parts))), "%s%.*s", before,
                           (int)sentence.len, sentence.data);
    update_again_free(&again);
}

/* The sentence with `…` for each ARN in it: an ARN names an account and what it has. */
static void append_without_arns(struct span sentence, struct buf *out) {
    const char *at = sentence.data, *end = sentence.data + sentence.len, *arn;
    while ((arn = memmem(at, (size_t)(end - at), "arn:", 4))) {
        buf_append_span(out, span_of(at, (size_t)(arn - at)));
        buf_append_cstr(out, "…");
        for (at = arn; at < end && !strchr(" \t\r\n\"'`,;()[]{}<>", *at);)
            at++;
    }
    buf_append_span(out, span_of(at, (size_t)(end - at)));
}

void update_fail_refused(const struct update_context *ctx, struct update *u, struct span sentence, bool by_audit) {
    struct buf told;
    buf_init(&told, sentence.len);
    if (sentence.len > 0)
        append_without_arns(sentence, &told);
    bool known = told.len > 0 && buf_ok(&told);
    fail_refused(ctx, u, known ? buf_span(&told) : SPAN("DynamoDB's validation refused it"), by_audit);
    buf_free(&told);
}
