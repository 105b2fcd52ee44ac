/* How many of a server's connections are opened at once. Handshakes cost both sides more CPU than all else that they do
 * for a message: more at once than there is CPU for only make each other late, while far servers are waited for side by
 * side. So one more is opened at once after each that took hardly longer than the quickest did, and one fewer after
 * each that took twice as long. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct http_dials {
    size_t most; /* that may be under way */
    int64_t quickest; /* microseconds that one took; 0: none has ended well yet */
};

void http_dials_init(struct http_dials *d);
/* One was opened, in so many microseconds. */
void http_dials_learn(struct http_dials *d, int64_t took);
