#include "arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void small_pieces_need_no_allocation(void **state) {
    (void)state;
    struct arena a = {0};
    char *piece = arena_alloc(&a, 100);
    assert_true(piece >= a.first && piece < a.first + sizeof a.first);
    assert_null(a.chunks);
    arena_free(&a);
}

static void pieces_stay_where_they_are_and_are_aligned(void **state) {
    (void)state;
    struct arena a = {0};
    struct span pieces[2 * ARENA_INLINE_SIZE / _Alignof(max_align_t)];
    for (size_t i = 0; i < ARRAY_LENGTH(pieces); i++) {
        char c = (char)('a' + i % 26);
        pieces[i] = arena_copy(&a, span_of(&c, 1));
        assert_non_null(pieces[i].data);
        assert_int_equal((uintptr_t)pieces[i].data % _Alignof(max_align_t), 0);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(pieces); i++)
        assert_int_equal(pieces[i].data[0], 'a' + i % 26);
    arena_free(&a);
}

static void a_piece_beyond_the_first_block_is_whole(void **state) {
    (void)state;
    struct arena a = {0};
    char *piece = arena_alloc(&a, 1 << 20);
    assert_non_null(piece);
    memset(piece, 1, 1 << 20);
    assert_null(arena_alloc(&a, SIZE_MAX));
    arena_free(&a);
    arena_free(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_pieces_need_no_allocation),
        cmocka_unit_test(pieces_stay_where_they_are_and_are_aligned),
        cmocka_unit_test(a_piece_beyond_the_first_block_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
