/* Decides region, endpoints and credentials as the daemon does, from the environment that it is run in, and prints one
 * JSON object:
 * {"provider", "key", "account", "region", "sqs", "dynamodb"}, or {"refused": why}. An argument is what --profile would
 * be. */
#include "credentials_sources.h"
#include "digest.h"
#include "endpoint.h"
#include "json_writer.h"
#include "loop.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX ((size_t)1 << 16)

struct finding {
    struct environment environment;
    struct shared_config config;
    struct credentials_plan plan;
    char region[AWS_REGION_SIZE], sqs[AWS_ENDPOINT_SIZE], dynamodb[AWS_ENDPOINT_SIZE];
    struct sts_place sts;
    struct loop *loop;
    struct random random;
    char key[ACCESS_KEY_ID_SIZE], account[ACCOUNT_ID_SIZE];
    bool given;
    char why[1024];
};

static const char *look_up(void *ctx, const char *name) {
    (void)ctx;
    return getenv(name);
}

static void ready(void *user, const struct credentials *credentials, const struct credentials_failure *failure) {
    struct finding *f = user;
    f->given = credentials != NULL;
    if (credentials) {
        (void)snprintf(f->key, sizeof f->key, "%.*s", (int)credentials->access_key_id.len,
                       credentials->access_key_id.data);
        (void)snprintf(f->account, sizeof f->account, "%.*s", (int)credentials->account_id.len,
                       credentials->account_id.len ? credentials->account_id.data : "");
    } else {
        (void)snprintf(f->why, sizeof f->why, "%s", failure->message);
    }
    loop_stop(f->loop);
}

static bool ask(struct finding *f, const struct credentials_world *world) {
    const struct credentials_default_options options = {&f->environment, &f->config, world, &f->sts};
    struct credentials_provider provider = {0};
    struct credentials_wait wait = {.ready = ready, .user = f};
    if (!credentials_default_new(&f->plan, &options, &provider, f->why)) {
        return false;
    }
    credentials_get(&provider, &wait);
    (void)loop_run(f->loop);
    credentials_cancel(&provider, &wait);
    credentials_provider_release(&provider);
    return f->given;
}

static bool fetch(struct finding *f) {
    struct digest *digest = digest_new();
    struct http *http =
        f->loop && digest ? http_new(f->loop, &(struct http_options){.user_agent = "find_credentials"}) : NULL;
    bool fine = false;
    if (http) {
        const struct credentials_world world = {
            .http = http_api(http),
            .clock = loop_clock(f->loop),
            .timers = loop_timers(f->loop),
            .random = &f->random,
            .digest = digest,
            .loop = f->loop,
        };
        fine = ask(f, &world);
    }
    http_free(http);
    digest_free(digest);
    return fine;
}

static bool find(struct finding *f, const char *profile) {
    const struct environment *e = &f->environment;
    if (!shared_config_load(e, profile, &f->config, f->why) || !aws_region(e, &f->config, f->region, f->why) ||
        !credentials_plan_make(e, &f->config, &f->plan, f->why) ||
        !aws_endpoint(e, &f->config, &AWS_SQS, f->region, f->sqs, f->why)) {
        return false;
    }
    (void)snprintf(f->sts.region, sizeof f->sts.region, "%s", f->region);
    bool needs_sts = f->plan.role_count || f->plan.kind == CREDENTIALS_WEB_IDENTITY;
    return (!needs_sts || aws_endpoint(e, &f->config, &AWS_STS, f->region, f->sts.url, f->why)) && fetch(f) &&
           aws_account_endpoint(e, &f->config, span_cstr(f->account), f->region, f->dynamodb, f->why);
}

static bool append_member(struct buf *out, const char *name, const char *value) {
    return buf_append_char(out, out->len > 1 ? ',' : '{') && json_append_string(out, span_cstr(name)) &&
           buf_append_char(out, ':') && json_append_string(out, span_cstr(value));
}

int main(int argc, char **argv) {
    struct finding f = {.environment = {look_up, NULL}};
    struct buf out;
    buf_init(&out, TEXT_MAX);
    (void)signal(SIGPIPE, SIG_IGN);
    f.loop = loop_new();
    if (!f.loop || !random_seed_from_system(&f.random)) {
        return 1;
    }
    bool fine = find(&f, argc > 1 ? argv[1] : NULL);
    bool written = fine ? append_member(&out, "provider", credentials_plan_name(&f.plan)) &&
                              append_member(&out, "key", f.key) && append_member(&out, "account", f.account) &&
                              append_member(&out, "region", f.region) && append_member(&out, "sqs", f.sqs) &&
                              append_member(&out, "dynamodb", f.dynamodb)
                        : append_member(&out, "refused", f.why);
    written = written && buf_append_char(&out, '}') && puts(out.data) >= 0;
    buf_free(&out);
    shared_config_free(&f.config);
    loop_free(f.loop);
    return written ? 0 : 1;
}
