/* SPDX-License-Identifier: Apache-2.0
 *
 * ArgMax and ArgMin of plain float32 tensors, as int64: of equal elements the first, or the last if
 * asked.
 */
#include "kernels/cpu/row.h"
#include "kernels/cpu/vec.h"

/* Indices are floats for a while. */
enum { MAX_LENGTH = 1 << 24 };

CVK_INLINE int64_t line(const float *src, int length, int inner, const bool least, const bool last)
{
    int best = 0;
    for (int i = 1; i < length; i++) {
        float x = src[(ptrdiff_t)i * inner], top = src[(ptrdiff_t)best * inner];
        bool above = least ? x < top : x > top;
        if (above || (last && x == top)) best = i;
    }
    return best;
}

/* CVK_VLEN lines side by side. */
CVK_INLINE void lines(const float *src, int64_t *dst, int length, int inner, const bool least,
                      const bool last)
{
    vec best = vec_load(src), index = vec_zero();
    float result[CVK_VLEN];
    for (int i = 1; i < length; i++) {
        vec x = vec_load(src + (ptrdiff_t)i * inner);
        vmask above = least ? vec_lt(x, best) : vec_lt(best, x);
        vec chosen = vec_select(above, vec_set1((float)i), index);
        if (last) /* neither above nor below: equal */
            index =
                vec_select(least ? vec_lt(best, x) : vec_lt(x, best), chosen, vec_set1((float)i));
        else
            index = chosen;
        best = vec_select(above, x, best);
    }
    vec_store(result, index);
    for (int l = 0; l < CVK_VLEN; l++) dst[l] = (int64_t)result[l];
}

CVK_INLINE void group(const float *src, int64_t *dst, int length, int inner, int lanes,
                      const bool least, const bool last)
{
    if (lanes == CVK_VLEN && inner > 1)
        lines(src, dst, length, inner, least, last);
    else
        for (int l = 0; l < lanes; l++) dst[l] = line(src + l, length, inner, least, last);
}

static void any_group(const cvk_reduce_params *params, const float *src, int64_t *dst, int length,
                      int inner, int lanes)
{
    if (params->smallest && params->last_index)
        group(src, dst, length, inner, lanes, true, true);
    else if (params->smallest)
        group(src, dst, length, inner, lanes, true, false);
    else if (params->last_index)
        group(src, dst, length, inner, lanes, false, true);
    else
        group(src, dst, length, inner, lanes, false, false);
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const cvk_reduce_params *params = step->node->params;
    const cvk_shape *in = &step->in[0].shape;
    const int axis = (int)params->axes[0], length = (int)in->dims[axis];
    const int outer = (int)cvk_shape_span(in, 0, axis),
              inner = (int)cvk_shape_span(in, axis + 1, in->rank);
    const int groups = (inner + CVK_VLEN - 1) / CVK_VLEN;
    int begin, end;
    cvk_team_share(outer * groups, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        int o = i / groups, first = i % groups * CVK_VLEN,
            lanes = inner - first < CVK_VLEN ? inner - first : CVK_VLEN;
        const float *src = (const float *)step->in[0].data + (ptrdiff_t)o * length * inner + first;
        int64_t *dst = (int64_t *)step->out[0].data + (ptrdiff_t)o * inner + first;
        any_group(params, src, dst, length, inner, lanes);
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    if (p->in[0].dtype != CVK_F32) return row_refuse(why_not, "the input is not float32");
    if (p->in[0].shape.rank < 1) return row_refuse(why_not, "a scalar has no axis");
    if (p->in[0].shape.dims[((const cvk_reduce_params *)p->node->params)->axes[0]] > MAX_LENGTH)
        return row_refuse(why_not, "the axis is too long");
    return row_sized(p, why_not) && row_no_posts(p, why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_argmax) = {
    .op = CVK_OP_ArgMax,
    .name = "argmax",
    .accepts = accepts,
    .run = run,
};

const cvk_kernel CVK_FN(cvk_cpu_argmin) = {
    .op = CVK_OP_ArgMin,
    .name = "argmin",
    .accepts = accepts,
    .run = run,
};
