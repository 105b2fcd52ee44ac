#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_origins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY ((size_t)3 * HTTP_URLS_KEPT)
#define LONG ((size_t)80 * 1024)

struct world {
    struct http_hosts hosts;
    struct http_origins all;
    struct http_url *taken[MANY];
    char *text;
};

static int setup(void **state) {
    struct world *w = calloc(1, sizeof *w);
    if (!w) {
        return -1;
    }
    w->all.hosts = &w->hosts;
    *state = w;
    return 0;
}

static int teardown(void **state) {
    struct world *w = *state;
    for (size_t i = 0; i < MANY; i++) {
        http_origins_return(w->taken[i]);
    }
    http_origins_free(&w->all);
    free(w->text);
    free(w);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* The target as the k-th that is under way. */
static struct http_url *take_kth(struct world *w, size_t k, const char *url, bool direct) {
    const char *why = NULL;
    w->taken[k] = http_origins_take(&w->all, url, direct, &why);
    assert_non_null(w->taken[k]);
    return w->taken[k];
}

static void give_back_kth(struct world *w, size_t k) {
    http_origins_return(w->taken[k]);
    w->taken[k] = NULL;
}

/* Its origin, which stands when the request is over. */
static struct http_origin *origin_of(struct world *w, const char *url, bool direct) {
    struct http_origin *origin = take_kth(w, 0, url, direct)->origin;
    give_back_kth(w, 0);
    return origin;
}

static void assert_head(struct world *w, const char *url, const char *expected) {
    struct http_url *t = take_kth(w, 0, url, false);
    assert_string_equal(t->head, expected);
    assert_int_equal(t->head_len, strlen(expected));
    assert_string_equal(t->url, url);
    give_back_kth(w, 0);
}

/* NULL: for lack of memory. */
static const char *why_not(struct world *w, const char *url) {
    const char *why = NULL;
    struct http_url *t = http_origins_take(&w->all, url, false, &why);
    http_origins_return(t);
    if (t) {
        fail_msg("%s", url);
    }
    return why;
}

static size_t count_origins(const struct world *w) {
    size_t count = 0;
    for (const struct http_origin *o = w->all.origins; o; o = o->next) {
        count++;
    }
    return count;
}

static void a_url_is_taken_apart_once(void **state) {
    struct world *w = *state;
    struct http_url *first = take_kth(w, 0, "https://a.example/x", false);
    assert_ptr_equal(take_kth(w, 1, "https://a.example/x", false), first);
    assert_int_equal(first->uses, 2);
    give_back_kth(w, 0);
    give_back_kth(w, 1);
    assert_int_equal(first->uses, 0);
    char same[] = "https://a.example/x"; /* the text counts, not where it stands */
    assert_ptr_equal(take_kth(w, 0, same, false), first);
    assert_ptr_not_equal(take_kth(w, 1, "https://a.example/x", true), first);
    assert_ptr_not_equal(take_kth(w, 2, "https://a.example/y", false), first);
    assert_ptr_not_equal(take_kth(w, 3, "https://a.example/", false), first);
}

static void the_url_need_not_outlive_the_call(void **state) {
    struct world *w = *state;
    char url[] = "http://a.example/first";
    struct http_url *t = take_kth(w, 0, url, false);
    memset(url, '?', sizeof url - 1);
    assert_string_equal(t->url, "http://a.example/first");
    assert_string_equal(t->head, " /first HTTP/1.1\r\nHost: a.example\r\n");
    assert_string_equal(t->origin->key, "http://a.example:80/");
}

/* All at once, then again and again in an order that finds some kept and some not. */
static void more_urls_than_are_kept_work_as_well(void **state) {
    struct world *w = *state;
    char urls[MANY][48], heads[MANY][64];
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(urls[i], sizeof urls[i], "http://a.example/%zu", i);
        (void)snprintf(heads[i], sizeof heads[i], " /%zu HTTP/1.1\r\nHost: a.example\r\n", i);
        assert_string_equal(take_kth(w, i, urls[i], false)->head, heads[i]);
    }
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(w->taken[i]->is_kept, i < HTTP_URLS_KEPT);
        assert_string_equal(w->taken[i]->head, heads[i]);
        give_back_kth(w, i);
    }
    for (size_t i = 0; i < 10 * MANY; i++) {
        size_t k = i * 7 % MANY;
        assert_head(w, urls[k], heads[k]);
    }
    assert_int_equal(count_origins(w), 1);
}

static void one_that_is_under_way_is_never_given_up_for_another(void **state) {
    struct world *w = *state;
    struct http_url *first = take_kth(w, 1, "http://a.example/stays", false);
    for (size_t i = 0; i < MANY; i++) {
        char url[48];
        (void)snprintf(url, sizeof url, "http://a.example/%zu", i);
        (void)take_kth(w, 0, url, false);
        give_back_kth(w, 0);
        assert_string_equal(first->url, "http://a.example/stays");
        assert_ptr_equal(take_kth(w, 2, "http://a.example/stays", false), first);
        give_back_kth(w, 2);
    }
    assert_int_equal(first->uses, 1);
}

static void path_and_query_go_as_they_were_signed_and_the_fragment_stays_here(void **state) {
    struct world *w = *state;
#define HOST " HTTP/1.1\r\nHost: a.example\r\n"
    assert_head(w, "http://a.example", " /" HOST);
    assert_head(w, "http://a.example/", " /" HOST);
    assert_head(w, "http://a.example/a/../b//c", " /a/../b//c" HOST);
    assert_head(w, "http://a.example/./a/.", " /./a/." HOST);
    assert_head(w, "http://a.example//", " //" HOST);
    assert_head(w, "http://a.example/%2f%41%zz;a=b,c+d", " /%2f%41%zz;a=b,c+d" HOST);
    assert_head(w, "http://a.example/a:80@b", " /a:80@b" HOST);
    assert_head(w, "http://a.example/a?b=c&d=%20+/../?#e?f", " /a?b=c&d=%20+/../?" HOST);
    assert_head(w, "http://a.example?b", " /?b" HOST);
    assert_head(w, "http://a.example/a#b", " /a" HOST);
    assert_head(w, "http://a.example#b", " /" HOST);
#undef HOST
}

static void the_port_stands_in_host_where_it_is_not_the_schemes_own(void **state) {
    struct world *w = *state;
    static const struct {
        const char *url, *host, *key;
    } cases[] = {
        {"http://a.example/", "a.example", "http://a.example:80/"},
        {"http://a.example:80/", "a.example", "http://a.example:80/"},
        {"https://a.example:443/", "a.example", "https://a.example:443/"},
        {"http://a.example:443/", "a.example:443", "http://a.example:443/"},
        {"https://a.example:80/", "a.example:80", "https://a.example:80/"},
        {"http://a.example:8000/", "a.example:8000", "http://a.example:8000/"},
        {"http://127.0.0.1:1/", "127.0.0.1:1", "http://127.0.0.1:1/"},
        {"http://[::1]/", "[::1]", "http://[::1]:80/"},
        {"https://[fd00:ec2::254]:443/", "[fd00:ec2::254]", "https://[fd00:ec2::254]:443/"},
        {"http://[fd00:ec2::254]:8000/", "[fd00:ec2::254]:8000", "http://[fd00:ec2::254]:8000/"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[96];
        (void)snprintf(expected, sizeof expected, " / HTTP/1.1\r\nHost: %s\r\n", cases[i].host);
        assert_head(w, cases[i].url, expected);
        assert_string_equal(origin_of(w, cases[i].url, true)->key, cases[i].key);
    }
}

static void a_host_of_the_caller_s_can_take_the_place_of_the_url_s(void **state) {
    struct world *w = *state;
    struct http_url *t = take_kth(w, 0, "http://a.example:81/x", false);
    assert_string_equal(t->head + t->host_at, "Host: a.example:81\r\n");
    assert_memory_equal(t->head, " /x HTTP/1.1\r\n", t->host_at);
    give_back_kth(w, 0);
}

static void urls_of_one_server_lead_to_one_origin(void **state) {
    struct world *w = *state;
    struct http_origin *origin = origin_of(w, "https://a.example/x", false);
    static const char *const same[] = {
        "https://a.example/", "https://a.example/y?z#w", "https://a.example:443/x",
        "https://a.example",  "HTTPS://a.example/x",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        assert_ptr_equal(origin_of(w, same[i], false), origin);
    }
    assert_int_equal(count_origins(w), 1);
    static const char *const others[] = {
        "http://a.example/x",  "http://a.example:443/x",  "https://a.example:8443/x",
        "https://b.example/x", "https://a.example.com/x", "https://example/x",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct http_origin *other = origin_of(w, others[i], false);
        assert_ptr_not_equal(other, origin);
        assert_int_equal(count_origins(w), i + 2);
        assert_ptr_equal(origin_of(w, others[i], false), other);
    }
}

static void what_must_not_use_a_proxy_has_an_origin_of_its_own(void **state) {
    struct world *w = *state;
    struct http_origin *any = origin_of(w, "http://a.example/", false),
                       *direct = origin_of(w, "http://a.example/", true);
    assert_ptr_not_equal(any, direct);
    assert_false(any->direct);
    assert_true(direct->direct);
    assert_string_equal(any->key, direct->key);
    assert_ptr_equal(any->host, direct->host);
    assert_ptr_equal(origin_of(w, "http://a.example/x", false), any);
    assert_ptr_equal(origin_of(w, "http://a.example/x", true), direct);
}

static void an_origin_stands_when_its_urls_are_no_longer_kept(void **state) {
    struct world *w = *state;
    struct http_origin *origin = origin_of(w, "http://a.example/", false);
    for (size_t i = 0; i < MANY; i++) {
        char url[48];
        (void)snprintf(url, sizeof url, "http://b.example/%zu", i);
        (void)origin_of(w, url, false);
    }
    assert_ptr_equal(origin_of(w, "http://a.example/", false), origin);
    assert_int_equal(count_origins(w), 2);
}

static void an_origin_knows_its_host(void **state) {
    struct world *w = *state;
    struct http_origin *origin = origin_of(w, "http://a.example:81/x", false);
    assert_non_null(origin->host);
    assert_string_equal(origin->host->name, "a.example:81");
    assert_string_equal(origin->key, "http://a.example:81/");
    assert_true(TAILQ_EMPTY(&origin->idle));
    assert_true(TAILQ_EMPTY(&origin->queue));
    assert_int_equal(origin->waiting + origin->dialing, 0);
    /* Where no more hosts can be known it does without. */
    for (size_t i = 0; i < HTTP_HOSTS_MAX; i++) {
        char url[48];
        (void)snprintf(url, sizeof url, "http://h%zu.example/", i);
        origin = origin_of(w, url, false);
        assert_int_equal(origin->host != NULL, i + 1 < HTTP_HOSTS_MAX);
    }
}

static void what_is_no_http_url_is_refused_with_a_reason(void **state) {
    static const char *const urls[] = {
        "",
        "x",
        "/x",
        "a.example",
        "a.example/x",
        "//a.example/",
        "http:",
        "http:/",
        "http://",
        "http://?x",
        "http://#x",
        "http://:80/",
        "ftp://a.example/",
        "file:///etc/passwd",
        "file://localhost/x",
        "ws://a.example/",
        "gopher://a.example/",
        "unheard-of://a.example/",
        "httpss://a.example/",
        "http://a.example:0x50/",
        "http://a.example:65536/",
        "http://a.example:-1/",
        "http://a.example:80x/",
        "http://[::1/",
        "http://[::g]/",
        "http://a b.example/",
        "http://a.example /",
        "http://a.example\r\nX: y/",
        "http://a.example/ x",
        "http://a.example/\r\nX: y",
        "http://a.example/\nX",
        "http://a.example/?\r\nX: y",
        "http://a.example/\x01",
        "http://a.example/?\x7f",
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        if (!why_not(w, urls[i])) {
            fail_msg("%s", urls[i]);
        }
    }
    assert_int_equal(count_origins(w), 0);
    assert_head(w, "http://a.example/", " / HTTP/1.1\r\nHost: a.example\r\n");
}

static void a_url_with_a_user_is_refused(void **state) {
    static const char *const urls[] = {
        "http://user@a.example/",  "https://user:word@a.example/",   "http://user:@a.example/x",
        "http://:word@a.example/", "http://a.example:80@b.example/",
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        const char *why = why_not(w, urls[i]);
        assert_non_null(why);
        assert_string_equal(why, "The URL has a user or a password in it");
    }
    assert_int_equal(count_origins(w), 0);
}

/* No memory would be worth another try. */
static void a_url_that_is_too_long_is_refused_and_not_for_lack_of_memory(void **state) {
    static const char *const begins[] = {"http://a.example/", "http://a.example/?", "http://a"};
    struct world *w = *state;
    w->text = malloc(LONG);
    assert_non_null(w->text);
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
        memset(w->text, 'x', LONG);
        memcpy(w->text, begins[i], strlen(begins[i]));
        w->text[LONG - 1] = '\0';
        assert_non_null(why_not(w, w->text));
    }
    w->text[LONG / 2] = '\0';
    memcpy(w->text, begins[0], strlen(begins[0]));
    assert_int_equal(take_kth(w, 0, w->text, false)->head_len,
                     LONG / 2 - strlen("http://a.example") + strlen("  HTTP/1.1\r\nHost: a.example\r\n"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_url_is_taken_apart_once),
        TEST(the_url_need_not_outlive_the_call),
        TEST(more_urls_than_are_kept_work_as_well),
        TEST(one_that_is_under_way_is_never_given_up_for_another),
        TEST(path_and_query_go_as_they_were_signed_and_the_fragment_stays_here),
        TEST(the_port_stands_in_host_where_it_is_not_the_schemes_own),
        TEST(a_host_of_the_caller_s_can_take_the_place_of_the_url_s),
        TEST(urls_of_one_server_lead_to_one_origin),
        TEST(what_must_not_use_a_proxy_has_an_origin_of_its_own),
        TEST(an_origin_stands_when_its_urls_are_no_longer_kept),
        TEST(an_origin_knows_its_host),
        TEST(what_is_no_http_url_is_refused_with_a_reason),
        TEST(a_url_with_a_user_is_refused),
        TEST(a_url_that_is_too_long_is_refused_and_not_for_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
