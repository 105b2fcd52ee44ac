/* The answers to an invocation, in the forms that Lambda and API Gateway take. Pure. */
#pragma once

#include "buf.h"
#include "span.h"

#include <stdbool.h>

/* {"statusCode": …, "headers": …, "body": …}: a REST API, an HTTP API and a function URL make their HTTP response from
 * this. False: out has failed. */
bool lambda_append_http(int status, struct span body, struct buf *out);
/* {"errorMessage": …, "errorType": …}: a function error. False: out has failed. */
bool lambda_append_error(struct span type, struct span message, struct buf *out);
