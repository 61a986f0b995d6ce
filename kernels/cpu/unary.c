/* SPDX-License-Identifier: Apache-2.0
 *
 * Unary: an activation over all elements, in whatever order they lie.
 */
#include "kernels/cpu/act.h"
#include "kernels/cpu/row.h"

CVK_INLINE void map(cvk_act_kind kind, const cvk_act *act, const float *src, float *dst, int n)
{
    int i = 0;
    for (; i + CVK_VLEN <= n; i += CVK_VLEN)
        vec_store(dst + i, vec_act(kind, act, vec_load(src + i)));
    if (i < n) vec_store_n(dst + i, vec_act(kind, act, vec_load_n(src + i, n - i)), n - i);
}

static void map_any(const cvk_act *act, const float *src, float *dst, int n)
{
    switch (act->kind) {
    case CVK_ACT_RELU: map(CVK_ACT_RELU, act, src, dst, n); break;
    case CVK_ACT_LEAKY_RELU: map(CVK_ACT_LEAKY_RELU, act, src, dst, n); break;
    case CVK_ACT_ELU: map(CVK_ACT_ELU, act, src, dst, n); break;
    case CVK_ACT_SIGMOID: map(CVK_ACT_SIGMOID, act, src, dst, n); break;
    case CVK_ACT_TANH: map(CVK_ACT_TANH, act, src, dst, n); break;
    case CVK_ACT_HARD_SIGMOID: map(CVK_ACT_HARD_SIGMOID, act, src, dst, n); break;
    case CVK_ACT_HARD_SWISH: map(CVK_ACT_HARD_SWISH, act, src, dst, n); break;
    case CVK_ACT_CLIP: map(CVK_ACT_CLIP, act, src, dst, n); break;
    case CVK_ACT_SQRT: map(CVK_ACT_SQRT, act, src, dst, n); break;
    case CVK_ACT_EXP: map(CVK_ACT_EXP, act, src, dst, n); break;
    case CVK_ACT_LINEAR: map(CVK_ACT_LINEAR, act, src, dst, n); break;
    case CVK_ACT_QDQ: map(CVK_ACT_QDQ, act, src, dst, n); break;
    case CVK_ACT_SWISH: map(CVK_ACT_SWISH, act, src, dst, n); break;
    default: map(act->kind, act, src, dst, n); break;
    }
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const cvk_unary_params *params = step->node->params;
    int begin, end, count = (int)(cvk_view_bytes(&step->out[0]) / sizeof(float));
    row_share(count, worker, workers, &begin, &end);
    if (begin < end)
        map_any(&params->act, (const float *)step->in[0].data + begin,
                (float *)step->out[0].data + begin, end - begin);
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    return row_f32(p, why_not) && row_no_posts(p, why_not);
}

static bool accepts_blocked(const cvk_problem *p, const char **why_not)
{
    return accepts(p, why_not) && row_blocked(&p->in[0], why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_unary) = {
    .op = CVK_OP_Unary,
    .name = "unary",
    .inplace = true,
    .accepts = accepts,
    .run = run,
};

const cvk_kernel CVK_FN(cvk_cpu_unary_blocked) = {
    .op = CVK_OP_Unary,
    .name = "unary_blocked",
    .in_layout = CVK_LAYOUT_BLOCKED,
    .out_layout = CVK_LAYOUT_BLOCKED,
    .inplace = true,
    .accepts = accepts_blocked,
    .run = run,
};
