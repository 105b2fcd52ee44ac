#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler.h"
#include "trust.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MANY 150

/* Whom a certificate is of, and by whom. */
struct made {
    EVP_PKEY *key;
    X509 *certificate;
};

struct world {
    struct made made[MANY + 16];
    size_t count;
    char path[64];
    FILE *file;
};

static int make_world(void **state) {
    struct world *w = calloc(1, sizeof *w);
    *state = w;
    if (!w) {
        return -1;
    }
    (void)snprintf(w->path, sizeof w->path, "/tmp/test_trust.XXXXXX");
    int fd = mkstemp(w->path);
    w->file = fd < 0 ? NULL : fdopen(fd, "w");
    return w->file ? 0 : -1;
}

static int end_world(void **state) {
    struct world *w = *state;
    for (size_t i = 0; i < w->count; i++) {
        X509_free(w->made[i].certificate);
        EVP_PKEY_free(w->made[i].key);
    }
    fclose(w->file);
    unlink(w->path);
    free(w);
    return 0;
}

struct named {
    const char *name; /* UTF-8 */
    int type; /* of the string that it becomes; 0: UTF-8 */
    bool is_ca, is_over;
};

static void set_name(X509_NAME *name, const char *text, int type) {
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0), 1);
    if (type) {
        assert_int_equal(X509_NAME_ENTRY_set_data(X509_NAME_get_entry(name, 0), type, (const unsigned char *)text,
                                                  (int)strlen(text)),
                         1);
    }
}

static void add(X509 *certificate, X509 *issuer, int nid, const char *value) {
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* by NULL: by itself. of: whom it says that it is by; NULL: by's name. */
static struct made *make_of(struct world *w, const struct named *who, const struct made *by, const char *of) {
    assert_true(w->count < ARRAY_LENGTH(w->made));
    struct made *m = &w->made[w->count++];
    m->key = EVP_EC_gen("P-256");
    X509 *c = m->certificate = X509_new();
    assert_non_null(m->key);
    assert_non_null(c);
    X509_set_version(c, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c), (long)w->count);
    X509_gmtime_adj(X509_getm_notBefore(c), -7200);
    X509_gmtime_adj(X509_getm_notAfter(c), who->is_over ? -3600 : 3600);
    X509_set_pubkey(c, m->key);
    set_name(X509_get_subject_name(c), who->name, who->type);
    if (of) {
        set_name(X509_get_issuer_name(c), of, 0);
    } else {
        X509_set_issuer_name(c, X509_get_subject_name(by ? by->certificate : c));
    }
    add(c, c, NID_subject_key_identifier, "hash");
    add(c, by ? by->certificate : c, NID_authority_key_identifier, "keyid:always");
    add(c, c, NID_basic_constraints, who->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    assert_true(X509_sign(c, by ? by->key : m->key, EVP_sha256()) > 0);
    return m;
}

static struct made *make(struct world *w, const struct named *who, const struct made *by) {
    return make_of(w, who, by, NULL);
}

static struct made *make_ca(struct world *w, const char *name, const struct made *by) {
    return make(w, &(struct named){.name = name, .is_ca = true}, by);
}

static struct made *make_server(struct world *w, const struct made *by) {
    return make(w, &(struct named){.name = "server"}, by);
}

static void trust(struct world *w, const struct made *who) {
    assert_int_equal(PEM_write_X509(w->file, who->certificate), 1);
    assert_int_equal(fflush(w->file), 0);
}

/* X509_V_OK, or why a store does not trust who, who sends along a certificate (NULL: none). */
static int verdict(X509_STORE *store, const struct made *who, const struct made *along) {
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    assert_non_null(chain);
    assert_non_null(ctx);
    if (along) {
        assert_true(sk_X509_push(chain, along->certificate) > 0);
    }
    assert_int_equal(X509_STORE_CTX_init(ctx, store, who->certificate, chain), 1);
    int ok = X509_verify_cert(ctx), error = X509_STORE_CTX_get_error(ctx);
    assert_int_equal(ok == 1, error == X509_V_OK);
    X509_STORE_CTX_free(ctx);
    sk_X509_free(chain);
    return error;
}

static X509_STORE *read_fine(const struct world *w) {
    char why[128] = "";
    X509_STORE *store = trust_read(w->path, false, why, sizeof why);
    assert_string_equal(why, "");
    assert_non_null(store);
    return store;
}

static size_t decoded(X509_STORE *store) {
    return (size_t)sk_X509_OBJECT_num(X509_STORE_get0_objects(store));
}

/* The verdict is OpenSSL's own of the same file, the first time and once more. */
static int judge(struct world *w, const struct made *who, const struct made *along) {
    X509_STORE *store = read_fine(w), *whole = X509_STORE_new();
    assert_non_null(whole);
    assert_int_equal(X509_STORE_set_flags(whole, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN), 1);
    assert_int_equal(X509_STORE_load_file(whole, w->path), 1);
    int expected = verdict(whole, who, along);
    assert_int_equal(verdict(store, who, along), expected);
    assert_int_equal(verdict(store, who, along), expected);
    X509_STORE_free(store);
    X509_STORE_free(whole);
    return expected;
}

static void of_many_only_those_are_decoded_that_are_looked_for(void **state) {
    struct world *w = *state;
    const struct made *cas[MANY];
    for (size_t i = 0; i < MANY; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "Root CA %zu", i);
        cas[i] = make_ca(w, name, NULL);
        trust(w, cas[i]);
    }
    const struct made *server = make_server(w, cas[MANY - 1]), *other = make_server(w, cas[7]);
    X509_STORE *store = read_fine(w);
    assert_int_equal(decoded(store), 0);
    assert_int_equal(verdict(store, server, NULL), X509_V_OK);
    assert_int_equal(decoded(store), 1);
    assert_int_equal(verdict(store, other, NULL), X509_V_OK);
    assert_int_equal(verdict(store, server, NULL), X509_V_OK);
    assert_int_equal(decoded(store), 2);
    X509_STORE_free(store);
}

static void certificates_of_a_directory_are_found_by_their_names(void **state) {
    struct world *w = *state;
    const struct made *root = make_ca(w, "root", NULL), *other = make_ca(w, "other", NULL);
    const struct made *known = make_server(w, root), *unknown = make_server(w, other);
    char folder[] = "/tmp/test_trust.XXXXXX", file[64], why[128] = "";
    assert_non_null(mkdtemp(folder));
    (void)snprintf(file, sizeof file, "%s/%08lx.0", folder, X509_subject_name_hash(root->certificate));
    trust(w, root);
    assert_int_equal(symlink(w->path, file), 0);
    X509_STORE *store = trust_read(folder, true, why, sizeof why);
    assert_non_null(store);
    assert_int_equal(verdict(store, known, NULL), X509_V_OK);
    assert_int_equal(verdict(store, unknown, NULL), X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    X509_STORE_free(store);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void an_issuer_may_be_sent_along_or_be_in_the_file(void **state) {
    struct world *w = *state;
    const struct made *root = make_ca(w, "root", NULL), *middle = make_ca(w, "middle", root);
    const struct made *server = make_server(w, middle);
    trust(w, root);
    assert_int_equal(judge(w, server, middle), X509_V_OK);
    assert_int_equal(judge(w, server, NULL), X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    trust(w, middle);
    assert_int_equal(judge(w, server, NULL), X509_V_OK);
}

static void who_is_in_the_file_himself_is_trusted_without_his_issuer(void **state) {
    struct world *w = *state;
    const struct made *root = make_ca(w, "root", NULL), *middle = make_ca(w, "middle", root);
    const struct made *server = make_server(w, middle), *alone = make(w, &(struct named){.name = "alone"}, NULL);
    trust(w, middle);
    trust(w, alone);
    assert_int_equal(judge(w, server, NULL), X509_V_OK);
    assert_int_equal(judge(w, alone, NULL), X509_V_OK);
}

static void whom_nobody_in_the_file_vouches_for_is_not_trusted(void **state) {
    struct world *w = *state;
    const struct made *root = make_ca(w, "root", NULL), *other = make_ca(w, "other", NULL);
    const struct made *namesake = make_ca(w, "root", NULL),
                      *over = make(w, &(struct named){"over", 0, true, true}, NULL);
    const struct made *no_ca = make(w, &(struct named){.name = "no ca"}, NULL);
    trust(w, root);
    trust(w, over);
    trust(w, no_ca);
    assert_int_equal(judge(w, make_server(w, other), other), X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN);
    assert_int_equal(judge(w, make_server(w, other), NULL), X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    assert_int_equal(judge(w, make_server(w, namesake), NULL), X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    assert_int_equal(judge(w, make_server(w, over), NULL), X509_V_ERR_CERT_HAS_EXPIRED);
    assert_int_not_equal(judge(w, make_server(w, no_ca), NULL), X509_V_OK);
    assert_int_not_equal(judge(w, namesake, NULL), X509_V_OK);
}

static void of_several_by_one_name_the_right_one_is_found(void **state) {
    struct world *w = *state;
    const struct made *first = make_ca(w, "Root", NULL), *second = make_ca(w, "root ", NULL);
    const struct made *over = make(w, &(struct named){"ROOT", 0, true, true}, NULL), *last = make_ca(w, "Root", NULL);
    trust(w, over);
    trust(w, first);
    trust(w, second);
    trust(w, first); /* twice is fine */
    trust(w, last);
    assert_int_equal(judge(w, make_server(w, first), NULL), X509_V_OK);
    assert_int_equal(judge(w, make_server(w, last), NULL), X509_V_OK);
    assert_int_equal(judge(w, make_server(w, second), NULL), X509_V_OK);
    assert_int_equal(judge(w, make_server(w, over), NULL), X509_V_ERR_CERT_HAS_EXPIRED);
}

static void an_issuer_whose_name_is_written_otherwise_is_found(void **state) {
    static const struct named roots[] = {{"Example Root", 0, true, false},
                                         {"EXAMPLE  ROOT ", 0, true, false},
                                         {"example root", V_ASN1_PRINTABLESTRING, true, false},
                                         {"Example Root", V_ASN1_T61STRING, true, false},
                                         {"Example Root", V_ASN1_BMPSTRING, true, false}};
    struct world *w = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(roots); i++) {
        const struct made *root = make(w, &roots[i], NULL);
        rewind(w->file);
        assert_int_equal(ftruncate(fileno(w->file), 0), 0);
        trust(w, root);
        int found = judge(w, make_of(w, &(struct named){.name = "server"}, root, "Example Root"), NULL);
        /* Its twelve bytes are six characters then, another name. */
        assert_int_equal(found == X509_V_OK, roots[i].type != V_ASN1_BMPSTRING);
    }
}

static void what_else_a_file_may_hold_is_read_by_openssl(void **state) {
    struct world *w = *state;
    const struct made *root = make_ca(w, "root", NULL);
    trust(w, root);
    assert_int_equal(PEM_write_PrivateKey(w->file, root->key, NULL, NULL, 0, NULL, NULL), 1);
    trust(w, make_ca(w, "other", NULL));
    X509_STORE *store = read_fine(w);
    assert_int_equal(decoded(store), 2);
    X509_STORE_free(store);
    assert_int_equal(judge(w, make_server(w, root), NULL), X509_V_OK);
}

static void a_file_that_can_t_be_read_is_told(void **state) {
    struct world *w = *state;
    char why[128] = "";
    assert_null(trust_read(w->path, false, why, sizeof why)); /* it is empty */
    assert_string_not_equal(why, "");
    assert_null(trust_read("/nonexistent/ca.pem", false, why, sizeof why));
    assert_null(trust_read("/", false, why, sizeof why));
    trust(w, make_ca(w, "root", NULL));
    assert_true(fputs("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", w->file) >= 0);
    assert_int_equal(fflush(w->file), 0);
    why[0] = '\0';
    assert_null(trust_read(w->path, false, why, sizeof why));
    assert_string_not_equal(why, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, end_world)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(of_many_only_those_are_decoded_that_are_looked_for),
        TEST(certificates_of_a_directory_are_found_by_their_names),
        TEST(an_issuer_may_be_sent_along_or_be_in_the_file),
        TEST(who_is_in_the_file_himself_is_trusted_without_his_issuer),
        TEST(whom_nobody_in_the_file_vouches_for_is_not_trusted),
        TEST(of_several_by_one_name_the_right_one_is_found),
        TEST(an_issuer_whose_name_is_written_otherwise_is_found),
        TEST(what_else_a_file_may_hold_is_read_by_openssl),
        TEST(a_file_that_can_t_be_read_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
