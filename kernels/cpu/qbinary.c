/* SPDX-License-Identifier: Apache-2.0
 *
 * QBinary: sum or product of two 8-bit tensors, with broadcasting. Rows of the output along which
 * each operand is contiguous or one number.
 */
#include "kernels/cpu/broadcast.h"
#include "kernels/cpu/requant.h"

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    (void)device;
    broadcast *over = cvk_step_alloc(step, sizeof *over);
    if (!over) return CVK_NO_MEMORY;
    broadcast_make(over, step, 2);
    step->state = over;
    return CVK_OK;
}

static ivec load(const uint8_t *src, bool is_signed, int64_t stride, int n)
{
    if (stride) return ivec_load_8n(src, is_signed, n);
    return ivec_set1(is_signed ? (int8_t)*src : *src);
}

/* A piece of a row. */
static void combine(const cvk_step *step, const requant_binary *p, const broadcast_at *at)
{
    const broadcast *over = step->state;
    const bool a_signed = step->in[0].dtype == CVK_I8, b_signed = step->in[1].dtype == CVK_I8;
    const int64_t sa = over->step[0], sb = over->step[1];
    const uint8_t *a = (const uint8_t *)step->in[0].data + at->offset[0];
    const uint8_t *b = (const uint8_t *)step->in[1].data + at->offset[1];
    uint8_t *dst = (uint8_t *)step->out[0].data + at->begin;
    for (int i = 0; i < at->n; i += CVK_VLEN) {
        int n = at->n - i < CVK_VLEN ? at->n - i : CVK_VLEN;
        ivec q = requant_binary_apply(p, load(a + i * sa, a_signed, sa, n),
                                      load(b + i * sb, b_signed, sb, n));
        ivec_store_8n(dst + i, q, n);
    }
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const broadcast *over = step->state;
    const requant_binary p = requant_binary_make(step->node->params);
    int begin, end;
    row_share(over->rows * over->length, worker, workers, &begin, &end);
    broadcast_at at = broadcast_seek(over, begin, end);
    for (; at.n > 0; broadcast_next(over, &at)) combine(step, &p, &at);
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
