/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of op_cases.def as graphs: one ONNX node with inputs of its own, lowered to the forms
 * that kernels are written for, with the row's posts on the last node. Used by selftest, by the
 * kernel tests and by bench_kernels.
 *
 * A row: CASE(op, inputs, attributes, posts)
 *   inputs      "1x16x9x7 c:32x16x3x3 - 4:i64=1,2,3,4": dims ("s": scalar), "c:" before a constant,
 *               "h:" before one that is float32 to the operator and kept in float16 as
 *               schedule/precision.c does, the type behind the dims (f32 if absent), the values
 *               behind "=" or their range behind "~" ("~0.1,4"; "~-inf,inf": infinities, NaN,
 *               zeros, subnormal and huge numbers, any exponent in between); "-": an absent input
 *   attributes  "kernel_shape=[3,3] alpha=0.5 mode=reflect": [..] are lists; numbers with a point
 *               are floats. "opset=11" and "outputs=2" are the row's own
 *   posts       "Relu", "LeakyRelu:0.1", "Clip:0:6", ... ; "Add"; "PRelu"; "Max:3/2/1" or
 *               "Avg:3/2/1", kernel / stride / pad, followed by "^" for ceil_mode and "p" for
 *               count_include_pad; "QAdd:i8:u8:0.02:3:0.05:-7:0.04:128" on a quantised node: types
 *               of the residual and the result, then scale and zero point of the node's own result,
 *               the residual and the result; "Range:128:200": its own lo and hi
 * QBinary, QPool, Reorder and Bottleneck are written as themselves, attributes named like their
 * parameters; a Bottleneck's activations are "expand=Clip:0:6 depthwise=HardSwish".
 *
 * Numbers are read as the C locale writes them: the caller sees to that.
 */
#ifndef CVK_SELFTEST_CASE_H
#define CVK_SELFTEST_CASE_H

#include "ops/op.h"

typedef struct cvk_case {
    const char *op, *inputs, *attrs, *posts;
} cvk_case;

/* The rows of op_cases.def one after the other: the one behind *c, whose op is NULL before the
 * first. False, and op NULL again, behind the last. */
bool cvk_case_next(cvk_case *c);

/* The case as a lowered graph in `arena`. Constants have data; other values do not. */
cvk_status cvk_case_graph(cvk_arena *arena, const cvk_case *c, cvk_graph **graph);

/* Fills a plain view with numbers that depend on `seed` only. low = high: the usual range of its
 * type. */
void cvk_case_fill(cvk_view *view, uint64_t seed, double low, double high);
/* The range given for input `index` of the case; 0, 0 if none. */
void cvk_case_range(const cvk_case *c, int index, double *low, double *high);

#endif
