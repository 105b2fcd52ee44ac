/* Our clock beside AWS's, by the Date of the answers. */
#include "check.h"
#include "check_rules.h"

void check_clock(struct check *c) {
    const struct aws_client *const clients[] = {c->app->services.dynamodb_client, c->app->services.sqs_client};
    bool dated = false;
    int64_t offset = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(clients); i++) {
        const struct aws_client_stats stats =
            clients[i] ? aws_client_stats(clients[i]) : (struct aws_client_stats){.calls = 0};
        if (stats.dated && !dated) {
            dated = true;
            offset = stats.date_offset;
        }
    }
    if (dated) {
        check_clock_rule(c->report, offset);
    }
}
