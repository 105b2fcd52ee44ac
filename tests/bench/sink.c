/* A stand-in for SQS and DynamoDB that is fast enough never to be the limit. See sink_options.c for what it can do. */
#include "sink_connection.h"
#include "sink_options.h"
#include "sink_service.h"
#include "sink_tls.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define REPORT_MAX ((size_t)1 << 16)

static void on_signal(struct ev_loop *loop, ev_signal *watcher, int events) {
    (void)watcher, (void)events;
    ev_break(loop, EVBREAK_ALL);
}

static bool serve(struct ev_loop *loop, struct sink_service *service, SSL_CTX *tls) {
    struct sink_listener listener;
    if (!sink_listen(&listener, loop, service, tls)) {
        perror("sink: no port");
        return false;
    }
    (void)printf("port=%u\n", service->port);
    (void)fflush(stdout);
    ev_signal terminated, interrupted;
    ev_signal_init(&terminated, on_signal, SIGTERM);
    ev_signal_init(&interrupted, on_signal, SIGINT);
    ev_signal_start(loop, &terminated);
    ev_signal_start(loop, &interrupted);
    ev_run(loop, 0);
    ev_signal_stop(loop, &terminated);
    ev_signal_stop(loop, &interrupted);
    sink_listener_close(&listener);
    struct buf report;
    buf_init(&report, REPORT_MAX);
    sink_report(service, &report);
    bool printed = buf_ok(&report) && puts(report.data) >= 0;
    buf_free(&report);
    return printed;
}

int main(int argc, char **argv) {
    struct sink_options options;
    int code = sink_options_read(argc, argv, &options);
    if (code >= 0)
        return code;
    (void)signal(SIGPIPE, SIG_IGN);
    struct ev_loop *loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    struct sink_service service;
    bool fine = sink_service_init(&service, &options) && loop;
    SSL_CTX *tls = fine ? sink_tls_new(options.chain, options.ca_file) : NULL;
    fine = tls && serve(loop, &service, tls);
    SSL_CTX_free(tls);
    sink_service_free(&service);
    if (loop)
        ev_loop_destroy(loop);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
