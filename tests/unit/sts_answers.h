/* What AWS STS answers, in tests. */
#pragma once

#define STS_ANSWER_UNTIL(id, until)                                                                                    \
    "<AssumeRoleResponse "                                                                                             \
    "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials><AccessKeyId>" id              \
    "</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>" until               \
    "</Expiration></Credentials>"                                                                                      \
    "<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/r/me</Arn></AssumedRoleUser></AssumeRoleResult></"   \
    "AssumeRoleResponse>"
#define STS_ANSWER(id) STS_ANSWER_UNTIL(id, "2024-01-08T02:51:12Z")
#define STS_ERROR(code, message)                                                                                       \
    "<ErrorResponse><Error><Type>Sender</Type><Code>" code "</Code><Message>" message                                  \
    "</Message></Error></ErrorResponse>"
