/* All that the worker sees of the world outside. The daemon passes the real ones, a simulation its own. */
#pragma once

#include "clock.h"
#include "dynamodb.h"
#include "log.h"
#include "metrics.h"
#include "random.h"
#include "sqs.h"
#include "timers.h"

struct worker_ports {
    const struct sqs_port *sqs; /* NULL where there is no queue (apply) */
    const struct dynamodb_port *dynamodb;
    const struct clock *clock;
    struct timers *timers; /* driven by the loop, or by a simulation */
    struct random *random;
    struct log *log;
    struct metrics *metrics; /* NULL: nothing is counted */
};
