#include "failing_calls.h"

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <ev.h>
#include <openssl/ssl.h>
#include <stdarg.h>

#define FAILING(type, failure, name, parameters, arguments)                                                            \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters {                                                                                    \
        return failing_call(#name) ? (failure) : __real_##name arguments;                                              \
    }

FAILING(CURLcode, CURLE_OUT_OF_MEMORY, curl_global_init, (long flags), (flags))
FAILING(CURL *, NULL, curl_easy_init, (void), ())
FAILING(CURLM *, NULL, curl_multi_init, (void), ())
FAILING(CURLSH *, NULL, curl_share_init, (void), ())
FAILING(CURLU *, NULL, curl_url, (void), ())
FAILING(CURLUcode, CURLUE_OUT_OF_MEMORY, curl_url_set, (CURLU * url, CURLUPart part, const char *text, unsigned flags),
        (url, part, text, flags))
FAILING(CURLUcode, CURLUE_OUT_OF_MEMORY, curl_url_get, (const CURLU *url, CURLUPart part, char **text, unsigned flags),
        (url, part, text, flags))
FAILING(CURLcode, CURLE_SEND_ERROR, curl_easy_send, (CURL * easy, const void *data, size_t size, size_t *n),
        (easy, data, size, n))
FAILING(CURLcode, CURLE_RECV_ERROR, curl_easy_recv, (CURL * easy, void *data, size_t size, size_t *n),
        (easy, data, size, n))
FAILING(CURLMcode, CURLM_OUT_OF_MEMORY, curl_multi_add_handle, (CURLM * multi, CURL *easy), (multi, easy))
FAILING(SSL_CTX *, NULL, SSL_CTX_new, (const SSL_METHOD *method), (method))
FAILING(SSL *, NULL, SSL_new, (SSL_CTX * ctx), (ctx))
FAILING(BIO *, NULL, BIO_new_socket, (int fd, int close), (fd, close))
FAILING(int, 0, SSL_set1_host, (SSL * tls, const char *name), (tls, name))
FAILING(struct ev_loop *, NULL, ev_loop_new, (unsigned flags), (flags))

/* All that our code passes, pointers, long and curl_off_t, travels as one machine word. */
#define FAILING_OPTION(type, failure, name, handle, option)                                                            \
    type __real_##name(handle, option, ...);                                                                           \
    type __wrap_##name(handle, option, ...);                                                                           \
    type __wrap_##name(handle on, option which, ...) {                                                                 \
        va_list arguments;                                                                                             \
        va_start(arguments, which);                                                                                    \
        void *value = va_arg(arguments, void *);                                                                       \
        va_end(arguments);                                                                                             \
        return failing_call(#name) ? (failure) : __real_##name(on, which, value);                                      \
    }

_Static_assert(sizeof(curl_off_t) == sizeof(void *) && sizeof(long) == sizeof(void *), "options are one machine word");

FAILING_OPTION(CURLcode, CURLE_OUT_OF_MEMORY, curl_easy_setopt, CURL *, CURLoption)
FAILING_OPTION(CURLMcode, CURLM_OUT_OF_MEMORY, curl_multi_setopt, CURLM *, CURLMoption)
FAILING_OPTION(CURLSHcode, CURLSHE_NOMEM, curl_share_setopt, CURLSH *, CURLSHoption)
