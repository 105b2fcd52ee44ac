/* Parses any bytes as a config and as a credentials file. What is found is trimmed, and a section that is added at the
 * end (where nothing can belong to what stands above) is always found and changes nothing of another. */
#include "buf.h"
#include "profile.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
    if (!holds)
        abort();
}

static const char *const profiles[] = {"default", "a", "two words"};
static const char *const names[] = {"aws_access_key_id", "region", "services", "k", "s3"};

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

static void check_value(struct span value) {
    if (!value.data || !value.len)
        return;
    check(!is_blank(value.data[0]) && !is_blank(value.data[value.len - 1]));
}

static void look_at(const struct profile_file *file) {
    for (size_t p = 0; p < ARRAY_LENGTH(profiles); p++) {
        for (size_t n = 0; n < ARRAY_LENGTH(names); n++) {
            struct span value = profile_get(file, profiles[p], names[n]);
            check(!value.data || profile_exists(file, profiles[p]));
            check_value(value);
        }
        struct span url = profile_get_service(file, span_cstr(profiles[p]), "sqs", "endpoint_url");
        check(!url.data || profile_services_exist(file, span_cstr(profiles[p])));
        check_value(url);
    }
}

static void check_same(const struct profile_file *a, const struct profile_file *b) {
    for (size_t p = 0; p < ARRAY_LENGTH(profiles); p++) {
        for (size_t n = 0; n < ARRAY_LENGTH(names); n++) {
            struct span x = profile_get(a, profiles[p], names[n]), y = profile_get(b, profiles[p], names[n]);
            check(!x.data == !y.data && span_equal(x, y));
        }
    }
}

static void check_added(enum profile_kind kind, const struct profile_file *file, struct span text) {
    struct buf longer;
    buf_init(&longer, PROFILE_FILE_MAX);
    if (buf_append_span(&longer, text) && buf_append_cstr(&longer, kind == PROFILE_CONFIG ? "\n[profile " : "\n[") &&
        buf_append_cstr(&longer, "added at the end]\nK = v # c\n")) {
        struct profile_file *other;
        struct profile_fault fault;
        enum profile_status status = profile_parse(kind, buf_span(&longer), &other, &fault);
        if (status == PROFILE_FINE) {
            check(span_is(profile_get(other, "added at the end", "k"), "v"));
            check_same(file, other);
            profile_free(other);
        } else {
            check(status == PROFILE_MALFORMED && strstr(fault.reason, "too many"));
        }
    }
    buf_free(&longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = span_of((const char *)data, size);
    for (int k = 0; k < 2; k++) {
        enum profile_kind kind = k ? PROFILE_CREDENTIALS : PROFILE_CONFIG;
        struct profile_file *file = NULL;
        struct profile_fault fault = {0, NULL};
        enum profile_status status = profile_parse(kind, text, &file, &fault);
        check((status == PROFILE_FINE) == (file != NULL));
        if (status == PROFILE_MALFORMED)
            check(fault.line >= 1 && fault.line <= size + 1 && fault.reason);
        if (file) {
            look_at(file);
            check_added(kind, file, text);
        }
        profile_free(file);
    }
    return 0;
}
