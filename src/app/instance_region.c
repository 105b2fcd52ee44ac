#include "instance_region.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct asking {
    struct loop *loop;
    bool found;
    char *region, *why;
};

bool instance_region_wanted(const struct environment *environment, bool *ret_wanted,
                            char ret_why[static SETTING_WHY_SIZE]) {
    const char *value = environment_get(environment, "REGION_FROM_INSTANCE");
    *ret_wanted = value && strcasecmp(value, "true") == 0;
    if (value && !*ret_wanted && strcasecmp(value, "false") != 0) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE, "REGION_FROM_INSTANCE is true or false");
        return false;
    }
    return true;
}

static void on_region(void *user, const char *region, const char *why) {
    struct asking *a = user;
    a->found = region != NULL;
    if (region) {
        (void)snprintf(a->region, AWS_REGION_SIZE, "%s", region);
    } else {
        (void)snprintf(a->why, SETTING_WHY_SIZE, "REGION_FROM_INSTANCE is true, but %.400s", why);
    }
    loop_stop(a->loop);
}

bool instance_region_find(const struct environment *environment, const struct shared_config *config,
                          const struct credentials_world *world, char ret_region[static AWS_REGION_SIZE],
                          char ret_why[static SETTING_WHY_SIZE]) {
    struct imds_options imds;
    bool disabled = false;
    if (!imds_options_read(environment, config, &imds, &disabled, ret_why)) {
        return false;
    }
    if (disabled) {
        (void)snprintf(ret_why, SETTING_WHY_SIZE, "REGION_FROM_INSTANCE and AWS_EC2_METADATA_DISABLED are both true");
        return false;
    }
    struct asking asking = {.loop = world->loop, .region = ret_region, .why = ret_why};
    (void)snprintf(ret_why, SETTING_WHY_SIZE, "out of memory");
    struct imds_region *region = imds_region_start(&imds, world, on_region, &asking);
    if (region) {
        (void)loop_run(world->loop);
    }
    imds_region_free(region);
    return asking.found;
}
