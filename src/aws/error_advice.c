#include "error.h"

#include <string.h>

#define UNKNOWN_KEY                                                                                                    \
    "AWS doesn't know the access key: its id is mistyped, deleted, disabled or of another partition, or temporary "    \
    "credentials came without their session token"
#define WRONG_SIGNATURE                                                                                                \
    "the signature doesn't fit: the secret access key isn't the one that belongs to the access key id, or something "  \
    "on the way changes requests"
#define EXPIRED                                                                                                        \
    "the session token has expired: get new temporary credentials (log in again), or name a source that renews them "  \
    "by itself"
#define UNSIGNED "the request came to AWS without its signature: something on the way removes the Authorization header"

static const char *of_code(const char *code) {
    static const struct {
        const char *code, *advice;
    } table[] = {
        {"ExpiredToken", EXPIRED},
        {"ExpiredTokenException", EXPIRED},
        {"TokenRefreshRequired", EXPIRED},
        {"InvalidAccessKeyId", UNKNOWN_KEY},
        {"InvalidClientTokenId", UNKNOWN_KEY},
        {"InvalidToken", UNKNOWN_KEY},
        {"UnrecognizedClientException", UNKNOWN_KEY},
        {"IncompleteSignature", WRONG_SIGNATURE},
        {"IncompleteSignatureException", WRONG_SIGNATURE},
        {"InvalidSignatureException", WRONG_SIGNATURE},
        {"SignatureDoesNotMatch", WRONG_SIGNATURE},
        {"MissingAuthenticationToken", UNSIGNED},
        {"MissingAuthenticationTokenException", UNSIGNED},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
        if (strcmp(table[i].code, code) == 0) {
            return table[i].advice;
        }
    }
    return "AWS could not validate the credentials: check the access key id, the secret access key and the session "
           "token";
}

void error_advise(struct call_result *result) {
    if (!result->from_service || (result->class != CALL_AUTH && result->class != CALL_CLOCK)) {
        return;
    }
    const char *advice = result->class == CALL_CLOCK ? "this machine's clock is too far from AWS's time, and signing "
                                                       "with the service's time did not help: set the clock (NTP)"
                                                     : of_code(result->code);
    size_t len = strlen(advice);
    memcpy(result->message, advice, len + 1);
}
