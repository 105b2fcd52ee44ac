/* What the failure of an SQS batch, or of one entry of it, says about the entries. Pure. A failure counts as passing
 * unless its code names what was sent: an unknown code must not cost a message its error envelope or its lease. */
#pragma once

#include "call.h"

#include <stdbool.h>

enum batch_fault {
    BATCH_FAULT_PASSES, /* says nothing about the entries: the same batch succeeds once the trouble is over */
    BATCH_FAULT_PERHAPS, /* a 5xx, no answer, or an answer that isn't SQS's: either it passes, or one entry makes the
                            network path fail */
    BATCH_FAULT_OF_ENTRIES, /* SQS gives the entries, their number or their size as the reason */
    BATCH_FAULT_TOO_LARGE, /* something on the way (a proxy, say) finds the request too large */
    BATCH_FAULT_ON_THE_WAY /* something other than SQS refused it, perhaps because of what one entry holds */
};

/* For a call that failed as a whole. */
enum batch_fault batch_fault_of(const struct call_result *result);
/* Whether the code of a call or of an entry names what was sent. SenderFault is no help: SQS sets it for expired
 * credentials, too. */
bool batch_fault_names_entry(const char *code);
