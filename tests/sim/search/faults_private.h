/* Between the files of the faults. */
#pragma once

#include "faults.h"

struct sim_operation *faults_operation(struct world *w, enum fault_operation op);
/* Operations from first to last have this mode, for the i-th fault. */
void faults_set_mode(struct faults *f, unsigned i, enum fault_operation first, enum fault_operation last,
                     enum sim_mode mode);
enum sim_mode faults_any_mode(unsigned amount);

/* faults_of_machine.c: what the way does to all calls. */
void faults_watch_the_way(struct faults *f);

/* faults_of_one.c: the kinds from FAULT_FIRST_OF_ONE on. */
enum sim_path faults_path_of_one(struct faults *f, enum fault_operation op, const struct sim_call *call, bool executed);
/* While it lasts; again after each change. */
void faults_of_one_apply(struct faults *f, unsigned i);
void faults_of_one_heal(struct faults *f);
/* Once, when it begins. */
void faults_of_one_begin(struct faults *f, unsigned i);
/* Whether every transaction is refused now: then the answer is written. */
bool faults_refuse_all(struct faults *f, const struct sim_transaction *t, struct transact_result *result);
/* Whether such a fault answers the transaction: then the answer is written. */
bool faults_of_one_answer(struct faults *f, const struct sim_transaction *t, unsigned update,
                          struct transact_result *result);
