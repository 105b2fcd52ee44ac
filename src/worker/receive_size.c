#include "receive_size.h"

#include "clock.h"
#include "sqs.h"

static const int64_t HOLD_LEAST = 60 * MICROSECONDS, HOLD_MOST = 3600 * MICROSECONDS;
/* So many cuts in a row go down to one message and beyond: it isn't one message's fault. */
static const unsigned ENVIRONMENT_CUTS = 6;
static const size_t SIZE_SLACK = 1024;
static const size_t LARGEST_MEMORY = 64; /* after so many messages most of a large one's size is forgotten */

void receive_size_init(struct receive_size *s) {
    *s = (struct receive_size){.most = SQS_BATCH_MAX};
}

static unsigned half_of(unsigned messages) {
    return messages > 1 ? messages / 2 : 1;
}

void receive_size_cut(struct receive_size *s, unsigned asked, int64_t hidden, int64_t now) {
    int64_t hold = hidden < HOLD_MOST / 2 ? 2 * hidden : HOLD_MOST;
    s->pause = hold < HOLD_LEAST ? HOLD_LEAST : hold;
    s->grows_at = now + s->pause;
    s->cuts++;
    if (asked <= s->most) /* else it was open while another was cut, and tells nothing more */
        s->most = half_of(asked);
}

enum receive_pace receive_size_came(struct receive_size *s, unsigned asked, int64_t took, int64_t hidden, int64_t now) {
    enum receive_pace pace = took > hidden / 4 ? PACE_SLOW : took > hidden / 16 ? PACE_FAIR : PACE_QUICK;
    if (s->cuts >= ENVIRONMENT_CUTS)
        s->pause = s->grows_at = 0;
    s->cuts = 0;
    if (pace == PACE_SLOW && asked <= s->most) {
        s->most = half_of(asked);
    } else if (pace == PACE_QUICK && s->most < SQS_BATCH_MAX && now >= s->grows_at) {
        s->most = s->most < SQS_BATCH_MAX / 2 ? s->most * 2 : SQS_BATCH_MAX;
        s->grows_at = now + s->pause;
    }
    return pace;
}

void receive_size_note(struct receive_size *s, size_t bytes) {
    s->largest = bytes >= s->largest ? bytes : s->largest - (s->largest - bytes) / LARGEST_MEMORY;
}

size_t receive_size_reserve(const struct receive_size *s, size_t max_message_size) {
    bool known = s->largest > 0 && s->largest < max_message_size / 2;
    size_t reserve = 2 * s->largest + SIZE_SLACK;
    return known && reserve < max_message_size ? reserve : max_message_size;
}
