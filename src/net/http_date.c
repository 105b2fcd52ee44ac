#include "http_date.h"

#include "clock.h"

#include <time.h>

/* The shape: a capital letter or a separator stands for itself, a small letter for a digit of its field, ? for any
 * letter. */
#define SHAPE "???, dd ??? yyyy hh:mm:ss GMT"
#define MONTH_AT 8

static bool fits_shape(struct span text) {
    static const char shape[] = SHAPE;
    if (text.len != sizeof shape - 1) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (shape[i] == '?'                        ? !((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
            : (shape[i] >= 'a' && shape[i] <= 'z') ? c < '0' || c > '9'
                                                   : c != shape[i]) {
            return false;
        }
    }
    return true;
}

static int number_at(struct span text, size_t at, size_t digits) {
    int n = 0;
    for (size_t i = at; i < at + digits; i++) {
        n = n * 10 + (text.data[i] - '0');
    }
    return n;
}

static int month_at(struct span text, size_t at) {
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int month = 0; month < 12; month++) {
        if (memcmp(names + 3 * (size_t)month, text.data + at, 3) == 0) {
            return month;
        }
    }
    return -1;
}

bool http_date_parse(struct span text, int64_t *ret_wall) {
    if (!fits_shape(text)) {
        return false;
    }
    struct tm tm = {
        .tm_mday = number_at(text, 5, 2),
        .tm_mon = month_at(text, MONTH_AT),
        .tm_year = number_at(text, 12, 4) - 1900,
        .tm_hour = number_at(text, 17, 2),
        .tm_min = number_at(text, 20, 2),
        .tm_sec = number_at(text, 23, 2),
    };
    if (tm.tm_mon < 0 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_year < 70 || tm.tm_hour > 23 || tm.tm_min > 59 ||
        tm.tm_sec > 60) {
        return false;
    }
    *ret_wall = (int64_t)timegm(&tm) * MICROSECONDS;
    return true;
}
