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

bool credentials_plausible(struct span access_key_id, struct span secret_access_key, struct span session_token) {
    return is_token(access_key_id, 1, ACCESS_KEY_ID_SIZE - 1) && is_token(secret_access_key, 1, SECRET_ACCESS_KEY_SIZE - 1) &&
           is_token(session_token, 0, SESSION_TOKEN_MAX);
}

static struct span put(char **at, struct span s) {
    if (s.len) {
        memcpy(*at, s.data, s.len);
    }
    struct span copy = span_of(*at, s.len);
    *at += s.len;
    return copy;
}

struct credentials_held *credentials_hold(struct span access_key_id, struct span secret_access_key, struct span session_token,
                                          int64_t expires) {
    size_t size = access_key_id.len + secret_access_key.len + session_token.len;
    struct credentials_held *held = calloc(1, sizeof *held + size);
    if (!held) {
        return NULL;
    }
    char *at = held->text;
    held->credentials.access_key_id = put(&at, access_key_id);
    held->credentials.secret_access_key = put(&at, secret_access_key);
    if (session_token.len) {
        held->credentials.session_token = put(&at, session_token);
    }
    held->credentials.expires = expires;
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
