/* All that a look at the DLQ or a redrive sees of the outside world. The program passes the real one, a simulation its
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
