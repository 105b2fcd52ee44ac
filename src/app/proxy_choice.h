/* Which proxy a URL is asked by, as libcurl takes it from the environment: http_proxy, https_proxy, all_proxy,
 * no_proxy. Pure. */
#pragma once

#include "environment.h"
#include "span.h"

#include <stdbool.h>

/* The variable that names it, with its value in *ret_url; NULL: the URL is asked directly. */
const char *proxy_choice(const struct environment *environment, const char *url, const char **ret_url);
/* An entry of no_proxy that names the URL's host in a form that libcurl doesn't take (with a scheme, a port, or a star
 * as in *.amazonaws.com), so that the URL is asked by the proxy all the same. False: there is none. */
bool proxy_missed_exception(const struct environment *environment, const char *url, struct span *ret_entry);
/* Whether a list as no_proxy has it (hosts, domains, addresses and their networks, or *) names a host. */
bool proxy_list_names(const char *list, struct span host);
