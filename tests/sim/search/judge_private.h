/* Between the files of the judge. */
#pragma once

#include "judge.h"

/* judge_commit.c */
void judge_watch_servers(struct judge *j);
