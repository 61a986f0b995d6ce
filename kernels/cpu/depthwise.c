/* SPDX-License-Identifier: Apache-2.0
 *
 * The row of the depthwise convolution: its planes of rows (depthwise_row.h), shared among workers.
 */
#include "backend/kernel.h"
#include "kernels/cpu/depthwise_row.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/row.h"

typedef struct depthwise {
    cvk_geom g;
    int blocks;
    int inside_begin, inside_end;
    const float *wgt; /* [block][kh][kw][16], then bias [block][16] */
} depthwise;

/* One worker's view of a run. */
typedef struct job {
    const depthwise *d;
    const cvk_step *step;
    chain c;
    chain_simple simple;
    bool is_simple;
} job;

/* Rows [begin, end) of a channel block of an image: `plane` counts blocks over all images. */
static void run_plane(const job *j, int plane, int begin, int end)
{
    const depthwise *d = j->d;
    const cvk_geom *g = &d->g;
    const int block = plane % d->blocks;
    const float *src =
        (const float *)j->step->in[0].data + (ptrdiff_t)plane * g->ih * g->iw * CVK_BLOCK;
    const float *wgt = d->wgt + (ptrdiff_t)block * g->kh * g->kw * CVK_BLOCK;
    const float *bias = d->wgt + ((ptrdiff_t)d->blocks * g->kh * g->kw + block) * CVK_BLOCK;
    depthwise_row r = {.g = g,
                       .inside_begin = d->inside_begin,
                       .inside_end = d->inside_end,
                       .ring = g->ih,
                       .clamp = j->is_simple && j->simple.clamp,
                       .lo = j->simple.lo,
                       .hi = j->simple.hi};
    for (int y = begin, rows = 1; y < end; y += rows) {
        for (int lane = 0; lane < CVK_BLOCK; lane += CVK_VLEN) {
            int channel = block * CVK_BLOCK + lane;
            if (channel >= g->oc) break;
            size_t row = (size_t)plane * (size_t)g->oh + (size_t)y;
            size_t at = row * (size_t)g->ow * CVK_BLOCK + (size_t)lane;
            r.src = src + lane;
            r.wgt = wgt + lane;
            r.bias = bias + lane;
            r.dst = (float *)j->step->out[0].data + at;
            r.res = j->is_simple && j->simple.res ? j->simple.res + at : NULL;
            rows = CVK_FN(cvk_depthwise_row)(&r, y, y + 1 < end);
            if (!j->is_simple) CVK_FN(cvk_chain_lanes)
            (&j->c, r.dst, CVK_BLOCK, at, CVK_BLOCK, rows * g->ow, channel);
        }
    }
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const depthwise *d = step->state;
    const cvk_geom *g = &d->g;
    job j = {.d = d, .step = step};
    CVK_FN(cvk_chain_make)(step->node, step->in, 0, step->node->n_posts, g->oc, &j.c);
    j.is_simple = CVK_FN(cvk_chain_simplify)(&j.c, &j.simple);
    row_parts parts = row_parts_of(g->n, d->blocks, g->oh, worker, workers);
    int plane, begin, end;
    while (row_parts_next(&parts, &plane, &begin, &end))
        for (int k = 0; k < parts.planes; k++) run_plane(&j, plane + k, begin, end);
    return CVK_OK;
}

/* --- preparing --- */

static bool accepts(const cvk_problem *problem, const char **why_not)
{
    const cvk_view *in = problem->in;
    const cvk_view *bias = CVK_FN(cvk_third_input)(problem->node, in);
    cvk_geom g;
    *why_not = NULL;
    if (in[0].dtype != CVK_F32 || !in[1].data || (bias && !bias->data))
        *why_not = "not float32, or weights are not constant";
    else if (!cvk_geom_conv(problem->node, &in[0].shape, &problem->out[0].shape, &g))
        *why_not = "neither 1-D nor 2-D, or too large";
    else if (g.group != g.ic || g.oc != g.ic || g.ic == 1)
        *why_not = "not depthwise";
    for (int i = 0; i < problem->node->n_posts; i++)
        if (problem->node->posts[i].kind == CVK_POST_POOL) *why_not = "has no fused pool";
    return !*why_not;
}

static void work_of(const cvk_problem *problem, cvk_work *work)
{
    cvk_geom g;
    if (!cvk_geom_conv(problem->node, &problem->in[0].shape, &problem->out[0].shape, &g)) return;
    const double channels = (g.oc + CVK_BLOCK - 1) / CVK_BLOCK * CVK_BLOCK;
    work->macs = channels * g.n * g.oh * g.ow * g.kh * g.kw;
}

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    depthwise *d = cvk_step_alloc(step, sizeof *d);
    if (!d) return CVK_NO_MEMORY;
    const cvk_view *wgt = &step->in[1], *bias = CVK_FN(cvk_third_input)(step->node, step->in);
    cvk_geom *g = &d->g;
    if (!cvk_geom_conv(step->node, &step->in[0].shape, &step->out[0].shape, g))
        return cvk_fail(CVK_SHAPE, "convolution '%s': neither 1-D nor 2-D, or too large",
                        step->node->name);
    d->blocks = (g->ic + CVK_BLOCK - 1) / CVK_BLOCK;
    CVK_FN(cvk_depthwise_inside)(g, &d->inside_begin, &d->inside_end);
    CVK_TRY(CVK_FN(cvk_depthwise_pack)(device, step, g, wgt, bias, &d->wgt));
    step->state = d;
    return CVK_OK;
}

const cvk_kernel CVK_FN(cvk_cpu_depthwise) = {
    .op = CVK_OP_Conv,
    .name = "depthwise",
    .in_layout = CVK_LAYOUT_BLOCKED,
    .out_layout = CVK_LAYOUT_BLOCKED,
    .packs = 1u << 1 | 1u << 2,
    .accepts = accepts,
    .cost = work_of,
    .prepare = prepare,
    .run = run,
};
