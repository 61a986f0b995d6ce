/* SPDX-License-Identifier: Apache-2.0
 *
 * Reduce: mean, sum, maximum ... over any axes of a plain tensor. Neighbouring axes of a sort become
 * one; what is innermost decides:
 *
 *     a reduced axis (along)   each output sums rows of neighbours
 *     a kept axis              CVK_VLEN outputs side by side sum vecs
 */
#include "kernels/cpu/sums.h"
#include "kernels/cpu/walk.h"

typedef struct state {
    cvk_reduce_kind kind;
    bool along;
    walk kept, reduced; /* the outer axes of either sort; operand 0: the source */
    walk_dim line;      /* the innermost reduced axis */
    int width;          /* of the innermost kept axis, unless along: 1 */
    double scale;
} state;

static bool is_reduced(const cvk_reduce_params *p, int d)
{
    for (int i = 0; i < p->n_axes; i++)
        if (p->axes[i] == d) return true;
    return false;
}

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    (void)device;
    const cvk_reduce_params *p = step->node->params;
    const cvk_shape *in = &step->in[0].shape;
    int64_t strides[CVK_MAX_RANK];
    state *s = cvk_step_alloc(step, sizeof *s);
    if (!s) return CVK_NO_MEMORY;
    cvk_shape_strides(in, strides);
    for (int d = 0; d < in->rank; d++)
        walk_add(is_reduced(p, d) ? &s->reduced : &s->kept, in->dims[d], strides[d], 0);
    s->kind = p->kind;
    s->scale = p->kind == CVK_REDUCE_MEAN ? 1.0 / (double)walk_count(&s->reduced) : 1.0;
    s->along = s->kept.n == 0 || s->kept.dim[s->kept.n - 1].stride[0] != 1;
    s->line = walk_take(&s->reduced, s->reduced.n - 1);
    s->width = s->along ? 1 : (int)walk_take(&s->kept, s->kept.n - 1).length;
    step->state = s;
    return CVK_OK;
}

/* Every element of one output. */
CVK_INLINE double fold_along(const sums_kind kind, const state *s, const float *src, float shift)
{
    const int64_t rows = walk_count(&s->reduced);
    double total = (double)sums_zero(kind);
    walk_at at = walk_seek(&s->reduced, 0);
    for (int64_t r = 0; r < rows; r++, walk_next(&s->reduced, &at))
        total = sums_join(kind, total, sums_row(kind, src + at.offset[0], s->line.length, shift));
    return total;
}

/* Every element of CVK_VLEN outputs, or of fewer: then one by one, as no load may leave the tensor.
 */
CVK_INLINE void fold_across(const sums_kind kind, const state *s, const float *src, int lanes,
                            const float *shift, double *total)
{
    const int64_t rows = walk_count(&s->reduced);
    sums_start(kind, total);
    walk_at at = walk_seek(&s->reduced, 0);
    for (int64_t r = 0; r < rows; r++, walk_next(&s->reduced, &at)) {
        const float *line = src + at.offset[0];
        const ptrdiff_t step = s->line.stride[0];
        if (lanes == CVK_VLEN && kind != SUMS_PRODUCT) {
            sums_lanes(kind, line, s->line.length, step, vec_load(shift), total);
            continue;
        }
        for (int l = 0; l < lanes; l++)
            total[l] = sums_join(kind, total[l],
                                 sums_each(kind, line + l, s->line.length, step, shift[l]));
    }
}

CVK_INLINE void fold(const sums_kind kind, const state *s, const float *src, int lanes,
                     const float *shift, double *total)
{
    if (s->along)
        *total = fold_along(kind, s, src, *shift);
    else
        fold_across(kind, s, src, lanes, shift, total);
}

/* exp overflows where its sum's logarithm does not: the largest element is taken out first. */
static void fold_exp(const state *s, const float *src, int lanes, float *shift, double *total)
{
    fold(SUMS_MAX, s, src, lanes, shift, total);
    for (int l = 0; l < lanes; l++) shift[l] = isinf(total[l]) ? 0 : (float)total[l];
    fold(SUMS_EXP, s, src, lanes, shift, total);
}

static double finish(const state *s, double total, float shift)
{
    switch (s->kind) {
    case CVK_REDUCE_L2: return sqrt(total);
    case CVK_REDUCE_LOG_SUM: return log(total);
    case CVK_REDUCE_LOG_SUM_EXP: return log(total) + (double)shift;
    default: return total * s->scale;
    }
}

static void reduce(const state *s, const float *src, float *dst, int lanes)
{
    double total[CVK_VLEN];
    float shift[CVK_VLEN] = {0};
    switch (s->kind) {
    case CVK_REDUCE_MAX: fold(SUMS_MAX, s, src, lanes, shift, total); break;
    case CVK_REDUCE_MIN: fold(SUMS_MIN, s, src, lanes, shift, total); break;
    case CVK_REDUCE_PROD: fold(SUMS_PRODUCT, s, src, lanes, shift, total); break;
    case CVK_REDUCE_L1: fold(SUMS_ABS, s, src, lanes, shift, total); break;
    case CVK_REDUCE_L2:
    case CVK_REDUCE_SUM_SQUARE: fold(SUMS_SQUARES, s, src, lanes, shift, total); break;
    case CVK_REDUCE_LOG_SUM_EXP: fold_exp(s, src, lanes, shift, total); break;
    default: fold(SUMS_PLAIN, s, src, lanes, shift, total); break;
    }
    for (int l = 0; l < lanes; l++) dst[l] = (float)finish(s, total[l], shift[l]);
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const state *s = step->state;
    const int groups = (s->width + CVK_VLEN - 1) / CVK_VLEN;
    int begin, end;
    cvk_team_share((int)walk_count(&s->kept) * groups, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        int first = i % groups * CVK_VLEN,
            lanes = s->width - first < CVK_VLEN ? s->width - first : CVK_VLEN;
        const float *src =
            (const float *)step->in[0].data + walk_seek(&s->kept, i / groups).offset[0] + first;
        reduce(s, src, (float *)step->out[0].data + (ptrdiff_t)(i / groups) * s->width + first,
               lanes);
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    return row_f32(p, why_not) && row_no_posts(p, why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_reduce) = {
    .op = CVK_OP_Reduce,
    .name = "reduce",
    .accepts = accepts,
    .prepare = prepare,
    .run = run,
};
