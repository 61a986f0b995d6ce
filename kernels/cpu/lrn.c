/* SPDX-License-Identifier: Apache-2.0
 *
 * LRN: each element over a power of the squares of its neighbours in other channels.
 */
#include "kernels/cpu/row.h"
#include "kernels/cpu/vec.h"

typedef struct rule {
    int below, above; /* neighbours */
    float scale, bias, beta;
} rule;

static rule rule_of(const cvk_lrn_params *p, int channels)
{
    int size =
        p->size < 2 * (int64_t)channels ? (int)p->size : 2 * channels; /* more reach nobody */
    return (rule){.below = (size - 1) / 2,
                  .above = size / 2,
                  .scale = p->alpha / (float)p->size,
                  .bias = p->bias,
                  .beta = p->beta};
}

/* x / (bias + scale sum)^beta; the usual exponents without a logarithm. */
static inline vec divide(const rule *r, vec x, vec sum)
{
    vec base = vec_fma(sum, vec_set1(r->scale), vec_set1(r->bias));
    if (r->beta == 1.0f) return vec_div(x, base);
    vec root = vec_sqrt(base);
    if (r->beta == 0.5f) return vec_div(x, root);
    if (r->beta == 0.75f) return vec_div(x, vec_mul(root, vec_sqrt(root)));
    return vec_mul(x, vec_exp(vec_mul(vec_set1(-r->beta), vec_log(base))));
}

static inline vec load(const float *src, int lanes)
{
    return lanes == CVK_VLEN ? vec_load(src) : vec_load_n(src, lanes);
}

static void plane(const rule *r, const row_dims *d, const float *src, float *dst, int c)
{
    int first = c - r->below < 0 ? 0 : c - r->below,
        last = c + r->above >= d->c ? d->c - 1 : c + r->above;
    for (int i = 0; i < d->spatial; i += CVK_VLEN) {
        int lanes = d->spatial - i < CVK_VLEN ? d->spatial - i : CVK_VLEN;
        vec sum = vec_zero();
        for (int k = first; k <= last; k++) {
            vec x = load(src + (ptrdiff_t)(k - c) * d->spatial + i, lanes);
            sum = vec_fma(x, x, sum);
        }
        vec_store_n(dst + i, divide(r, load(src + i, lanes), sum), lanes);
    }
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const row_dims d = row_dims_of(&step->in[0].shape);
    const rule r = rule_of(step->node->params, d.c);
    int begin, end;
    cvk_team_share(d.n * d.c, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        ptrdiff_t at = (ptrdiff_t)i * d.spatial;
        plane(&r, &d, (const float *)step->in[0].data + at, (float *)step->out[0].data + at,
              i % d.c);
    }
    return CVK_OK;
}

enum { PIXELS = 16 };

/* The squares of block b of n pixels into dst, one pixel every 3 blocks; 0 for channels that do not
 * exist. */
static void squares(const row_dims *d, const float *src, int b, int n, float *dst)
{
    const bool real = b >= 0 && b < d->blocks;
    for (int v = 0; v < CVK_VPB; v++) {
        int lanes = real ? row_vec_lanes(row_lanes(d, b), v, CVK_VLEN) : 0;
        for (int p = 0; p < n; p++) {
            vec x = lanes ? load(src + p * CVK_BLOCK + v * CVK_VLEN, lanes) : vec_zero();
            vec_store(dst + p * 3 * CVK_BLOCK + v * CVK_VLEN, vec_mul(x, x));
        }
    }
}

/* n pixels of block b: the squares of three blocks behind each other, and a window that slides over
 * them. Several pixels at a time, so that the squares are in cache before they are read. */
static void pixels(const rule *r, const row_dims *d, const float *src, float *dst, int b, int n)
{
    float buffer[PIXELS * 3 * CVK_BLOCK];
    const ptrdiff_t block = (ptrdiff_t)d->spatial * CVK_BLOCK;
    for (int k = -1; k <= 1; k++)
        squares(d, src + k * block, b + k, n, buffer + (k + 1) * CVK_BLOCK);
    for (int i = 0; i < n * CVK_VPB; i++) {
        const float *mid = buffer + (i / CVK_VPB * 3 + 1) * CVK_BLOCK + i % CVK_VPB * CVK_VLEN;
        vec sum = vec_zero();
        for (int k = -r->below; k <= r->above; k++) sum = vec_add(sum, vec_load(mid + k));
        vec_store(dst + i * CVK_VLEN, divide(r, vec_load(src + i * CVK_VLEN), sum));
    }
}

static cvk_status run_blocked(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const row_dims d = row_dims_of(&step->in[0].shape);
    const rule r = rule_of(step->node->params, d.c);
    int begin, end;
    cvk_team_share(d.n * d.blocks * d.spatial, worker, workers, &begin, &end);
    for (int n; begin < end; begin += n) {
        ptrdiff_t at = (ptrdiff_t)begin * CVK_BLOCK;
        n = d.spatial - begin % d.spatial < end - begin ? d.spatial - begin % d.spatial
                                                        : end - begin;
        if (n > PIXELS) n = PIXELS;
        pixels(&r, &d, (const float *)step->in[0].data + at, (float *)step->out[0].data + at,
               begin / d.spatial % d.blocks, n);
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    return row_f32(p, why_not) && row_no_posts(p, why_not);
}

static bool accepts_blocked(const cvk_problem *p, const char **why_not)
{
    const cvk_lrn_params *params = p->node->params;
    if (!accepts(p, why_not) || !row_blocked(&p->in[0], why_not)) return false;
    return params->size / 2 <= CVK_BLOCK
               ? true
               : row_refuse(why_not, "the window is larger than three blocks");
}

const cvk_kernel CVK_FN(cvk_cpu_lrn) = {
    .op = CVK_OP_LRN,
    .name = "lrn",
    .accepts = accepts,
    .run = run,
};

const cvk_kernel CVK_FN(cvk_cpu_lrn_blocked) = {
    .op = CVK_OP_LRN,
    .name = "lrn_blocked",
    .in_layout = CVK_LAYOUT_BLOCKED,
    .out_layout = CVK_LAYOUT_BLOCKED,
    .accepts = accepts_blocked,
    .run = run_blocked,
};
