/* Writes SQS's requests. An entry of a batch has its index as its id. Pure; false: out has failed. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "span.h"
#include "sqs.h"

#include <stdbool.h>
#include <stddef.h>

MUST_USE bool sqs_write_receive(const struct sqs_receive_request *request, struct buf *out);
MUST_USE bool sqs_write_delete(const char *queue_url, const struct span *receipt_handles, size_t count,
                               struct buf *out);
MUST_USE bool sqs_write_change_visibility(const char *queue_url, const struct sqs_visibility_entry *entries,
                                          size_t count, struct buf *out);
MUST_USE bool sqs_write_send(const char *queue_url, const struct sqs_send_entry *entries, size_t count,
                             struct buf *out);
MUST_USE bool sqs_write_get_attributes(const char *queue_url, struct buf *out);
MUST_USE bool sqs_write_get_queue_url(const char *queue_name, const char *owner_account, struct buf *out);
