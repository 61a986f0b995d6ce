/* SPDX-License-Identifier: Apache-2.0
 *
 * What a planned convolution keeps beside its sizes: tables of taps, packed weights, the list by
 * which workers share it.
 */
#include "kernels/cpu/conv_plan.h"

#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/ints.h"
#include "kernels/cpu/row.h"

/* --- tables --- */

/* Floats from a row's first pixel to tap (kh, kw); false if the tap is not one of this phase. */
static bool tap_offset(const conv_plan *plan, const conv_phase *phase, int kh, int kw, int *off)
{
    const cvk_geom *g = &plan->g;
    int y = kh * g->dh / plan->y.stride, x = kw * g->dw / plan->x.stride;
    int row_slot = kh % plan->y.slots, col_slot = kw % plan->x.slots;
    if (plan->transposed) {
        if (!conv_transposed_line(phase->y0, kh, g->sh, g->dh, g->pt, &y)) return false;
        if (!conv_transposed_line(phase->x0, kw, g->sw, g->dw, g->pl, &x)) return false;
        y += plan->y.origin;
        x += plan->x.origin;
    }
    if (!plan->copy) {
        *off = (kh * g->dh * g->iw + kw * g->dw) * plan->unit;
        return true;
    }
    *off = (int)(row_slot * plan->slot_step + y * plan->row_step) +
           (col_slot * plan->pitch + x) * plan->unit;
    return true;
}

static cvk_status make_phase(cvk_step *step, const conv_plan *plan, int index, conv_phase *phase)
{
    const cvk_geom *g = &plan->g;
    size_t most = (size_t)g->kh * (size_t)g->kw;
    int *off = cvk_step_alloc(step, most * sizeof *off),
        *tap = cvk_step_alloc(step, most * sizeof *tap);
    if (!off || !tap) return CVK_NO_MEMORY;
    *phase =
        (conv_phase){.off = off, .tap = tap, .y0 = index / plan->xstep, .x0 = index % plan->xstep};
    for (int kh = 0; kh < g->kh; kh++) {
        for (int kw = 0; kw < g->kw; kw++) {
            if (!tap_offset(plan, phase, kh, kw, &off[phase->taps])) continue;
            tap[phase->taps++] = kh * g->kw + kw;
        }
    }
    phase->rows = plan->rows;
    phase->cols = plan->cols;
    if (plan->transposed) {
        phase->rows = divide_up(g->oh > phase->y0 ? g->oh - phase->y0 : 0, g->sh);
        phase->cols = divide_up(g->ow > phase->x0 ? g->ow - phase->x0 : 0, g->sw);
    }
    return CVK_OK;
}

static cvk_status make_phases(cvk_step *step, conv_plan *plan)
{
    plan->phases = cvk_step_alloc(step, (size_t)plan->n_phases * sizeof *plan->phases);
    if (!plan->phases) return CVK_NO_MEMORY;
    size_t lanes = (size_t)plan->g.group * (size_t)plan->vecs * (size_t)plan->lanes;
    for (int i = 0; i < plan->n_phases; i++) {
        CVK_TRY(make_phase(step, plan, i, &plan->phases[i]));
        plan->phases[i].wgt = plan->wgt_floats;
        plan->wgt_floats += lanes * (size_t)plan->icg * (size_t)plan->phases[i].taps;
    }
    plan->bias_at = round_up(plan->wgt_floats, CVK_BLOCK);
    plan->pack_floats = plan->bias_at + lanes;
    return CVK_OK;
}

/* --- packed weights --- */

typedef struct pack_arg {
    const conv_plan *plan;
    const float *wgt, *bias;
} pack_arg;

/* The lanes of one vec at (group, first output channel, source channel, tap), absent ones 0. */
static void pack_vec(const pack_arg *arg, int group, int oc, int ic, int tap, float *dst)
{
    const conv_plan *plan = arg->plan;
    size_t taps = (size_t)plan->g.kh * (size_t)plan->g.kw;
    for (int lane = 0; lane < plan->lanes && oc + lane < plan->ocg; lane++) {
        size_t at =
            plan->transposed
                ? ((size_t)group * (size_t)plan->icg + (size_t)ic) * (size_t)plan->ocg +
                      (size_t)(oc + lane)
                : ((size_t)group * (size_t)plan->ocg + (size_t)(oc + lane)) * (size_t)plan->icg +
                      (size_t)ic;
        dst[lane] = arg->wgt[at * taps + (size_t)tap];
    }
}

static float *pack_tile(const pack_arg *arg, const conv_phase *phase, int group, int tile,
                        float *dst)
{
    const conv_plan *plan = arg->plan;
    int begin = conv_tile_first(plan, tile), end = conv_tile_first(plan, tile + 1);
    for (int ic0 = 0; ic0 < plan->icg; ic0 += plan->unit) {
        int ic_end = ic0 + plan->unit < plan->icg ? ic0 + plan->unit : plan->icg;
        for (int t = 0; t < phase->taps; t++) {
            for (int ic = ic0; ic < ic_end; ic++) {
                for (int v = begin; v < end; v++, dst += plan->lanes)
                    pack_vec(arg, group, v * plan->lanes, ic, phase->tap[t], dst);
            }
        }
    }
    return dst;
}

static void pack_fill(void *memory, const void *context)
{
    const pack_arg *arg = context;
    const conv_plan *plan = arg->plan;
    float *dst = memory;
    for (int p = 0; p < plan->n_phases; p++) {
        for (int i = 0; i < plan->g.group * plan->tiles; i++)
            dst = pack_tile(arg, &plan->phases[p], i / plan->tiles, i % plan->tiles, dst);
    }
    float *bias = (float *)memory + plan->bias_at;
    for (int oc = 0; arg->bias && oc < plan->g.oc; oc++)
        bias[oc / plan->ocg * plan->vecs * plan->lanes + oc % plan->ocg] = arg->bias[oc];
}

static uint64_t pack_variant(const conv_plan *plan)
{
    const cvk_geom *g = &plan->g;
    const int facts[] = {(int)plan->form,
                         plan->transposed,
                         plan->lanes,
                         plan->tile_vecs,
                         plan->unit,
                         plan->icg,
                         plan->ocg,
                         g->group,
                         g->kh,
                         g->kw,
                         plan->transposed ? g->sh : 0,
                         plan->transposed ? g->sw : 0,
                         plan->transposed ? g->dh : 0,
                         plan->transposed ? g->dw : 0,
                         plan->transposed ? g->pt : 0,
                         plan->transposed ? g->pl : 0};
    uint64_t hash = 14695981039346656037u; /* FNV-1a, by words */
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        hash = (hash ^ (uint32_t)facts[i]) * 1099511628211u;
    return hash;
}

static cvk_status pack_weights(cvk_device *device, cvk_step *step, conv_plan *plan)
{
    const cvk_view *wgt = &step->in[1], *bias = CVK_FN(cvk_third_input)(step->node, step->in);
    pack_arg arg = {.plan = plan, .wgt = wgt->data, .bias = bias ? bias->data : NULL};
    cvk_pack pack = {.source = wgt->data,
                     .source_bytes = cvk_view_bytes(wgt),
                     .source2 = arg.bias,
                     .source2_bytes = bias ? cvk_view_bytes(bias) : 0,
                     .kind = "conv",
                     .variant = pack_variant(plan),
                     .bytes = plan->pack_floats * sizeof(float),
                     .fill = pack_fill,
                     .arg = &arg};
    void *data = NULL;
    CVK_TRY(cvk_step_pack(device, step, &pack, &data));
    plan->wgt = data;
    return CVK_OK;
}

cvk_status CVK_FN(cvk_conv_plan_finish)(cvk_device *device, cvk_step *step, conv_plan *plan)
{
    CVK_TRY(make_phases(step, plan));
    CVK_TRY(pack_weights(device, step, plan));
    size_t parts = (size_t)plan->row_parts * (size_t)plan->oc_parts;
    if (plan->listed) {
        int *cuts = cvk_step_alloc(step, (parts + 1) * sizeof *cuts);
        if (!cuts) return CVK_NO_MEMORY;
        CVK_FN(cvk_conv_plan_cuts)(plan, (int)parts, cuts);
        plan->cuts = cuts;
    }
    step->scratch_bytes = parts * plan->worker_floats * sizeof(float);
    return CVK_OK;
}
