#include "http_dials.h"

static const size_t FIRST = 8, LEAST = 4, MOST = 64;
static const int64_t SLOW = 3; /* times what the quickest took */

void http_dials_init(struct http_dials *d) {
    *d = (struct http_dials){.most = FIRST};
}

void http_dials_learn(struct http_dials *d, int64_t took) {
    if (!d->quickest || took < d->quickest) {
        d->quickest = took > 0 ? took : 1;
    }
    if (took > SLOW * d->quickest) {
        d->most -= d->most > LEAST;
    } else {
        d->most += d->most < MOST;
    }
}
