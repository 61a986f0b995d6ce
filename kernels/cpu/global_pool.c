/* SPDX-License-Identifier: Apache-2.0
 *
 * GlobalPool: the mean or the maximum of each channel.
 */
#include "kernels/cpu/half.h"
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

static void add_pixels(cvk_pool_kind kind, const float *src, int pixels, ptrdiff_t step,
                       double *total)
{
    if (kind == CVK_POOL_MAX)
        sums_lanes(SUMS_MAX, src, pixels, step, vec_zero(), total);
    else
        sums_lanes(SUMS_PLAIN, src, pixels, step, vec_zero(), total);
}

/* float16 pixels are converted some at a time. */
static void add_halves(cvk_pool_kind kind, const uint16_t *src, int pixels, double *total)
{
    enum { SOME = 32 };
    float some[SOME * CVK_VLEN];
    for (int p = 0; p < pixels; p += SOME) {
        const int n = pixels - p < SOME ? pixels - p : SOME;
        for (int i = 0; i < n; i++)
            vec_store(some + i * CVK_VLEN, vec_load_half(src + (ptrdiff_t)(p + i) * CVK_BLOCK));
        add_pixels(kind, some, n, CVK_VLEN, total);
    }
}

static vec lanes(const void *src, int spatial, cvk_pool_kind kind, bool half)
{
    double total[CVK_VLEN];
    float y[CVK_VLEN];
    sums_start(kind == CVK_POOL_MAX ? SUMS_MAX : SUMS_PLAIN, total);
    if (half)
        add_halves(kind, src, spatial, total);
    else
        add_pixels(kind, src, spatial, CVK_BLOCK, total);
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
    const bool half = step->in[0].dtype == CVK_F16;
    int begin, end;
    cvk_team_share(d.n * d.blocks, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        for (int v = 0; v < CVK_VPB; v++) {
            const ptrdiff_t from = (ptrdiff_t)i * d.spatial * CVK_BLOCK + v * CVK_VLEN;
            vec y = lanes(row_at(step->in[0].data, from, half), d.spatial, params->kind, half);
            row_store(step->out[0].data, (ptrdiff_t)i * CVK_BLOCK + v * CVK_VLEN,
                      posts_apply(&after, y, 0, CVK_VLEN), half);
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
    return row_floats(p, why_not) && posts_accept(p, false, why_not) &&
           row_blocked(&p->in[0], why_not);
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
