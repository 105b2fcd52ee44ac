/* All that the worker sees of the world outside. The daemon passes the real one, a simulation its own. */
#pragma once

#include "clock.h"
#include "dynamodb.h"
#include "log.h"
#include "metrics.h"
#include "random.h"
#include "sqs.h"
#include "timers.h"

struct platform {
    const struct sqs_api *sqs; /* NULL where there is no queue (apply) */
    const struct dynamodb_api *dynamodb;
    const struct clock *clock;
    struct timers *timers; /* driven by the loop, or by a simulation */
    struct random *random;
    struct log *log;
    struct metrics *metrics; /* NULL: nothing is counted */
};
