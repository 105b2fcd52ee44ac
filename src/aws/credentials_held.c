#include "credentials_held.h"

#include <stdlib.h>
#include <string.h>

static bool is_token(struct span s, size_t min, size_t max) {
    if (s.len < min || s.len > max) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] <= ' ' || s.data[i] > '~') {
            return false;
        }
    }
    return true;
}

/* It becomes a part of a host name. */
static bool is_account(struct span s) {
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c == '-' && i))) {
            return false;
        }
    }
    return s.len < ACCOUNT_ID_SIZE;
}

bool credentials_plausible(const struct credentials *c) {
    return is_token(c->access_key_id, 1, ACCESS_KEY_ID_SIZE - 1) &&
           is_token(c->secret_access_key, 1, SECRET_ACCESS_KEY_SIZE - 1) &&
           is_token(c->session_token, 0, SESSION_TOKEN_MAX) && is_account(c->account_id);
}

static struct span put(char **at, struct span s) {
    if (s.len) {
        memcpy(*at, s.data, s.len);
    }
    struct span copy = span_of(*at, s.len);
    *at += s.len;
    return copy;
}

struct credentials_held *credentials_hold(const struct credentials *c) {
    size_t size = c->access_key_id.len + c->secret_access_key.len + c->session_token.len + c->account_id.len;
    struct credentials_held *held = calloc(1, sizeof *held + size);
    if (!held) {
        return NULL;
    }
    char *at = held->text;
    held->credentials.access_key_id = put(&at, c->access_key_id);
    held->credentials.secret_access_key = put(&at, c->secret_access_key);
    held->credentials.session_token = put(&at, c->session_token);
    held->credentials.account_id = put(&at, c->account_id);
    held->credentials.expires = c->expires;
    held->references = 1;
    held->size = size;
    return held;
}

void credentials_let_go(struct credentials_held *held) {
    if (held && --held->references == 0) {
        explicit_bzero(held->text, held->size);
        free(held);
    }
}

void credentials_hand_over(struct credentials_held *held, struct credentials_wait *wait) {
    held->references++;
    wait->pending = false;
    wait->ready(wait->user, &held->credentials, NULL);
    credentials_let_go(held);
}
