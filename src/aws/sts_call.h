/* One call of AWS STS, which gives credentials. Signed or unsigned, in its Query protocol, with its attempts. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "credentials_sts.h"
#include "metadata_request.h"

#include <stdbool.h>

/* How a call ends if it gives no credentials. */
struct sts_failure {
    struct credentials_failure failure;
    bool keys_refused; /* the keys that the call was signed with were refused */
};

struct sts_call {
    const struct credentials_world *world;
    const struct sts_place *place;
    struct buf body, lines;
    const char *headers[5];
    struct metadata_request request;
    int64_t skew; /* the last request was signed with this */
    bool clock_corrected;
    struct {
        char id[ACCESS_KEY_ID_SIZE], secret[SECRET_ACCESS_KEY_SIZE], token[SESSION_TOKEN_MAX + 1];
    } signer; /* id "": the call isn't signed */
    void (*done)(void *user, const struct credentials *credentials, const struct sts_failure *failure);
    void *user;
};

/* place and world are borrowed. */
void sts_call_init(struct sts_call *call, const struct sts_place *place, const struct credentials_world *world,
                   void (*done)(void *user, const struct credentials *credentials, const struct sts_failure *failure),
                   void *user);
/* Starts the request's body with its action. */
void sts_call_begin(struct sts_call *call, const char *action);
/* Adds a parameter. */
void sts_call_add(struct sts_call *call, const char *name, struct span value);
/* Sends it; signer: NULL for an unsigned call. done is called once, before this returns or later, unless cancelled. */
void sts_call_send(struct sts_call *call, const struct credentials *signer);
void sts_call_cancel(struct sts_call *call);
/* Cancels the call, and wipes what it holds. Takes a zeroed one too. */
void sts_call_done(struct sts_call *call);
