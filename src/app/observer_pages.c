/* What is served: each path's text. Nothing here has a message's body, id, key or value in it. */
#include "observer.h"

#include "app.h"
#include "observer_page.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static int64_t now_of(const struct observer *o) {
    return clock_monotonic(o->app->platform.clock);
}

static void append_reason(const struct observer *o, const struct observer_reason *r, struct buf *out) {
    (void)buf_printf(out, "%s: %s. Cause: %s (%s), for %lld s", METRICS_PART_NAMES[r->part],
                     observer_part_sentence(r->part), METRICS_CAUSE_NAMES[r->cause], r->code,
                     (long long)((now_of(o) - r->since) / MICROSECONDS));
    if (r->messages) {
        (void)buf_printf(out, "; %u messages wait", r->messages);
    }
    (void)buf_printf(out, ". What to do: %s.\n", observer_advice(r->part, r->cause));
}

static void append_clock(const struct observer *o, struct buf *out) {
    int64_t off = o->app->metrics.clock_offset, half = off < 0 ? -MICROSECONDS / 2 : MICROSECONDS / 2;
    int64_t offset = (off + half) / MICROSECONDS;
    if (offset && offset > -INT32_MAX && offset < INT32_MAX) {
        (void)buf_printf(out,
                         "clock: this machine's is off by %lld s, and requests are signed with the service's time."
                         " What to do: %s.\n",
                         (long long)-offset, observer_advice(METRICS_APPLYING, METRICS_CLOCK));
    }
}

/* 200 where it is ready. The first line says so, the others why not, or what is worth knowing. */
static unsigned append_readiness(struct observer *o, struct buf *out) {
    struct observer_reason reasons[METRICS_PARTS];
    observer_collect(o);
    size_t count = observer_reasons(o, reasons);
    bool ready = count == 0 && !o->draining;
    (void)buf_append_cstr(out, ready ? "ready\n" : "not ready\n");
    if (o->draining) {
        (void)buf_append_cstr(out, "draining: it was told to stop, finishes what is under way and returns the rest.\n");
    }
    for (size_t i = 0; i < count; i++) {
        append_reason(o, &reasons[i], out);
    }
    append_clock(o, out);
    return ready ? 200 : 503;
}

/* That there is an answer shows that the loop runs. */
static unsigned append_health(struct observer *o, struct buf *out) {
    (void)buf_append_cstr(out, "ok\n");
    (void)append_readiness(o, out);
    return 200;
}

static unsigned append_metrics(struct observer *o, bool open_metrics, struct buf *out) {
    observer_collect(o);
    return metrics_append_text(&o->app->metrics, open_metrics, out) ? 200 : 500;
}

/* Whether an Accept header asks for OpenMetrics, which then goes before the older format. */
static bool wants_open_metrics(const char *accept) {
    static const char type[] = "application/openmetrics-text";
    const char *at = strcasestr(accept, type);
    if (!at) {
        return false;
    }
    const char *end = strchrnul(at, ','), *quality = strcasestr(at, ";q=0");
    bool refused = quality && quality < end && strspn(quality + 3, "0.") == strcspn(quality + 3, ",; ");
    return !refused;
}

static void answer_page(const struct observer *o, struct http_server_reply *reply) {
    reply->content_type = "text/html; charset=utf-8";
    reply->body = observer_page();
    reply->is_constant = true;
    reply->headers[0].name = "Content-Security-Policy";
    reply->headers[0].value = o->page_policy[0] ? o->page_policy : "default-src 'none'";
}

static bool is_address(const char *host, size_t len) {
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    bool bracketed = len > 2 && host[0] == '[' && host[len - 1] == ']';
    size_t from = bracketed, to = len - bracketed;
    if (to - from >= sizeof text) {
        return false;
    }
    memcpy(text, host + from, to - from);
    text[to - from] = '\0';
    return inet_pton(bracketed ? AF_INET6 : AF_INET, text, &address) == 1;
}

/* The machine's name, or that with a domain behind it. */
static bool is_own_name(const char *host, size_t len) {
    char name[256];
    if (gethostname(name, sizeof name) != 0) {
        return false;
    }
    name[sizeof name - 1] = '\0';
    size_t own = strlen(name);
    return own > 0 && len >= own && strncasecmp(host, name, own) == 0 && (len == own || host[own] == '.');
}

bool observer_knows_host(const char *host) {
    const char *behind = host[0] == '[' ? strchr(host, ']') : host;
    size_t len = behind ? (size_t)(behind - host) + strcspn(behind, ":") : 0;
    if (!host[0]) {
        return true; /* HTTP/1.0: no browser */
    }
    return len > 0 &&
           (is_address(host, len) || (len == 9 && strncasecmp(host, "localhost", 9) == 0) || is_own_name(host, len));
}

static bool answer_path(struct observer *o, const struct http_server_request *request,
                        struct http_server_reply *reply) {
    struct buf *out = &o->reply;
    if (strcmp(request->path, "/") == 0) {
        answer_page(o, reply);
    } else if (strcmp(request->path, "/metrics") == 0) {
        bool open_metrics = wants_open_metrics(request->accept);
        reply->status = append_metrics(o, open_metrics, out);
        reply->content_type = open_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                           : "text/plain; version=0.0.4; charset=utf-8";
    } else if (strcmp(request->path, "/healthz") == 0) {
        reply->status = append_health(o, out);
    } else if (strcmp(request->path, "/readyz") == 0) {
        reply->status = append_readiness(o, out);
    } else if (strcmp(request->path, "/status") == 0) {
        reply->content_type = "application/json";
        observer_collect(o);
        observer_append_status(o, out);
    } else {
        return false;
    }
    return true;
}

void observer_answer(void *observer, const struct http_server_request *request, struct http_server_reply *reply) {
    struct observer *o = observer;
    buf_reset(&o->reply);
    if (!observer_knows_host(request->host)) {
        reply->status = 421;
        (void)buf_append_cstr(&o->reply, "Ask for this by an IP address, localhost, or the machine's own name\n");
    } else if (!answer_path(o, request, reply)) {
        reply->status = 404;
        (void)buf_append_cstr(&o->reply, "There is /, /metrics, /healthz, /readyz and /status\n");
    }
    if (!buf_ok(&o->reply)) {
        reply->status = 500;
        reply->content_type = "text/plain; charset=utf-8";
        reply->body = SPAN("There is no memory for the answer\n");
        reply->is_constant = true;
    } else if (!reply->is_constant) {
        reply->body = buf_span(&o->reply);
    }
}
