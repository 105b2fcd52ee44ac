#include "iso8601.h"

#include "clock.h"

#include <time.h>

/* Takes exactly n digits off the front. */
static bool take_digits(struct span *s, size_t n, int *ret_number) {
    int number = 0;
    if (s->len < n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (s->data[i] < '0' || s->data[i] > '9') {
            return false;
        }
        number = number * 10 + (s->data[i] - '0');
    }
    *s = span_of(s->data + n, s->len - n);
    *ret_number = number;
    return true;
}

static bool take_char(struct span *s, char c) {
    if (!s->len || s->data[0] != c) {
        return false;
    }
    *s = span_of(s->data + 1, s->len - 1);
    return true;
}

/* Digits beyond microseconds are read, but don't count. */
static bool take_fraction(struct span *s, int64_t *ret_microseconds) {
    *ret_microseconds = 0;
    if (!take_char(s, '.')) {
        return true;
    }
    int digit = 0;
    int64_t worth = MICROSECONDS / 10;
    if (!take_digits(s, 1, &digit)) {
        return false;
    }
    do {
        *ret_microseconds += digit * worth;
        worth /= 10;
    } while (take_digits(s, 1, &digit));
    return true;
}

/* Seconds east of Greenwich. */
static bool take_zone(struct span *s, int64_t *ret_offset) {
    *ret_offset = 0;
    if (span_is(*s, "Z") || span_is(*s, "z") || span_is(*s, "UTC")) {
        return true;
    }
    bool west = s->len && s->data[0] == '-';
    int hours = 0, minutes = 0;
    if (!take_char(s, west ? '-' : '+') || !take_digits(s, 2, &hours)) {
        return false;
    }
    (void)take_char(s, ':');
    if (!take_digits(s, 2, &minutes) || s->len || hours > 23 || minutes > 59) {
        return false;
    }
    int64_t offset = hours * 3600 + minutes * 60;
    *ret_offset = west ? -offset : offset;
    return true;
}

bool iso8601_parse(struct span text, int64_t *ret_wall) {
    struct tm tm = {0};
    int64_t fraction = 0, offset = 0;
    if (!take_digits(&text, 4, &tm.tm_year) || !take_char(&text, '-') || !take_digits(&text, 2, &tm.tm_mon) ||
        !take_char(&text, '-') || !take_digits(&text, 2, &tm.tm_mday) ||
        !(take_char(&text, 'T') || take_char(&text, ' ')) || !take_digits(&text, 2, &tm.tm_hour) ||
        !take_char(&text, ':') || !take_digits(&text, 2, &tm.tm_min) || !take_char(&text, ':') ||
        !take_digits(&text, 2, &tm.tm_sec) || !take_fraction(&text, &fraction) || !take_zone(&text, &offset)) {
        return false;
    }
    const struct tm given = tm;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    if (given.tm_hour > 23 || given.tm_min > 59 || given.tm_sec > 60) {
        return false;
    }
    time_t seconds = timegm(&tm);
    /* timegm() turns a day or month that doesn't exist into another one. (A leap second may change both.) */
    if (given.tm_sec < 60 && (tm.tm_mon + 1 != given.tm_mon || tm.tm_mday != given.tm_mday)) {
        return false;
    }
    *ret_wall = ((int64_t)seconds - offset) * MICROSECONDS + fraction;
    return true;
}
