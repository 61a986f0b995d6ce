/* SPDX-License-Identifier: Apache-2.0
 *
 * One kernel row of a device on one node, with memory of its own, held against what the operator's
 * reference makes of the same inputs. For selftest and for the kernel tests.
 *
 * Lanes beyond the channels hold NaN and outputs garbage, so that a kernel that reads what it must
 * not, or leaves out what it must write, shows it.
 */
#ifndef CVK_SELFTEST_CHECK_H
#define CVK_SELFTEST_CHECK_H

#include "schedule/trial.h"
#include "selftest/case.h"

/* A node's inputs, and what its reference makes of them. Arena memory. */
typedef struct cvk_expected {
    const cvk_node *node;
    cvk_view *in, *want; /* plain; by input and by output of the node */
    bool each;           /* every element counts for itself */
} cvk_expected;

/* Inputs filled as the case says; without subnormal floats unless they are wanted: a device may
 * take them for zeros. */
cvk_status cvk_expected_make(cvk_graph *graph, const cvk_case *c, const cvk_node *node,
                             bool subnormals, cvk_expected *e);

typedef struct cvk_verdict {
    bool right;
    double rel_l2;    /* the worst output's; infinite if one is NaN or infinite where it must not */
    char reason[160]; /* the first thing that is wrong; "" */
} cvk_verdict;

/* A row that stands ready to compute the node. */
typedef struct cvk_check {
    const cvk_expected *expected;
    const cvk_graph *graph;
    cvk_device *device;
    cvk_step step;
    void **memory; /* of the device */
    int n_memory;
} cvk_check;

/* The row must accept the node. To be closed even after a failure. */
cvk_status cvk_check_open(cvk_scheduler *s, cvk_device *device, const cvk_kernel *row,
                          const cvk_expected *e, cvk_check *check);
/* Runs the row once and judges what it made. */
cvk_status cvk_check_run(cvk_check *check, cvk_verdict *verdict);
/* Lets the output lie in the input's memory, where the row may be asked for that; the input is lost
 * with the next run. */
bool cvk_check_share(cvk_check *check);
void cvk_check_close(cvk_check *check);

/* What a step's view of device memory holds, as plain elements. */
void cvk_check_unlay(const void *image, const cvk_view *placed, void *plain);

#endif
