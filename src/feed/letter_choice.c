#include "letter_choice.h"

bool letter_choice_is_all(const struct letter_choice *choice) {
    return !choice->error.data && !choice->id && choice->since == INT64_MIN;
}

int64_t letter_failed_at(const struct letter *letter, int64_t sent_at) {
    return letter->failed_at ? letter->failed_at : sent_at;
}

static bool has_error(const struct letter *letter, struct span wanted) {
    if (span_is(wanted, LETTER_ERROR_NONE))
        return !letter->error.data;
    return letter->error.data && span_equal(letter->error, wanted);
}

bool letter_is_chosen(const struct letter_choice *choice, const struct letter *letter, int64_t sent_at, bool *ret_ok) {
    *ret_ok = true;
    if (choice->error.data && !has_error(letter, choice->error))
        return false;
    if (letter_failed_at(letter, sent_at) < choice->since)
        return false;
    return !choice->id || id_choice_is(choice->id, letter->id, ret_ok);
}
