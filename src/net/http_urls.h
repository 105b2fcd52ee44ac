/* URLs that were taken apart once: a client asks the same one for ever, and libcurl would read it anew for each request. */
#pragma once

#include <curl/curl.h>
#include <stddef.h>

#define HTTP_URLS_MAX 8 /* both services and what credentials come from; others are read each time */

struct http_urls {
    struct {
        char *text;
        CURLU *parts;
    } known[HTTP_URLS_MAX];
    size_t count;
};

/* The parts of a URL, until http_urls_free(). NULL: it is none, there is no memory, or no room for more. */
CURLU *http_urls_find(struct http_urls *urls, const char *text);
/* Takes a zeroed one too. No handle may use a part any more. */
void http_urls_free(struct http_urls *urls);
