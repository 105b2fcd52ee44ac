#include "http_origins.h"

#include "buf.h"
#include "url.h"

#include <stdlib.h>
#include <string.h>

#define HEAD_MAX ((size_t)64 * 1024)

static const char NO_MEMORY[] = "out of memory";

static void target_free(struct http_url *t) {
    free(t->url);
    free(t->head);
    free(t);
}

static struct http_origin *find_origin(struct http_origins *all, const struct url *url, bool direct) {
    for (struct http_origin *o = all->origins; o; o = o->next) {
        if (o->direct == direct && strcmp(o->key, url->origin) == 0) {
            return o;
        }
    }
    size_t key_size = strlen(url->origin) + 1;
    struct http_origin *o = calloc(1, sizeof *o + key_size);
    if (!o) {
        return NULL;
    }
    memcpy(o->key, url->origin, key_size);
    o->direct = direct;
    o->host = http_hosts_find(all->hosts, url->authority);
    http_dials_init(&o->dials);
    TAILQ_INIT(&o->idle);
    TAILQ_INIT(&o->queue);
    o->next = all->origins;
    all->origins = o;
    return o;
}

/* NULL: success. */
static const char *print_head(struct http_url *t, const struct url *url) {
    struct buf head;
    buf_init(&head, HEAD_MAX);
    (void)buf_printf(&head, " %s", url->path);
    t->path_end = head.len;
    (void)buf_printf(&head, "%s%s HTTP/1.1\r\n", url->query ? "?" : "", url->query ? url->query : "");
    t->host_at = head.len;
    (void)buf_printf(&head, "Host: %s\r\n", url->authority);
    t->head = head.data;
    t->head_len = head.len;
    /* If the URL is too long, another try doesn't help: that isn't lack of memory. */
    return buf_ok(&head) ? NULL : head.failure == BUF_FULL ? "The URL is too long" : NO_MEMORY;
}

/* NULL: success. */
static const char *take_apart(struct http_origins *all, struct http_url *t, const char *text, bool direct) {
    struct url url;
    const char *why = NULL;
    enum url_fault fault = url_read(text, &url, &why);
    if (fault != URL_FINE) {
        return fault == URL_NO_MEMORY ? NO_MEMORY : why;
    }
    why = url.has_user ? "The URL has a user or a password in it" : print_head(t, &url);
    if (!why) {
        t->url = strdup(text);
        t->origin = find_origin(all, &url, direct);
        why = t->url && t->origin ? NULL : NO_MEMORY;
    }
    url_free(&url);
    return why;
}

/* Takes the place of one that no request uses, if there is such a place. */
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

struct http_url *http_origins_take(struct http_origins *all, const char *url, bool direct, const char **ret_why) {
    for (size_t i = 0; i < HTTP_URLS_KEPT; i++) {
        struct http_url *t = all->kept[i];
        if (t && t->origin->direct == direct && strcmp(t->url, url) == 0) {
            t->uses++;
            return t;
        }
    }
    struct http_url *t = calloc(1, sizeof *t);
    const char *why = t ? take_apart(all, t, url, direct) : NO_MEMORY;
    if (why) {
        if (t) {
            target_free(t);
        }
        *ret_why = why == NO_MEMORY ? NULL : why;
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
        free(o);
    }
}
