#include "sink_body.h"

#include "digest.h"

#include <inttypes.h>
#include <stdio.h>

#define TEXT_MAX ((size_t)4 << 20)

static bool template_init(struct body_template *t, const char *extra, size_t size, bool audited) {
    buf_init(&t->text, TEXT_MAX);
    buf_init(&t->escaped, TEXT_MAX);
    static const char head[] = "{\"attributes\":{\"email\":\"john.doe@example.com\",\"name\":\"John Doe\",\"notes\":\"";
    struct buf tail;
    buf_init(&tail, TEXT_MAX);
    buf_printf(&tail,
               "\",\"status\":\"active\",\"version\":8}%s,\"condition_expression\":\"version < "
               "8\",\"enable_logging\":%s,\"id\":\"" RECORD_MARK,
               extra, audited ? "true" : "false");
    size_t fixed = sizeof head - 1 + tail.len + RECORD_DIGITS + sizeof "\"}" - 1;
    buf_append_cstr(&t->text, head);
    for (size_t i = fixed; i < size; i++)
        buf_append_char(&t->text, (char)('a' + i % 26));
    buf_append_span(&t->text, buf_span(&tail));
    buf_free(&tail);
    for (size_t i = 0; i < t->text.len; i++) {
        if (t->text.data[i] == '"')
            buf_append_char(&t->escaped, '\\');
        buf_append_char(&t->escaped, t->text.data[i]);
    }
    t->md5 = EVP_MD_CTX_new();
    return buf_ok(&t->text) && buf_ok(&t->escaped) && t->md5 && EVP_DigestInit_ex(t->md5, EVP_md5(), NULL) == 1 &&
           EVP_DigestUpdate(t->md5, t->text.data, t->text.len) == 1;
}

static void template_free(struct body_template *t) {
    buf_free(&t->text);
    buf_free(&t->escaped);
    EVP_MD_CTX_free(t->md5);
}

bool bodies_init(struct bodies *b, size_t size, bool audited, bool all_members) {
    static const char members[] =
        ",\"append\":{\"history\":[\"seen\"]},\"create_if_missing\":true,\"increment\":{\"logins\":1,\"stats.total\":2."
        "5},"
        "\"remove\":[\"draft\",\"tags[3]\"],\"set\":{\"address.city\":\"Graz\",\"items[0].price\":5},"
        "\"typed_attributes\":{\"groups\":{\"SS\":[\"a\",\"b\"]}}";
    *b = (struct bodies){.scratch = EVP_MD_CTX_new()};
    return template_init(&b->valid, all_members ? members : "", size, audited) &&
           template_init(&b->invalid, ",\"unknown_member\":1", size, audited) && b->scratch;
}

void bodies_free(struct bodies *b) {
    template_free(&b->valid);
    template_free(&b->invalid);
    EVP_MD_CTX_free(b->scratch);
}

bool bodies_append(struct bodies *b, bool valid, uint64_t n, struct buf *out, char ret_md5[static BODY_MD5_SIZE]) {
    const struct body_template *t = valid ? &b->valid : &b->invalid;
    char tail[RECORD_DIGITS + sizeof "\"}"];
    (void)snprintf(tail, sizeof tail, "%012" PRIu64 "\"}", n % 1000000000000U);
    unsigned char md5[EVP_MAX_MD_SIZE];
    if (EVP_MD_CTX_copy_ex(b->scratch, t->md5) != 1 || EVP_DigestUpdate(b->scratch, tail, sizeof tail - 1) != 1 ||
        EVP_DigestFinal_ex(b->scratch, md5, NULL) != 1)
        return false;
    hex_encode(md5, BODY_MD5_SIZE / 2, ret_md5);
    return buf_append_span(out, buf_span(&t->escaped)) && buf_append(out, tail, RECORD_DIGITS) &&
           buf_append_cstr(out, "\\\"}");
}
