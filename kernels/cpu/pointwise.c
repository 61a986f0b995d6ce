/* SPDX-License-Identifier: Apache-2.0
 *
 * Tiles and packed weights of pointwise.h.
 */
#include "kernels/cpu/pointwise.h"

#include "kernels/cpu/conv_tile.h"
#include "kernels/cpu/ints.h"

enum { LINE_TILES = 4 }; /* register tiles whose results are in L1 when what follows is applied */

pointwise CVK_FN(cvk_pointwise_make)(int ic, int oc)
{
    pointwise p = {.ic = ic, .oc = oc, .blocks = divide_up(ic, CVK_BLOCK)};
    p.last = ic - (p.blocks - 1) * CVK_BLOCK;
    p.vecs = divide_up(divide_up(oc, CVK_VLEN), CONV_TILE_STEP) * CONV_TILE_STEP;
    const bool narrow = p.vecs > CVK_TILE_OCV;
    p.tile_vecs = narrow ? CVK_TILE1_OCV : CVK_TILE_OCV;
    p.px = narrow ? CVK_TILE1_PX : CVK_TILE_PX;
    p.tiles = divide_up(p.vecs, p.tile_vecs);
    return p;
}

void CVK_FN(cvk_pointwise_run)(const pointwise *p, int tile, const pixel_run *run,
                               const finish *after)
{
    static const int first_tap = 0;
    const int first = pointwise_first(p, tile), ocv = pointwise_first(p, tile + 1) - first;
    const int pieces = divide_up(run->count, p->px * LINE_TILES);
    const int most = divide_up(divide_up(run->count, pieces), p->px) * p->px;
    conv_tile t = {.ocv = ocv,
                   .block_step = run->src_step,
                   .off = &first_tap,
                   .taps = 1,
                   .blocks = p->blocks,
                   .last = p->last,
                   .wgt = p->wgt + (ptrdiff_t)first * CVK_VLEN * p->ic,
                   .bias = p->bias + (ptrdiff_t)first * CVK_VLEN,
                   .px_step = CVK_BLOCK,
                   .clamp = after->is_simple && after->simple.clamp,
                   .lo = after->simple.lo,
                   .hi = after->simple.hi};
    for (int v = 0; v < ocv; v++) {
        const int channel = (first + v) * CVK_VLEN;
        t.vec_off[v] = channel / CVK_BLOCK * run->dst_step + channel % CVK_BLOCK;
    }
    for (int i = 0; i < run->count; i += most) {
        const int n = run->count - i < most ? run->count - i : most;
        const ptrdiff_t skip = (ptrdiff_t)i * CVK_BLOCK;
        t.src = run->src + skip;
        t.dst = run->dst + skip;
        t.res = after->is_simple && after->simple.res ? after->simple.res + run->at + skip : NULL;
        CVK_FN(cvk_conv_tile_blocked)(&t, n, p->px);
        for (int v = 0; v < ocv && !after->is_simple; v++) CVK_FN(cvk_chain_lanes)
        (&after->all, t.dst + t.vec_off[v], CVK_BLOCK, run->at + (size_t)(skip + t.vec_off[v]),
         CVK_BLOCK, n, (first + v) * CVK_VLEN);
    }
}

/* --- packed weights --- */

typedef struct pack_arg {
    const pointwise *p;
    const float *wgt, *bias;
} pack_arg;

static size_t wgt_floats(const pointwise *p)
{
    return (size_t)p->vecs * CVK_VLEN * (size_t)p->ic;
}

static void pack_fill(void *memory, const void *context)
{
    const pack_arg *arg = context;
    const pointwise *p = arg->p;
    float *dst = memory, *bias = dst + wgt_floats(p);
    for (int t = 0; t < p->tiles; t++) {
        const int begin = pointwise_first(p, t) * CVK_VLEN,
                  end = pointwise_first(p, t + 1) * CVK_VLEN;
        for (int ic = 0; ic < p->ic; ic++)
            for (int oc = begin; oc < end; oc++)
                *dst++ = oc < p->oc ? arg->wgt[(ptrdiff_t)oc * p->ic + ic] : 0;
    }
    for (int oc = 0; arg->bias && oc < p->oc; oc++) bias[oc] = arg->bias[oc];
}

cvk_status CVK_FN(cvk_pointwise_pack)(cvk_device *device, cvk_step *step, const cvk_view *wgt,
                                      const cvk_view *bias, pointwise *p)
{
    const pack_arg arg = {.p = p, .wgt = wgt->data, .bias = bias ? bias->data : NULL};
    const cvk_pack pack = {.source = wgt->data,
                           .source_bytes = cvk_view_bytes(wgt),
                           .source2 = arg.bias,
                           .source2_bytes = bias ? cvk_view_bytes(bias) : 0,
                           .kind = "pointwise",
                           .variant = (uint64_t)p->ic << 32 | (uint64_t)p->oc,
                           .bytes = (wgt_floats(p) + (size_t)p->vecs * CVK_VLEN) * sizeof(float),
                           .fill = pack_fill,
                           .arg = &arg};
    void *data = NULL;
    CVK_TRY(cvk_step_pack(device, step, &pack, &data));
    p->wgt = data;
    p->bias = p->wgt + wgt_floats(p);
    return CVK_OK;
}
