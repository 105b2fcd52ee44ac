#include "sink_tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>

#define DAY 86400L

static bool add_extension(X509 *certificate, int id, const char *value) {
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, id, value);
    bool added = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static X509 *make_certificate(EVP_PKEY *key) {
    X509 *c = X509_new();
    if (!c)
        return NULL;
    X509_NAME *name = X509_get_subject_name(c);
    if (X509_set_version(c, X509_VERSION_3) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(c), 1) == 1 &&
        X509_gmtime_adj(X509_getm_notBefore(c), -DAY) && X509_gmtime_adj(X509_getm_notAfter(c), 10 * DAY) &&
        X509_set_pubkey(c, key) == 1 &&
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"sink", -1, -1, 0) == 1 &&
        X509_set_issuer_name(c, name) == 1 && add_extension(c, NID_basic_constraints, "critical,CA:TRUE") &&
        add_extension(c, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost") && X509_sign(c, key, EVP_sha256()) > 0)
        return c;
    X509_free(c);
    return NULL;
}

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

SSL_CTX *sink_tls_new(const char *ca_file) {
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = key ? make_certificate(key) : NULL;
    bool ok = tls && certificate && set_ciphers(tls) && SSL_CTX_use_certificate(tls, certificate) == 1 &&
              SSL_CTX_use_PrivateKey(tls, key) == 1;
    if (!ok)
        ERR_print_errors_fp(stderr);
    if (ok && ca_file && !write_certificate(certificate, ca_file)) {
        perror("sink: the certificate can't be written");
        ok = false;
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
    if (!ok) {
        SSL_CTX_free(tls);
        return NULL;
    }
    return tls;
}
