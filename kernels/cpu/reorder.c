/* SPDX-License-Identifier: Apache-2.0
 *
 * Reorder: the same tensor in the other layout. A block of 16 channels is a matrix of 16 planes by
 * pixels on one side and of pixels by 16 lanes on the other: it is turned in squares of CVK_VLEN.
 *
 *     plain    c0: p0 p1 p2 ...        blocked   p0: c0 c1 ... c15
 *              c1: p0 p1 p2 ...                  p1: c0 c1 ... c15
 *
 * Elements of float16 go one by one.
 */
#include <string.h>

#include "kernels/cpu/row.h"
#include "kernels/cpu/vec.h"
#include "kernels/cpu/work.h"

/* n pixels of `real` channels (at most CVK_VLEN): planes `spatial` floats apart to pixels of lanes.
 * Lanes without a channel become 0. */
static void square_to_lanes(const float *src, float *dst, int spatial, int real, int n)
{
    vec v[CVK_VLEN];
    for (int c = 0; c < CVK_VLEN; c++)
        v[c] = c >= real       ? vec_zero()
               : n == CVK_VLEN ? vec_load(src + (ptrdiff_t)c * spatial)
                               : vec_load_n(src + (ptrdiff_t)c * spatial, n);
    vec_transpose(v);
    for (int p = 0; p < n; p++) vec_store(dst + (ptrdiff_t)p * CVK_BLOCK, v[p]);
}

/* And back. */
static void square_to_planes(const float *src, float *dst, int spatial, int real, int n)
{
    vec v[CVK_VLEN];
    for (int p = 0; p < CVK_VLEN; p++)
        v[p] = p < n ? vec_load(src + (ptrdiff_t)p * CVK_BLOCK) : vec_zero();
    vec_transpose(v);
    for (int c = 0; c < real; c++) vec_store_n(dst + (ptrdiff_t)c * spatial, v[c], n);
}

/* Pixels [begin, end) of all blocks, counted through the whole tensor. */
CVK_INLINE void turn(const row_dims *d, const float *src, float *dst, int begin, int end,
                     const bool to_lanes)
{
    for (int run; begin < end; begin += run) {
        int p = begin % d->spatial, b = begin / d->spatial % d->blocks,
            n = begin / d->spatial / d->blocks;
        run = d->spatial - p < end - begin ? d->spatial - p : end - begin;
        if (run > CVK_VLEN) run = CVK_VLEN;
        for (int v = 0; v < CVK_VPB; v++) {
            int c = b * CVK_BLOCK + v * CVK_VLEN,
                real = row_vec_lanes(row_lanes(d, b), v, CVK_VLEN);
            if (real == 0) c = d->c - 1; /* no channel is read, none is written */
            ptrdiff_t planes = ((ptrdiff_t)n * d->c + c) * d->spatial + p;
            ptrdiff_t lanes = (ptrdiff_t)begin * CVK_BLOCK + v * CVK_VLEN;
            if (to_lanes)
                square_to_lanes(src + planes, dst + lanes, d->spatial, real, run);
            else
                square_to_planes(src + lanes, dst + planes, d->spatial, real, run);
        }
    }
}

/* The same for float16. */
static void turn_halves(const row_dims *d, const uint16_t *src, uint16_t *dst, int begin, int end,
                        bool to_lanes)
{
    for (int i = begin; i < end; i++) {
        int p = i % d->spatial, b = i / d->spatial % d->blocks, n = i / d->spatial / d->blocks;
        const int lanes = row_lanes(d, b);
        const ptrdiff_t planes = ((ptrdiff_t)n * d->c + b * CVK_BLOCK) * d->spatial + p;
        for (int c = 0; c < CVK_BLOCK; c++) {
            ptrdiff_t plane = planes + (ptrdiff_t)c * d->spatial,
                      lane = (ptrdiff_t)i * CVK_BLOCK + c;
            if (to_lanes)
                dst[lane] = c < lanes ? src[plane] : 0;
            else if (c < lanes)
                dst[plane] = src[lane];
        }
    }
}

/* One pixel per channel: channels are neighbours in both layouts. */
static void copy_channels(const row_dims *d, const char *src, char *dst, int begin, int end,
                          bool to_lanes, size_t size)
{
    const size_t c = (size_t)d->c * size, padded = (size_t)d->blocks * CVK_BLOCK * size;
    for (int n = begin; n < end; n++)
        memcpy(dst + (size_t)n * (to_lanes ? padded : c), src + (size_t)n * (to_lanes ? c : padded),
               c);
}

CVK_INLINE void reorder(const cvk_step *step, int worker, int workers, const bool to_lanes)
{
    const row_dims d = row_dims_of(&step->in[0].shape);
    int begin, end;
    cvk_team_share(d.spatial == 1 ? d.n : d.n * d.blocks * d.spatial, worker, workers, &begin,
                   &end);
    if (d.spatial == 1)
        copy_channels(&d, step->in[0].data, step->out[0].data, begin, end, to_lanes,
                      cvk_dtype_bytes(step->in[0].dtype));
    else if (step->in[0].dtype == CVK_F16)
        turn_halves(&d, step->in[0].data, step->out[0].data, begin, end, to_lanes);
    else
        turn(&d, step->in[0].data, step->out[0].data, begin, end, to_lanes);
}

static cvk_status run_block(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    reorder(step, worker, workers, true);
    return CVK_OK;
}

static cvk_status run_unblock(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    reorder(step, worker, workers, false);
    return CVK_OK;
}

/* Which way is the caller's choice, by the rows' layouts. */
static bool accepts(const cvk_problem *p, const char **why_not)
{
    return row_sized(p, why_not) && row_no_posts(p, why_not) && row_blocked(&p->in[0], why_not);
}

static void work_of(const cvk_problem *p, cvk_work *work)
{
    static const double turn_cycles = 8; /* of a vec in a square */
    const row_dims d = row_dims_of(&p->in[0].shape);
    const double vecs = d.spatial == 1 ? 0 : (double)d.n * d.blocks * d.spatial * CVK_VPB;
    work->macs = work_shared_macs(p->caps, turn_cycles * vecs);
}

const cvk_kernel CVK_FN(cvk_cpu_reorder_block) = {
    .op = CVK_OP_Reorder,
    .name = "reorder_block",
    .in_layout = CVK_LAYOUT_PLAIN,
    .out_layout = CVK_LAYOUT_BLOCKED,
    .accepts = accepts,
    .cost = work_of,
    .run = run_block,
};

const cvk_kernel CVK_FN(cvk_cpu_reorder_unblock) = {
    .op = CVK_OP_Reorder,
    .name = "reorder_unblock",
    .in_layout = CVK_LAYOUT_BLOCKED,
    .out_layout = CVK_LAYOUT_PLAIN,
    .accepts = accepts,
    .cost = work_of,
    .run = run_unblock,
};
