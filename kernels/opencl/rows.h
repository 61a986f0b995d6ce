/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions behind kernels.def, declared from it: every twin includes this, table.c lists them.
 */
#ifndef CVK_KERNELS_OPENCL_ROWS_H
#define CVK_KERNELS_OPENCL_ROWS_H

#include "kernels/opencl/launch.h"

#define X(op, row, in, out, needs, packs, inplace, stem, run)                                      \
    bool cvk_cl_##stem##_accepts(const cvk_problem *problem, const char **why_not);                \
    cvk_status cvk_cl_##stem##_prepare(cvk_device *device, cvk_step *step);                        \
    cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers);
#define XP X
#define XC(op, row, in, out, needs, packs, inplace, stem, run)                                     \
    X(op, row, in, out, needs, packs, inplace, stem, run)                                          \
    void cvk_cl_##stem##_cost(const cvk_problem *problem, cvk_work *work);
#define XV(op, row, in, out, needs, packs, inplace, stem, run)                                     \
    X(op, row, in, out, needs, packs, inplace, stem, run)                                          \
    const char *cvk_cl_##stem##_variant(const cvk_problem *problem, int k);
#define XCV(op, row, in, out, needs, packs, inplace, stem, run)                                    \
    XC(op, row, in, out, needs, packs, inplace, stem, run)                                         \
    const char *cvk_cl_##stem##_variant(const cvk_problem *problem, int k);
#define XPC XC
#define XPCV XCV
#include "kernels/opencl/kernels.def"
#undef XPCV
#undef XPC
#undef XCV
#undef XV
#undef XC
#undef XP
#undef X

#endif
