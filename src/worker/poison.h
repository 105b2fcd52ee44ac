/* Is it this message alone, or an outage? Pure: the evidence is counted by the applier, and judged here.
 *
 * A message that gets no answer of DynamoDB's (a proxy refuses it, the connection breaks, silence) is set aside where
 * others succeed meanwhile. But at the edges of an outage, and in one that fails every other request, everybody fails
 * now and then between successes. So the failures in a row that one message must have grow with the share of the
 * others' attempts that fail as well. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct poison_evidence {
    unsigned failures; /* of this message, in a row and alike; a long silence counts as several */
    bool known; /* it was set aside before, not long ago */
    uint64_t successes; /* of others of its kind, since its first failure */
    uint64_t other_failures; /* attempts of others that failed since then */
};

/* Whether the message fails alone. */
bool poison_is_alone(const struct poison_evidence *evidence);
