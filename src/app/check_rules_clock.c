#include "check_rules.h"

#include "clock.h"

/* Less is no sign of a wrong clock: a Date header has whole seconds, and an answer takes its time. */
static const int64_t NOTICED = 5 * MICROSECONDS;
/* From here on the services refuse signatures, and requests are signed with their time. */
static const int64_t REFUSED = 240 * MICROSECONDS;

void check_clock_rule(struct check_report *r, int64_t offset) {
    int64_t away = offset < 0 ? -offset : offset;
    long long seconds = (long long)((away + MICROSECONDS / 2) / MICROSECONDS);
    const char *side = offset < 0 ? "ahead of" : "behind";
    const char *mend = "Set the clock, and keep it set (chrony, systemd-timesyncd)";
    if (away <= NOTICED) {
        check_fine(r, "clock", NULL, "within %lld s of AWS's", seconds > 1 ? seconds : 1);
    } else if (away < REFUSED) {
        check_warn(r, "clock", NULL, mend, "%lld s %s AWS's: times in the log are wrong by so much", seconds, side);
    } else {
        check_warn(r, "clock", NULL, mend,
                   "%lld s %s AWS's, which refuses such signatures: requests are signed with its time, but "
                   "the end of temporary credentials is misjudged by as much",
                   seconds, side);
    }
}
