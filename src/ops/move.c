/* SPDX-License-Identifier: Apache-2.0
 *
 * Moving elements: strided copies by element size; lists of axes.
 */
#include "ops/move.h"

#include <string.h>

/* One row: count elements, stride apart in src. The size is a literal at every call. */
static inline __attribute__((always_inline)) void row(char *dst, const char *src, int64_t count,
                                                      int64_t stride, size_t size)
{
    for (int64_t i = 0; i < count; i++)
        memcpy(dst + (size_t)i * size, src + i * stride * (int64_t)size, size);
}

static void move_row(size_t size, char *dst, const char *src, int64_t count, int64_t stride)
{
    if (stride == 1) {
        memcpy(dst, src, (size_t)count * size);
        return;
    }
    switch (size) {
    case 1: row(dst, src, count, stride, 1); return;
    case 2: row(dst, src, count, stride, 2); return;
    case 4: row(dst, src, count, stride, 4); return;
    default: row(dst, src, count, stride, 8); return;
    }
}

void cvk_move_strided(const cvk_copy_params *walk, const cvk_view *src, cvk_view *dst)
{
    size_t size = cvk_dtype_bytes(src->dtype);
    int last = walk->n - 1;
    int64_t count = last < 0 ? 1 : walk->dims[last], stride = last < 0 ? 1 : walk->strides[last];
    cvk_shape outer = cvk_shape_make(last < 0 ? 0 : last, walk->dims);
    int64_t index[CVK_MAX_RANK] = {0};
    char *to = dst->data;
    if (count == 0 || cvk_shape_count(&outer) == 0) return;
    do {
        int64_t from = walk->offset + cvk_index_dot(index, walk->strides, outer.rank);
        move_row(size, to, (const char *)src->data + from * (int64_t)size, count, stride);
        to += (size_t)count * size;
    } while (cvk_index_next(&outer, index));
}

void cvk_move_all(const cvk_view *src, cvk_view *dst)
{
    size_t bytes = cvk_view_bytes(src);
    if (bytes && dst->data != src->data) memcpy(dst->data, src->data, bytes);
}

cvk_status cvk_reference_alias(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                               int n_out)
{
    (void)params, (void)n_in, (void)n_out;
    cvk_move_all(&in[0], &out[0]);
    return CVK_OK;
}

cvk_status cvk_axes_normalise(int n, int64_t *axes, int rank)
{
    bool taken[CVK_MAX_RANK] = {false};
    for (int i = 0; i < n; i++) {
        int axis;
        if (!cvk_axis_normalise(axes[i], rank, &axis))
            return cvk_fail(CVK_BAD_MODEL, "axis %lld is outside a tensor of rank %d",
                            (long long)axes[i], rank);
        if (taken[axis])
            return cvk_fail(CVK_BAD_MODEL, "axis %lld comes twice in axes", (long long)axes[i]);
        taken[axis] = true;
    }
    for (int axis = 0, at = 0; axis < rank; axis++)
        if (taken[axis]) axes[at++] = axis;
    return CVK_OK;
}

bool cvk_input_constant(const cvk_view *in, int n_in, int i)
{
    const cvk_view *view = cvk_input(in, n_in, i);
    return view && view->data && cvk_shaped(view);
}

int64_t cvk_input_length(const cvk_view *view)
{
    if (!cvk_ranked(view)) return -1;
    return view->shape.rank == 0 ? 1 : view->shape.dims[0];
}

cvk_status cvk_input_axes(const cvk_view *in, int n_in, int i, cvk_axes_params *params, bool *known)
{
    const cvk_view *view = cvk_input(in, n_in, i);
    *known = !view || cvk_input_constant(in, n_in, i);
    if (!view || !*known) return CVK_OK;
    return cvk_const_ints(view, "axes", CVK_MAX_RANK, params->axes, &params->n_axes);
}

cvk_status cvk_parse_axes(const cvk_attrs *attrs, void *params)
{
    cvk_axes_params *p = params;
    CVK_TRY(cvk_attrs_ints(attrs, "axes", CVK_MAX_RANK, p->axes, &p->n_axes));
    if (p->n_axes < 0) p->n_axes = 0;
    return CVK_OK;
}

cvk_status cvk_shape_of_rank(int64_t rank, cvk_shape *shape)
{
    if (rank > CVK_MAX_RANK)
        return cvk_fail(CVK_UNSUPPORTED, "the output has rank %lld, more than %d", (long long)rank,
                        CVK_MAX_RANK);
    *shape = (cvk_shape){.rank = rank < 0 ? -1 : (int)rank};
    for (int i = 0; i < shape->rank; i++) shape->dims[i] = -1;
    return CVK_OK;
}
