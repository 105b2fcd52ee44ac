/* What the client (client.c, client_origin.c) and its calls (call.c, call_answer.c, attempt.c) share. */
#pragma once

#include "buf.h"
#include "client.h"
#include "error.h"
#include "sigv4.h"
#include "told.h"

enum call_state {
    CALL_IDLE, /* unused, kept for reuse */
    CALL_ASKING, /* for credentials */
    CALL_SENT,
    CALL_PAUSED, /* before the next attempt */
    CALL_ENDING, /* its result is final; done follows from the loop */
    CALL_OVER /* its done is being called */
};

/* Where calls with keys of one account go. Requests in flight borrow from it, so it lives as long as the client. */
struct client_origin {
    struct client_origin *next;
    char account_id[ACCOUNT_ID_SIZE]; /* "": any account */
    struct buf url, host_line;
    struct sigv4_signer *signer;
};

struct aws_client {
    /* Fixed. */
    const struct credentials_provider *credentials;
    struct http_api http;
    struct clock clock;
    struct timers *timers;
    struct random *random;
    struct log *log;
    struct metrics *metrics;
    enum metrics_service counted_as;
    struct retry_policy policy;
    bool notes_dates;
    bool checks_marks;
    struct buf target_prefix;
    char region[AWS_REGION_SIZE], signing_name[16];
    struct digest *digest;
    bool (*endpoint_of_account)(void *ctx, struct span account_id, char ret_url[static AWS_ENDPOINT_SIZE],
                                char ret_why[static SETTING_WHY_SIZE]);
    void *endpoint_ctx;

    /* Changes. */
    struct retry_budget budget;
    struct client_origin *targets; /* the first one made, which serves any account, is the last in the list */
    struct client_origin *target; /* of the last call */
    bool nameless_is_fine; /* keys may be used if no source names their account */
    struct call *in_flight;
    struct call *idle;
    size_t idle_count;
    struct aws_client_stats stats;
    struct told told;
    char trace_line[AWS_TRACE_SIZE]; /* "X-Amzn-Trace-Id: …"; "": none */
    int64_t date_from; /* date is for this second (wall) */
    char date[SIGV4_DATE_SIZE]; /* "": none yet */
};

struct call {
    struct aws_client *client;
    struct call *next, *previous; /* in in_flight or idle */

    /* Fixed after the start. */
    struct aws_operation operation;
    const uint8_t *body_sha256; /* NULL: not known */
    int64_t deadline;
    int64_t began;
    aws_call_done *done;
    void *user;

    /* Changes. */
    enum call_state state;
    struct timer timer; /* of CALL_PAUSED and CALL_ENDING */
    struct timer deadline_timer;
    struct credentials_wait wait;
    struct http_transfer *transfer;
    const struct client_origin *target; /* of the last attempt; NULL: none was made */
    struct retry_state retry;
    bool clock_corrected, credentials_refused;
    int64_t skew; /* the last attempt was signed with this */
    int64_t sent_at; /* monotonic: when the last attempt began; 0: no time is needed, for the log doesn't want it */
    char access_key_id[ACCESS_KEY_ID_SIZE];
    /* From here on nothing is cleared where a call is used again: what is kept is reset. */
    struct call_result result;
    struct buf target_line; /* "X-Amz-Target: …" with its NUL; fixed after the start */
    struct buf lines; /* the header lines of the last attempt, each with its NUL */
};

/* client_origin.c: the target for any account. NULL: no memory, or url isn't valid. */
MUST_USE struct client_origin *client_origin_new(struct aws_client *client, const char *url);
void client_origins_free(struct aws_client *client);
/* Makes client->target the one for keys of this account. False: there is none; ret_why says why. */
MUST_USE bool client_aim(struct aws_client *client, struct span account_id, char ret_why[static SETTING_WHY_SIZE]);

/* call.c: ends the calls in flight without their done, and frees all. */
void client_calls_free(struct aws_client *client);

/* What happens after an answer. */
enum call_next {
    CALL_ENDS,
    CALL_ASKS_AGAIN, /* for credentials, at once */
    CALL_PAUSES
};
/* call_answer.c: reads the answer into the call's result. */
enum call_next call_answered(struct call *call, const struct http_response *response, int64_t *ret_delay);
/* An attempt is over: counts it, and logs it if the log wants that. response: NULL if the call's own deadline cut
 * it. */
void call_account(struct call *call, const struct http_response *response);
/* Logs the result, which is a failure. */
void call_tell(struct call *call);

/* attempt.c: whether a text can stand in a header line without ending it. */
bool attempt_fits_header(struct span text);
/* attempt.c: signs and sends one request, whose response goes to done. False: the call's result says why not. */
MUST_USE bool attempt_send(struct call *call, const struct credentials *credentials, http_done *done);
