/* The members that an update message may have. */
#pragma once

/* In the order of the contract (the manual page), in which they are reported. */
enum member {
    MEMBER_ID,
    MEMBER_ATTRIBUTES,
    MEMBER_ENABLE_LOGGING,
    MEMBER_CONDITION,
    MEMBER_NAMES,
    MEMBER_VALUES,
    MEMBER_KEY,
    MEMBER_SET,
    MEMBER_INCREMENT,
    MEMBER_APPEND,
    MEMBER_REMOVE,
    MEMBER_TYPED,
    MEMBER_CREATE,
    MEMBER_COUNT
};

/* As the contract spells it. */
const char *member_name(enum member member);
/* What its value must be, to stand behind "must be". */
const char *member_must_be(enum member member);
