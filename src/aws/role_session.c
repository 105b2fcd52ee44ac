#include "role_session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *role_text(struct span text) {
    char *copy = malloc(text.len + 1);
    if (copy) {
        if (text.len) {
            memcpy(copy, text.data, text.len);
        }
        copy[text.len] = '\0';
    }
    return copy;
}

void role_add(struct sts_call *call, const char *role_arn, const char *session_name, const struct clock *clock) {
    char name[ROLE_SESSION_SIZE];
    (void)snprintf(name, sizeof name, "table-updater-%" PRId64, (int64_t)(clock_wall(clock) / MICROSECONDS));
    sts_call_add(call, "RoleArn", span_cstr(role_arn));
    sts_call_add(call, "RoleSessionName", span_cstr(session_name[0] ? session_name : name));
}
