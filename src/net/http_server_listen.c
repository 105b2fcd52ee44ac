#include "http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* How many may wait to be accepted. */
static const int BACKLOG = 1024;

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* "127.0.0.1:9464" or "[::1]:9464". */
static bool read_address(const char *text, union address *ret, socklen_t *ret_len) {
    char host[INET6_ADDRSTRLEN];
    const char *colon = strrchr(text, ':');
    bool bracketed = text[0] == '[' && colon && colon > text + 1 && colon[-1] == ']';
    if (!colon) {
        return false;
    }
    const char *from = text + bracketed;
    size_t len = (size_t)(colon - from) - bracketed;
    char *end = NULL;
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (len >= sizeof host || !end || *end || end == colon + 1 || port > UINT16_MAX) {
        return false;
    }
    memcpy(host, from, len);
    host[len] = '\0';
    *ret = (union address){0};
    if (bracketed) {
        ret->v6.sin6_family = AF_INET6;
        ret->v6.sin6_port = htons((uint16_t)port);
        *ret_len = sizeof ret->v6;
        return inet_pton(AF_INET6, host, &ret->v6.sin6_addr) == 1;
    }
    ret->v4.sin_family = AF_INET;
    ret->v4.sin_port = htons((uint16_t)port);
    *ret_len = sizeof ret->v4;
    return inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1;
}

int http_server_listen(const char *text) {
    union address address;
    socklen_t len = 0;
    const int on = 1, off = 0;
    if (!read_address(text, &address, &len)) {
        return -EINVAL;
    }
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -errno;
    }
    bool fine =
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        (address.any.sa_family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0) &&
        bind(fd, &address.any, len) == 0 && listen(fd, BACKLOG) == 0;
    if (!fine) {
        int error = errno;
        (void)close(fd);
        return -error;
    }
    return fd;
}
