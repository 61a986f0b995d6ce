/* SPDX-License-Identifier: Apache-2.0
 *
 * InstanceNormalization: each channel of each image to mean 0 and variance 1, then scale and shift.
 * Mean, then variance, in two passes. The mean is kept as a float and what it lost to rounding, so
 * that a channel far from 0 with a small variance keeps its digits:
 *
 *     y = (x - mean) k + (shift - lost k),  k = scale / sqrt(variance + epsilon)
 */
#include <math.h>

#include "kernels/cpu/sums.h"

typedef struct moments {
    float mean, k, shift;
} moments;

/* deviations: the sum of squared distances from (float)mean. */
static moments finish(double mean, double deviations, int count, double epsilon, double scale,
                      double shift)
{
    double near = (double)(float)mean, lost = mean - near,
           variance = deviations / count - lost * lost;
    double k = scale / sqrt((variance > 0 ? variance : 0) + epsilon);
    return (moments){(float)mean, (float)k, (float)(shift - lost * k)};
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const cvk_instance_normalization_params *params = step->node->params;
    const row_dims d = row_dims_of(&step->in[0].shape);
    const float *scale = step->in[1].data, *shift = step->in[2].data;
    int begin, end;
    cvk_team_share(d.n * d.c, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        const float *src = (const float *)step->in[0].data + (ptrdiff_t)i * d.spatial;
        float *dst = (float *)step->out[0].data + (ptrdiff_t)i * d.spatial;
        double mean = sums_row(SUMS_PLAIN, src, d.spatial, 0) / d.spatial;
        double deviations = sums_row(SUMS_SQUARES, src, d.spatial, (float)mean);
        moments m =
            finish(mean, deviations, d.spatial, params->epsilon, scale[i % d.c], shift[i % d.c]);
        for (int x = 0; x < d.spatial; x += CVK_VLEN) {
            int lanes = d.spatial - x < CVK_VLEN ? d.spatial - x : CVK_VLEN;
            vec y = lanes == CVK_VLEN ? vec_load(src + x) : vec_load_n(src + x, lanes);
            vec_store_n(dst + x,
                        vec_fma(vec_sub(y, vec_set1(m.mean)), vec_set1(m.k), vec_set1(m.shift)),
                        lanes);
        }
    }
    return CVK_OK;
}

/* One vec of channels, of which `real` exist, the first of them `c`. */
static void lanes(const cvk_step *step, const float *src, float *dst, int spatial, int c, int real)
{
    const cvk_instance_normalization_params *params = step->node->params;
    const float *scale = step->in[1].data, *shift = step->in[2].data;
    double sum[CVK_VLEN], deviations[CVK_VLEN];
    float mean[CVK_VLEN], k[CVK_VLEN] = {0}, add[CVK_VLEN] = {0};
    sums_start(SUMS_PLAIN, sum);
    sums_start(SUMS_SQUARES, deviations);
    sums_lanes(SUMS_PLAIN, src, spatial, CVK_BLOCK, vec_zero(), sum);
    for (int l = 0; l < CVK_VLEN; l++) mean[l] = (float)(sum[l] / spatial);
    sums_lanes(SUMS_SQUARES, src, spatial, CVK_BLOCK, vec_load(mean), deviations);
    for (int l = 0; l < real; l++) {
        moments m = finish(sum[l] / spatial, deviations[l], spatial, params->epsilon, scale[c + l],
                           shift[c + l]);
        k[l] = m.k;
        add[l] = m.shift;
    }
    const vec vm = vec_load(mean), vk = vec_load(k), va = vec_load(add);
    for (ptrdiff_t x = 0; x < (ptrdiff_t)spatial * CVK_BLOCK; x += CVK_BLOCK)
        vec_store(dst + x, vec_fma(vec_sub(vec_load(src + x), vm), vk, va));
}

static cvk_status run_blocked(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const row_dims d = row_dims_of(&step->in[0].shape);
    int begin, end;
    cvk_team_share(d.n * d.blocks * CVK_VPB, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        int block = i / CVK_VPB, b = block % d.blocks, v = i % CVK_VPB;
        int real = row_vec_lanes(row_lanes(&d, b), v, CVK_VLEN);
        ptrdiff_t at = (ptrdiff_t)block * d.spatial * CVK_BLOCK + v * CVK_VLEN;
        if (real == 0) continue;
        lanes(step, (const float *)step->in[0].data + at, (float *)step->out[0].data + at,
              d.spatial, b * CVK_BLOCK + v * CVK_VLEN, real);
    }
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

const cvk_kernel CVK_FN(cvk_cpu_instance_normalization) = {
    .op = CVK_OP_InstanceNormalization,
    .name = "instance_normalization",
    .inplace = true,
    .accepts = accepts,
    .run = run,
};

const cvk_kernel CVK_FN(cvk_cpu_instance_normalization_blocked) = {
    .op = CVK_OP_InstanceNormalization,
    .name = "instance_normalization_blocked",
    .in_layout = CVK_LAYOUT_BLOCKED,
    .out_layout = CVK_LAYOUT_BLOCKED,
    .inplace = true,
    .accepts = accepts_blocked,
    .run = run_blocked,
};
