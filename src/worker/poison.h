/* Decides whether one message fails alone, or whether it is an outage. Pure: the applier counts the evidence, and this
 * judges it.
 *
 * A message that gets no answer of DynamoDB's (a proxy refuses it, the connection breaks, or nothing comes) is set
 * aside where others succeed meanwhile. But when an outage begins or ends, or where every second request fails, any
 * message may fail between successes. So the more of the others' attempts fail, the more failures in a row one message
 * must have. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct poison_evidence {
    unsigned failures; /* of this message, in a row and alike; a silent one counts as several */
    bool known; /* it was set aside before, not long ago */
    uint64_t successes; /* of others of its kind, since its first failure */
    uint64_t other_failures; /* attempts of others that failed since then */
};

/* Whether the message fails alone. */
bool poison_is_alone(const struct poison_evidence *evidence);
