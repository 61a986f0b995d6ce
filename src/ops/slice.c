/* SPDX-License-Identifier: Apache-2.0
 *
 * Slice: from starts to ends (exclusive) by steps along axes. Attributes before opset 10, inputs
 * since. Negative positions count from the end and everything is clamped, as ONNX has it.
 */
#include "ops/move.h"

/* What to slice, one entry per axis named. */
typedef struct slice_list {
    int n;
    int64_t starts[CVK_MAX_RANK], ends[CVK_MAX_RANK], axes[CVK_MAX_RANK], steps[CVK_MAX_RANK];
} slice_list;

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_slice_params *p = params;
    int n_ends, n_axes;
    p->from_attributes = attrs->opset < 10;
    if (!p->from_attributes) return CVK_OK;
    CVK_TRY(cvk_attrs_ints(attrs, "starts", CVK_MAX_RANK, p->starts, &p->n));
    CVK_TRY(cvk_attrs_ints(attrs, "ends", CVK_MAX_RANK, p->ends, &n_ends));
    CVK_TRY(cvk_attrs_ints(attrs, "axes", CVK_MAX_RANK, p->axes, &n_axes));
    if (p->n < 0 || n_ends < 0)
        return cvk_fail(CVK_BAD_MODEL, "attributes starts and ends are missing");
    if (p->n != n_ends || (n_axes >= 0 && n_axes != p->n))
        return cvk_fail(CVK_BAD_MODEL, "starts, ends and axes have %d, %d and %d entries", p->n,
                        n_ends, n_axes);
    p->has_axes = n_axes >= 0;
    return CVK_OK;
}

static cvk_status read_list(const cvk_view *in, int i, const char *what, int n, int64_t *values)
{
    int count;
    CVK_TRY(cvk_const_ints(&in[i], what, CVK_MAX_RANK, values, &count));
    if (count == n) return CVK_OK;
    return cvk_fail(CVK_BAD_MODEL, "%s has %d entries, starts has %d", what, count, n);
}

/* From attributes or inputs, with the defaults of axes and steps filled in. */
static cvk_status gather_list(const cvk_slice_params *p, const cvk_view *in, int n_in,
                              slice_list *list)
{
    *list = (slice_list){.n = p->n};
    for (int i = 0; i < CVK_MAX_RANK; i++) {
        list->axes[i] = i;
        list->steps[i] = 1;
    }
    if (p->from_attributes) {
        for (int i = 0; i < p->n; i++) {
            list->starts[i] = p->starts[i];
            list->ends[i] = p->ends[i];
            if (p->has_axes) list->axes[i] = p->axes[i];
        }
        return CVK_OK;
    }
    CVK_TRY(cvk_const_ints(&in[1], "starts", CVK_MAX_RANK, list->starts, &list->n));
    CVK_TRY(read_list(in, 2, "ends", list->n, list->ends));
    if (cvk_input(in, n_in, 3)) CVK_TRY(read_list(in, 3, "axes", list->n, list->axes));
    if (cvk_input(in, n_in, 4)) CVK_TRY(read_list(in, 4, "steps", list->n, list->steps));
    return CVK_OK;
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* First index, step and length along a dimension of `dim` elements. */
static void resolve(int64_t dim, int64_t start, int64_t end, int64_t step, int64_t *begin,
                    int64_t *by, int64_t *length)
{
    if (start < 0) start += dim;
    if (end < 0) end += dim;
    step = clamp(step, -dim - 1, dim + 1); /* beyond that no second element is reached */
    int64_t first, last;                   /* last: exclusive */
    if (step > 0) {
        first = clamp(start, 0, dim);
        last = clamp(end, 0, dim);
        *length = last > first ? (last - first + step - 1) / step : 0;
    } else {
        first = clamp(start, dim ? 0 : -1, dim - 1);
        last = clamp(end, -1, dim - 1);
        *length = first > last ? (first - last - step - 1) / -step : 0;
    }
    *begin = *length ? first : 0;
    *by = step;
}

static cvk_status apply(cvk_slice_params *p, slice_list *list, const cvk_shape *in, cvk_shape *out)
{
    bool taken[CVK_MAX_RANK] = {false};
    *out = *in;
    for (int d = 0; d < in->rank; d++) {
        p->begin[d] = 0;
        p->step[d] = 1;
        p->length[d] = in->dims[d];
    }
    for (int i = 0; i < list->n; i++) {
        CVK_TRY(cvk_check_axis(&list->axes[i], in->rank));
        int axis = (int)list->axes[i];
        if (taken[axis]) return cvk_fail(CVK_BAD_MODEL, "axis %d comes twice in axes", axis);
        taken[axis] = true;
        if (list->steps[i] == 0)
            return cvk_fail(CVK_BAD_MODEL, "the step along axis %d is 0", axis);
        if (in->dims[axis] < 0) continue;
        resolve(in->dims[axis], list->starts[i], list->ends[i], list->steps[i], &p->begin[axis],
                &p->step[axis], &p->length[axis]);
        out->dims[axis] = p->length[axis];
    }
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    cvk_slice_params *p = params;
    cvk_shape shape = cvk_shape_unknown();
    if (!p->from_attributes && n_in < 3)
        return cvk_fail(CVK_BAD_MODEL, "inputs starts and ends are missing");
    if (p->from_attributes && n_in > 1)
        return cvk_fail(CVK_BAD_MODEL, "there are %d inputs, expected 1", n_in);
    bool known = true;
    for (int i = 1; i < n_in; i++)
        if (cvk_input(in, n_in, i) && !cvk_input_constant(in, n_in, i)) known = false;
    if (known && cvk_ranked(in)) {
        slice_list list;
        CVK_TRY(gather_list(p, in, n_in, &list));
        CVK_TRY(apply(p, &list, &in->shape, &shape));
    } else if (cvk_ranked(in)) {
        CVK_TRY(cvk_shape_of_rank(in->shape.rank, &shape));
    }
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_slice_params *p = params;
    int64_t strides[CVK_MAX_RANK];
    cvk_shape_strides(&in->shape, strides);
    cvk_copy_params walk = {.n = in->shape.rank};
    for (int d = 0; d < walk.n; d++) {
        walk.dims[d] = p->length[d];
        walk.strides[d] = strides[d] * p->step[d];
        walk.offset += strides[d] * p->begin[d];
    }
    cvk_move_strided(&walk, in, out);
    return CVK_OK;
}

const cvk_op cvk_op_Slice = {
    .name = "Slice",
    .min_in = 1,
    .max_in = 5,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_slice_params),
    .form = {.kind = CVK_FORM_COPY},
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .settings = CVK_ALL_BUT_FIRST,
};
