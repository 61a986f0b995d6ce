/* SPDX-License-Identifier: Apache-2.0
 *
 * GlobalPool: the mean or the maximum of each channel.
 */
#include "kernels/cpu/posts.h"
#include "kernels/cpu/sums.h"

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const cvk_global_pool_params *params = step->node->params;
    const row_dims d = row_dims_of(&step->in[0].shape);
    const posts after = posts_make(step);
    float *dst = step->out[0].data;
    int begin, end;
    row_share(d.n * d.c, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        const float *src = (const float *)step->in[0].data + (ptrdiff_t)i * d.spatial;
        double y = params->kind == CVK_POOL_MAX
                       ? sums_row(SUMS_MAX, src, d.spatial, 0)
                       : sums_row(SUMS_PLAIN, src, d.spatial, 0) / d.spatial;
        vec_store_n(dst + i, posts_apply(&after, vec_set1((float)y), i, 1), 1);
    }
    return CVK_OK;
}

static vec lanes(const float *src, int spatial, cvk_pool_kind kind)
{
    double total[CVK_VLEN];
    float y[CVK_VLEN];
    sums_start(kind == CVK_POOL_MAX ? SUMS_MAX : SUMS_PLAIN, total);
    if (kind == CVK_POOL_MAX)
        sums_lanes(SUMS_MAX, src, spatial, CVK_BLOCK, vec_zero(), total);
    else
        sums_lanes(SUMS_PLAIN, src, spatial, CVK_BLOCK, vec_zero(), total);
    for (int l = 0; l < CVK_VLEN; l++)
        y[l] = (float)(kind == CVK_POOL_MAX ? total[l] : total[l] / spatial);
    return vec_load(y);
}

static cvk_status run_blocked(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const cvk_global_pool_params *params = step->node->params;
    const row_dims d = row_dims_of(&step->in[0].shape);
    const posts after = posts_make(step);
    int begin, end;
    cvk_team_share(d.n * d.blocks, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        const float *src = (const float *)step->in[0].data + (ptrdiff_t)i * d.spatial * CVK_BLOCK;
        float *dst = (float *)step->out[0].data + (ptrdiff_t)i * CVK_BLOCK;
        for (int v = 0; v < CVK_VPB; v++) {
            vec y = lanes(src + v * CVK_VLEN, d.spatial, params->kind);
            vec_store(dst + v * CVK_VLEN, posts_apply(&after, y, 0, CVK_VLEN));
        }
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    return row_f32(p, why_not) && posts_accept(p, false, why_not);
}

static bool accepts_blocked(const cvk_problem *p, const char **why_not)
{
    return accepts(p, why_not) && row_blocked(&p->in[0], why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_global_pool) = {
    .op = CVK_OP_GlobalPool,
    .name = "global_pool",
    .accepts = accepts,
    .run = run,
};

const cvk_kernel CVK_FN(cvk_cpu_global_pool_blocked) = {
    .op = CVK_OP_GlobalPool,
    .name = "global_pool_blocked",
    .in_layout = CVK_LAYOUT_BLOCKED,
    .out_layout = CVK_LAYOUT_BLOCKED,
    .accepts = accepts_blocked,
    .run = run_blocked,
};
