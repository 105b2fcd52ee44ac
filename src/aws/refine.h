/* What a reader's verdict on an answer does to the call's result. */
#pragma once

#include "answer.h"
#include "call.h"

/* ANSWER_FINE leaves it alone. An answer that is none is tried again, and so is one that there was no memory for. */
void refine_by_answer(enum answer_status status, struct call_result *result);
