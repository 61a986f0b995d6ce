/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of OpenCL kernel rows, from kernels.def.
 */
#include "kernels/opencl/rows.h"

const cvk_kernel cvk_cl_kernels[] = {
#define ROW(Op, row, in, out, need, pack, place, stem, launch, before, work, other)                \
    {.op = CVK_OP_##Op,                                                                            \
     .name = row,                                                                                  \
     .in_layout = CVK_LAYOUT_##in,                                                                 \
     .out_layout = CVK_LAYOUT_##out,                                                               \
     .needs = need,                                                                                \
     .packs = pack,                                                                                \
     .prologue = before,                                                                           \
     .inplace = place,                                                                             \
     .accepts = cvk_cl_##stem##_accepts,                                                           \
     .cost = work,                                                                                 \
     .variant = other,                                                                             \
     .prepare = cvk_cl_##stem##_prepare,                                                           \
     .run = launch,                                                                                \
     .release = cvk_cl_release},
#define X(...) ROW(__VA_ARGS__, false, NULL, NULL)
#define XP(...) ROW(__VA_ARGS__, true, NULL, NULL)
#define XC(op, row, in, out, needs, packs, inplace, stem, run)                                     \
    ROW(op, row, in, out, needs, packs, inplace, stem, run, false, cvk_cl_##stem##_cost, NULL)
#define XV(op, row, in, out, needs, packs, inplace, stem, run)                                     \
    ROW(op, row, in, out, needs, packs, inplace, stem, run, false, NULL, cvk_cl_##stem##_variant)
#define XCV(op, row, in, out, needs, packs, inplace, stem, run)                                    \
    ROW(op, row, in, out, needs, packs, inplace, stem, run, false, cvk_cl_##stem##_cost,           \
        cvk_cl_##stem##_variant)
#define XPC(op, row, in, out, needs, packs, inplace, stem, run)                                    \
    ROW(op, row, in, out, needs, packs, inplace, stem, run, true, cvk_cl_##stem##_cost, NULL)
#define XPCV(op, row, in, out, needs, packs, inplace, stem, run)                                   \
    ROW(op, row, in, out, needs, packs, inplace, stem, run, true, cvk_cl_##stem##_cost,            \
        cvk_cl_##stem##_variant)
#include "kernels/opencl/kernels.def"
#undef XPCV
#undef XPC
#undef XCV
#undef XV
#undef XC
#undef XP
#undef X
#undef ROW
};

const int cvk_cl_kernel_count = (int)(sizeof cvk_cl_kernels / sizeof cvk_cl_kernels[0]);
