#include "proxy_choice.h"

#include "compiler.h"
#include "queue_place.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

#define ADDRESS_TEXT 64

struct address {
    int family; /* 0: it is no address */
    uint8_t bytes[16];
    unsigned bits;
};

static struct address read_address(struct span text) {
    struct address a = {0};
    char copy[ADDRESS_TEXT];
    if (text.len >= 2 && text.data[0] == '[' && text.data[text.len - 1] == ']') {
        text = span_of(text.data + 1, text.len - 2);
    }
    if (text.len >= sizeof copy) {
        return a;
    }
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET, copy, a.bytes) == 1) {
        a.family = AF_INET;
        a.bits = 32;
    } else if (inet_pton(AF_INET6, copy, a.bytes) == 1) {
        a.family = AF_INET6;
        a.bits = 128;
    }
    return a;
}

static bool same_bits(const struct address *a, const struct address *b, unsigned bits) {
    size_t whole = bits / 8;
    unsigned mask = bits % 8 ? 0xffU << (8 - bits % 8) & 0xffU : 0;
    return memcmp(a->bytes, b->bytes, whole) == 0 && (!mask || !((a->bytes[whole] ^ b->bytes[whole]) & mask));
}

/* 10.0.0.0/8, or an address alone. */
static bool network_has(struct span entry, const struct address *host) {
    const char *slash = memchr(entry.data, '/', entry.len);
    size_t len = slash ? (size_t)(slash - entry.data) : entry.len;
    const struct address network = read_address(span_of(entry.data, len));
    unsigned bits = network.bits;
    if (slash) {
        bits = 0;
        for (size_t i = len + 1; i < entry.len; i++) {
            char c = entry.data[i];
            bits = c >= '0' && c <= '9' && bits <= network.bits ? bits * 10 + (unsigned)(c - '0') : UINT32_MAX / 16;
        }
    }
    return network.family && network.family == host->family && bits <= network.bits && same_bits(&network, host, bits);
}

/* example.com and .example.com: the host, and all below it. */
static bool domain_has(struct span entry, struct span host) {
    while (entry.len && entry.data[0] == '.') {
        entry = span_of(entry.data + 1, entry.len - 1);
    }
    while (entry.len && entry.data[entry.len - 1] == '.') {
        entry.len--;
    }
    if (!entry.len || entry.len > host.len) {
        return false;
    }
    size_t before = host.len - entry.len;
    return strncasecmp(host.data + before, entry.data, entry.len) == 0 && (!before || host.data[before - 1] == '.');
}

static struct span next_entry(const char **at) {
    *at += strspn(*at, ", \t");
    struct span entry = span_of(*at, strcspn(*at, ", \t"));
    *at += entry.len;
    return entry;
}

static struct span without_dot(struct span host) {
    while (host.len && host.data[host.len - 1] == '.') {
        host.len--;
    }
    return host;
}

static bool entry_names(struct span entry, const struct address *address, struct span host) {
    return entry.len && (address->family ? network_has(entry, address) : domain_has(entry, host));
}

bool proxy_list_names(const char *list, struct span host) {
    if (strcmp(list, "*") == 0) {
        return true;
    }
    const struct address address = read_address(host);
    host = without_dot(host);
    for (const char *at = list; *at;) {
        if (entry_names(next_entry(&at), &address, host)) {
            return true;
        }
    }
    return false;
}

/* What other readers of such lists take: http://host:443/, host:443, *.example.com. */
static struct span plain_form(struct span entry) {
    const char *scheme = memmem(entry.data, entry.len, "://", 3);
    if (scheme) {
        entry.len -= (size_t)(scheme + 3 - entry.data);
        entry.data = scheme + 3;
        const char *path = memchr(entry.data, '/', entry.len);
        entry.len = path ? (size_t)(path - entry.data) : entry.len;
    }
    while (entry.len && entry.data[0] == '*') {
        entry = span_of(entry.data + 1, entry.len - 1);
    }
    const char *colon = entry.len ? memrchr(entry.data, ':', entry.len) : NULL;
    bool is_port = colon && (memchr(entry.data, ':', entry.len) == colon || colon[-1] == ']');
    return is_port ? span_of(entry.data, (size_t)(colon - entry.data)) : entry;
}

static const char *first_set(const struct environment *e, const char *const *names, size_t count,
                             const char **ret_value) {
    for (size_t i = 0; i < count; i++) {
        *ret_value = environment_get(e, names[i]);
        if (*ret_value) {
            return names[i];
        }
    }
    return NULL;
}

const char *proxy_choice(const struct environment *environment, const char *url, const char **ret_url) {
    /* HTTP_PROXY isn't read: a CGI's visitors could set it. */
    static const char *const of_http[] = {"http_proxy", "all_proxy", "ALL_PROXY"};
    static const char *const of_https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    static const char *const but[] = {"no_proxy", "NO_PROXY"};
    const char *list = NULL;
    char host[URL_HOST_SIZE];
    bool tls = strncasecmp(url, "https:", 6) == 0;
    const char *variable = tls ? first_set(environment, of_https, ARRAY_LENGTH(of_https), ret_url)
                               : first_set(environment, of_http, ARRAY_LENGTH(of_http), ret_url);
    url_host(url, host);
    if (variable && first_set(environment, but, ARRAY_LENGTH(but), &list) && proxy_list_names(list, span_cstr(host))) {
        return NULL;
    }
    return variable;
}

bool proxy_missed_exception(const struct environment *environment, const char *url, struct span *ret_entry) {
    static const char *const but[] = {"no_proxy", "NO_PROXY"};
    const char *proxy = NULL, *list = NULL;
    if (!proxy_choice(environment, url, &proxy) || !first_set(environment, but, ARRAY_LENGTH(but), &list)) {
        return false;
    }
    char text[URL_HOST_SIZE];
    url_host(url, text);
    struct span host = without_dot(span_cstr(text));
    const struct address address = read_address(host);
    for (const char *at = list; *at;) {
        struct span entry = next_entry(&at);
        if (entry.len && entry_names(plain_form(entry), &address, host)) {
            *ret_entry = entry;
            return true;
        }
    }
    return false;
}
