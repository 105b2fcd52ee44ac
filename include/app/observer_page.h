/* The page for people: one HTML text with its style and script, which asks /status for all that it shows. */
#pragma once

#include "compiler.h"
#include "digest.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

#define OBSERVER_POLICY_SIZE 320

/* The whole page. It stays valid as long as the program runs. */
struct span observer_page(void);
/* The Content-Security-Policy that allows its own script and style and nothing else. False: the library failed. */
MUST_USE bool observer_page_policy(struct digest *digest, char ret_policy[static OBSERVER_POLICY_SIZE]);
