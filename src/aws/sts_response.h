/* What AWS STS answers: AssumeRole and AssumeRoleWithWebIdentity alike, and errors. */
#pragma once

#include "compiler.h"
#include "credentials_document.h"
#include "span.h"

/* Reads an answer. Where it is an error, its code and message are there, and the credentials absent. NULL: it is
 * neither, or there is no memory; ret_why says what is wrong, and quotes nothing of it. The account is that of the
 * role. */
MUST_USE struct credentials_document *sts_response_read(struct span text, char ret_why[static DOCUMENT_WHY_SIZE]);
