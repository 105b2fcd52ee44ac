#include "http_dials.h"

static const size_t LEAST = 4, MOST = 64;

void http_dials_init(struct http_dials *d) {
    *d = (struct http_dials){.most = LEAST};
}

void http_dials_learn(struct http_dials *d, int64_t took) {
    if (!d->quickest || took < d->quickest) {
        d->quickest = took > 0 ? took : 1;
    }
    if (took > 2 * d->quickest) {
        d->most -= d->most > LEAST;
    } else if (took <= d->quickest + d->quickest / 4) {
        d->most += d->most < MOST;
    }
}
