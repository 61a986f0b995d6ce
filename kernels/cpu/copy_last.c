/* SPDX-License-Identifier: Apache-2.0
 *
 * Copy that puts the channels behind the pixels, from the blocked layout to plain: (N, C, H, W) to
 * (N, H, W, C). The channels of a block are neighbours on both sides.
 */
#include <string.h>

#include "graph/planes.h"
#include "kernels/cpu/row.h"
#include "kernels/cpu/unroll.h"
#include "kernels/cpu/vec.h"

/* `pixels` pixels of one block, of which `lanes` channels exist; dst: c floats to a pixel. */
static void copy_block(const float *src, float *dst, int c, int lanes, int pixels)
{
    for (int v = 0; v < CVK_VPB; v++) {
        const int real = row_vec_lanes(lanes, v, CVK_VLEN);
        const float *from = src + v * CVK_VLEN;
        float *to = dst + v * CVK_VLEN;
        if (real == CVK_VLEN)
            for (int p = 0; p < pixels; p++)
                vec_store(to + (ptrdiff_t)p * c, vec_load(from + (ptrdiff_t)p * CVK_BLOCK));
        else if (real > 0)
            for (int p = 0; p < pixels; p++)
                vec_store_n(to + (ptrdiff_t)p * c, vec_load(from + (ptrdiff_t)p * CVK_BLOCK), real);
    }
}

static void copy_halves(const uint16_t *src, uint16_t *dst, int c, int lanes, int pixels)
{
    for (int p = 0; p < pixels; p++)
        memcpy(dst + (ptrdiff_t)p * c, src + (ptrdiff_t)p * CVK_BLOCK, (size_t)lanes * sizeof *dst);
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const row_dims d = row_dims_of(&step->in[0].shape);
    int begin, end;
    cvk_team_share(d.n * d.spatial, worker, workers, &begin, &end);
    for (int pixels; begin < end; begin += pixels) {
        const int n = begin / d.spatial, p = begin % d.spatial;
        pixels = d.spatial - p < end - begin ? d.spatial - p : end - begin;
        for (int b = 0; b < d.blocks; b++) {
            const ptrdiff_t src = (((ptrdiff_t)n * d.blocks + b) * d.spatial + p) * CVK_BLOCK,
                            dst = (ptrdiff_t)begin * d.c + b * CVK_BLOCK;
            if (step->in[0].dtype == CVK_F16)
                copy_halves((const uint16_t *)step->in[0].data + src,
                            (uint16_t *)step->out[0].data + dst, d.c, row_lanes(&d, b), pixels);
            else
                copy_block((const float *)step->in[0].data + src, (float *)step->out[0].data + dst,
                           d.c, row_lanes(&d, b), pixels);
        }
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    if (!row_sized(p, why_not) || !row_no_posts(p, why_not) || !row_blocked(&p->in[0], why_not))
        return false;
    return cvk_planes_turned(p->node->params, &p->in[0].shape) ||
           row_refuse(why_not, "does more than put the channels last");
}

const cvk_kernel CVK_FN(cvk_cpu_copy_last) = {
    .op = CVK_OP_Copy,
    .name = "copy_last",
    .in_layout = CVK_LAYOUT_BLOCKED,
    .out_layout = CVK_LAYOUT_PLAIN,
    .accepts = accepts,
    .run = run,
};
