#include "trust.h"

#include "certificate_list.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((size_t)16 << 20)
#define FILE_PIECE ((size_t)32 << 10)

/* Behind an X509_STORE: certificates that OpenSSL hasn't asked for yet. */
struct trust {
    X509_LOOKUP_METHOD *method;
    struct certificate_list list;
};

static void trust_free(struct trust *trust) {
    if (trust) {
        X509_LOOKUP_meth_free(trust->method);
        certificate_list_free(&trust->list);
        free(trust);
    }
}

/* Called when the store is freed. */
static void on_free(X509_LOOKUP *lookup) {
    trust_free(X509_LOOKUP_get_method_data(lookup));
}

/* Decodes one certificate, and puts it into the store if it has that name. NULL: it has another name, or there is no
 * memory. The store owns what is returned. */
static X509 *take(struct trust *trust, size_t index, const X509_NAME *name, X509_STORE *store) {
    struct span bytes = certificate_list_bytes(&trust->list, index);
    const unsigned char *at = (const unsigned char *)bytes.data;
    X509 *certificate = d2i_X509(NULL, &at, (long)bytes.len);
    bool fits = certificate && X509_NAME_cmp(X509_get_subject_name(certificate), name) == 0 &&
                X509_STORE_add_cert(store, certificate) == 1;
    trust->list.entries[index].taken = fits;
    X509_free(certificate);
    return fits ? certificate : NULL;
}

/* OpenSSL asks for a name that its store doesn't have. All certificates of that name go into the store, where OpenSSL
 * looks at each; the answer is one of them. */
static int on_subject(X509_LOOKUP *lookup, X509_LOOKUP_TYPE type, const X509_NAME *name, X509_OBJECT *ret_object) {
    struct trust *trust = X509_LOOKUP_get_method_data(lookup);
    const unsigned char *bytes = NULL;
    size_t len = 0;
    X509 *found = NULL;
    if (type != X509_LU_X509 || X509_NAME_get0_der(name, &bytes, &len) != 1) {
        return 0;
    }
    uint64_t likeness = certificate_name_likeness(span_of((const char *)bytes, len));
    ERR_set_mark();
    for (size_t i = 0; i < trust->list.count; i++) {
        const struct certificate_entry *entry = &trust->list.entries[i];
        if (!entry->taken && certificate_names_alike(entry->likeness, likeness)) {
            X509 *taken = take(trust, i, name, X509_LOOKUP_get_store(lookup));
            found = found ? found : taken;
        }
    }
    ERR_pop_to_mark();
    if (!found || X509_OBJECT_set1_X509(ret_object, found) != 1) {
        return 0;
    }
    X509_free(found); /* set1 took a second reference; OpenSSL expects ret_object without one */
    return 1;
}

/* False: no memory; trust is still the caller's. */
static bool attach(struct trust *trust, X509_STORE *store) {
    trust->method = X509_LOOKUP_meth_new("certificates that are decoded when they are looked for");
    if (!trust->method || X509_LOOKUP_meth_set_get_by_subject(trust->method, on_subject) != 1 ||
        X509_LOOKUP_meth_set_free(trust->method, on_free) != 1) {
        return false;
    }
    X509_LOOKUP *lookup = X509_STORE_add_lookup(store, trust->method);
    return lookup && X509_LOOKUP_set_method_data(lookup, trust) == 1;
}

/* False: it can't be read (OpenSSL will say why), it is no regular file or too large, or there is no memory. */
static bool read_file(const char *path, struct buf *out) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat about;
    ssize_t n = fd >= 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode) &&
                        buf_reserve(out, (size_t)about.st_size + FILE_PIECE)
                    ? 1
                    : -1;
    while (n > 0) {
        char *to = buf_reserve(out, FILE_PIECE);
        n = to ? read(fd, to, FILE_PIECE) : -1;
        if (n > 0) {
            buf_advance(out, (size_t)n);
        } else if (n < 0 && to && errno == EINTR) {
            n = 1;
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return n == 0;
}

/* Whether the store has the file's certificates now. If not, OpenSSL must load the file. */
static bool read_plainly(const char *path, X509_STORE *store) {
    struct buf text;
    struct trust *trust = calloc(1, sizeof *trust);
    buf_init(&text, FILE_MAX);
    bool ok =
        trust && read_file(path, &text) && certificate_list_read(buf_span(&text), &trust->list) && attach(trust, store);
    buf_free(&text);
    if (!ok) {
        trust_free(trust);
    }
    return ok;
}

/* As libcurl does: our certificates go before those that a server sends, and one is enough without its issuer. */
static bool set_rules(X509_STORE *store) {
    return X509_STORE_set_flags(store, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN) == 1;
}

static bool read_whole(const char *path, X509_STORE *store) {
    return read_plainly(path, store) || X509_STORE_load_file(store, path) == 1;
}

X509_STORE *trust_read(const char *path, bool is_directory, char *ret_why, size_t size) {
    ERR_clear_error();
    X509_STORE *store = X509_STORE_new();
    if (!store) {
        (void)snprintf(ret_why, size, "out of memory");
        return NULL;
    }
    if (!set_rules(store) || !(is_directory ? X509_STORE_load_path(store, path) == 1 : read_whole(path, store))) {
        const char *reason = ERR_reason_error_string(ERR_peek_error());
        (void)snprintf(ret_why, size, "%s", reason ? reason : "no certificates in it");
        X509_STORE_free(store);
        store = NULL;
    }
    ERR_clear_error();
    return store;
}
