/* Shows what becomes of conditions, for tests that compare with DynamoDB itself.
 *
 * Reads one JSON object a line, as json_terms.h has it. Writes one a line: {"expression", "names", "values",
 * "canonical", "is_or"} or
 * {"refused": {details}}. */
#include "json_terms.h"

#include "json_writer.h"

#include <stdio.h>
#include <sys/types.h>

static bool answer_condition(const struct condition *condition, const struct condition_environment *environment,
                             struct buf *out) {
    struct buf expression, names, values, canonical;
    buf_init(&expression, TEXT_MAX);
    buf_init(&names, TEXT_MAX);
    buf_init(&values, TEXT_MAX);
    buf_init(&canonical, TEXT_MAX);
    struct placeholders placeholders = {.names = &names, .values = &values};
    bool done = condition_bind(condition, environment, &placeholders, &expression) &&
                condition_append_canonical(condition, environment, &canonical);
    if (done) {
        buf_append_cstr(out, "{\"expression\":");
        json_append_string(out, buf_span(&expression));
        buf_append_cstr(out, ",\"names\":{");
        buf_append_span(out, buf_span(&names));
        buf_append_cstr(out, "},\"values\":{");
        buf_append_span(out, buf_span(&values));
        buf_append_cstr(out, "},\"canonical\":");
        json_append_string(out, buf_span(&canonical));
        buf_printf(out, ",\"is_or\":%s}\n", condition_is_or(condition) ? "true" : "false");
    }
    buf_free(&expression);
    buf_free(&names);
    buf_free(&values);
    buf_free(&canonical);
    return done && buf_ok(out);
}

static bool answer(struct json_terms *terms, struct buf *out) {
    const struct condition_environment environment = terms_environment(terms);
    struct failure failure;
    failure_init(&failure);
    struct condition *condition = NULL;
    bool done = false;
    switch (condition_parse(buf_span(&terms->condition), &environment, &condition, &failure)) {
    case CONDITION_FINE: done = answer_condition(condition, &environment, out); break;
    case CONDITION_REFUSED:
        buf_append_cstr(out, "{\"refused\":{");
        buf_append_span(out, buf_span(&failure.details));
        done = buf_append_cstr(out, "}}\n") && failure_ok(&failure);
        break;
    case CONDITION_NO_MEMORY: break;
    }
    condition_free(condition);
    failure_free(&failure);
    return done;
}

static bool run(struct span text) {
    struct json_terms terms;
    json_terms_init(&terms);
    struct buf out;
    buf_init(&out, TEXT_MAX);
    bool done = json_terms_read(&terms, text) && answer(&terms, &out) &&
                fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    json_terms_free(&terms);
    buf_free(&out);
    return done;
}

int main(void) {
    char *text = NULL;
    size_t capacity = 0;
    ssize_t len = 0;
    bool good = true;
    while (good && (len = getline(&text, &capacity, stdin)) > 0) {
        good = run(span_of(text, (size_t)len));
        if (!good)
            (void)fprintf(stderr, "bind_condition: can't answer: %s", text);
    }
    free(text);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
