#include "url.h"

#include <curl/urlapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A part that may be missing: *ret_part is NULL then. False: no memory. */
static bool get_optional(CURLU *parts, CURLUPart what, unsigned flags, CURLUcode absent, char **ret_part) {
    CURLUcode code = curl_url_get(parts, what, ret_part, flags);
    return code == CURLUE_OK || code == absent;
}

static bool has_part(CURLU *parts, CURLUPart what, CURLUcode absent, bool *ret_has) {
    char *part = NULL;
    bool ok = get_optional(parts, what, 0, absent, &part);
    *ret_has = part != NULL;
    curl_free(part);
    return ok;
}

/* Removes these parts from the URL. */
static CURLUcode strip(CURLU *parts, const CURLUPart *what, size_t count) {
    CURLUcode code = CURLUE_OK;
    for (size_t i = 0; i < count && code == CURLUE_OK; i++) {
        code = curl_url_set(parts, what[i], NULL, 0);
    }
    return code;
}

/* Reduces the parts to scheme, host and port. */
static CURLUcode take_origin(CURLU *parts, struct url *url) {
    const CURLUPart others[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_PATH, CURLUPART_QUERY,
                                CURLUPART_FRAGMENT};
    CURLUcode code = strip(parts, others, sizeof others / sizeof *others);
    return code == CURLUE_OK ? curl_url_get(parts, CURLUPART_URL, &url->origin, CURLU_DEFAULT_PORT) : code;
}

/* libcurl accepts port 0, but nobody can listen there. */
static CURLUcode check_port(CURLU *parts) {
    char *port = NULL;
    CURLUcode code = curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    if (code == CURLUE_OK && strspn(port, "0") == strlen(port)) {
        code = CURLUE_BAD_PORT_NUMBER;
    }
    curl_free(port);
    return code;
}

/* "host:port", or the host alone. */
static CURLUcode take_authority(CURLU *parts, struct url *url) {
    char *port = NULL;
    if (!get_optional(parts, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT, CURLUE_NO_PORT, &port)) {
        return CURLUE_OUT_OF_MEMORY;
    }
    size_t size = strlen(url->host) + (port ? 1 + strlen(port) : 0) + 1;
    url->authority = malloc(size);
    if (url->authority) {
        (void)snprintf(url->authority, size, "%s%s%s", url->host, port ? ":" : "", port ? port : "");
    }
    curl_free(port);
    return url->authority ? CURLUE_OK : CURLUE_OUT_OF_MEMORY;
}

static CURLUcode take_scheme(CURLU *parts, struct url *url) {
    char *scheme = NULL;
    CURLUcode code = curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0);
    if (code == CURLUE_OK) {
        url->is_tls = strcmp(scheme, "https") == 0;
        code = url->is_tls || strcmp(scheme, "http") == 0 ? CURLUE_OK : CURLUE_UNSUPPORTED_SCHEME;
    }
    curl_free(scheme);
    return code;
}

static CURLUcode take_apart(CURLU *parts, const char *text, struct url *url) {
    bool has_user = false, has_password = false;
    CURLUcode code = curl_url_set(parts, CURLUPART_URL, text, CURLU_PATH_AS_IS); /* the path was signed as it is */
    code = code == CURLUE_OK ? take_scheme(parts, url) : code;
    code = code == CURLUE_OK ? check_port(parts) : code;
    code = code == CURLUE_OK ? curl_url_get(parts, CURLUPART_HOST, &url->host, 0) : code;
    code = code == CURLUE_OK ? curl_url_get(parts, CURLUPART_PATH, &url->path, 0) : code;
    if (code == CURLUE_OK && (!get_optional(parts, CURLUPART_QUERY, 0, CURLUE_NO_QUERY, &url->query) ||
                              !has_part(parts, CURLUPART_USER, CURLUE_NO_USER, &has_user) ||
                              !has_part(parts, CURLUPART_PASSWORD, CURLUE_NO_PASSWORD, &has_password) ||
                              !has_part(parts, CURLUPART_FRAGMENT, CURLUE_NO_FRAGMENT, &url->has_fragment))) {
        code = CURLUE_OUT_OF_MEMORY;
    }
    url->has_user = has_user || has_password;
    code = code == CURLUE_OK ? take_authority(parts, url) : code;
    return code == CURLUE_OK ? take_origin(parts, url) : code;
}

enum url_fault url_read(const char *text, struct url *ret_url, const char **ret_why) {
    struct url url = {0};
    CURLU *parts = curl_url();
    CURLUcode code = parts ? take_apart(parts, text, &url) : CURLUE_OUT_OF_MEMORY;
    curl_url_cleanup(parts);
    if (code == CURLUE_OK) {
        *ret_url = url;
        return URL_FINE;
    }
    url_free(&url);
    if (ret_why) {
        *ret_why = curl_url_strerror(code);
    }
    return code == CURLUE_OUT_OF_MEMORY ? URL_NO_MEMORY : code == CURLUE_UNSUPPORTED_SCHEME ? URL_NOT_HTTP : URL_NONE;
}

void url_free(struct url *url) {
    curl_free(url->origin);
    free(url->authority);
    curl_free(url->host);
    curl_free(url->path);
    curl_free(url->query);
    *url = (struct url){0};
}
