#include "sink_tls.h"

#include "sink_certificates.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>

static bool write_certificate(X509 *certificate, const char *path) {
    FILE *file = fopen(path, "we");
    bool wrote = file && PEM_write_X509(file, certificate) == 1;
    return (!file || fclose(file) == 0) && wrote;
}

/* As the endpoints of AWS have it. */
static bool set_ciphers(SSL_CTX *tls) {
    SSL_CTX_set_options(tls, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(tls, 1);
    return SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_ciphersuites(tls, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384") == 1;
}

static bool use(SSL_CTX *tls, const struct certificates *c) {
    if (SSL_CTX_use_certificate(tls, c->served[0]) != 1 || SSL_CTX_use_PrivateKey(tls, c->key) != 1)
        return false;
    for (int i = 1; i < CHAIN_LENGTH && c->served[i]; i++)
        if (SSL_CTX_add1_chain_cert(tls, c->served[i]) != 1)
            return false;
    return true;
}

SSL_CTX *sink_tls_new(bool chain, const char *ca_file) {
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    struct certificates certificates;
    bool ok = (chain ? certificates_make_chain(&certificates) : certificates_make_one(&certificates)) && tls &&
              set_ciphers(tls) && use(tls, &certificates);
    if (!ok)
        ERR_print_errors_fp(stderr);
    if (ok && ca_file && !write_certificate(certificates.trusted, ca_file)) {
        perror("sink: the certificate can't be written");
        ok = false;
    }
    certificates_free(&certificates);
    if (!ok) {
        SSL_CTX_free(tls);
        return NULL;
    }
    return tls;
}
