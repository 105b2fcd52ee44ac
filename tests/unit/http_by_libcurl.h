/* The same response as libcurl reads it: sent whole to whoever connects, with the connection's end behind it. */
#pragma once

#include "buf.h"
#include "span.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* -1: none is to be had. */
static int listener_open(unsigned *ret_port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (fd >= 0 && (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 1) != 0 ||
                    getsockname(fd, (struct sockaddr *)&address, &size) != 0)) {
        (void)close(fd);
        return -1;
    }
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static size_t libcurl_body(char *data, size_t size, size_t count, void *user) {
    return buf_append(user, data, size * count) ? size * count : 0;
}

static bool libcurl_prepare(CURL *easy, unsigned port, struct buf *body) {
    char url[48];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", port);
    return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, libcurl_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT, 10L) == CURLE_OK;
}

/* Until the transfer is over. The connection stays open for what libcurl sends, which nobody reads. */
static CURLcode libcurl_run(CURLM *multi, int listener, struct span text) {
    int running = 1, fd = -1;
    while (curl_multi_perform(multi, &running) == CURLM_OK && running > 0) {
        fd = fd < 0 ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : fd;
        if (fd >= 0 && text.len > 0) {
            text.len -= send(fd, text.data, text.len, MSG_NOSIGNAL) == (ssize_t)text.len ? text.len : 0;
            (void)shutdown(fd, SHUT_WR);
        }
        if (curl_multi_poll(multi, NULL, 0, fd < 0 ? 1 : 1000, NULL) != CURLM_OK) {
            break;
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    int left = 0;
    const CURLMsg *message = curl_multi_info_read(multi, &left);
    return message && message->msg == CURLMSG_DONE ? message->data.result : CURLE_FAILED_INIT;
}

/* The body is appended to a buffer that was set up. */
static CURLcode read_by_libcurl(struct span text, int *ret_status, struct buf *body) {
    unsigned port = 0;
    CURLcode code = CURLE_FAILED_INIT;
    long status = 0;
    int listener = listener_open(&port);
    CURL *easy = curl_easy_init();
    CURLM *multi = curl_multi_init();
    if (listener >= 0 && easy && multi && libcurl_prepare(easy, port, body) &&
        curl_multi_add_handle(multi, easy) == CURLM_OK) {
        code = libcurl_run(multi, listener, text);
        (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        (void)curl_multi_remove_handle(multi, easy);
    }
    *ret_status = (int)status;
    (void)curl_multi_cleanup(multi);
    curl_easy_cleanup(easy);
    if (listener >= 0) {
        (void)close(listener);
    }
    return code;
}
