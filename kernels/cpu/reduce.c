/* SPDX-License-Identifier: Apache-2.0
 *
 * Reduce: mean, sum or maximum over any axes of a plain tensor. Neighbouring axes of a sort become
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

CVK_INLINE float reduce_along(const sums_kind kind, const state *s, const float *src)
{
    const int64_t rows = walk_count(&s->reduced);
    double total = kind == SUMS_MAX ? -(double)INFINITY : 0;
    walk_at at = walk_seek(&s->reduced, 0);
    for (int64_t r = 0; r < rows; r++, walk_next(&s->reduced, &at)) {
        double part = sums_row(kind, src + at.offset[0], s->line.length, 0);
        total = kind != SUMS_MAX ? total + part : part > total ? part : total;
    }
    return (float)(total * s->scale);
}

/* CVK_VLEN outputs, or fewer: then one by one, as no load may leave the tensor. */
CVK_INLINE void reduce_across(const sums_kind kind, const state *s, const float *src, float *dst,
                              int lanes)
{
    const int64_t rows = walk_count(&s->reduced);
    double total[CVK_VLEN];
    sums_start(kind, total);
    walk_at at = walk_seek(&s->reduced, 0);
    for (int64_t r = 0; r < rows; r++, walk_next(&s->reduced, &at)) {
        const float *line = src + at.offset[0];
        if (lanes == CVK_VLEN) {
            sums_lanes(kind, line, s->line.length, s->line.stride[0], vec_zero(), total);
            continue;
        }
        for (int64_t i = 0; i < s->line.length; i++)
            for (int l = 0; l < lanes; l++) {
                double x = (double)line[i * s->line.stride[0] + l];
                total[l] = kind != SUMS_MAX ? total[l] + x : x > total[l] ? x : total[l];
            }
    }
    for (int l = 0; l < lanes; l++) dst[l] = (float)(total[l] * s->scale);
}

CVK_INLINE void reduce_as(const sums_kind kind, const state *s, const float *src, float *dst,
                          int lanes)
{
    if (s->along)
        *dst = reduce_along(kind, s, src);
    else
        reduce_across(kind, s, src, dst, lanes);
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
        float *dst = (float *)step->out[0].data + (ptrdiff_t)(i / groups) * s->width + first;
        if (s->kind == CVK_REDUCE_MAX)
            reduce_as(SUMS_MAX, s, src, dst, lanes);
        else
            reduce_as(SUMS_PLAIN, s, src, dst, lanes);
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
