/* The trial transaction at the start: an update, and the put of an audit record. Their conditions can't hold, so that
 * it is cancelled and has no effect. It shows that both tables take transactions, and that we are allowed to make them.
 * Pure. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "discovery.h"
#include "dynamodb.h"

#include <stdbool.h>

#define TRIAL_REQUEST_MAX ((size_t)16 * 1024)
/* The key that it names, where keys are strings; a number key is 0, a binary key has these bytes. A policy that allows
 * only certain keys has to allow this one. */
#define TRIAL_KEY "table-updater"

/* Appends the request for the tables of facts. False: no memory. */
MUST_USE bool trial_append_request(const struct discovery_facts *facts, struct buf *out);

enum trial_outcome {
    TRIAL_POSSIBLE, /* transactions are possible, and allowed */
    TRIAL_REFUSED, /* DynamoDB refuses such transactions, or the call failed in a way that time won't mend */
    TRIAL_AGAIN /* it can't be known now: try again */
};

/* What the answer means. *ret_why: how the call failed (not for TRIAL_POSSIBLE); where a cancellation reason decided,
 * with that reason's code and sentence. */
enum trial_outcome trial_judge(const struct transact_result *result, struct call_result *ret_why);
