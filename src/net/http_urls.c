#include "http_urls.h"

#include <stdlib.h>
#include <string.h>

CURLU *http_urls_find(struct http_urls *urls, const char *text) {
    for (size_t i = 0; i < urls->count; i++) {
        if (strcmp(urls->known[i].text, text) == 0) {
            return urls->known[i].parts;
        }
    }
    if (urls->count == HTTP_URLS_MAX) {
        return NULL;
    }
    char *copy = strdup(text);
    CURLU *parts = curl_url();
    /* The path was signed as it is. */
    if (!copy || !parts || curl_url_set(parts, CURLUPART_URL, text, CURLU_PATH_AS_IS) != CURLUE_OK) {
        curl_url_cleanup(parts);
        free(copy);
        return NULL;
    }
    urls->known[urls->count].text = copy;
    urls->known[urls->count++].parts = parts;
    return parts;
}

void http_urls_free(struct http_urls *urls) {
    while (urls->count > 0) {
        urls->count--;
        free(urls->known[urls->count].text);
        curl_url_cleanup(urls->known[urls->count].parts);
    }
}
