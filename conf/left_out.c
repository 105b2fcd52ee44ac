/* What the function's package has in place of libraries that libcurl and libmicrohttpd were built with and that a
 * client of HTTP/1.1 and a server without TLS never use: LDAP, SSH, RTMP, HTTP/2, Kerberos, Brotli, cookies' public
 * suffixes, names of hosts beyond ASCII, GnuTLS, and a service manager. package-lambda writes their names into
 * left_out.h.
 *
 * What is asked at the start, or may be asked at all, answers that there is no such thing; all else ends the process
 * and says what was missed. */
#include <stdio.h>
#include <stdlib.h>

#define LEFT_OUT(name)                                                                                                 \
    void name(void);                                                                                                   \
    void name(void) {                                                                                                  \
        left_out(#name);                                                                                               \
    }

__attribute__((unused)) static _Noreturn void left_out(const char *name) {
    (void)fprintf(stderr, "This package was made without %s(), which was called\n", name);
    abort();
}

/* curl_global_init(), curl_version_info(), curl_global_cleanup() */
int libssh2_init(int flags);
int libssh2_init(int flags) {
    (void)flags;
    return 0;
}

const char *libssh2_version(int least);
const char *libssh2_version(int least) {
    (void)least;
    return "";
}

void libssh2_exit(void);
void libssh2_exit(void) {}

/* curl_version_info() */
struct nghttp2_info {
    int age, version_num;
    const char *version_str, *proto_str;
};

const struct nghttp2_info *nghttp2_version(int least);
const struct nghttp2_info *nghttp2_version(int least) {
    static const struct nghttp2_info none = {1, 0, "", ""};
    (void)least;
    return &none;
}

unsigned BrotliDecoderVersion(void);
unsigned BrotliDecoderVersion(void) {
    return 0;
}

const char *idn2_check_version(const char *least);
const char *idn2_check_version(const char *least) {
    (void)least;
    return NULL;
}

/* A host's name beyond ASCII is refused. */
int idn2_lookup_ul(const char *name, char **ret_name, int flags);
int idn2_lookup_ul(const char *name, char **ret_name, int flags) {
    (void)name, (void)ret_name, (void)flags;
    return -1;
}

/* libmicrohttpd's constructor and destructor */
int gnutls_global_init(void);
int gnutls_global_init(void) {
    return 0;
}

void gnutls_global_deinit(void);
void gnutls_global_deinit(void) {}

extern void *(*gnutls_malloc)(size_t);
void *(*gnutls_malloc)(size_t) = malloc;

extern void *GSS_C_NT_HOSTBASED_SERVICE;
void *GSS_C_NT_HOSTBASED_SERVICE = NULL;

/* No watchdog */
int sd_watchdog_enabled(int unset, void *ret_interval);
int sd_watchdog_enabled(int unset, void *ret_interval) {
    (void)unset, (void)ret_interval;
    return 0;
}

#include "left_out.h"
