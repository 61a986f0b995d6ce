/* SPDX-License-Identifier: Apache-2.0
 *
 * GatherElements and GatherND: single elements along an axis, and slices at tuples of indices;
 * elements of any type.
 */
#include "kernels/cpu/element.h"
#include "kernels/cpu/index.h"
#include "kernels/cpu/vec.h"

/* Elements [begin, end) of a row; the index that is outside, or -1. */
CVK_INLINE int64_t pick(const index_rows *r, const cvk_view *indices, int64_t row, int64_t begin,
                        int64_t end, const char *src, char *dst, const size_t size)
{
    const int64_t base = index_row(r, row), bytes = (int64_t)size;
    for (int64_t x = begin; x < end; x++) {
        int64_t i = row * r->length + x, index = index_get(indices, i, r->dim);
        if (index < 0) return i;
        element_copy(dst + i * bytes, src + (base + x * r->step + index * r->pitch) * bytes, size);
    }
    return -1;
}

static cvk_status run_elements(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const cvk_axis_params *params = step->node->params;
    const cvk_view *indices = &step->in[1];
    const index_rows r = index_rows_of(&step->in[0].shape, &indices->shape, params->axis);
    const char *src = step->in[0].data;
    char *dst = step->out[0].data;
    int begin, end;
    row_share((int)cvk_view_count(indices), worker, workers, &begin, &end);
    for (int64_t i = begin; i < end;) {
        int64_t row = i / r.length, x = i % r.length, bad,
                stop = r.length - x < end - i ? r.length : x + end - i;
        switch (cvk_dtype_bytes(step->in[0].dtype)) {
        case 1: bad = pick(&r, indices, row, x, stop, src, dst, 1); break;
        case 2: bad = pick(&r, indices, row, x, stop, src, dst, 2); break;
        case 4: bad = pick(&r, indices, row, x, stop, src, dst, 4); break;
        default: bad = pick(&r, indices, row, x, stop, src, dst, 8); break;
        }
        if (bad >= 0) return index_fail(step, bad, r.dim);
        i += stop - x;
    }
    return CVK_OK;
}

static cvk_status run_nd(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const int batch = (int)((const cvk_gather_nd_params *)step->node->params)->batch_dims;
    const cvk_shape *data = &step->in[0].shape, *indices = &step->in[1].shape;
    const int last = indices->rank - 1, tuple = (int)indices->dims[last];
    const int64_t each = cvk_shape_span(indices, batch, last),
                  places = cvk_shape_span(data, batch, batch + tuple);
    const size_t bytes = (size_t)cvk_shape_span(data, batch + tuple, data->rank) *
                         cvk_dtype_bytes(step->in[0].dtype);
    int begin, end;
    cvk_team_share((int)cvk_shape_span(indices, 0, last), worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        int64_t place = index_tuple(&step->in[1], i, tuple, data->dims + batch);
        if (place < 0)
            return index_fail(step, (int64_t)i * tuple - 1 - place, data->dims[batch - 1 - place]);
        place += i / each * places;
        memcpy((char *)step->out[0].data + (size_t)i * bytes,
               (const char *)step->in[0].data + (size_t)place * bytes, bytes);
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    return index_accepts(&p->in[1], why_not) && row_sized(p, why_not) && row_no_posts(p, why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_gather_elements) = {
    .op = CVK_OP_GatherElements,
    .name = "gather_elements",
    .accepts = accepts,
    .run = run_elements,
};

const cvk_kernel CVK_FN(cvk_cpu_gather_nd) = {
    .op = CVK_OP_GatherND,
    .name = "gather_nd",
    .accepts = accepts,
    .run = run_nd,
};
