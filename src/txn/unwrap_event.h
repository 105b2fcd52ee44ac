/* Bodies that another service of AWS put around an update message: SNS notifications and EventBridge events. */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "span.h"
#include "value_tape.h"

enum wrapping {
    WRAPPING_NONE,
    WRAPPING_SNS, /* the message is the text of its string `Message` */
    WRAPPING_EVENTBRIDGE /* the message is its object `detail` */
};

/* What the read text is; *ret_inner: the value that holds the message, where it is one of these. No update message can
 * look so. */
enum wrapping wrapping_of(const struct value_tape *t, tape_node *ret_inner);
/* The idempotency key of the event, for a message that has none of its own: the same at every delivery. Its data is
 * NULL where there is no memory. */
MUST_USE struct span wrapping_key(const struct value_tape *t, enum wrapping wrapping, struct arena *a);
/* The text of the object at n. */
struct span wrapping_object_text(const struct value_tape *t, tape_node n);
