/* Gets one document of the instance metadata service (IMDSv2): first a session token, then a GET. Shared by
 * credentials_imds.c and imds_region.c. */
#pragma once

#include "credentials_remote.h"
#include "http.h"

#define IMDS_WHY_SIZE 640
#define IMDS_TOKEN_SIZE 1024

struct imds {
    struct imds_options options;
    const struct credentials_world *world;
    struct metadata_request request;
    char token[IMDS_TOKEN_SIZE]; /* "": none */
    int64_t token_until; /* monotonic */
    bool token_renewed; /* a token was asked for in this round: a 401 after that is final */
    bool busy; /* of a round that failed: the service is there, and could not answer at present */
    char url[IMDS_URL_SIZE + 256];
    char token_line[IMDS_TOKEN_SIZE + 32];
    const char *headers[1];
    char path[256];
    void (*got)(void *user, const struct http_response *response); /* with any status but 401 */
    void (*failed)(void *user, enum call_class class, const char *why);
    void *user;
};

/* got and failed: how a request for a document ends. One of the two is called once, later, unless cancelled. */
void imds_init(struct imds *imds, const struct imds_options *options, const struct credentials_world *world,
               void (*got)(void *user, const struct http_response *response),
               void (*failed)(void *user, enum call_class class, const char *why), void *user);
/* Starts a new round of requests. In each round, a refused token is renewed once. */
void imds_begin(struct imds *imds);
/* Whether a status says that the service is there, and could not answer at present. */
static inline bool imds_is_busy(int status) {
    return status >= 500 || status == 429;
}
/* Asks for /latest/<path>. */
void imds_get(struct imds *imds, const char *path);
void imds_cancel(struct imds *imds);
/* Cancels, and wipes the token. */
void imds_done(struct imds *imds);
