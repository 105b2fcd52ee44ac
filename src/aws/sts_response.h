/* The answers of AWS STS to AssumeRole and AssumeRoleWithWebIdentity, and its errors. */
#pragma once

#include "compiler.h"
#include "credentials_document.h"
#include "span.h"

/* Reads an answer. For an error, code and message are set, and the credentials are absent. NULL: it is neither, or
 * there is no memory; ret_why says what is wrong, without quoting any of it. The account is the role's. */
MUST_USE struct credentials_document *sts_response_read(struct span text, char ret_why[static DOCUMENT_WHY_SIZE]);
