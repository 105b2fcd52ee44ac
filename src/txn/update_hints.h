/* What a body that is no update message was probably meant to be: a sentence for the error. Nothing acts on it. */
#pragma once

#include "span.h"
#include "value_tape.h"

/* Of a text that is no JSON; NULL: nothing that we know. */
const char *update_text_hint(struct span text);
/* Of JSON that is no object. */
const char *update_value_hint(const struct value_tape *t);
/* Of an object whose members aren't ours. */
const char *update_members_hint(const struct value_tape *t);
