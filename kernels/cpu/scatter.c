/* SPDX-License-Identifier: Apache-2.0
 *
 * ScatterElements and ScatterND without a reduction, elements of any type. Each worker owns a range
 * of the output: it copies the data there, then goes through all updates in order and puts those
 * that fall into its range, so that of several for one place the last stays.
 */
#include "kernels/cpu/element.h"
#include "kernels/cpu/index.h"
#include "kernels/cpu/vec.h"

/* A worker's range of the output, in elements, with the data in it. */
typedef struct range {
    int begin, end;
    char *dst;
    size_t size;
} range;

static range range_of(const cvk_step *step, int worker, int workers)
{
    range r = {.dst = step->out[0].data, .size = cvk_dtype_bytes(step->out[0].dtype)};
    row_share((int)cvk_view_count(&step->out[0]), worker, workers, &r.begin, &r.end);
    size_t at = (size_t)r.begin * r.size;
    if (r.end > r.begin && step->out[0].data != step->in[0].data)
        memcpy(r.dst + at, (const char *)step->in[0].data + at, (size_t)(r.end - r.begin) * r.size);
    return r;
}

/* One row of updates; the index that is outside, or -1. */
CVK_INLINE int64_t put(const index_rows *rows, const cvk_view *indices, int64_t row,
                       const char *src, const range *to, const size_t size)
{
    const int64_t base = index_row(rows, row), bytes = (int64_t)size;
    for (int64_t x = 0; x < rows->length; x++) {
        int64_t i = row * rows->length + x, index = index_get(indices, i, rows->dim);
        if (index < 0) return i;
        int64_t at = base + x * rows->step + index * rows->pitch;
        if (at >= to->begin && at < to->end)
            element_copy(to->dst + at * bytes, src + i * bytes, size);
    }
    return -1;
}

static cvk_status run_elements(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const cvk_scatter_params *params = step->node->params;
    const cvk_view *indices = &step->in[1];
    const index_rows rows = index_rows_of(&step->in[0].shape, &indices->shape, params->axis);
    const char *src = step->in[2].data;
    const range to = range_of(step, worker, workers);
    const int64_t count = cvk_view_count(indices) / rows.length;
    for (int64_t row = 0; row < count && to.begin < to.end; row++) {
        int64_t bad;
        switch (to.size) {
        case 1: bad = put(&rows, indices, row, src, &to, 1); break;
        case 2: bad = put(&rows, indices, row, src, &to, 2); break;
        case 4: bad = put(&rows, indices, row, src, &to, 4); break;
        default: bad = put(&rows, indices, row, src, &to, 8); break;
        }
        if (bad >= 0) return index_fail(step, bad, rows.dim);
    }
    return CVK_OK;
}

static cvk_status run_nd(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const cvk_shape *data = &step->in[0].shape, *indices = &step->in[1].shape;
    const int last = indices->rank - 1, tuple = (int)indices->dims[last];
    const int64_t count = cvk_shape_span(indices, 0, last),
                  slice = cvk_shape_span(data, tuple, data->rank);
    const range to = range_of(step, worker, workers);
    for (int64_t i = 0; i < count && to.begin < to.end; i++) {
        int64_t place = index_tuple(&step->in[1], i, tuple, data->dims);
        if (place < 0) return index_fail(step, i * tuple - 1 - place, data->dims[-1 - place]);
        int64_t first = place * slice, begin = first > to.begin ? first : to.begin,
                end = first + slice < to.end ? first + slice : to.end;
        if (begin < end)
            memcpy(to.dst + (size_t)begin * to.size,
                   (const char *)step->in[2].data + (size_t)(i * slice + begin - first) * to.size,
                   (size_t)(end - begin) * to.size);
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    if (((const cvk_scatter_params *)p->node->params)->kind != CVK_SCATTER_NONE)
        return row_refuse(why_not, "updates are combined with the data");
    return index_accepts(&p->in[1], why_not) && row_sized(p, why_not) && row_no_posts(p, why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_scatter_elements) = {
    .op = CVK_OP_ScatterElements,
    .name = "scatter_elements",
    .inplace = true,
    .accepts = accepts,
    .run = run_elements,
};

const cvk_kernel CVK_FN(cvk_cpu_scatter_nd) = {
    .op = CVK_OP_ScatterND,
    .name = "scatter_nd",
    .inplace = true,
    .accepts = accepts,
    .run = run_nd,
};
