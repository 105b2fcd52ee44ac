/* Reads any bytes as an answer of AWS STS, and as XML. An answer is an error or whole credentials; XML that is read to
 * its end has its elements nested, and text that means something is no longer than what it is written as. */
#include "buf.h"
#include "sts_response.h"
#include "xml_reader.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
    if (!holds)
        abort();
}

static bool is_inside(struct span part, struct span whole) {
    return !part.len || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void read_xml(struct span text) {
    struct xml_reader r;
    struct span value;
    unsigned depth = 0;
    size_t events = 0;
    xml_reader_init(&r, text);
    for (;;) {
        enum xml_event event = xml_next(&r, &value);
        check(is_inside(value, text) && events++ <= 2 * text.len + 2);
        if (event == XML_FAILED)
            return;
        if (event == XML_OVER)
            break;
        check(event == XML_BEGIN || depth > 0);
        depth += event == XML_BEGIN;
        depth -= event == XML_END;
        check(depth <= XML_DEPTH_MAX && depth == r.depth);
        check(event != XML_BEGIN || span_equal(value, xml_open(&r, 0)));
        if (event == XML_TEXT) {
            struct buf out;
            buf_init(&out, text.len);
            check(!xml_unescape(value, &out) || out.len <= value.len);
            buf_free(&out);
        }
    }
    check(depth == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = span_of((const char *)data, size);
    char why[DOCUMENT_WHY_SIZE] = "";
    read_xml(text);
    struct credentials_document *d = sts_response_read(text, why);
    if (!d) {
        check(why[0]);
    } else if (!d->code[0]) {
        check(d->credentials.access_key_id.len && d->credentials.secret_access_key.len &&
              d->credentials.session_token.len);
        check(d->credentials.access_key_id.len < ACCESS_KEY_ID_SIZE && d->credentials.account_id.len < ACCOUNT_ID_SIZE);
    } else {
        check(!d->credentials.access_key_id.data);
    }
    credentials_document_free(d);
    return 0;
}
