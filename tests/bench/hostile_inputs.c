/* Time and memory for hostile messages, as their size doubles up to 1 MiB: reading, building, and the DLQ message for
 * what is refused.
 *
 * For each kind of input a line with the time at each size and its ratio to the one before (linear: near 2), and the
 * largest share of memory at the peak: all that the worker's heap holds at once for it, over its size, for the message
 * itself and for one that comes back from the DLQ. Ends with 1 where a ratio, taken over the last three doublings, is
 * above 2.6, or a share is above SHARE_MAX. hostile_inputs           everything hostile_inputs memory    only the
 * shares, at the full size: the same on every machine */
#include "digest.h"
#include "message_worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRST_SIZE ((size_t)1 << 14)
#define STEPS 7 /* from FIRST_SIZE to BODY_MAX */
#define REPEATS 7
#define RATIO_MAX 2.6

struct input {
    const char *name;
    const char *begin, *end;
    void (*append_unit)(struct buf *out, size_t i); /* repeated up to the size */
};

static void unit_open(struct buf *out, size_t i) {
    (void)i;
    buf_append_cstr(out, "[");
}
static void unit_open_object(struct buf *out, size_t i) {
    (void)i;
    buf_append_cstr(out, "{\"a\":");
}
static void unit_nested_arrays(struct buf *out, size_t i) {
    buf_append_cstr(out, i ? ",[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
                           : "[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
}
static void unit_member(struct buf *out, size_t i) {
    buf_printf(out, "%s\"m%zu\":1", i ? "," : "", i);
}
static void unit_equal_sums(struct buf *out, size_t i) {
    /* Names of one length and of one sum of bytes, as a weak hash may have it: pairs of "Aa" and "BB" (equal under
     * h*31+c). */
    buf_append_cstr(out, i ? ",\"" : "\"");
    for (unsigned bit = 0; bit < 18; bit++)
        buf_append_cstr(out, i >> bit & 1 ? "Aa" : "BB");
    buf_append_cstr(out, "\":1");
}
static void unit_letter(struct buf *out, size_t i) {
    (void)i;
    buf_append_cstr(out, "x");
}
static void unit_digit(struct buf *out, size_t i) {
    (void)i;
    buf_append_cstr(out, "7");
}
static void unit_zero(struct buf *out, size_t i) {
    (void)i;
    buf_append_cstr(out, "0");
}
static void unit_large_number(struct buf *out, size_t i) {
    buf_append_cstr(out, i ? ",1e37" : "1e37");
}
static void unit_escape(struct buf *out, size_t i) {
    (void)i;
    buf_append_cstr(out, "\\n");
}
static void unit_unicode_escape(struct buf *out, size_t i) {
    (void)i;
    buf_append_cstr(out, "\\u0001");
}
static void unit_pair(struct buf *out, size_t i) {
    (void)i;
    buf_append_cstr(out, "\\ud83d\\ude00");
}
static void unit_small_number(struct buf *out, size_t i) {
    buf_append_cstr(out, i ? ",1" : "1");
}
static void unit_empty_string(struct buf *out, size_t i) {
    buf_append_cstr(out, i ? ",\"\"" : "\"\"");
}
static void unit_empty_array(struct buf *out, size_t i) {
    buf_append_cstr(out, i ? ",[]" : "[]");
}
static void unit_escaped_empty_string(struct buf *out, size_t i) {
    buf_append_cstr(out, i ? ",\\\"\\\"" : "\\\"\\\"");
}
static void unit_null(struct buf *out, size_t i) {
    buf_append_cstr(out, i ? ",null" : "null");
}
static void unit_exponent(struct buf *out, size_t i) {
    buf_append_cstr(out, i ? ",1e1" : "1e1");
}
static void unit_not(struct buf *out, size_t i) {
    (void)i;
    buf_append_cstr(out, "NOT ");
}
static void unit_parenthesis(struct buf *out, size_t i) {
    (void)i;
    buf_append_cstr(out, "(");
}
static void unit_and(struct buf *out, size_t i) {
    buf_append_cstr(out, i ? " AND a=1" : "a=1");
}
static void unit_quote(struct buf *out, size_t i) {
    (void)i;
    buf_append_cstr(out, "''");
}
static void unit_space(struct buf *out, size_t i) {
    (void)i;
    buf_append_cstr(out, " ");
}
static void unit_element(struct buf *out, size_t i) {
    (void)i;
    buf_append_cstr(out, ".a");
}
static void unit_value_term(struct buf *out, size_t i) {
    buf_printf(out, "%s\":v%zu\":1", i ? "," : "", i);
}
static void unit_name_term(struct buf *out, size_t i) {
    buf_printf(out, "%s\"#n%zu\":\"a\"", i ? "," : "", i);
}
static void unit_unknown(struct buf *out, size_t i) {
    buf_printf(out, ",\"u%zu\":1", i);
}
static void unit_wide_list_of_maps(struct buf *out, size_t i) {
    buf_append_cstr(out, i ? ",{\"a\":1}" : "{\"a\":1}");
}
static void unit_distinct_string(struct buf *out, size_t i) {
    buf_printf(out, "%s\"%zu\"", i ? "," : "", i);
}
static void unit_typed_number(struct buf *out, size_t i) {
    buf_append_cstr(out, i ? ",{\"N\":\"1\"}" : "{\"N\":\"1\"}");
}

#define HEAD "{\"id\":\"k\",\"enable_logging\":true,\"attributes\":{\"x\":"
#define ENVELOPE                                                                                                       \
    "{\"success\":false,\"error\":\"E\",\"details\":{\"source\":{\"idempotency_key\":\"k\",\"body\":\"{"               \
    "\\\"id\\\":\\\"k\\\",\\\"enable_logging\\\":true,\\\"attributes\\\":{\\\"x\\\":"
#define OPERATION(member) "{\"id\":\"k\",\"enable_logging\":true,\"" member "\":"
#define NOTIFICATION                                                                                                   \
    "{\"Type\":\"Notification\",\"TopicArn\":\"t\",\"MessageId\":\"m\",\"Message\":\"{\\\"id\\\":\\\"k\\\","           \
    "\\\"attributes\\\":{\\\"x\\\":"
#define CONDITION HEAD "1},\"condition_expression\":\""

static const struct input inputs[] = {
    {"deep arrays, cut", HEAD, "", unit_open},
    {"deep objects, cut", HEAD, "", unit_open_object},
    {"arrays nested 29, side by side", HEAD "[", "]}}", unit_nested_arrays},
    {"attributes", "{\"id\":\"k\",\"attributes\":{", "}}", unit_member},
    {"members of a map", HEAD "{", "}}}", unit_member},
    {"members a weak hash takes for one", HEAD "{", "}}}", unit_equal_sums},
    {"unknown members", "{\"id\":\"k\"", "}", unit_unknown},
    {"one string", HEAD "\"", "\"}}", unit_letter},
    {"a name", "{\"id\":\"k\",\"attributes\":{\"", "\":1}}", unit_letter},
    {"an id", "{\"attributes\":{\"x\":1},\"id\":\"", "\"}", unit_letter},
    {"an idempotency key", HEAD "1},\"idempotency_key\":\"", "\"}", unit_letter},
    {"digits", HEAD, "}}", unit_digit},
    {"zeros behind the point", HEAD "1.", "1}}", unit_zero},
    {"an exponent", HEAD "1e", "}}", unit_digit},
    {"short escapes", HEAD "\"", "\"}}", unit_escape},
    {"unicode escapes", HEAD "\"", "\"}}", unit_unicode_escape},
    {"surrogate pairs", HEAD "\"", "\"}}", unit_pair},
    {"an escaped name", "{\"id\":\"k\",\"attributes\":{\"", "\":1}}", unit_unicode_escape},
    {"small numbers", HEAD "[", "]}}", unit_small_number},
    {"exponents of numbers with many zeros", HEAD "[", "]}}", unit_large_number},
    {"exponents", HEAD "[", "]}}", unit_exponent},
    {"empty strings", HEAD "[", "]}}", unit_empty_string},
    {"empty arrays", HEAD "[", "]}}", unit_empty_array},
    {"nulls", HEAD "[", "]}}", unit_null},
    {"maps of one number", HEAD "[", "]}}", unit_wide_list_of_maps},
    {"white space", HEAD "1 ", "}}", unit_space},
    {"arrays nested 29, come back from the DLQ", ENVELOPE "[", "]}}\"}}}", unit_nested_arrays},
    {"a name, come back from the DLQ", ENVELOPE "1,\\\"y\\\":{\\\"", "\\\":1e999}}}\"}}}", unit_letter},
    {"empty strings, come back from the DLQ", ENVELOPE "[", "]}}\"}}}", unit_escaped_empty_string},
    {"a string, come back from the DLQ", ENVELOPE "\\\"", "\\\"}}\"}}}", unit_letter},
    {"NOTs", CONDITION, "a=1\"}", unit_not},
    {"parentheses", CONDITION, "\"}", unit_parenthesis},
    {"ANDs", CONDITION, "\"}", unit_and},
    {"a path", CONDITION "a", "=1\"}", unit_element},
    {"quotes in a literal", CONDITION "a='", "'\"}", unit_quote},
    {"a quoted name", CONDITION "`", "`=1\"}", unit_letter},
    {"digits of a literal", CONDITION "a=", "\"}", unit_digit},
    {"white space in a condition", CONDITION "a", "=1\"}", unit_space},
    {"escapes in a condition", CONDITION "a='", "'\"}", unit_escape},
    {"values", CONDITION "a=:v0\",\"expression_attribute_values\":{", "}}", unit_value_term},
    {"names", CONDITION "#n0=1\",\"expression_attribute_names\":{", "}}", unit_name_term},
    {"paths of set", OPERATION("set") "{", "}}", unit_member},
    {"a path of set", OPERATION("set") "{\"a", "\":1}}", unit_element},
    {"a quoted path of set", OPERATION("set") "{\"`", "`\":1}}", unit_letter},
    {"a path of escapes", OPERATION("set") "{\"`", "`\":1}}", unit_unicode_escape},
    {"a value at a path", OPERATION("set") "{\"a.b\":[", "]}}", unit_large_number},
    {"what is appended", OPERATION("append") "{\"a\":[", "]}}", unit_wide_list_of_maps},
    {"paths of remove", OPERATION("remove") "[", "]}", unit_empty_string},
    {"an increment's digits", OPERATION("increment") "{\"a\":1", "}}", unit_digit},
    {"a set of one string", OPERATION("typed_attributes") "{\"x\":{\"SS\":[", "]}}}", unit_empty_string},
    {"a set of strings", OPERATION("typed_attributes") "{\"x\":{\"SS\":[", "]}}}", unit_distinct_string},
    {"a set of numbers", OPERATION("typed_attributes") "{\"x\":{\"NS\":[", "]}}}", unit_distinct_string},
    {"a typed list", OPERATION("typed_attributes") "{\"x\":{\"L\":[", "]}}}", unit_typed_number},
    {"typed lists in each other", OPERATION("typed_attributes") "{\"x\":", "}}", unit_open_object},
    {"what looks like a set", HEAD "{\"SS\":[", "]}}}", unit_distinct_string},
    {"a notification of empty strings", NOTIFICATION "[", "]}}\"}", unit_escaped_empty_string},
    {"a notification of a string", NOTIFICATION "\\\"", "\\\"}}\"}", unit_letter},
};

static void make_body(const struct input *input, size_t size, struct buf *body) {
    size_t end = strlen(input->end);
    buf_reset(body);
    buf_append_cstr(body, input->begin);
    /* No unit is longer than 64 bytes. */
    for (size_t i = 0; body->len + end + 64 <= size; i++)
        input->append_unit(body, i);
    buf_append_cstr(body, input->end);
    if (!buf_ok(body))
        abort();
}

static double cpu_microseconds(void) {
    struct timespec t;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0)
        abort();
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* The least of some runs: what disturbs them only adds. */
static double time_of(const struct update_context *ctx, const struct delivery *delivery) {
    double least = 1e18;
    bool failed;
    for (int i = 0; i < REPEATS; i++) {
        double begin = cpu_microseconds();
        message_live(ctx, delivery, &failed);
        double took = cpu_microseconds() - begin;
        least = took < least ? took : least;
    }
    return least;
}

static double largest_share;

/* The share of the same kind of message that comes back from the DLQ, as long as one may be. */
static double wrapped_share(const struct update_context *ctx, const struct input *input, struct buf *body) {
    struct buf message;
    buf_init(&message, body->max);
    /* How long it becomes in its envelope is known afterwards: by its quotes. */
    for (size_t size = BODY_MAX; body->len > BODY_MAX || message.len == 0; size = size * BODY_MAX / body->len - 1) {
        make_body(input, size, &message);
        buf_reset(body);
        message_append(FORM_WRAPPED, buf_span(&message), body);
    }
    bool failed;
    double share = message_share(ctx, buf_span(body), &failed);
    buf_free(&message);
    return share;
}

static bool run(const struct update_context *ctx, const struct input *input, bool only_memory, struct buf *body) {
    struct delivery delivery = {.message_id = SPAN("message-id")};
    double times[STEPS] = {0};
    bool failed = false;
    (void)printf("%-41s", input->name);
    for (int step = only_memory ? STEPS - 1 : 0; step < STEPS; step++) {
        make_body(input, FIRST_SIZE << step, body);
        delivery.body = buf_span(body);
        if (!only_memory)
            times[step] = time_of(ctx, &delivery);
        if (step > 0 && !only_memory)
            (void)printf(" %5.2f", times[step] / times[step - 1]);
    }
    double share = message_share(ctx, buf_span(body), &failed);
    double wrapped = wrapped_share(ctx, input, body);
    double larger = wrapped > share ? wrapped : share;
    largest_share = larger > largest_share ? larger : largest_share;
    double over_three = times[STEPS - 1] / (times[STEPS - 4] > 0 ? times[STEPS - 4] : 1);
    bool linear = only_memory || over_three <= RATIO_MAX * RATIO_MAX * RATIO_MAX;
    if (!only_memory)
        (void)printf(" %9.0f us", times[STEPS - 1]);
    (void)printf(" %6.2f x %-7s %6.2f x%s%s\n", share, failed ? "refused" : "built", wrapped,
                 linear ? "" : "  NOT LINEAR", larger > SHARE_MAX ? "  TOO MUCH MEMORY" : "");
    return linear && larger <= SHARE_MAX;
}

int main(int argc, char **argv) {
    bool only_memory = argc > 1 && strcmp(argv[1], "memory") == 0;
    struct update_context ctx;
    if (!message_context(&ctx))
        return EXIT_FAILURE;
    struct buf body;
    buf_init(&body, 2 * BODY_MAX);
    bool good = true;
    if (!only_memory)
        (void)printf("%-41s ratios of the time from 16 KiB to 1 MiB, each of twice the size before; the last time; "
                     "memory; back from the DLQ\n",
                     "");
    for (size_t i = 0; i < ARRAY_LENGTH(inputs); i++)
        good = run(&ctx, &inputs[i], only_memory, &body) && good;
    (void)printf("%.2f times its size is the most that a message takes in memory\n", largest_share);
    buf_free(&body);
    digest_free(ctx.digest);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
