/* SPDX-License-Identifier: Apache-2.0
 *
 * Affine: y = x scale[c] + shift[c], then simple posts.
 */
#include "kernels/cpu/posts.h"

/* n neighbours of one channel. */
static void plane(const posts *after, const float *src, float *dst, int64_t at, int n, float scale,
                  float shift)
{
    const vec m = vec_set1(scale), s = vec_set1(shift);
    int i = 0;
    for (; i + CVK_VLEN <= n; i += CVK_VLEN)
        vec_store(dst + at + i,
                  posts_apply(after, vec_fma(vec_load(src + at + i), m, s), at + i, CVK_VLEN));
    int rest = n - i;
    if (rest)
        vec_store_n(dst + at + i,
                    posts_apply(after, vec_fma(vec_load_n(src + at + i, rest), m, s), at + i, rest),
                    rest);
}

/* n neighbours, each a channel of its own. */
static void channels(const posts *after, const float *src, float *dst, int64_t at, int n,
                     const float *scale, const float *shift)
{
    for (int i = 0; i < n; i += CVK_VLEN) {
        int lanes = n - i < CVK_VLEN ? n - i : CVK_VLEN;
        vec x = vec_fma(vec_load_n(src + at + i, lanes), vec_load_n(scale + i, lanes),
                        vec_load_n(shift + i, lanes));
        vec_store_n(dst + at + i, posts_apply(after, x, at + i, lanes), lanes);
    }
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const row_dims d = row_dims_of(&step->out[0].shape);
    const posts after = posts_make(step);
    const float *src = step->in[0].data, *scale = step->in[1].data, *shift = step->in[2].data;
    float *dst = step->out[0].data;
    int begin, end, length = d.spatial == 1 ? d.c : d.spatial;
    row_share(d.n * d.c * d.spatial, worker, workers, &begin, &end);
    while (begin < end) {
        int i = begin % length, c = begin / length % d.c;
        int n = length - i < end - begin ? length - i : end - begin;
        if (d.spatial == 1)
            channels(&after, src, dst, begin, n, scale + i, shift + i);
        else
            plane(&after, src, dst, begin, n, scale[c], shift[c]);
        begin += n;
    }
    return CVK_OK;
}

/* n pixels of one vec of channels, the pixels 16 floats apart. */
static void lanes(const posts *after, const float *src, float *dst, int64_t at, int n, vec scale,
                  vec shift)
{
    for (int64_t end = at + (int64_t)n * CVK_BLOCK; at < end; at += CVK_BLOCK)
        vec_store(dst + at,
                  posts_apply(after, vec_fma(vec_load(src + at), scale, shift), at, CVK_VLEN));
}

static cvk_status run_blocked(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const row_dims d = row_dims_of(&step->out[0].shape);
    const posts after = posts_make(step);
    const float *scale = step->in[1].data, *shift = step->in[2].data;
    int begin, end;
    cvk_team_share(d.n * d.blocks * d.spatial, worker, workers, &begin, &end);
    while (begin < end) {
        int i = begin % d.spatial, b = begin / d.spatial % d.blocks;
        int n = d.spatial - i < end - begin ? d.spatial - i : end - begin;
        for (int v = 0; v < CVK_VPB; v++) {
            int real = row_vec_lanes(row_lanes(&d, b), v, CVK_VLEN),
                c = b * CVK_BLOCK + v * CVK_VLEN;
            if (real == 0) break;
            lanes(&after, step->in[0].data, step->out[0].data,
                  (int64_t)begin * CVK_BLOCK + v * CVK_VLEN, n, vec_load_n(scale + c, real),
                  vec_load_n(shift + c, real));
        }
        begin += n;
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    return row_f32(p, why_not) && posts_accept(p, true, why_not);
}

static bool accepts_blocked(const cvk_problem *p, const char **why_not)
{
    return accepts(p, why_not) && row_blocked(&p->in[0], why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_affine) = {
    .op = CVK_OP_Affine,
    .name = "affine",
    .inplace = true,
    .accepts = accepts,
    .run = run,
};

const cvk_kernel CVK_FN(cvk_cpu_affine_blocked) = {
    .op = CVK_OP_Affine,
    .name = "affine_blocked",
    .in_layout = CVK_LAYOUT_BLOCKED,
    .out_layout = CVK_LAYOUT_BLOCKED,
    .inplace = true,
    .accepts = accepts_blocked,
    .run = run_blocked,
};
