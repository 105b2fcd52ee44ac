/* All that a look at the DLQ and a redrive see of the world outside. The program passes the real ones, a simulation its
 * own. */
#pragma once

#include "clock.h"
#include "log.h"
#include "random.h"
#include "sqs.h"
#include "timers.h"

struct dlq_platform {
    const struct sqs_api *sqs;
    const struct clock *clock;
    struct timers *timers;
    struct random *random;
    struct log *log;
};
