/* A set of credentials in memory of its own. References are counted, so that the texts outlive a replacement while
 * somebody reads them. The last reference wipes it. */
#pragma once

#include "compiler.h"
#include "credentials.h"

#include <stdbool.h>
#include <stddef.h>

struct credentials_held {
    struct credentials credentials; /* points into text */
    unsigned references;
    size_t size;
    char text[];
};

/* Whether these could be credentials: bounded, and only printable characters. They go into headers, so a line break
 * must never pass. Token and account may be absent. */
bool credentials_plausible(const struct credentials *credentials);

/* Copies the texts; the caller has one reference. NULL: no memory. */
MUST_USE struct credentials_held *credentials_hold(const struct credentials *credentials);
/* Gives one reference back. NULL is fine. */
void credentials_let_go(struct credentials_held *held);

/* Gives the credentials to the waiter, and keeps them while its callback runs. */
void credentials_hand_over(struct credentials_held *held, struct credentials_wait *wait);
