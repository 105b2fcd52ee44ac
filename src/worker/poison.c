#include "poison.h"

/* If every attempt failed by chance with probability f, a row of n failures has the chance f^n, which is at most e^(-n
 * (1 - f)). A row of SURE / (1 - f) makes that e^-6, one in 400. Where no other fails, that is a row of six. */
static const uint64_t SURE = 6;
static const uint64_t SURE_OF_KNOWN = 2;

bool poison_is_alone(const struct poison_evidence *e) {
    if (e->failures < 2 || e->successes == 0)
        return false;
    uint64_t row = e->known ? SURE_OF_KNOWN : SURE;
    /* failures >= row * (successes + other_failures) / successes; counts of a process's life are far from an overflow.
     */
    return e->failures * e->successes >= row * (e->successes + e->other_failures);
}
