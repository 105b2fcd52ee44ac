#include "moment.h"

#include "clock.h"
#include "iso8601.h"

#include <stdio.h>
#include <string.h>

#define DATE_SIZE (sizeof "2026-11-29" - 1)
#define MINUTE_SIZE (sizeof "2026-11-29T08:30" - 1)
#define TEXT_MAX 64
#define SECONDS_MAX ((int64_t)100 * 365 * 86400) /* nothing is kept for so long */

static int64_t seconds_of(char unit) {
    switch (unit) {
    case 's': return 1;
    case 'm': return 60;
    case 'h': return 3600;
    case 'd': return 86400;
    case 'w': return (int64_t)7 * 86400;
    default: return 0;
    }
}

/* Numbers, each with its unit, the larger units first: 1h30m. */
static bool read_duration(struct span text, int64_t *ret_seconds) {
    int64_t total = 0, last_unit = INT64_MAX;
    for (size_t at = 0; at < text.len;) {
        int64_t number = 0;
        size_t begin = at;
        while (at < text.len && text.data[at] >= '0' && text.data[at] <= '9') {
            number = number * 10 + (text.data[at++] - '0');
            if (number > SECONDS_MAX)
                return false;
        }
        int64_t unit = at > begin && at < text.len ? seconds_of(text.data[at++]) : 0;
        if (!unit || unit >= last_unit || number > SECONDS_MAX / unit)
            return false;
        last_unit = unit;
        total += number * unit;
    }
    *ret_seconds = total;
    return text.len > 0 && total <= SECONDS_MAX;
}

/* Fills up what is left out of a time: the time of day, or the seconds. */
static bool read_time(struct span text, int64_t *ret_wall) {
    char whole[TEXT_MAX + sizeof "T00:00:00Z"];
    if (text.len > TEXT_MAX || memchr(text.data, '\0', text.len))
        return false;
    const char *given = text.data;
    bool no_seconds = text.len > MINUTE_SIZE && strchr("Z+-", given[MINUTE_SIZE]);
    if (text.len == DATE_SIZE)
        (void)snprintf(whole, sizeof whole, "%.*sT00:00:00Z", (int)text.len, given);
    else if (no_seconds)
        (void)snprintf(whole, sizeof whole, "%.*s:00%.*s", (int)MINUTE_SIZE, given, (int)(text.len - MINUTE_SIZE),
                       given + MINUTE_SIZE);
    else
        (void)snprintf(whole, sizeof whole, "%.*s", (int)text.len, given);
    return iso8601_parse(span_cstr(whole), ret_wall);
}

bool moment_read(struct span text, int64_t now, int64_t *ret_wall) {
    int64_t seconds = 0, wall = 0;
    if (read_duration(text, &seconds))
        wall = now - seconds * MICROSECONDS;
    else if (text.len == 0 || !read_time(text, &wall))
        return false;
    if (wall < 0)
        return false;
    *ret_wall = wall;
    return true;
}
