#include "floor_requests.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define REQUEST_MAX ((size_t)16 << 20)

static bool read_file(const char *path, struct buf *out) {
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    char chunk[4096];
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, file)) > 0;)
        buf_append(out, chunk, n);
    bool whole = !ferror(file);
    (void)fclose(file);
    return whole && buf_ok(out) && out->len > 0;
}

static bool add_header(struct floor_request *r, const char *line) {
    struct curl_slist *longer = curl_slist_append(r->headers, line);
    r->headers = longer ? longer : r->headers;
    return longer != NULL;
}

static bool is_libcurls(const char *line) {
    return strncasecmp(line, "Host:", 5) == 0 || strncasecmp(line, "Content-Length:", 15) == 0;
}

bool floor_request_bytes(struct buf *bytes, const char *folder, const char *name) {
    char path[4096];
    int len = snprintf(path, sizeof path, "%s/%s.http", folder, name);
    buf_init(bytes, REQUEST_MAX);
    return len >= 0 && (size_t)len < sizeof path && read_file(path, bytes);
}

bool floor_request_read(struct floor_request *r, const char *folder, const char *name) {
    r->headers = NULL;
    if (!floor_request_bytes(&r->bytes, folder, name))
        return false;
    char *end = strstr(r->bytes.data, "\r\n\r\n"), *line = strstr(r->bytes.data, "\r\n");
    if (!end || !line)
        return false;
    r->body = span_of(end + 4, r->bytes.len - (size_t)(end + 4 - r->bytes.data));
    while (line < end) {
        line += 2;
        char *next = strstr(line, "\r\n");
        *next = '\0';
        if (!is_libcurls(line) && !add_header(r, line))
            return false;
        line = next;
    }
    return add_header(r, "Expect:") && add_header(r, "Accept:");
}

void floor_request_free(struct floor_request *r) {
    curl_slist_free_all(r->headers);
    buf_free(&r->bytes);
}
