#include "check.h"

#include <stdio.h>
#include <string.h>

#define MEND_SIZE 512

bool check_is_missing(const struct call_result *result) {
    return strstr(result->code, "ResourceNotFound") || strstr(result->code, "NonExistentQueue") ||
           strstr(result->code, "QueueDoesNotExist");
}

static bool is_of_kms(const struct call_result *result) {
    return strncasecmp(result->code, "kms", 3) == 0 || strstr(result->message, "kms:") ||
           strstr(result->message, "KMS key");
}

/* The request's id, which AWS's support would ask for. */
static const char *request_text(const struct call_result *result, char text[static CALL_REQUEST_ID_SIZE + 16]) {
    (void)snprintf(text, CALL_REQUEST_ID_SIZE + 16, "%s%s", result->request_id[0] ? ", request " : "",
                   result->request_id);
    return text;
}

static void denied(struct check *c, const struct check_asked *a, const struct call_result *result) {
    char mend[MEND_SIZE], request[CALL_REQUEST_ID_SIZE + 16];
    if (is_of_kms(result)) {
        (void)snprintf(mend, sizeof mend,
                       "Allow kms:Decrypt and kms:GenerateDataKey on the key that encrypts it, in the policy of these "
                       "credentials and in the key's own policy");
    } else {
        (void)snprintf(mend, sizeof mend,
                       "Allow %s%s in the policy of these credentials (and let no boundary, endpoint policy or "
                       "organization's policy deny it)",
                       a->action, strstr(a->action, " on ") ? "" : " on it");
    }
    check_problem(c->report, EXIT_NOT_PERMITTED, a->check, a->subject, mend, "%s is denied: %s (%s%s)", a->action,
                  result->message[0] ? result->message : "AWS says no more", result->code,
                  request_text(result, request));
}

static void refused_credentials(struct check *c, const struct call_result *result) {
    char request[CALL_REQUEST_ID_SIZE + 16];
    bool clock = result->class == CALL_CLOCK;
    if (c->no_credentials) {
        return;
    }
    c->no_credentials = true;
    if (result->from_service) {
        check_problem(c->report, EXIT_NOT_PERMITTED, clock ? "clock" : "credentials", NULL, NULL,
                      "AWS refuses %s: %s (%s%s)", clock ? "the time of a request" : "them", result->message,
                      result->code, request_text(result, request));
    } else {
        check_problem(c->report, EXIT_NOT_PERMITTED, "credentials", NULL, NULL, "%s", result->message);
    }
}

static void unreachable(struct check *c, const struct check_asked *a, const struct call_result *result) {
    const char *mend = result->untrusted ? "Name the certificates to trust with AWS_CA_BUNDLE, or find out who answers "
                                           "in the service's place"
                       : result->foreign
                           ? "Something on the way answers in the service's place: look at the proxy, the "
                             "endpoint and the firewall that the lines above name"
                           : "Look at the network, and at the endpoint and the proxy that the lines "
                             "above name";
    const char *message = result->message[0] ? result->message : "no answer came";
    a->service->down = true;
    check_problem(c->report, EXIT_UNREACHABLE, a->check, a->subject, mend, "%s can't be reached: %s", a->service->name,
                  message);
}

static void missing(struct check *c, const struct check_asked *a, const struct call_result *result) {
    const char *account = c->account;
    check_problem(c->report, EXIT_SETTINGS, a->check, a->subject,
                  "Create it, or mend the name, the account or the region", "%s%sthere is no such %s in %s%s%s (%s)",
                  a->setting ? a->setting : "", a->setting ? ": " : "", a->kind, c->app->services.region,
                  account[0] ? " of account " : "", account, result->code);
}

void check_failure(struct check *c, const struct check_asked *a, const struct call_result *result) {
    if (result->class == CALL_AUTH || result->class == CALL_CLOCK) {
        refused_credentials(c, result);
    } else if (!result->from_service) {
        unreachable(c, a, result);
    } else if (check_is_missing(result)) {
        missing(c, a, result);
    } else if (result->class == CALL_DENIED || is_of_kms(result)) {
        denied(c, a, result);
    } else if (result->class == CALL_THROTTLED) {
        check_warn(c->report, a->check, a->subject, "Try again later; run waits for it by itself",
                   "%s throttles %s (%s), so that nothing more can be said", a->service->name, a->action, result->code);
    } else if (result->class == CALL_RETRY) {
        check_problem(c->report, EXIT_UNREACHABLE, a->check, a->subject, "Try again later; run waits for it by itself",
                      "%s fails at %s: %s (status %d)", a->service->name, a->action, result->code, result->status);
    } else {
        check_problem(c->report, EXIT_SETTINGS, a->check, a->subject, NULL, "%s refuses %s: %s: %s", a->service->name,
                      a->action, result->code, result->message);
    }
}
