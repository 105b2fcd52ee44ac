/* A checkpoint as text: one JSON object on one line, with a checksum. Pure. */
#pragma once

#include "buf.h"
#include "checkpoint.h"
#include "compiler.h"
#include "span.h"

#include <stdbool.h>

#define CHECKPOINT_VERSION 1
#define CHECKPOINT_TEXT_MAX ((size_t)4096 + (size_t)6 * JOB_CONDITION_SIZE)

/* False: out has failed. */
bool checkpoint_text_append(const struct checkpoint *c, struct buf *out);

enum checkpoint_text { TEXT_FINE, TEXT_DAMAGED, TEXT_OF_OTHER_VERSION };
/* Reads job, identity, manner and state. Nothing is written but where it is fine. */
MUST_USE enum checkpoint_text checkpoint_text_read(struct span text, struct checkpoint *ret_checkpoint);
