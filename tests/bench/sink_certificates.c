#include "sink_certificates.h"

#include <openssl/x509v3.h>

#define DAY 86400L
#define RSA_BITS 2048

static const char addresses[] = "IP:127.0.0.1,DNS:localhost";
/* As many names as an endpoint's certificate has. */
static const char many_addresses[] =
    "IP:127.0.0.1,DNS:localhost,DNS:updates.region-1.example.com,DNS:*.updates.region-1.example.com,"
    "DNS:region-1.updates.example.com,DNS:updates.region-1.api.example.com,DNS:*.updates.region-1.api.example.com,"
    "DNS:updates-fips.region-1.example.com,DNS:*.updates-fips.region-1.example.com,DNS:records.region-1.example.com,"
    "DNS:*.records.region-1.example.com,DNS:records.region-1.api.example.com,DNS:*.records.region-1.api.example.com,"
    "DNS:streams.records.region-1.example.com,DNS:*.queue.example.com,DNS:queue.example.com";

struct subject {
    const char *name;
    EVP_PKEY *key;
    const char *addresses; /* NULL: it is an authority */
    bool has_ids;
};

/* Whose key and name sign. */
struct authority {
    X509 *certificate; /* NULL: the subject itself */
    EVP_PKEY *key;
};

static bool add_extension(X509 *certificate, X509 *issuer, int id, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, id, value);
    bool added = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static bool add_extensions(X509 *c, X509 *issuer, const struct subject *s) {
    if (s->addresses && !add_extension(c, issuer, NID_subject_alt_name, s->addresses))
        return false;
    if (s->has_ids && (!add_extension(c, issuer, NID_subject_key_identifier, "hash") ||
                       !add_extension(c, issuer, NID_authority_key_identifier, "keyid")))
        return false;
    return true;
}

static X509 *make(const struct subject *s, long serial, struct authority by) {
    X509 *c = X509_new();
    if (!c)
        return NULL;
    X509 *issuer = by.certificate ? by.certificate : c;
    X509_NAME *name = X509_get_subject_name(c);
    bool is_authority = !s->addresses || issuer == c;
    if (X509_set_version(c, X509_VERSION_3) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(c), serial) == 1 &&
        X509_gmtime_adj(X509_getm_notBefore(c), -DAY) && X509_gmtime_adj(X509_getm_notAfter(c), 10 * DAY) &&
        X509_set_pubkey(c, s->key) == 1 &&
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)s->name, -1, -1, 0) == 1 &&
        X509_set_issuer_name(c, X509_get_subject_name(issuer)) == 1 &&
        add_extension(c, issuer, NID_basic_constraints, is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
        add_extensions(c, issuer, s) && X509_sign(c, by.key, EVP_sha256()) > 0)
        return c;
    X509_free(c);
    return NULL;
}

bool certificates_make_one(struct certificates *c) {
    *c = (struct certificates){.key = EVP_EC_gen("P-256")};
    if (!c->key)
        return false;
    struct subject subject = {.name = "sink", .key = c->key, .addresses = addresses};
    c->trusted = c->served[0] = make(&subject, 1, (struct authority){NULL, c->key});
    return c->trusted && X509_up_ref(c->trusted) == 1;
}

bool certificates_make_chain(struct certificates *c) {
    static const char *const names[CHAIN_LENGTH + 1] = {"sink", "sink RSA 2048 M01", "sink root CA 1",
                                                        "sink services root certificate authority"};
    *c = (struct certificates){.key = NULL};
    struct authority by = {NULL, NULL};
    for (int i = CHAIN_LENGTH; i >= 0; i--) {
        EVP_PKEY *key = EVP_RSA_gen(RSA_BITS);
        struct subject subject = {names[i], key, i == 0 ? many_addresses : NULL, true};
        X509 *made = key ? make(&subject, i + 1, (struct authority){by.certificate, by.key ? by.key : key}) : NULL;
        *(i == CHAIN_LENGTH ? &c->trusted : &c->served[i]) = made;
        EVP_PKEY_free(by.key);
        by = (struct authority){made, key};
        if (!made)
            break;
    }
    c->key = by.key;
    return c->served[0] != NULL;
}

void certificates_free(struct certificates *c) {
    for (int i = 0; i < CHAIN_LENGTH; i++)
        X509_free(c->served[i]);
    X509_free(c->trusted);
    EVP_PKEY_free(c->key);
}
