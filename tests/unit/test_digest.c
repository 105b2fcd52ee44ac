#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>

static int setup(void **state) {
    *state = digest_new();
    return *state ? 0 : -1;
}

static int teardown(void **state) {
    digest_free(*state);
    return 0;
}

static void assert_hex(const uint8_t hash[SHA256_SIZE], const char *expected) {
    char hex[SHA256_HEX_SIZE + 1];
    hex_encode(hash, SHA256_SIZE, hex);
    assert_string_equal(hex, expected);
}

static void sha256_is_that_of_fips_180(void **state) {
    static const struct {
        struct span data;
        const char *hash;
    } cases[] = {
        {{NULL, 0}, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {SPAN("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {SPAN("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        uint8_t hash[SHA256_SIZE];
        assert_true(digest_sha256(*state, cases[i].data, hash));
        assert_hex(hash, cases[i].hash);
    }
}

static void sha256_in_pieces_is_that_of_the_whole(void **state) {
    uint8_t hash[SHA256_SIZE];
    struct span ten = SPAN("aaaaaaaaaa");
    assert_true(digest_sha256_begin(*state));
    for (unsigned i = 0; i < 100000; i++)
        assert_true(digest_sha256_update(*state, ten));
    assert_true(digest_sha256_end(*state, hash));
    assert_hex(hash, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void the_hash_so_far_is_that_of_what_was_taken_in_and_the_end_that_of_all(void **state) {
    uint8_t hash[SHA256_SIZE];
    assert_true(digest_sha256_begin(*state));
    assert_true(digest_sha256_so_far(*state, hash));
    assert_hex(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_true(digest_sha256_update(*state, SPAN("abc")));
    assert_true(digest_sha256_so_far(*state, hash));
    assert_hex(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(digest_sha256_update(*state, SPAN("dbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")));
    assert_true(digest_sha256_end(*state, hash));
    assert_hex(hash, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

#define REPEAT_10(s) s s s s s s s s s s

static void hmac_is_that_of_rfc_4231(void **state) {
    static const struct {
        struct span key, data;
        const char *mac;
    } cases[] = {
        {SPAN("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"), SPAN("Hi There"),
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {SPAN("Jefe"), SPAN("what do ya want for nothing?"),
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {SPAN(REPEAT_10("\xaa") REPEAT_10("\xaa")),
         SPAN(REPEAT_10("\xdd") REPEAT_10("\xdd") REPEAT_10("\xdd") REPEAT_10("\xdd") REPEAT_10("\xdd")),
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        /* a key longer than a block */
        {SPAN(REPEAT_10(REPEAT_10("\xaa")) REPEAT_10("\xaa") REPEAT_10("\xaa") REPEAT_10("\xaa") "\xaa"),
         SPAN("Test Using Larger Than Block-Size Key - Hash Key First"),
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {{NULL, 0}, {NULL, 0}, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
        {SPAN(""), SPAN(""), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    };
    for (size_t round = 0; round < 2; round++)
        for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
            uint8_t mac[SHA256_SIZE];
            assert_true(digest_hmac_sha256(*state, cases[i].key, cases[i].data, mac));
            assert_hex(mac, cases[i].mac);
        }
}

static void a_key_that_is_kept_gives_the_same_hmac_for_each_message(void **state) {
    static const uint8_t keys[][SHA256_SIZE] = {{0}, {0x0b, 0x0c}, {0xff, [SHA256_SIZE - 1] = 1}};
    static const struct span data[] = {SPAN(""), SPAN("Hi There"), SPAN(REPEAT_10("0123456789"))};
    struct digest_key *key = digest_key_new(*state);
    assert_non_null(key);
    uint8_t mac[SHA256_SIZE], expected[SHA256_SIZE];
    assert_false(digest_key_hmac(key, data[0], mac));
    for (size_t k = 0; k < ARRAY_LENGTH(keys); k++) {
        assert_true(digest_key_set(key, keys[k]));
        for (size_t i = 0; i < ARRAY_LENGTH(data); i++) {
            assert_true(digest_hmac_sha256(*state, span_of((const char *)keys[k], SHA256_SIZE), data[i], expected));
            assert_true(digest_key_hmac(key, data[i], mac));
            assert_memory_equal(mac, expected, SHA256_SIZE);
        }
    }
    digest_key_free(key);
    digest_key_free(NULL);
}

static void md5_is_that_of_rfc_1321(void **state) {
    static const struct {
        struct span data;
        const char *hash;
    } cases[] = {
        {SPAN(""), "d41d8cd98f00b204e9800998ecf8427e"},
        {SPAN("a"), "0cc175b9c0f1b6a831c399e269772661"},
        {SPAN("message digest"), "f96b697d7cb7938d525a2f31aaf161d0"},
        {SPAN("12345678901234567890123456789012345678901234567890123456789012345678901234567890"),
         "57edf4a22be3c955ac49da2e2107b67a"},
    };
    if (!digest_has_md5(*state))
        skip();
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char hex[MD5_HEX_SIZE + 1];
        assert_true(digest_md5_hex(*state, cases[i].data, hex));
        assert_string_equal(hex, cases[i].hash);
    }
}

static void crc32_is_that_of_zlib(void **state) {
    (void)state;
    assert_int_equal(digest_crc32(SPAN("123456789")), 0xCBF43926);
    assert_int_equal(digest_crc32(SPAN("")), 0);
    assert_int_equal(digest_crc32((struct span){NULL, 0}), 0);
}

static void hex_is_lower_case_and_terminated(void **state) {
    (void)state;
    char hex[] = "????????";
    hex_encode((const uint8_t[]){0x00, 0x9a, 0xff}, 3, hex);
    assert_memory_equal(hex, "009aff\0?", sizeof hex - 1);
}

static void hex_of_every_byte_at_every_place_is_its_two_digits(void **state) {
    (void)state;
    static const char digits[] = "0123456789abcdef";
    for (size_t len = 0; len <= 9; len++)
        for (unsigned first = 0; first < 256; first++) {
            uint8_t bytes[9];
            char expected[2 * sizeof bytes + 1], hex[2 * sizeof bytes + 1];
            for (size_t i = 0; i < len; i++) {
                bytes[i] = (uint8_t)(first + i * 37);
                expected[2 * i] = digits[bytes[i] / 16];
                expected[2 * i + 1] = digits[bytes[i] % 16];
            }
            expected[2 * len] = '\0';
            hex_encode(bytes, len, hex);
            assert_string_equal(hex, expected);
        }
}

static void without_its_algorithms_there_is_no_digest_and_no_error_left_behind(void **state) {
    (void)state;
    assert_int_equal(EVP_set_default_properties(NULL, "provider=absent"), 1);
    assert_null(digest_new());
    assert_int_equal(ERR_peek_error(), 0);
    assert_int_equal(EVP_set_default_properties(NULL, NULL), 1);
    digest_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_is_that_of_fips_180),
        cmocka_unit_test(sha256_in_pieces_is_that_of_the_whole),
        cmocka_unit_test(the_hash_so_far_is_that_of_what_was_taken_in_and_the_end_that_of_all),
        cmocka_unit_test(hmac_is_that_of_rfc_4231),
        cmocka_unit_test(a_key_that_is_kept_gives_the_same_hmac_for_each_message),
        cmocka_unit_test(md5_is_that_of_rfc_1321),
        cmocka_unit_test(crc32_is_that_of_zlib),
        cmocka_unit_test(hex_is_lower_case_and_terminated),
        cmocka_unit_test(hex_of_every_byte_at_every_place_is_its_two_digits),
        cmocka_unit_test(without_its_algorithms_there_is_no_digest_and_no_error_left_behind),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
