/* SPDX-License-Identifier: Apache-2.0
 *
 * RowNormalization: rows of neighbours to mean 0 and variance 1, then scale and shift, which have an
 * entry per element (inner 1) or per run of `inner` elements. Mean, then variance, in two passes.
 */
#include <math.h>

#include "kernels/cpu/sums.h"

/* (x - mean - lost) k: the mean as a float and what that lost, which is summed apart. */
typedef struct moments {
    float mean, lost, k;
} moments;

static moments moments_of(const float *src, int64_t length, float epsilon)
{
    float near = (float)(sums_row(SUMS_PLAIN, src, length, 0) / (double)length);
    double lost = sums_row(SUMS_DISTANCES, src, length, near) / (double)length;
    double variance = sums_row(SUMS_SQUARES, src, length, near) / (double)length - lost * lost;
    double k = 1 / sqrt((variance > 0 ? variance : 0) + (double)epsilon);
    return (moments){near, (float)lost, (float)k};
}

CVK_INLINE vec centred(const moments *m, vec x)
{
    return vec_mul(vec_sub(vec_sub(x, vec_set1(m->mean)), vec_set1(m->lost)), vec_set1(m->k));
}

/* n neighbours with an entry each; scale and shift may be NULL. */
static void elements(const moments *m, const float *src, const float *scale, const float *shift,
                     float *dst, int64_t n)
{
    for (int64_t i = 0; i < n; i += CVK_VLEN) {
        int lanes = n - i < CVK_VLEN ? (int)(n - i) : CVK_VLEN;
        vec y = centred(m, vec_load_n(src + i, lanes));
        if (scale) y = vec_mul(y, vec_load_n(scale + i, lanes));
        if (shift) y = vec_add(y, vec_load_n(shift + i, lanes));
        vec_store_n(dst + i, y, lanes);
    }
}

/* n neighbours with one entry. */
static void run_of(const moments *m, const float *src, float scale, float shift, float *dst,
                   int64_t n)
{
    for (int64_t i = 0; i < n; i += CVK_VLEN) {
        int lanes = n - i < CVK_VLEN ? (int)(n - i) : CVK_VLEN;
        vec y = centred(m, vec_load_n(src + i, lanes));
        vec_store_n(dst + i, vec_fma(y, vec_set1(scale), vec_set1(shift)), lanes);
    }
}

/* The data of an optional input or output. */
static float *data_of(const cvk_view *views, int n, int i)
{
    return i < n && views[i].dtype != CVK_NONE ? views[i].data : NULL;
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const cvk_node *node = step->node;
    const cvk_row_normalization_params *p = node->params;
    const float *scale = data_of(step->in, node->n_in, 1),
                *shift = data_of(step->in, node->n_in, 2);
    float *means = data_of(step->out, node->n_out, 1), *ks = data_of(step->out, node->n_out, 2);
    const int64_t entries = p->length / p->inner;
    int begin, end;
    cvk_team_share((int)p->rows, worker, workers, &begin, &end);
    for (int r = begin; r < end; r++) {
        const float *src = (const float *)step->in[0].data + r * p->length;
        float *dst = (float *)step->out[0].data + r * p->length;
        const moments m = moments_of(src, p->length, p->epsilon);
        const int64_t first = r % p->groups * entries;
        if (p->inner == 1)
            elements(&m, src, scale ? scale + first : NULL, shift ? shift + first : NULL, dst,
                     p->length);
        else
            for (int64_t e = 0; e < entries; e++)
                run_of(&m, src + e * p->inner, scale ? scale[first + e] : 1.0f,
                       shift ? shift[first + e] : 0.0f, dst + e * p->inner, p->inner);
        if (means) means[r] = m.mean + m.lost;
        if (ks) ks[r] = m.k;
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    return row_f32(p, why_not) && row_no_posts(p, why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_row_normalization) = {
    .op = CVK_OP_RowNormalization,
    .name = "row_normalization",
    .inplace = true,
    .accepts = accepts,
    .run = run,
};
