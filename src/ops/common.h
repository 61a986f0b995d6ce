/* SPDX-License-Identifier: Apache-2.0
 *
 * What operators share: access to optional inputs, checks of types, inference of the usual shapes,
 * walking indices, and the element-wise references. Nothing of one operator only belongs here;
 * windows are in ops/window.h.
 */
#ifndef CVK_OPS_COMMON_H
#define CVK_OPS_COMMON_H

#include "base/status.h"
#include "graph/graph.h"
#include "ops/op.h"

/* Input i, or NULL if it is absent. */
const cvk_view *cvk_input(const cvk_view *in, int n_in, int i);
/* Whether output i exists and is wanted. For references: the dtype says so. */
bool cvk_wanted(const cvk_view *out, int n_out, int i);

/* The rank of a view is known / all its dims are. */
bool cvk_ranked(const cvk_view *view);
bool cvk_shaped(const cvk_view *view);
/* The shape of unknown rank (rank -1), for outputs. */
cvk_shape cvk_shape_unknown(void);
/* Sets dtype and shape of an output; the data pointer stays. */
void cvk_set_out(cvk_view *out, cvk_dtype dtype, const cvk_shape *shape);

/* Two dims that must be equal: false if both are known and differ. */
bool cvk_dims_agree(int64_t a, int64_t b);

/* Checks of element types. `what` names the input in the sentence: "input", "scale" ... */
cvk_status cvk_check_float(const cvk_view *view, const char *what);
cvk_status cvk_check_numeric(const cvk_view *view, const char *what); /* all but bool */
cvk_status cvk_check_same_type(const cvk_view *in, int n_in);         /* of all inputs present */
/* A vector of `length` elements (-1: any), such as a bias or a scale per channel. */
cvk_status cvk_check_vector(const cvk_view *view, int64_t length, const char *what);

/* An axis as ONNX counts it into [0, rank). */
cvk_status cvk_check_axis(int64_t *axis, int rank);

/* Elements of a constant (or, in references, of any) integer input as int64: at most `capacity`.
 * CVK_UNSUPPORTED if it is not constant, CVK_SHAPE if it has more elements. */
cvk_status cvk_const_ints(const cvk_view *view, const char *what, int capacity, int64_t *values,
                          int *count);
/* The same as the dims of a shape; CVK_SHAPE if one is negative. */
cvk_status cvk_const_shape(const cvk_view *view, cvk_shape *shape);

/* infer: output 0 has type and shape of input 0. The second form wants a float type, the third any
 * number. Outputs beyond the first are left unknown. */
cvk_status cvk_infer_same(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out);
cvk_status cvk_infer_same_float(void *params, const cvk_view *in, int n_in, cvk_view *out,
                                int n_out);
cvk_status cvk_infer_same_numeric(void *params, const cvk_view *in, int n_in, cvk_view *out,
                                  int n_out);
/* infer: numpy broadcasting of all inputs, which have one numeric type. */
cvk_status cvk_infer_broadcast(void *params, const cvk_view *in, int n_in, cvk_view *out,
                               int n_out);
/* The same for inputs of one type, any of them, and a result of bool; for numbers and a result of
 * bool; for bools; for integers. */
cvk_status cvk_infer_equal(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out);
cvk_status cvk_infer_order(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out);
cvk_status cvk_infer_logic(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out);
cvk_status cvk_infer_bits(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out);
/* infer: a bool for each element of a float input. */
cvk_status cvk_infer_float_test(void *params, const cvk_view *in, int n_in, cvk_view *out,
                                int n_out);
/* The shape of all inputs broadcast with each other; of unknown rank if one is. */
cvk_status cvk_broadcast_all(const cvk_view *in, int n_in, cvk_shape *shape);

/* Row-major multi-index: start from all zeros; next is false after the last one (or for rank 0).
 *     int64_t index[CVK_MAX_RANK] = {0};
 *     if (cvk_shape_count(&shape) > 0) do { ... } while (cvk_index_next(&shape, index)); */
bool cvk_index_next(const cvk_shape *shape, int64_t *index);
int64_t cvk_index_dot(const int64_t *index, const int64_t *strides, int rank);

/* All elements as doubles, from malloc; NULL if out of memory (the failure is recorded). */
double *cvk_view_doubles(const cvk_view *view);
/* A float64 view of `shape` with zeroed memory from malloc. */
cvk_status cvk_view_temp(const cvk_shape *shape, cvk_view *temp);

/* Copies the elements of src into dst, which has its shape and layout, converting where the types
 * differ (exactly between integers; then both are plain). */
void cvk_view_convert(const cvk_view *src, cvk_view *dst);

/* reference of an operator with cvk_unary_params, and the same for any activation. Integer types
 * are computed exactly for RELU, CLIP and NONE. */
cvk_status cvk_reference_unary(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                               int n_out);
cvk_status cvk_reference_act(const cvk_act *act, const cvk_view *src, cvk_view *dst);

/* reference of an operator with cvk_binary_params over one or more inputs, from left to right, with
 * broadcasting. Where all types are integers it is exact (64 bits, wrapping). */
cvk_status cvk_reference_binary(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                                int n_out);

#endif
