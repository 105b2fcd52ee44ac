#define OPENSSL_SUPPRESS_DEPRECATED /* as in src/base/digest.c */

#include "failing_calls.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509_vfy.h>

/* Declares both functions, and makes the wrapper return failure where it is the call's turn. */
#define FAILING(type, failure, name, parameters, arguments)                                                            \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters {                                                                                    \
        return failing_call(#name) ? (failure) : __real_##name arguments;                                              \
    }

FAILING(int, 0, EVP_DigestInit_ex2, (EVP_MD_CTX * ctx, const EVP_MD *type, const OSSL_PARAM params[]),
        (ctx, type, params))
FAILING(int, 0, EVP_DigestUpdate, (EVP_MD_CTX * ctx, const void *data, size_t len), (ctx, data, len))
FAILING(int, 0, EVP_DigestFinal_ex, (EVP_MD_CTX * ctx, unsigned char *md, unsigned *len), (ctx, md, len))
FAILING(EVP_MD *, NULL, EVP_MD_fetch, (OSSL_LIB_CTX * ctx, const char *name, const char *properties),
        (ctx, name, properties))
FAILING(EVP_MD_CTX *, NULL, EVP_MD_CTX_new, (void), ())
FAILING(int, 0, SHA256_Init, (SHA256_CTX * ctx), (ctx))
FAILING(int, 0, SHA256_Update, (SHA256_CTX * ctx, const void *data, size_t len), (ctx, data, len))
FAILING(int, 0, SHA256_Final, (unsigned char *md, SHA256_CTX *ctx), (md, ctx))
FAILING(EVP_MAC *, NULL, EVP_MAC_fetch, (OSSL_LIB_CTX * ctx, const char *name, const char *properties),
        (ctx, name, properties))
FAILING(EVP_MAC_CTX *, NULL, EVP_MAC_CTX_new, (EVP_MAC * mac), (mac))
FAILING(int, 0, EVP_MAC_CTX_set_params, (EVP_MAC_CTX * ctx, const OSSL_PARAM params[]), (ctx, params))
FAILING(int, 0, EVP_MAC_init, (EVP_MAC_CTX * ctx, const unsigned char *key, size_t len, const OSSL_PARAM params[]),
        (ctx, key, len, params))
FAILING(int, 0, EVP_MAC_update, (EVP_MAC_CTX * ctx, const unsigned char *data, size_t len), (ctx, data, len))
FAILING(int, 0, EVP_MAC_final, (EVP_MAC_CTX * ctx, unsigned char *out, size_t *ret_len, size_t size),
        (ctx, out, ret_len, size))
FAILING(X509_STORE *, NULL, X509_STORE_new, (void), ())
FAILING(int, 0, X509_STORE_load_file, (X509_STORE * store, const char *file), (store, file))
