#include "mending.h"

#include "letter_fixture.h"

static void each_error_has_what_mends_it(void **state) {
    (void)state;
    static const struct {
        const char *error, *details, *word;
    } cases[] = {
        {"InvalidInputError", "", "Mend the producer"},
        {"ValidationError", "", "Mend what the reason names"},
        {"RecordNotFoundError", "", "Create the records"},
        {"ConditionalCheckFailed", "", "condition"},
        {"DatabaseError", "\"code\":\"ItemCollectionSizeLimitExceeded\",", "10 GB"},
        {"DatabaseError", "\"code\":\"AccessDeniedException\",", "dynamodb:LeadingKeys"},
        {"DatabaseError", "\"code\":\"Timeout\",", "no answer"},
        {"DatabaseError", "\"code\":\"ConnectionError\",", "drops"},
        {"DatabaseError", "\"code\":\"InternalServerError\",", "Look up the code"},
        {"DatabaseError", "", "Look up the code"},
        {"OtherError", "", "another program"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct letter *letter = letter_of(cases[i].error, "s", cases[i].details, "u");
        if (!strstr(mending_of(letter), cases[i].word))
            fail_msg("%s, %s: %s", cases[i].error, cases[i].details, mending_of(letter));
        letter_free(letter);
    }
    struct letter *foreign = letter_from("x", NULL);
    assert_non_null(strstr(mending_of(foreign), "maxReceiveCount"));
    letter_free(foreign);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_error_has_what_mends_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
