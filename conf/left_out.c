/* What the function's package has in place of libraries that libcurl and libmicrohttpd were built with and that a
 * client of HTTP/1.1 and a server without TLS never use: LDAP, SSH, RTMP, HTTP/2, Kerberos, Brotli, cookies' public
 * suffixes, names of hosts beyond ASCII, GnuTLS, and a service manager. package-lambda writes their names into
 * left_out.h.
 *
 * What is asked at the start, or may be asked at all, answers that there is no such thing; all else ends the process
 * and says what was missed.
 *
 * Of OpenSSL, what neither TLS nor signing asks for isn't set up: algorithms that are of no use are a fifth of the time
 * in which an environment starts. Its words for errors are set up when the first is asked for. */
#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* OpenSSL sets up all algorithms of a kind when it is asked for the first of them. Its default provider (package-lambda
 * has the linker ask here for it) names those that a TLS client can meet, and that the program signs with. */
#define KEPT_MAX 128

static OSSL_FUNC_provider_query_operation_fn *query_all;

static bool is_needless(const char *names, int kind) {
    static const char *const beginnings[] = {
        "ARIA",    "BLAKE2",    "CAMELLIA", "CMAC",   "DES",    "DHX",       "DSA",      "ED448",
        "GMAC",    "ID-SCRYPT", "KBKDF",    "KECCAK", "KMAC",   "KRB5",      "MD5-SHA1", "NULL",
        "PBKDF2",  "PKCS12",    "POLY1305", "RIPEMD", "SCRYPT", "SHA2-512/", "SHA3",     "SHAKE",
        "SIPHASH", "SM2",       "SM3",      "SM4",    "SSHKDF", "SSKDF",     "X942",     "X963"};
    static const char *const modes[] = {"-192-", "CFB", "CTS", "OCB", "OFB", "SIV", "WRAP", "XTS"}; /* of ciphers */
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        if (strncasecmp(names, beginnings[i], strlen(beginnings[i])) == 0) {
            return true;
        }
    }
    for (size_t i = 0; kind == OSSL_OP_CIPHER && i < sizeof modes / sizeof *modes; i++) {
        if (strstr(names, modes[i])) {
            return true;
        }
    }
    return kind == OSSL_OP_ENCODER || kind == OSSL_OP_STORE;
}

static const OSSL_ALGORITHM *query_few(void *provider, int kind, int *no_cache) {
    static OSSL_ALGORITHM kept[OSSL_OP__HIGHEST + 1][KEPT_MAX];
    const OSSL_ALGORITHM *all = query_all(provider, kind, no_cache);
    if (!all || kind < 0 || kind > OSSL_OP__HIGHEST) {
        return all;
    }
    if (kept[kind][0].algorithm_names) {
        return kept[kind]; /* it is asked for again and again */
    }
    size_t count = 0;
    for (; all->algorithm_names && count + 1 < KEPT_MAX; all++) {
        if (!is_needless(all->algorithm_names, kind)) {
            kept[kind][count++] = *all;
        }
    }
    kept[kind][count] = (OSSL_ALGORITHM){0};
    return all->algorithm_names ? NULL : kept[kind];
}

int __real_ossl_default_provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
                                      const OSSL_DISPATCH **ret_out, void **ret_provider);
int __wrap_ossl_default_provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
                                      const OSSL_DISPATCH **ret_out, void **ret_provider);
int __wrap_ossl_default_provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
                                      const OSSL_DISPATCH **ret_out, void **ret_provider) {
    static OSSL_DISPATCH functions[32];
    const OSSL_DISPATCH *from = NULL;
    size_t count = 0;
    if (!__real_ossl_default_provider_init(handle, in, &from, ret_provider)) {
        return 0;
    }
    for (; from->function_id && count + 1 < sizeof functions / sizeof *functions; from++) {
        functions[count] = *from;
        if (from->function_id == OSSL_FUNC_PROVIDER_QUERY_OPERATION) {
            query_all = OSSL_FUNC_provider_query_operation(from);
            functions[count].function = (void (*)(void))query_few;
        }
        count++;
    }
    functions[count] = (OSSL_DISPATCH){0};
    *ret_out = functions;
    return from->function_id == 0;
}

/* OpenSSL's words for errors, thousands of them. The linker asks here for whatever gives them out. */
int ossl_err_load_crypto_strings(void);
int ossl_err_load_SSL_strings(void);

static void find_words(void) {
    static bool found;
    if (!found) {
        found = true; /* before: they are asked for while they are set up */
        (void)ossl_err_load_crypto_strings();
        (void)ossl_err_load_SSL_strings();
    }
}

const char *__real_ERR_reason_error_string(unsigned long error);
const char *__wrap_ERR_reason_error_string(unsigned long error);
const char *__wrap_ERR_reason_error_string(unsigned long error) {
    find_words();
    return __real_ERR_reason_error_string(error);
}

void __real_ERR_error_string_n(unsigned long error, char *ret_text, size_t size);
void __wrap_ERR_error_string_n(unsigned long error, char *ret_text, size_t size);
void __wrap_ERR_error_string_n(unsigned long error, char *ret_text, size_t size) {
    find_words();
    __real_ERR_error_string_n(error, ret_text, size);
}

/* The names of ciphers and digests for the interfaces of old: the hashes of signatures alone are found by them. And
 * OpenSSL's configuration is read if OPENSSL_CONF names it: where the OpenSSL of Debian would look, AWS Lambda has
 * none. */
__attribute__((constructor)) static void name_few(void) {
    uint64_t unread = getenv("OPENSSL_CONF") ? 0 : OPENSSL_INIT_NO_LOAD_CONFIG;
    uint64_t unnamed = OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS;
    (void)OPENSSL_init_crypto(unnamed | unread | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS, NULL);
    (void)OPENSSL_init_ssl(unnamed | unread | OPENSSL_INIT_NO_LOAD_SSL_STRINGS, NULL);
    const EVP_MD *const hashes[] = {EVP_sha1(), EVP_sha224(), EVP_sha256(), EVP_sha384(), EVP_sha512()};
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
        (void)EVP_add_digest(hashes[i]);
    }
}

#include "left_out.h"
