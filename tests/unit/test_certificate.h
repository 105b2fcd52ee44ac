/* A certificate for a server of the test's own, and a file that vouches for it. */
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct test_certificate { /* zeroed: none */
    EVP_PKEY *key;
    X509 *certificate;
    char ca_file[64];
};

static void add_extension(X509 *certificate, int nid, const char *value) {
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void certificate_write(const struct test_certificate *made) {
    FILE *file = fopen(made->ca_file, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, made->certificate), 1);
    assert_int_equal(fclose(file), 0);
}

/* A certificate that vouches for itself, for the names given. */
static void certificate_make(struct test_certificate *made, const char *names) {
    made->key = EVP_EC_gen("P-256");
    made->certificate = X509_new();
    assert_non_null(made->key);
    assert_non_null(made->certificate);
    X509 *c = made->certificate;
    X509_set_version(c, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c), 1);
    X509_gmtime_adj(X509_getm_notBefore(c), -3600);
    X509_gmtime_adj(X509_getm_notAfter(c), 3600);
    X509_set_pubkey(c, made->key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(c, X509_get_subject_name(c));
    add_extension(c, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(c, NID_subject_alt_name, names);
    assert_true(X509_sign(c, made->key, EVP_sha256()) > 0);
    (void)snprintf(made->ca_file, sizeof made->ca_file, "/tmp/test_certificate.XXXXXX");
    int fd = mkstemp(made->ca_file);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    certificate_write(made);
}

/* It isn't valid any more. */
__attribute__((unused)) static void certificate_expire(struct test_certificate *made) {
    X509_gmtime_adj(X509_getm_notAfter(made->certificate), -60);
    assert_true(X509_sign(made->certificate, made->key, EVP_sha256()) > 0);
    certificate_write(made);
}

/* What a server needs to have it. */
__attribute__((unused)) static SSL_CTX *certificate_server(const struct test_certificate *made) {
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    assert_non_null(tls);
    assert_int_equal(SSL_CTX_use_certificate(tls, made->certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(tls, made->key), 1);
    return tls;
}

static void certificate_free(struct test_certificate *made) {
    X509_free(made->certificate);
    EVP_PKEY_free(made->key);
    if (made->ca_file[0]) {
        unlink(made->ca_file);
    }
}
