#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base64.h"
#include "certificate_list.h"
#include "compiler.h"

#include "test_certificate.h"

#include <string.h>

#define TEXT_MAX ((size_t)64 << 10)

/* The text (PEM) of one that was made, and what it is of (DER). */
struct world {
    struct test_certificate certificate;
    struct buf text;
    unsigned char *bytes;
    int len;
};

static int make_world(void **state) {
    struct world *w = calloc(1, sizeof *w);
    *state = w;
    if (!w) {
        return -1;
    }
    certificate_make(&w->certificate, "IP:127.0.0.1");
    buf_init(&w->text, TEXT_MAX);
    char piece[4096];
    FILE *file = fopen(w->certificate.ca_file, "r");
    size_t n = file ? fread(piece, 1, sizeof piece, file) : 0;
    w->len = i2d_X509(w->certificate.certificate, &w->bytes);
    return file && fclose(file) == 0 && n > 0 && w->len > 0 && buf_append(&w->text, piece, n) ? 0 : -1;
}

static int end_world(void **state) {
    struct world *w = *state;
    certificate_free(&w->certificate);
    buf_free(&w->text);
    OPENSSL_free(w->bytes);
    free(w);
    return 0;
}

static void assert_has(const struct world *w, const struct certificate_list *list, size_t count) {
    assert_int_equal(list->count, count);
    for (size_t i = 0; i < count; i++) {
        struct span bytes = certificate_list_bytes(list, i);
        assert_int_equal(bytes.len, w->len);
        assert_memory_equal(bytes.data, w->bytes, bytes.len);
        assert_false(list->entries[i].taken);
    }
}

static void assert_reads(const struct world *w, const char *text, size_t count) {
    struct certificate_list list;
    assert_true(certificate_list_read(span_cstr(text), &list));
    assert_has(w, &list, count);
    certificate_list_free(&list);
}

static void all_certificates_of_a_text_are_found_whatever_stands_between(void **state) {
    struct world *w = *state;
    struct buf text;
    buf_init(&text, TEXT_MAX);
    assert_reads(w, w->text.data, 1);
    buf_append_cstr(&text, "# Amazon Root CA 1\r\n\r\nBegin: -----\n");
    for (unsigned i = 0; i < 20; i++) {
        buf_append_span(&text, buf_span(&w->text));
        buf_append_cstr(&text, i % 2 ? "\n" : "-- # the next\n");
    }
    buf_append(&text, w->text.data, w->text.len - 1); /* the last line has no end */
    assert_true(buf_ok(&text));
    assert_reads(w, text.data, 21);
    buf_free(&text);
}

static void lines_may_end_as_on_windows(void **state) {
    struct world *w = *state;
    struct buf text;
    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < w->text.len; i++) {
        buf_append_cstr(&text, w->text.data[i] == '\n' ? "\r" : "");
        buf_append_char(&text, w->text.data[i]);
    }
    assert_reads(w, text.data, 1);
    buf_free(&text);
}

/* text with the first of what replaced; NULL: put in front. */
static void replace(const struct world *w, const char *what, const char *by, struct buf *out) {
    const char *at = what ? strstr(w->text.data, what) : w->text.data;
    assert_non_null(at);
    buf_reset(out);
    buf_append(out, w->text.data, (size_t)(at - w->text.data));
    buf_append_cstr(out, by);
    buf_append_cstr(out, at + (what ? strlen(what) : 0));
    assert_true(buf_ok(out));
}

static void what_is_not_plainly_certificates_is_left_to_openssl(void **state) {
    static const struct {
        const char *what, *by;
    } cases[] = {
        {"-----BEGIN CERTIFICATE-----", "-----BEGIN TRUSTED CERTIFICATE-----"},
        {"-----BEGIN CERTIFICATE-----", "-----BEGIN X509 CRL-----"},
        {"-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE----- "},
        {"-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"},
        {"-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n?"},
        {"-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nMIIB"},
        {"-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n "},
        {"-----END CERTIFICATE-----", ""},
        {"-----END CERTIFICATE-----", "-----END CERTIFICATE"},
        {"-----END CERTIFICATE-----", "-----END TRUSTED CERTIFICATE-----"},
        {"-----END CERTIFICATE-----", "-----END CERTIFICATE-----x"},
        {"\n-----END CERTIFICATE-----", "-----END CERTIFICATE-----"},
        {NULL, "\xef\xbb\xbf"}, /* a byte order mark, which OpenSSL passes over */
        {NULL, " "},
        {NULL, "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"},
        {NULL, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"},
        {NULL, "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"},
        {NULL, "-----BEGIN"},
    };
    const struct world *w = *state;
    struct certificate_list list;
    struct buf text;
    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        replace(w, cases[i].what, cases[i].by, &text);
        if (certificate_list_read(buf_span(&text), &list)) {
            fail_msg("%s -> %s", cases[i].what ? cases[i].what : "", cases[i].by);
        }
    }
    buf_free(&text);
    assert_false(certificate_list_read(SPAN(""), &list));
    assert_false(certificate_list_read(SPAN("no certificates\n"), &list));
    assert_false(certificate_list_read(span_of(w->text.data, w->text.len + 1), &list)); /* a NUL */
}

/* Base64 that goes on behind its padding is none, and an empty line between makes it none the better. */
static void nothing_follows_padding(void **state) {
    const struct world *w = *state;
    static const char *const between[] = {"\n", "\n\n", "\r\n\r\n"};
    for (size_t i = 0; i < ARRAY_LENGTH(between); i++) {
        struct buf text;
        struct certificate_list list;
        buf_init(&text, TEXT_MAX);
        buf_append_cstr(&text, "-----BEGIN CERTIFICATE-----\n");
        assert_true(base64_encode(span_of((const char *)w->bytes, 1), &text));
        buf_append_cstr(&text, between[i]);
        assert_true(base64_encode(span_of((const char *)w->bytes + 1, (size_t)w->len - 1), &text));
        buf_append_cstr(&text, "\n-----END CERTIFICATE-----\n");
        assert_true(buf_ok(&text));
        assert_false(certificate_list_read(buf_span(&text), &list));
        buf_free(&text);
    }
}

static void a_text_that_is_cut_is_left_to_openssl_wherever_that_is(void **state) {
    const struct world *w = *state;
    struct certificate_list list;
    for (size_t len = 0; len + 1 < w->text.len; len++) {
        assert_false(certificate_list_read(span_of(w->text.data, len), &list));
    }
}

/* Reads bytes as a certificate's; whatever they are, nothing is read beyond them. */
static bool reads_bytes(const unsigned char *bytes, size_t len) {
    struct certificate_list list;
    struct buf text;
    buf_init(&text, TEXT_MAX);
    char *base64 = malloc(4 * (len / 3 + 2));
    assert_non_null(base64);
    EVP_EncodeBlock((unsigned char *)base64, bytes, (int)len);
    (void)buf_printf(&text, "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n", base64);
    bool ok = certificate_list_read(buf_span(&text), &list);
    if (ok) {
        certificate_list_free(&list);
    }
    free(base64);
    buf_free(&text);
    return ok;
}

static void bytes_that_are_cut_or_too_many_are_left_to_openssl(void **state) {
    const struct world *w = *state;
    size_t len = (size_t)w->len;
    unsigned char *bytes = malloc(len + 1);
    assert_non_null(bytes);
    memcpy(bytes, w->bytes, len);
    bytes[len] = 0;
    assert_true(reads_bytes(bytes, len));
    assert_false(reads_bytes(bytes, len + 1));
    for (size_t cut = 1; cut < len; cut++) {
        assert_false(reads_bytes(bytes, cut));
    }
    /* Whichever byte is another one. */
    for (size_t i = 0; i < len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[i] ^= (unsigned char)(1U << bit);
            (void)reads_bytes(bytes, len);
            bytes[i] ^= (unsigned char)(1U << bit);
        }
    }
    free(bytes);
}

struct part {
    const char *field;
    int type;
    const char *value;
    int len; /* -1: its string's */
    int set; /* 0: by itself; -1: beside the one before */
};

static X509_NAME *make_name(const struct part *parts) {
    X509_NAME *name = X509_NAME_new();
    assert_non_null(name);
    for (; parts->field; parts++) {
        assert_int_equal(X509_NAME_add_entry_by_txt(name, parts->field, parts->type,
                                                    (const unsigned char *)parts->value, parts->len, -1, parts->set),
                         1);
    }
    return name;
}

static uint64_t likeness_of(X509_NAME *name) {
    const unsigned char *bytes = NULL;
    size_t len = 0;
    assert_int_equal(X509_NAME_get0_der(name, &bytes, &len), 1);
    return certificate_name_likeness(span_of((const char *)bytes, len));
}

static void names_that_openssl_takes_for_the_same_are_alike(void **state) {
    static const struct part names[][4] = {
        {{"O", V_ASN1_UTF8STRING, "Example Org", -1, 0}, {"CN", V_ASN1_UTF8STRING, "Root CA 1", -1, 0}},
        {{"O", V_ASN1_PRINTABLESTRING, "Example Org", -1, 0}, {"CN", V_ASN1_PRINTABLESTRING, "Root CA 1", -1, 0}},
        {{"O", V_ASN1_T61STRING, "EXAMPLE ORG", -1, 0}, {"CN", V_ASN1_IA5STRING, "root ca 1", -1, 0}},
        {{"O", V_ASN1_UTF8STRING, "  Example \t  Org ", -1, 0}, {"CN", V_ASN1_UTF8STRING, "ROOT  CA 1", -1, 0}},
        {{"O", V_ASN1_UTF8STRING, "Example Org", -1, 0},
         {"CN", V_ASN1_BMPSTRING, "\0R\0o\0o\0t\0 \0C\0A\0 \0001", 18, 0}},
        {{"CN", V_ASN1_UTF8STRING, "Root CA 1", -1, 0}, {"O", V_ASN1_UTF8STRING, "Example Org", -1, 0}},
        {{"O", V_ASN1_UTF8STRING, "Example Org", -1, 0}, {"CN", V_ASN1_UTF8STRING, "Root CA 1", -1, -1}},
        {{"CN", V_ASN1_UTF8STRING, "Root CA 1", -1, 0}, {"O", V_ASN1_UTF8STRING, "Example Org", -1, -1}},
        {{"O", V_ASN1_UTF8STRING, "M\xc3\xa9tro", -1, 0}},
        {{"O", V_ASN1_T61STRING, "M\xe9tro", -1, 0}},
        {{"O", V_ASN1_BMPSTRING, "\0M\0\xe9\0t\0r\0o", 10, 0}},
        {{"O", V_ASN1_UTF8STRING, "Example Org", -1, 0}, {"CN", V_ASN1_UTF8STRING, "Root CA 2", -1, 0}},
        {{"O", V_ASN1_UTF8STRING, "Other Org", -1, 0}},
        {{NULL, 0, NULL, 0, 0}},
    };
    (void)state;
    size_t same = 0, unlike = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        for (size_t j = 0; j < ARRAY_LENGTH(names); j++) {
            X509_NAME *a = make_name(names[i]), *b = make_name(names[j]);
            bool equal = X509_NAME_cmp(a, b) == 0, alike = certificate_names_alike(likeness_of(a), likeness_of(b));
            if (equal && !alike) {
                fail_msg("%zu and %zu", i, j);
            }
            same += equal && i != j;
            unlike += !alike;
            X509_NAME_free(a);
            X509_NAME_free(b);
        }
    }
    assert_true(same >= 20);
    assert_true(unlike >= 60);
}

static void what_is_no_name_could_be_any(void **state) {
    (void)state;
    static const char *const texts[] = {"", "0", "0\x01", "0\x02\x31\x01",
                                        "\x31\x0b\x30\x09\x06\x03U\x04\x03\x0c\x02"
                                        "ab"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        assert_int_equal(certificate_name_likeness(span_cstr(texts[i])), LIKE_ANY);
    }
    assert_true(certificate_names_alike(LIKE_ANY, 5));
    assert_true(certificate_names_alike(5, LIKE_ANY));
    assert_false(certificate_names_alike(5, 7));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, end_world)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(all_certificates_of_a_text_are_found_whatever_stands_between),
        TEST(lines_may_end_as_on_windows),
        TEST(what_is_not_plainly_certificates_is_left_to_openssl),
        TEST(nothing_follows_padding),
        TEST(a_text_that_is_cut_is_left_to_openssl_wherever_that_is),
        TEST(bytes_that_are_cut_or_too_many_are_left_to_openssl),
        cmocka_unit_test(names_that_openssl_takes_for_the_same_are_alike),
        cmocka_unit_test(what_is_no_name_could_be_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
