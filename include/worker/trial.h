/* The transaction at the start: an update and the put of an audit record whose conditions can't hold, so that it is
 * cancelled and has no effect. It shows that both tables take transactions, and that we may make
 * them. Pure. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "discovery.h"
#include "dynamodb.h"

#include <stdbool.h>

#define TRIAL_REQUEST_MAX ((size_t)16 * 1024)
/* The key it is for, where that is a string; as a number 0, as binary these bytes. A policy that allows certain keys
 * only has to allow it. */
#define TRIAL_KEY "table-updater"

/* Appends the request for the tables of facts. False: no memory. */
MUST_USE bool trial_append_request(const struct discovery_facts *facts, struct buf *out);

enum trial_outcome {
    TRIAL_POSSIBLE, /* transactions are possible, and allowed */
    TRIAL_REFUSED, /* DynamoDB takes none such, or the call failed in a way that time won't mend */
    TRIAL_AGAIN /* it can't be told now */
};

/* What the answer says. *ret_why, but for TRIAL_POSSIBLE: how the call failed; where a reason decides, with its code
 * and sentence. */
enum trial_outcome trial_judge(const struct transact_result *result, struct call_result *ret_why);
