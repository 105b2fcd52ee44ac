#include "sim_path.h"

#include "sim_call.h"

#include <stdio.h>

/* status 0: there is none, and the client says so in these words. */
static const struct {
    const char *name;
    int status;
    const char *message;
} PATHS[SIM_PATHS_OF_A_MACHINE] = {
    [SIM_PATH_CLEAR] = {"clear", 0, ""},
    [SIM_PATH_TOO_LARGE] = {"413", 413, "HTTP status 413"},
    [SIM_PATH_BAD_REQUEST] = {"400 of a box", 400, "HTTP status 400"},
    [SIM_PATH_FORBIDDEN] = {"403 of a box", 403, "HTTP status 403"},
    [SIM_PATH_UNAVAILABLE] = {"503 of a box", 503, "HTTP status 503"},
    [SIM_PATH_FOREIGN] = {"200 of a box", 200, "HTTP status 200, and not the service's answer"},
    [SIM_PATH_RESET] = {"reset", 0, "the connection broke"},
    [SIM_PATH_SILENT] = {"silence", 0, "no answer in time"},
    [SIM_PATH_OVER_CEILING] = {"over the ceiling", 0, "the response is larger than it may be"},
    [SIM_PATH_NO_CONNECTION] = {"no connection", 0, SIM_NO_CONNECTION},
    [SIM_PATH_EXPIRED] = {"expired credentials", 400, "expired"},
    [SIM_PATH_SKEWED] = {"a wrong clock", 403, "the clock is off"},
};

void sim_path_answer(enum sim_path path, struct call_result *result) {
    if (path == SIM_PATH_EXPIRED || path == SIM_PATH_SKEWED) {
        sim_call_fail(result, PATHS[path].status,
                      path == SIM_PATH_EXPIRED ? "ExpiredTokenException" : "RequestTimeTooSkewed", PATHS[path].message);
        return;
    }
    int status = path == SIM_PATH_OVER_CEILING ? result->status : PATHS[path].status; /* its headers came */
    *result = (struct call_result){.class = CALL_RETRY, .status = status, .attempts = result->attempts};
    result->unsent = path == SIM_PATH_NO_CONNECTION;
    snprintf(result->message, sizeof result->message, "%s", PATHS[path].message);
}

const char *sim_path_name(enum sim_path path) {
    return PATHS[path].name;
}
