#include "observer_page.h"

#include "base64.h"

#include <stdio.h>
#include <string.h>

/* page.html, made into C by page.cmake. */
extern const unsigned char page_html[];
extern const size_t page_html_size;

struct span observer_page(void) {
    return span_of((const char *)page_html, page_html_size);
}

/* The text between the first such tag and its end tag. */
static struct span inside(const char *tag, const char *end) {
    struct span page = observer_page();
    const char *from = memmem(page.data, page.len, tag, strlen(tag));
    if (!from) {
        return SPAN("");
    }
    from += strlen(tag);
    size_t left = page.len - (size_t)(from - page.data);
    const char *to = memmem(from, left, end, strlen(end));
    return to ? span_of(from, (size_t)(to - from)) : SPAN("");
}

static bool append_hash(struct digest *digest, struct span text, struct buf *out) {
    uint8_t hash[SHA256_SIZE];
    return digest_sha256(digest, text, hash) && base64_encode(span_of((const char *)hash, sizeof hash), out);
}

bool observer_page_policy(struct digest *digest, char ret_policy[static OBSERVER_POLICY_SIZE]) {
    struct buf out;
    buf_init_lent(&out, ret_policy, OBSERVER_POLICY_SIZE, OBSERVER_POLICY_SIZE - 1);
    return buf_append_cstr(&out, "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; "
                                 "form-action 'none'; frame-ancestors 'none'; style-src 'sha256-") &&
           append_hash(digest, inside("<style>", "</style>"), &out) &&
           buf_append_cstr(&out, "'; script-src 'sha256-") &&
           append_hash(digest, inside("<script>", "</script>"), &out) && buf_append_cstr(&out, "'");
}
