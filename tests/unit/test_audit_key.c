#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "audit_key.h"

#include <string.h>

/* echo -ne 'users\0backfill:17' | sha256sum */
static void the_log_id_of_a_key_is_frozen(void **state) {
    (void)state;
    char id[LOG_ID_SIZE];
    struct digest *digest = digest_new();
    assert_non_null(digest);
    assert_true(audit_log_id(digest, "users", SPAN("backfill:17"), id));
    assert_string_equal(id, "ea18d9049c6a588dec741167a9ec6262e3048944b7527a52217d74c766d1ad38");
    assert_string_equal(AUDIT_FAILURE_SUFFIX, "#failure");
    digest_free(digest);
}

static void table_and_key_are_kept_apart(void **state) {
    (void)state;
    char one[LOG_ID_SIZE], other[LOG_ID_SIZE];
    struct digest *digest = digest_new();
    assert_non_null(digest);
    assert_true(audit_log_id(digest, "users", SPAN("a"), one));
    assert_true(audit_log_id(digest, "user", SPAN("sa"), other));
    assert_string_not_equal(one, other);
    digest_free(digest);
}

static void a_key_of_any_length_is_hashed_alike(void **state) {
    (void)state;
    char at_once[LOG_ID_SIZE], in_pieces[LOG_ID_SIZE];
    static char key[2000];
    struct digest *digest = digest_new();
    assert_non_null(digest);
    memset(key, 'k', sizeof key);
    for (size_t len = 500; len < 520; len++) {
        uint8_t hash[SHA256_SIZE];
        char whole[600] = "users";
        memset(whole + 6, 'k', len);
        assert_true(digest_sha256(digest, span_of(whole, 6 + len), hash));
        hex_encode(hash, sizeof hash, at_once);
        assert_true(audit_log_id(digest, "users", span_of(key, len), in_pieces));
        assert_string_equal(at_once, in_pieces);
    }
    assert_true(audit_log_id(digest, "users", span_of(key, sizeof key), in_pieces));
    digest_free(digest);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_log_id_of_a_key_is_frozen),
        cmocka_unit_test(table_and_key_are_kept_apart),
        cmocka_unit_test(a_key_of_any_length_is_hashed_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
