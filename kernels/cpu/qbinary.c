/* SPDX-License-Identifier: Apache-2.0
 *
 * QBinary: sum or product of two 8-bit tensors, with broadcasting. Rows of the output along which
 * each operand is contiguous or one number.
 */
#include "kernels/cpu/requant.h"
#include "kernels/cpu/walk.h"

typedef struct state {
    walk outer; /* strides: of the operands */
    walk_dim inner;
    int rows;
} state;

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    (void)device;
    const cvk_shape *out = &step->out[0].shape;
    int64_t a[CVK_MAX_RANK], b[CVK_MAX_RANK];
    state *s = cvk_step_alloc(step, sizeof *s);
    if (!s) return CVK_NO_MEMORY;
    cvk_shape_broadcast_strides(&step->in[0].shape, out, a);
    cvk_shape_broadcast_strides(&step->in[1].shape, out, b);
    for (int d = 0; d < out->rank; d++) walk_add(&s->outer, out->dims[d], a[d], b[d]);
    s->inner = walk_take(&s->outer, s->outer.n - 1);
    s->rows = (int)walk_count(&s->outer);
    step->state = s;
    return CVK_OK;
}

static ivec load(const uint8_t *src, bool is_signed, int64_t stride, int n)
{
    if (stride) return ivec_load_8n(src, is_signed, n);
    return ivec_set1(is_signed ? (int8_t)*src : *src);
}

/* Elements [begin, end) of one row. */
static void combine(const cvk_step *step, const requant_binary *p, const walk_at *at, uint8_t *dst,
                    int64_t begin, int64_t end)
{
    const state *s = step->state;
    const bool a_signed = step->in[0].dtype == CVK_I8, b_signed = step->in[1].dtype == CVK_I8;
    const int64_t sa = s->inner.stride[0], sb = s->inner.stride[1];
    const uint8_t *a = (const uint8_t *)step->in[0].data + at->offset[0];
    const uint8_t *b = (const uint8_t *)step->in[1].data + at->offset[1];
    for (int64_t i = begin; i < end; i += CVK_VLEN) {
        int n = end - i < CVK_VLEN ? (int)(end - i) : CVK_VLEN;
        ivec q = requant_binary_apply(p, load(a + i * sa, a_signed, sa, n),
                                      load(b + i * sb, b_signed, sb, n));
        ivec_store_8n(dst + i, q, n);
    }
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const state *s = step->state;
    const requant_binary p = requant_binary_make(step->node->params);
    const int64_t length = s->inner.length;
    int begin, end;
    row_share((int)cvk_view_count(&step->out[0]), worker, workers, &begin, &end);
    if (begin >= end) return CVK_OK;
    walk_at at = walk_seek(&s->outer, begin / length);
    for (int64_t row = begin / length; row * length < end; row++, walk_next(&s->outer, &at)) {
        int64_t from = row * length < begin ? begin - row * length : 0;
        int64_t to = (row + 1) * length > end ? end - row * length : length;
        combine(step, &p, &at, (uint8_t *)step->out[0].data + row * length, from, to);
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    return row_sized(p, why_not) && row_no_posts(p, why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_qbinary) = {
    .op = CVK_OP_QBinary,
    .name = "qbinary",
    .accepts = accepts,
    .prepare = prepare,
    .run = run,
};
