#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

/* The module with an allocator that can run dry, and that counts what it gave. */
static void *scarce_calloc(size_t count, size_t size);
static void *scarce_realloc(void *old, size_t size);
#define calloc scarce_calloc
#define realloc scarce_realloc
#include "json_names.c"
#undef calloc
#undef realloc

#include <setjmp.h>

#include <cmocka.h>

#include "json_reader.h"

static unsigned allocations;
static unsigned failing; /* the one that fails; 0: none */

static bool dry(void) {
    allocations++;
    return allocations == failing;
}

static void *scarce_calloc(size_t count, size_t size) {
    return dry() ? NULL : calloc(count, size);
}

static void *scarce_realloc(void *old, size_t size) {
    return dry() ? NULL : realloc(old, size);
}

static int plenty(void **state) {
    (void)state;
    allocations = 0;
    failing = 0;
    return 0;
}

static void begin_reading(struct json_reader *r, struct span text) {
    json_reader_init(r, text, &(struct json_options){.max_depth = 512, .reject_duplicates = true, .hash_seed = {3, 4}});
}

static enum json_error read_all(struct span text, size_t *ret_offset) {
    struct json_reader r;
    begin_reading(&r, text);
    struct json_token token;
    while (json_next(&r, &token) != JSON_END && token.event != JSON_FAILED)
        ;
    *ret_offset = token.offset;
    json_reader_done(&r);
    return r.error;
}

/* {"<prefix>0":0,"<prefix>1":0,…} without its closing brace. */
static void append_members(struct buf *text, const char *prefix, unsigned count) {
    assert_true(buf_append_char(text, '{'));
    for (unsigned i = 0; i < count; i++)
        assert_true(buf_printf(text, "%s\"%s%u\":0", i ? "," : "", prefix, i));
}

static void siphash_is_that_of_its_authors(void **state) {
    (void)state;
    /* SipHash-1-3 of 0, 1, 2 … with the key 00 01 … 0f */
    static const struct {
        size_t len;
        uint64_t hash;
    } cases[] = {{0, UINT64_C(0xabac0158050fc4dc)},  {1, UINT64_C(0xc9f49bf37d57ca93)},
                 {2, UINT64_C(0x82cb9b024dc7d44d)},  {7, UINT64_C(0xd3927d989bb11140)},
                 {8, UINT64_C(0x369095118d299a8e)},  {9, UINT64_C(0x25a48eb36c063de4)},
                 {15, UINT64_C(0xd320d86d2a519956)}, {16, UINT64_C(0xcc4fdd1a7d908b66)},
                 {17, UINT64_C(0x9cf2689063dbd80c)}, {63, UINT64_C(0x9d199062b7bbb3a8)}};
    char bytes[64];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t cut = 0; cut <= cases[i].len; cut++) {
            struct siphash h;
            siphash_begin(&h, (const uint64_t[]){UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)});
            siphash_update(&h, span_of(bytes, cut));
            siphash_update(&h, span_of(bytes + cut, cases[i].len - cut));
            assert_true(siphash_end(&h) == cases[i].hash);
        }
}

static void a_repeated_name_is_found_among_any_number(void **state) {
    (void)state;
    static const unsigned counts[] = {1, 2, 7, 8, 9, 10, 24, 25, 48, 49, 1000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        for (unsigned repeated = 0; repeated < counts[i]; repeated++) {
            struct buf text;
            size_t at = 0;
            buf_init(&text, 100000);
            append_members(&text, "n", counts[i]);
            size_t expected = text.len + 1;
            /* The first digit is spelt as an escape: \u0030 is 0. */
            assert_true(buf_printf(&text, ",\"n\\u003%u",
                                   repeated < 10    ? repeated
                                   : repeated < 100 ? repeated / 10
                                                    : repeated / 100));
            if (repeated >= 100)
                assert_true(buf_printf(&text, "%02u", repeated % 100));
            else if (repeated >= 10)
                assert_true(buf_printf(&text, "%u", repeated % 10));
            assert_true(buf_append_cstr(&text, "\":0}"));
            assert_int_equal(read_all(buf_span(&text), &at), JSON_DUPLICATE);
            assert_int_equal(at, expected);
            buf_free(&text);
        }
}

static void an_object_goes_on_where_it_was_after_one_inside(void **state) {
    (void)state;
    /* Each of these objects is hashed, and holds one that is; the names are the same at all levels. */
    struct buf text;
    size_t at = 0;
    buf_init(&text, 1000000);
    for (unsigned level = 0; level < 50; level++) {
        append_members(&text, "m", 20);
        assert_true(buf_append_cstr(&text, ",\"inner\":"));
    }
    assert_true(buf_append_cstr(&text, "0"));
    for (unsigned level = 0; level < 50; level++)
        assert_true(buf_append_cstr(&text, ",\"after\":0,\"last\":{}}"));
    assert_int_equal(read_all(buf_span(&text), &at), JSON_NO_ERROR);
    text.len -= sizeof ",\"after\":0,\"last\":{}}" - 1;
    size_t expected = text.len + 1;
    assert_true(buf_append_cstr(&text, ",\"m19\":0}"));
    assert_int_equal(read_all(buf_span(&text), &at), JSON_DUPLICATE);
    assert_int_equal(at, expected);
    buf_free(&text);
}

static void escaped_names_are_hashed_by_their_meaning(void **state) {
    (void)state;
    struct buf text;
    size_t at = 0;
    buf_init(&text, 100000);
    assert_true(buf_append_char(&text, '{'));
    for (unsigned i = 0; i < 200; i++)
        assert_true(buf_printf(&text, "\"a long name with an esc\\u0061pe %u\":0,", i));
    size_t expected = text.len;
    assert_true(buf_append_cstr(&text, "\"\\u0061 long name with an escape 199\":0}"));
    assert_int_equal(read_all(buf_span(&text), &at), JSON_DUPLICATE);
    assert_int_equal(at, expected);
    buf_free(&text);
}

static void an_array_of_objects_costs_no_more_than_one_of_them(void **state) {
    (void)state;
    struct buf text;
    size_t at = 0;
    buf_init(&text, 1000000);
    assert_true(buf_append_char(&text, '['));
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(buf_append_cstr(&text, i ? "," : ""));
        append_members(&text, "m", 8);
        assert_true(buf_append_char(&text, '}'));
    }
    assert_true(buf_append_char(&text, ']'));
    assert_int_equal(read_all(buf_span(&text), &at), JSON_NO_ERROR);
    assert_int_equal(allocations, 0);
    buf_free(&text);
}

static void a_member_takes_about_twenty_bytes(void **state) {
    (void)state;
    enum { COUNT = 100000 };
    struct buf text;
    buf_init(&text, 100 * COUNT);
    append_members(&text, "", COUNT);
    struct json_reader r;
    begin_reading(&r, buf_span(&text));
    struct json_token token;
    for (unsigned i = 0; i < 2 * COUNT; i++)
        assert_int_not_equal(json_next(&r, &token), JSON_FAILED);
    size_t bytes = r.names.capacity * sizeof(struct json_names_name) + r.names.objects[0].slot_count * sizeof(uint32_t);
    assert_true(bytes <= 23 * (size_t)COUNT);
    json_reader_done(&r);
    buf_free(&text);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    struct buf text;
    size_t at = 0;
    buf_init(&text, 100000);
    for (unsigned level = 0; level < 20; level++) {
        append_members(&text, "m", 60);
        assert_true(buf_append_cstr(&text, ",\"x\":"));
    }
    append_members(&text, "m", 3);
    for (unsigned level = 0; level < 21; level++)
        assert_true(buf_append_char(&text, '}'));
    assert_int_equal(read_all(buf_span(&text), &at), JSON_NO_ERROR);
    unsigned count = allocations;
    assert_true(count > 40);
    for (unsigned k = 1; k <= count; k++) {
        allocations = 0;
        failing = k;
        assert_int_equal(read_all(buf_span(&text), &at), JSON_NO_MEMORY);
        assert_true(at < text.len);
    }
    buf_free(&text);
}

static void a_place_beyond_31_bits_is_refused_and_not_confused(void **state) {
    (void)state;
    struct json_names names;
    json_names_init(&names, (const uint64_t[]){1, 2});
    assert_true(json_names_open(&names));
    /* It is refused before the text is looked at. */
    assert_int_equal(json_names_add(&names, SPAN(""), TEXT_MAX, 1, false), JSON_NAMES_NO_MEMORY);
    json_names_done(&names);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(siphash_is_that_of_its_authors, plenty),
        cmocka_unit_test_setup(a_repeated_name_is_found_among_any_number, plenty),
        cmocka_unit_test_setup(an_object_goes_on_where_it_was_after_one_inside, plenty),
        cmocka_unit_test_setup(escaped_names_are_hashed_by_their_meaning, plenty),
        cmocka_unit_test_setup(an_array_of_objects_costs_no_more_than_one_of_them, plenty),
        cmocka_unit_test_setup(a_member_takes_about_twenty_bytes, plenty),
        cmocka_unit_test_setup(every_allocation_may_fail, plenty),
        cmocka_unit_test_setup(a_place_beyond_31_bits_is_refused_and_not_confused, plenty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
