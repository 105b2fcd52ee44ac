#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "xml_reader.h"

#include <stdio.h>

/* <name text /name, and ! where it fails. */
static const char *events_of(const char *text) {
    static char out[512];
    struct xml_reader r;
    struct span value;
    out[0] = '\0';
    xml_reader_init(&r, span_cstr(text));
    for (;;) {
        enum xml_event event = xml_next(&r, &value);
        size_t len = strlen(out);
        static const char *const marks[] = {
            [XML_FAILED] = "!", [XML_OVER] = ".", [XML_BEGIN] = "<", [XML_TEXT] = "=", [XML_END] = "/"};
        (void)snprintf(out + len, sizeof out - len, "%s%.*s", marks[event], (int)value.len, value.data);
        if (event == XML_FAILED || event == XML_OVER) {
            assert_int_equal(xml_next(&r, &value), event);
            return out;
        }
    }
}

static void elements_and_text_come_in_their_order(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"<a/>", "<a/a."},
        {"<a></a>", "<a/a."},
        {"<?xml version=\"1.0\"?>\n<a xmlns=\"u>v\" b='\"'>\n <b>x y </b>\n <c/></a>\n", "<a<b=x y /b<c/c/a."},
        {"<!-- <x> --><ns:a><!-- c -->t<!-- --></ns:a>", "<a=t/a."},
        {"<a> <b> 1 </b> </a>", "<a<b= 1 /b/a."},
        {"<a>x<b/>y</a>", "<a=x<b/b=y/a."},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_string_equal(events_of(cases[i][0]), cases[i][1]);
    }
}

static void what_is_no_such_text_is_refused(void **state) {
    (void)state;
    static const char *const cases[] = {
        "",
        " ",
        "x",
        "<a>",
        "<a></b>",
        "</a>",
        "<a><b></a></b>",
        "<a/><b/>",
        "<a/>x",
        "<a b></a>",
        "<a b=c></a>",
        "<a b=\"c></a>",
        "<a",
        "< a/>",
        "<!DOCTYPE a><a/>",
        "<a><![CDATA[x]]></a>",
        "<a><?x?></a>",
        "<a><!-- </a>",
        "<1/>",
        "<a/ >",
        "<?xml",
        "<a>x",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const char *events = events_of(cases[i]);
        if (events[strlen(events) - 1] != '!') {
            fail_msg("%s: %s", cases[i], events);
        }
    }
    char deep[4 * (XML_DEPTH_MAX + 1) + 1] = "";
    for (size_t i = 0; i <= XML_DEPTH_MAX; i++) {
        memcpy(deep + 3 * i, "<a>", 4);
    }
    assert_string_equal(events_of(deep) + XML_DEPTH_MAX * 2, "!");
}

static void text_is_what_it_means(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"a&lt;b&gt;&amp;&quot;&apos;", "a<b>&\"'"},
        {"&#65;&#x42;&#xe9;&#x20AC;&#x1F600;", "AB\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {"", ""}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buf out;
        buf_init(&out, 256);
        assert_true(xml_unescape(span_cstr(cases[i][0]), &out));
        assert_true(span_is(buf_span(&out), cases[i][1]));
        buf_free(&out);
    }
    static const char *const bad[] = {"&",        "&x;",        "&lt",         "&#;",    "&#x;", "&#0;",
                                      "&#xD800;", "&#x110000;", "&#99999999;", "&#12a;", "&;"};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct buf out;
        buf_init(&out, 256);
        assert_false(xml_unescape(span_cstr(bad[i]), &out));
        buf_free(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_and_text_come_in_their_order),
        cmocka_unit_test(what_is_no_such_text_is_refused),
        cmocka_unit_test(text_is_what_it_means),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
