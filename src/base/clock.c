#include "clock.h"

#include <string.h>
#include <time.h>

#define SECONDS_A_DAY 86400
#define LAST_MOMENT (253402300799LL * MICROSECONDS + 999999) /* 9999-12-31T23:59:59.999999Z */

static int64_t read_clock(clockid_t id) {
    struct timespec t = {0};
    /* Neither clock can fail on Linux: both are always there, and t is ours. */
    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * MICROSECONDS + t.tv_nsec / 1000;
}

/* CLOCK_BOOTTIME, since Linux's CLOCK_MONOTONIC stands still while the machine sleeps. SQS's and DynamoDB's clocks go
 * on, and we would trust a lease that ended long ago. A hypervisor may stop a machine with all of its clocks, and
 * nothing on the machine can detect that: a jump of the wall clock is no proof, as anybody may set it, and a service's
 * Date only comes with its next answer. What is started on a lease that ended in such a pause still has one effect
 * only, thanks to its audit record, or for ten minutes to DynamoDB's token. */
static int64_t read_monotonic(void *ctx) {
    (void)ctx;
    return read_clock(CLOCK_BOOTTIME);
}

static int64_t read_wall(void *ctx) {
    (void)ctx;
    return read_clock(CLOCK_REALTIME);
}

struct clock clock_system(void) {
    return (struct clock){.monotonic = read_monotonic, .wall = read_wall};
}

static void put_two_digits(char *to, unsigned value) {
    to[0] = (char)('0' + value / 10);
    to[1] = (char)('0' + value % 10);
}

struct date {
    unsigned year, month, day;
};

/* The civil date of a day number, counted from 1970-01-01 and not negative. Years begin in March here, so that the leap
 * day is a year's last day. Every 400 years have the same number of days. */
static struct date date_of(int64_t days) {
    const int64_t four_centuries = 146097, century = 36524, four_years = 1460;
    int64_t from_march_0 = days + 719468;
    int64_t era = from_march_0 / four_centuries, day = from_march_0 % four_centuries;
    int64_t year = (day - day / four_years + day / century - day / (four_centuries - 1)) / 365;
    int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* from March: 31, 30, 31, 30, 31 days, over and over */
    return (struct date){.year = (unsigned)(era * 400 + year + (month >= 10)),
                         .month = (unsigned)(month < 10 ? month + 3 : month - 9),
                         .day = (unsigned)(day_of_year - (153 * month + 2) / 5 + 1)};
}

void clock_iso8601(int64_t wall, char ret_text[static ISO8601_SIZE]) {
    wall = wall < 0 ? 0 : wall > LAST_MOMENT ? LAST_MOMENT : wall;
    int64_t seconds = wall / MICROSECONDS;
    struct date date = date_of(seconds / SECONDS_A_DAY);
    unsigned second = (unsigned)(seconds % SECONDS_A_DAY), millisecond = (unsigned)(wall / MILLISECOND % 1000);
    memcpy(ret_text, "YYYY-MM-DDThh:mm:ss.mmmZ", ISO8601_SIZE);
    put_two_digits(ret_text, date.year / 100);
    put_two_digits(ret_text + 2, date.year % 100);
    put_two_digits(ret_text + 5, date.month);
    put_two_digits(ret_text + 8, date.day);
    put_two_digits(ret_text + 11, second / 3600);
    put_two_digits(ret_text + 14, second / 60 % 60);
    put_two_digits(ret_text + 17, second % 60);
    put_two_digits(ret_text + 20, millisecond / 10);
    ret_text[22] = (char)('0' + millisecond % 10);
}
