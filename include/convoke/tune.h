/* SPDX-License-Identifier: Apache-2.0
 *
 * Tuning and the self-test, whose results the store of convoke.h (ring 6) keeps. convoke.h includes
 * it.
 */
#ifndef CONVOKE_TUNE_H
#define CONVOKE_TUNE_H

#include <convoke/convoke.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One problem of a plan: steps alike in operator, parameters, shapes, types and what is fused. */
typedef struct cvk_tune_layer {
    const char *problem;        /* "Conv | 1x64x56x56 c:64x64x3x3 | pads=[1,1,1,1] | Relu" */
    const char *device;         /* "cpu", "opencl:0", ... */
    const char *kernel;         /* the row that is to compute it, or "row:variant" */
    const char *default_kernel; /* the row that would without tuning */
    double ms, default_ms;      /* medians of the two, as measured when the problem was tuned */
    int steps;                  /* of the plan that are this problem */
    bool measured;              /* now; else it was in the store already */
    const char *refused; /* "row: why; row: why" for rows that were not timed; "" if none or not
                            measured now */
} cvk_tune_layer;
typedef void (*cvk_tune_fn)(void *user, const cvk_tune_layer *layer);

typedef struct cvk_tune_options {
    double budget_s;   /* stop after so many seconds; 0: when all is measured */
    cvk_tune_fn layer; /* called for each problem when its row is known; may be NULL. The layer's
                          strings are valid during the call */
    void *user;        /* first argument of layer */
} cvk_tune_options;

typedef struct cvk_tune_result {
    int problems; /* of the plan for which there is a choice between kernel rows */
    int known;    /* were in the store */
    int measured; /* now */
    int left;     /* the budget was used up before */
} cvk_tune_result;

/* Measures, for each problem of the plan that cvk_session_create would make, the kernel rows
 * between which there is a choice: those that accept it and give the result in the layout of the
 * row that is chosen without measuring (the default), which is always among them. A row that wants
 * its input in another layout pays for the reorders. A row that has several ways to compute the
 * problem, as with other tiles, takes part with each ("row:variant"). Rows take turns, in the
 * device's own threads or queue; weights count as if they came from where the plan's lie; what a row computes must be within a relative L2 distance of 1e-4 (float16: 1e-3) of
 * the default's result before its time counts. On a device that is no CPU a row of which a launch
 * takes more than a second is left out, for the sake of watchdogs. The default stays unless another
 * row is clearly faster, by more than 3 %. Sessions created afterwards on the same device (name, driver,
 * instruction set, threads) by this version of the library use these rows. What is in the store
 * already is not measured again, so that a call goes on where one before has stopped; the problems
 * with the most arithmetic come first.
 *
 * session_options: as for the sessions to come (prefer_kernel must be NULL); it, options and result
 * may be NULL. CVK_IO: the store cannot be had or written to. Else as cvk_session_create. */
CVK_API cvk_status cvk_tune(const cvk_model *model, cvk_device *const *devices, int n_devices,
                            const cvk_session_options *session_options,
                            const cvk_tune_options *options, cvk_tune_result *result);

typedef enum cvk_selftest_status {
    CVK_SELFTEST_PASSED = 1,
    CVK_SELFTEST_WRONG,      /* a result differs from the reference's */
    CVK_SELFTEST_FAILED,     /* the driver refused the row's program, its memory or its launch */
    CVK_SELFTEST_NOT_REACHED /* no case can be run with it here */
} cvk_selftest_status;

/* One kernel row of a device. */
typedef struct cvk_selftest_row {
    const char *device; /* "cpu", "opencl:0", ... */
    const char *kernel; /* the row, as cvk_step_info has it */
    const char *op;     /* the kind of operator that it computes: "Conv", "Unary", "Pool", ... */
    int cases, wrong;   /* problems that it was given, and of them those that it got wrong */
    cvk_selftest_status status;
    double rel_l2;      /* the largest relative L2 distance of a result from the reference's;
                           infinite where one has an infinity or a NaN that the other has not */
    const char *reason; /* the first case that went wrong and how, or why there was none; "" */
    bool denied;        /* is on the driver's deny list from now on */
    bool was_denied;    /* was on it before */
} cvk_selftest_row;
typedef void (*cvk_selftest_fn)(void *user, const cvk_selftest_row *row);

typedef struct cvk_selftest_options {
    const char *kernel;  /* only rows of this name; NULL: all */
    cvk_selftest_fn row; /* called for each row, in the order of preference, when all are done; may
                            be NULL. The row's strings are valid during the call */
    void *user;          /* first argument of row */
} cvk_selftest_options;

typedef struct cvk_selftest_result {
    int rows; /* of the device, or of the name asked for: the sum of the four below */
    int passed, wrong, failed, not_reached;
    int cases;  /* all that were run */
    int denied; /* of the rows, those on the deny list from now on */
} cvk_selftest_result;

/* Runs every kernel row of the device on small problems, in each of which a row computes one node,
 * and compares the results with the operators' references in double precision: floats must be
 * within a relative L2 distance of 1e-5 (float16: 1e-3), at infinities, NaN and extreme numbers
 * each element for itself; integers must be equal. Subnormal inputs, which OpenCL devices may take
 * for zeros, are left out. It takes seconds on a CPU; where programs must
 * be built first, up to minutes. No problem has more than 100 million multiply-adds.
 *
 * A row that is wrong or fails goes on the deny list of the driver (device name, driver, version of
 * the library), which the store keeps; one that passes leaves it. Sessions created afterwards do
 * without denied rows, and say so (cvk_step_info: refused, note); where all rows of an operator are
 * denied its reference runs on the host; to prefer one is an error. cvk_cache_visit tells the list
 * (kind "denied row"), cvk_cache_clear empties it with all else.
 *
 * options and result may be NULL; rows are told of and result is filled even if the call fails
 * after the test. That rows are wrong is no failure of the call: see result. CVK_BAD_ARGUMENT: no
 * row has the name asked for; CVK_IO: the deny list has changed, but the store cannot be had or
 * written to; CVK_DEVICE_FAILED: the device stopped answering at a row, which is denied; what was
 * not run by then is not reached. The next call begins with other rows. */
CVK_API cvk_status cvk_selftest(cvk_device *device, const cvk_selftest_options *options,
                                cvk_selftest_result *result);

#ifdef __cplusplus
}
#endif
#endif
