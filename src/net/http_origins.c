#include "http_origins.h"

#include "buf.h"

#include <stdlib.h>
#include <string.h>

#define HEAD_MAX ((size_t)64 * 1024)

static void target_free(struct http_url *t) {
    free(t->url);
    free(t->head);
    free(t);
}

static void origin_free(struct http_origin *o) {
    free(o->key);
    curl_url_cleanup(o->url);
    free(o);
}

/* Too long a URL stays so: it isn't lack of memory, after which one tries again. */
static CURLUcode why_not_printed(const struct buf *b) {
    return b->failure == BUF_FULL ? CURLUE_MALFORMED_INPUT : CURLUE_OUT_OF_MEMORY;
}

/* "https://host:port", the port always. */
static bool print_key(struct buf *key, CURLU *parts, CURLUcode *ret_why) {
    char *scheme = NULL, *host = NULL, *port = NULL;
    CURLUcode code = curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0);
    code = code == CURLUE_OK ? curl_url_get(parts, CURLUPART_HOST, &host, 0) : code;
    code = code == CURLUE_OK ? curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) : code;
    if (code == CURLUE_OK && strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) {
        code = CURLUE_UNSUPPORTED_SCHEME;
    }
    if (code == CURLUE_OK && !buf_printf(key, "%s://%s:%s", scheme, host, port)) {
        code = why_not_printed(key);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    *ret_why = code;
    return code == CURLUE_OK;
}

/* The port stands in Host only where it isn't the scheme's own. */
static bool print_head(struct buf *head, CURLU *parts, size_t *ret_host_at, CURLUcode *ret_why) {
    char *host = NULL, *port = NULL, *path = NULL, *query = NULL;
    CURLUcode code = curl_url_get(parts, CURLUPART_HOST, &host, 0);
    CURLUcode no_port = curl_url_get(parts, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT);
    CURLUcode no_query = curl_url_get(parts, CURLUPART_QUERY, &query, 0);
    code = code == CURLUE_OK ? curl_url_get(parts, CURLUPART_PATH, &path, 0) : code;
    if ((no_port != CURLUE_OK && no_port != CURLUE_NO_PORT) || (no_query != CURLUE_OK && no_query != CURLUE_NO_QUERY)) {
        code = CURLUE_OUT_OF_MEMORY;
    }
    if (code == CURLUE_OK) {
        buf_printf(head, " %s%s%s HTTP/1.1\r\n", path, query ? "?" : "", query ? query : "");
        *ret_host_at = head->len;
        code = buf_printf(head, "Host: %s%s%s\r\n", host, port ? ":" : "", port ? port : "") ? CURLUE_OK
                                                                                             : why_not_printed(head);
    }
    curl_free(host);
    curl_free(port);
    curl_free(path);
    curl_free(query);
    *ret_why = code;
    return code == CURLUE_OK;
}

/* Takes the parts. NULL: no memory. */
static struct http_origin *find_origin(struct http_origins *all, const char *key, const char *url, bool direct,
                                       CURLU *parts) {
    for (struct http_origin *o = all->origins; o; o = o->next) {
        if (o->direct == direct && strcmp(o->key, key) == 0) {
            curl_url_cleanup(parts);
            return o;
        }
    }
    struct http_origin *o = calloc(1, sizeof *o);
    char *copy = strdup(key);
    if (!o || !copy) {
        free(o);
        free(copy);
        curl_url_cleanup(parts);
        return NULL;
    }
    *o = (struct http_origin){
        .next = all->origins, .key = copy, .direct = direct, .url = parts, .host = http_hosts_find(all->hosts, url)};
    TAILQ_INIT(&o->idle);
    TAILQ_INIT(&o->queue);
    all->origins = o;
    return o;
}

static CURLUcode take_apart(struct http_origins *all, struct http_url *t, const char *url, bool direct) {
    CURLU *parts = curl_url();
    if (!parts) {
        return CURLUE_OUT_OF_MEMORY;
    }
    struct buf key, head;
    buf_init(&key, HEAD_MAX);
    buf_init(&head, HEAD_MAX);
    CURLUcode why = curl_url_set(parts, CURLUPART_URL, url,
                                 CURLU_PATH_AS_IS | CURLU_DISALLOW_USER); /* the path was signed as it is */
    bool ok = why == CURLUE_OK && print_key(&key, parts, &why) && print_head(&head, parts, &t->host_at, &why);
    if (ok) {
        t->url = strdup(url);
        t->origin = find_origin(all, key.data, url, direct, parts);
        why = t->url && t->origin ? CURLUE_OK : CURLUE_OUT_OF_MEMORY;
    } else {
        curl_url_cleanup(parts);
    }
    t->head = head.data;
    t->head_len = head.len;
    buf_free(&key);
    return why;
}

/* In the place of one that nobody uses, where there is one. */
static void keep(struct http_origins *all, struct http_url *t) {
    for (size_t i = 0; i < HTTP_URLS_KEPT; i++) {
        struct http_url **place = &all->kept[all->next++ % HTTP_URLS_KEPT];
        if (*place && (*place)->uses > 0) {
            continue;
        }
        if (*place) {
            target_free(*place);
        }
        *place = t;
        t->is_kept = true;
        return;
    }
}

struct http_url *http_origins_take(struct http_origins *all, const char *url, bool direct, CURLUcode *ret_why) {
    for (size_t i = 0; i < HTTP_URLS_KEPT; i++) {
        struct http_url *t = all->kept[i];
        if (t && t->origin->direct == direct && strcmp(t->url, url) == 0) {
            t->uses++;
            return t;
        }
    }
    struct http_url *t = calloc(1, sizeof *t);
    *ret_why = t ? take_apart(all, t, url, direct) : CURLUE_OUT_OF_MEMORY;
    if (*ret_why != CURLUE_OK) {
        if (t) {
            target_free(t);
        }
        return NULL;
    }
    t->uses = 1;
    keep(all, t);
    return t;
}

void http_origins_return(struct http_url *t) {
    if (t && --t->uses == 0 && !t->is_kept) {
        target_free(t);
    }
}

void http_origins_free(struct http_origins *all) {
    for (size_t i = 0; i < HTTP_URLS_KEPT; i++) {
        if (all->kept[i]) {
            target_free(all->kept[i]);
            all->kept[i] = NULL;
        }
    }
    while (all->origins) {
        struct http_origin *o = all->origins;
        all->origins = o->next;
        origin_free(o);
    }
}
