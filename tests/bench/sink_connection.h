/* The sink's sockets: connections with one request at a time, plain or TLS as the client begins. */
#pragma once

#include "sink_service.h"

#include <ev.h>
#include <openssl/ssl.h>
#include <stdbool.h>

struct sink_connection;

struct sink_listener {
    struct ev_loop *loop;
    struct sink_service *service;
    SSL_CTX *tls;
    ev_io io;
    struct sink_connection *connections;
};

/* On a free port of 127.0.0.1, which the service then knows. False: the system said no. */
bool sink_listen(struct sink_listener *l, struct ev_loop *loop, struct sink_service *service, SSL_CTX *tls);
/* Closes all. */
void sink_listener_close(struct sink_listener *l);
