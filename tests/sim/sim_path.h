/* What stands on the way to a service (a proxy, a firewall, a load balancer) may do to single calls, whatever the
 * service would say to them. */
#pragma once

#include "call.h"

#include <stdbool.h>
#include <stdint.h>

enum sim_path {
    SIM_PATH_CLEAR,
    SIM_PATH_TOO_LARGE, /* 413 */
    SIM_PATH_BAD_REQUEST, /* 400, in HTML */
    SIM_PATH_FORBIDDEN, /* 403, likewise */
    SIM_PATH_UNAVAILABLE, /* 503 */
    SIM_PATH_FOREIGN, /* 200, and it isn't the service that says so */
    SIM_PATH_RESET, /* the connection breaks */
    SIM_PATH_SILENT, /* no answer */
    SIM_PATHS_BEFORE, /* those above can come instead of the service's answer; the next ones come of it */
    SIM_PATH_OVER_CEILING = SIM_PATHS_BEFORE, /* the service's answer is larger than the client takes */
    SIM_PATHS, /* those above can be about one message alone; the next ones are about a whole machine */
    SIM_PATH_NO_CONNECTION = SIM_PATHS,
    SIM_PATH_EXPIRED, /* its credentials are */
    SIM_PATH_SKEWED, /* its clock is wrong, and the Date header did not mend it */
    SIM_PATHS_OF_A_MACHINE
};

#define SIM_NO_CONNECTION "no connection" /* the message of what failed before a request was sent */

/* What the client reports of it; the attempts stay. path: not SIM_PATH_CLEAR. */
void sim_path_answer(enum sim_path path, struct call_result *result);
const char *sim_path_name(enum sim_path path);
