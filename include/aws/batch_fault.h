/* What SQS's failure of a batch, or of one entry of it, says of the entries. Pure. A failure passes unless it names
 * what was sent: codes that nobody has foreseen must cost no message its envelope, nor its lease. */
#pragma once

#include "call.h"

#include <stdbool.h>

enum batch_fault {
    BATCH_FAULT_PASSES, /* says nothing of the entries: the same batch goes through once it is over */
    BATCH_FAULT_PERHAPS, /* a 5xx, no answer, or one that isn't SQS's: it passes, or the network path fails for one
                            entry */
    BATCH_FAULT_OF_ENTRIES, /* SQS names them, or their number or size, as the reason */
    BATCH_FAULT_TOO_LARGE, /* the request is, for something on the way */
    BATCH_FAULT_ON_THE_WAY /* refused by something else than SQS: it may be over what one entry holds */
};

/* Of a call that failed as a whole. */
enum batch_fault batch_fault_of(const struct call_result *result);
/* Whether a code, of a call or of an entry, names what was sent. SenderFault is no help: SQS sets it for expired
 * credentials, too. */
bool batch_fault_names_entry(const char *code);
