#include "credentials_remote.h"

#include "endpoint.h"
#include "imds.h"

#include <stdlib.h>
#include <string.h>

struct imds_region {
    struct imds imds;
    void (*done)(void *user, const char *region, const char *why);
    void *user;
};

static void on_failure(void *user, enum call_class class, const char *why) {
    struct imds_region *r = user;
    (void)class;
    r->done(r->user, NULL, why);
}

static void on_document(void *user, const struct http_response *response) {
    struct imds_region *r = user;
    char region[AWS_REGION_SIZE] = "";
    if (response->status == 200 && response->body.len < sizeof region) {
        memcpy(region, response->body.data, response->body.len);
        region[response->body.len] = '\0';
    }
    bool fine = aws_region_valid(span_cstr(region));
    r->done(r->user, fine ? region : NULL, fine ? "" : "the instance metadata service names no region");
}

struct imds_region *imds_region_start(const struct imds_options *options, const struct credentials_world *world,
                                      void (*done)(void *user, const char *region, const char *why), void *user) {
    struct imds_region *r = calloc(1, sizeof *r);
    if (!r) {
        return NULL;
    }
    r->done = done;
    r->user = user;
    imds_init(&r->imds, options, world, on_document, on_failure, r);
    imds_begin(&r->imds);
    imds_get(&r->imds, "meta-data/placement/region");
    return r;
}

void imds_region_free(struct imds_region *region) {
    if (region) {
        imds_done(&region->imds);
        free(region);
    }
}
