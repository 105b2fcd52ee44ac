/* Reads the small part of XML that AWS's Query services answer in, as events: elements and text, without a tree and
 * without copies. Declarations and comments are skipped. Document types, processing instructions inside elements, and
 * CDATA are refused. Time is linear in the text, memory constant. */
#pragma once

#include "buf.h"
#include "compiler.h"
#include "span.h"

#include <stdbool.h>
#include <stddef.h>

#define XML_DEPTH_MAX 16

enum xml_event {
    XML_FAILED, /* it is no such XML; every later call returns this again */
    XML_OVER, /* the one element was read, and only white space and comments followed */
    XML_BEGIN, /* of an element: *ret_value is its name */
    XML_TEXT, /* between tags, still escaped; white space alone is not reported */
    XML_END
};

struct xml_reader {
    struct span text;
    size_t at;
    unsigned depth;
    struct span open[XML_DEPTH_MAX]; /* the names of the open elements */
    bool ends_at_once; /* the last tag was <x/> */
    bool begun, failed;
};

/* text outlives the reader. */
void xml_reader_init(struct xml_reader *r, struct span text);
/* The next event. *ret_value: the name without its prefix, or the text. */
enum xml_event xml_next(struct xml_reader *r, struct span *ret_value);
/* The name of the innermost open element, or of the one around it (1), and so on; empty where there is none. */
struct span xml_open(const struct xml_reader *r, unsigned outward);
/* Appends text with its entities decoded. False: out has failed, or an entity is neither one of the five nor a
 * character's number. */
MUST_USE bool xml_unescape(struct span text, struct buf *out);
