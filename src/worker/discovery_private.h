/* Between the files of the discovery. */
#pragma once

#include "discovery.h"

/* The first of 78, 77, 69 wins; EXIT_FINE loses. */
enum exit_code worse_exit(enum exit_code a, enum exit_code b);
/* The account and the name in an SQS ARN (arn:aws:sqs:region:account:name). False: it is no such ARN. */
bool queue_arn_parse(const char *arn, char ret_account[static 16], char ret_name[static QUEUE_NAME_SIZE]);
/* The name at the end of a queue URL. False: text is no URL with a queue's name at its end. */
bool queue_url_name(const char *url, char ret_name[static QUEUE_NAME_SIZE]);
bool queue_name_valid(const char *name);
/* Hold what was found against the settings and each other, each as soon as it is known; every problem is logged. EXIT_FINE: fit to start. */
enum exit_code discovery_check_audit_table(struct log *log, const struct discovery_options *options, const struct discovery_facts *facts);
enum exit_code discovery_check_queues(struct log *log, const struct discovery_facts *facts);
/* All is found and fit: sets facts->visibility, and warns of what is unwise. */
void discovery_finish(struct log *log, const struct discovery_options *options, struct discovery_facts *facts);
