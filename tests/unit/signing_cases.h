/* Requests and their stages of signing, as botocore's SigV4Auth makes them. */
#pragma once

struct signing_case {
    const char *method, *path, *query;
    const char *headers[8][2]; /* name and value; ended by NULL */
    const char *body, *date, *region, *service;
    const char *canonical_request, *string_to_sign, *signature;
};

#define SIGNING_SECRET "golden+/secret"

static const struct signing_case SIGNING_CASES[] = {
    {
        .method = "POST",
        .path = "/",
        .query = "",
        .headers = {{"Host", "sqs.eu-west-1.amazonaws.com"},
                    {"Content-Type", "application/x-amz-json-1.0"},
                    {"X-Amz-Target", "AmazonSQS.ReceiveMessage"},
                    {"X-Amz-Date", "20240229T235959Z"}},
        .body = "{\"QueueUrl\":\"q\"}",
        .date = "20240229T235959Z",
        .region = "eu-west-1",
        .service = "sqs",
        .canonical_request = "POST\n"
                             "/\n"
                             "\n"
                             "content-type:application/x-amz-json-1.0\n"
                             "host:sqs.eu-west-1.amazonaws.com\n"
                             "x-amz-date:20240229T235959Z\n"
                             "x-amz-target:AmazonSQS.ReceiveMessage\n"
                             "\n"
                             "content-type;host;x-amz-date;x-amz-target\n"
                             "931dda1e2477698e58cc7a94e9d61f77b88d4361b1c25465cecaaaed515ded69",
        .string_to_sign = "AWS4-HMAC-SHA256\n"
                          "20240229T235959Z\n"
                          "20240229/eu-west-1/sqs/aws4_request\n"
                          "3a26c0b9c436e57e7cb7845bcf5694464b0744dc69bd389caef63c529159ef0d",
        .signature = "abeab970bb3fb7e04a1af84410cc679dea9457610db7934b7cb5546e7f7aab57",
    },
    {
        .method = "POST",
        .path = "/",
        .query = "",
        .headers = {{"X-Amz-Security-Token", "to/ken+=="},
                    {"X-Amz-Target", "DynamoDB_20120810.TransactWriteItems"},
                    {"Content-Type", "application/x-amz-json-1.0"},
                    {"X-Amz-Date", "20240229T235959Z"},
                    {"Host", "localhost:8000"},
                    {"User-Agent", "x"},
                    {"Connection", "close"}},
        .body = "{\"a\":\"\303\251\"}",
        .date = "20240229T235959Z",
        .region = "us-east-1",
        .service = "dynamodb",
        .canonical_request = "POST\n"
                             "/\n"
                             "\n"
                             "content-type:application/x-amz-json-1.0\n"
                             "host:localhost:8000\n"
                             "x-amz-date:20240229T235959Z\n"
                             "x-amz-security-token:to/ken+==\n"
                             "x-amz-target:DynamoDB_20120810.TransactWriteItems\n"
                             "\n"
                             "content-type;host;x-amz-date;x-amz-security-token;x-amz-target\n"
                             "b3a092a6af48807fa9482b2ee140105575daa26d5b24b3c0e60a7e2dee6683b1",
        .string_to_sign = "AWS4-HMAC-SHA256\n"
                          "20240229T235959Z\n"
                          "20240229/us-east-1/dynamodb/aws4_request\n"
                          "f26cb4e14bf3a6b5581f9c23795fbe5350a01518c8c8a7d98450753c6a9c1078",
        .signature = "958d7c6d5e28d7f67e5d016d107e26defd3f20d8b098321b0525cc40bd040590",
    },
    {
        .method = "GET",
        .path = "/a%20b/../c//d/./e/",
        .query = "b=2&a=%2F&b=1&c=&a-b=3",
        .headers = {{"Host", "h.example.com"}, {"X-Amz-Date", "20240229T235959Z"}, {"X-Blanks", "  a   b\t c  "}},
        .body = "",
        .date = "20240229T235959Z",
        .region = "eu-central-1",
        .service = "sts",
        .canonical_request = "GET\n"
                             "/c/d/e/\n"
                             "a=%2F&a-b=3&b=1&b=2&c=\n"
                             "host:h.example.com\n"
                             "x-amz-date:20240229T235959Z\n"
                             "x-blanks:a b c\n"
                             "\n"
                             "host;x-amz-date;x-blanks\n"
                             "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign = "AWS4-HMAC-SHA256\n"
                          "20240229T235959Z\n"
                          "20240229/eu-central-1/sts/aws4_request\n"
                          "be0be25a717bad71a87732317ffc41f5da3c8022e35e9a556fb45da98dd97de9",
        .signature = "8374f7f723b3c672bba27a76758105511f07ddb7dd481575b0da4c6ff6edfad3",
    },
    {
        .method = "PUT",
        .path = "/..",
        .query = "",
        .headers = {{"Host", "h.example.com"}, {"X-Amz-Date", "19700101T000000Z"}},
        .body = "x",
        .date = "19700101T000000Z",
        .region = "us-east-1",
        .service = "s",
        .canonical_request = "PUT\n"
                             "/\n"
                             "\n"
                             "host:h.example.com\n"
                             "x-amz-date:19700101T000000Z\n"
                             "\n"
                             "host;x-amz-date\n"
                             "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        .string_to_sign = "AWS4-HMAC-SHA256\n"
                          "19700101T000000Z\n"
                          "19700101/us-east-1/s/aws4_request\n"
                          "38453afe98534485600b6c7cd4ed3d2d9a0358b3f6aa2c279daa0e05bb4e8462",
        .signature = "a92ce047a30b277a3d6efdec552b575e8536303afda2d0d39bfaf0d5aa7b6c62",
    },
    {
        .method = "GET",
        .path = "/~user/%C3%A9-_./",
        .query = "",
        .headers = {{"Host", "h.example.com"}, {"X-Amz-Date", "20240229T235959Z"}},
        .body = "",
        .date = "20240229T235959Z",
        .region = "us-east-1",
        .service = "s",
        .canonical_request = "GET\n"
                             "/~user/%25C3%25A9-_./\n"
                             "\n"
                             "host:h.example.com\n"
                             "x-amz-date:20240229T235959Z\n"
                             "\n"
                             "host;x-amz-date\n"
                             "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign = "AWS4-HMAC-SHA256\n"
                          "20240229T235959Z\n"
                          "20240229/us-east-1/s/aws4_request\n"
                          "eee935f8350e9b7009c6e7abdf48c87e5ba12094c4272b9760eef5807adbe0de",
        .signature = "5a53fb9c63c2e29430bbb32f8ac9efa41e74315e837a055dda7526fdc5b2f547",
    },
};
