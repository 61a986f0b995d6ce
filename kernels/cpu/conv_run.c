/* SPDX-License-Identifier: Apache-2.0
 *
 * Running a planned convolution: the loops that conv_plan.h draws, and the fused pool.
 */
#include "kernels/cpu/conv_band.h"
#include "kernels/cpu/conv_plan.h"
#include "kernels/cpu/conv_pool.h"
#include "kernels/cpu/conv_tile.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/half.h"

/* One worker's view of a run. */
typedef struct job {
    const conv_plan *plan;
    const void *src;
    void *dst;
    float *band, *conv, *keep; /* scratch: source rows, rows before the pool, those to keep */
    float *line;               /* float16: a pooled row before it is rounded */
    chain pre, post;           /* before the pool and after it */
    chain_simple simple;       /* of pre; if not, pre is applied by chain_lanes or chain_plane */
    bool is_simple;
    conv_map map;             /* the prologue from channel 0 on, if the plan has one */
    int tile_begin, tile_end; /* tiles of all groups */
} job;

/* Where the rows of a tile go. */
typedef struct target {
    int image, group, tile, first, vecs; /* first vec of the tile within its group */
    int row;                             /* output row that the band starts with */
    const float *src;                    /* row `row` of the source's first block */
    float *rows; /* pooled or float16: rows [vec][pool_rows][cols][CVK_VLEN]; NULL: dst */
    int rows_at; /* the first of them */
} target;

/* Elements from dst to pixel (0, 0) of an image's output channel, in the result before a pool. */
static ptrdiff_t channel_at(const conv_plan *plan, int image, int channel)
{
    ptrdiff_t pixels = (ptrdiff_t)plan->g.oh * plan->g.ow;
    if (plan->form == CONV_PLAIN) return ((ptrdiff_t)image * plan->g.oc + channel) * pixels;
    ptrdiff_t blocks = (plan->g.oc + CVK_BLOCK - 1) / CVK_BLOCK;
    return (image * blocks + channel / CVK_BLOCK) * pixels * CVK_BLOCK + channel % CVK_BLOCK;
}

static int tile_channel(const conv_plan *plan, const target *to, int vec_index)
{
    return to->group * plan->ocg + (to->first + vec_index) * plan->lanes;
}

/* Elements from a channel's pixel (0, 0) to a row of a phase. */
static ptrdiff_t row_begin(const conv_plan *plan, const conv_phase *phase, int row)
{
    ptrdiff_t unit = plan->form == CONV_PLAIN ? 1 : CVK_BLOCK;
    if (plan->line) return (ptrdiff_t)row * plan->cols * unit;
    return ((ptrdiff_t)(phase->y0 + row * plan->ystep) * plan->g.ow + phase->x0) * unit;
}

static ptrdiff_t px_step(const conv_plan *plan)
{
    return plan->form == CONV_PLAIN ? plan->xstep : (ptrdiff_t)plan->xstep * CVK_BLOCK;
}

static void place_vecs(const conv_plan *plan, const target *to, conv_tile *tile)
{
    ptrdiff_t base = channel_at(plan, to->image, tile_channel(plan, to, 0));
    for (int v = 0; v < to->vecs; v++) {
        tile->vec_off[v] = to->rows ? (ptrdiff_t)v * plan->pool_rows * plan->cols * CVK_VLEN
                                    : channel_at(plan, to->image, tile_channel(plan, to, v)) - base;
    }
    tile->px_step = to->rows ? CVK_VLEN : px_step(plan);
}

/* dst (and res) of one output row. */
static void place_row(const job *j, const target *to, const conv_phase *phase, int row, bool last,
                      conv_tile *tile)
{
    const conv_plan *plan = j->plan;
    tile->res = NULL;
    if (to->rows) {
        tile->dst = to->rows + (ptrdiff_t)(row - to->rows_at) * plan->cols * CVK_VLEN;
    } else {
        ptrdiff_t at =
            channel_at(plan, to->image, tile_channel(plan, to, 0)) + row_begin(plan, phase, row);
        tile->dst = (float *)j->dst + at;
        if (last && j->is_simple && j->simple.res) tile->res = j->simple.res + at;
    }
}

/* The epilogue over one output row, if it was too much for the tile. */
static void finish_row(const job *j, const target *to, const conv_phase *phase, int row, int cols,
                       const conv_tile *tile)
{
    const conv_plan *plan = j->plan;
    for (int v = 0; v < to->vecs; v++) {
        int channel = tile_channel(plan, to, v);
        if (channel >= plan->g.oc) break;
        size_t at = (size_t)(channel_at(plan, to->image, channel) + row_begin(plan, phase, row));
        float *dst = tile->dst + tile->vec_off[v];
        if (plan->form == CONV_PLAIN)
            CVK_FN(cvk_chain_plane)(&j->pre, dst, tile->px_step, at, cols, channel);
        else
            CVK_FN(cvk_chain_lanes)(&j->pre, dst, tile->px_step, at, px_step(plan), cols, channel);
    }
}

static void run_tile_row(const conv_plan *plan, const conv_tile *tile, int cols)
{
    if (plan->form == CONV_BLOCKED)
        CVK_FN(cvk_conv_tile_blocked)(tile, cols, plan->px);
    else if (plan->form == CONV_FIRST)
        CVK_FN(cvk_conv_tile_plain)(tile, cols, plan->px);
    else
        CVK_FN(cvk_conv_tile_planes)(tile, cols, plan->px);
}

/* Rows [to->row, to->row + rows) of one tile and phase, by stretches of the reduction. */
static void run_phase(const job *j, const target *to, const conv_phase *phase, int rows)
{
    const conv_plan *plan = j->plan;
    conv_tile tile = {
        .ocv = to->vecs, .block_step = plan->block_step, .off = phase->off, .taps = phase->taps};
    place_vecs(plan, to, &tile);
    size_t depth = (size_t)plan->icg * (size_t)phase->taps;
    size_t vec_at = (size_t)(to->group * plan->vecs + to->first) * (size_t)plan->lanes;
    const float *wgt = plan->wgt + phase->wgt + vec_at * depth;
    int end = to->row + rows < phase->rows ? to->row + rows : phase->rows;
    for (int b = 0; b < plan->blocks; b += plan->chunk) {
        bool last = b + plan->chunk >= plan->blocks;
        tile.blocks = last ? plan->blocks - b : plan->chunk;
        tile.last = last ? plan->last : plan->unit;
        tile.wgt = wgt + (size_t)b * (size_t)(plan->unit * phase->taps * to->vecs * plan->lanes);
        tile.bias = b ? NULL : plan->wgt + plan->bias_at + vec_at;
        tile.clamp = last && j->is_simple && j->simple.clamp;
        tile.lo = j->simple.lo;
        tile.hi = j->simple.hi;
        for (int row = to->row; row < end; row++) {
            int cols = conv_row_cols(plan, phase, row);
            tile.src = to->src + (row - to->row) * plan->row_step + b * plan->block_step;
            place_row(j, to, phase, row, last, &tile);
            run_tile_row(plan, &tile, cols);
            if (last && !j->is_simple) finish_row(j, to, phase, row, cols, &tile);
        }
    }
}

/* The source of a band: copied into scratch, or where it stands. */
static const float *source_rows(const job *j, int image, int group, int row, int rows)
{
    const conv_plan *plan = j->plan;
    ptrdiff_t plane = (ptrdiff_t)plan->g.ih * plan->g.iw * plan->unit;
    ptrdiff_t planes =
        (ptrdiff_t)(plan->unit == 1 ? plan->g.ic : (plan->g.ic + CVK_BLOCK - 1) / CVK_BLOCK);
    const void *src =
        row_at(j->src, (image * planes + (ptrdiff_t)group * plan->blocks) * plane, plan->half);
    if (!plan->copy) return (const float *)src + row * plan->row_step;
    conv_map map = j->map;
    if (plan->mapped) {
        map.scale += (ptrdiff_t)group * plan->icg;
        if (map.shift) map.shift += (ptrdiff_t)group * plan->icg;
        if (plan->gated) map.scale += image * planes * CVK_BLOCK;
    }
    CVK_FN(cvk_conv_band_copy)(plan, src, row, rows, plan->mapped ? &map : NULL, j->band);
    return j->band;
}

/* One tile's share of a pooled band: rows kept from the band before, new rows, the pool, rows to
 * keep for the band after. */
static void run_pooled_tile(const job *j, target *to, int slot, const conv_pool_band *band,
                            int rows)
{
    const conv_plan *plan = j->plan;
    float *keep =
        j->keep + (size_t)slot * (size_t)(plan->tile_vecs * plan->keep * plan->cols * CVK_VLEN);
    to->rows = j->conv;
    to->rows_at = band->first;
    CVK_FN(cvk_conv_pool_restore)(plan, band, to->vecs, keep, j->conv);
    run_phase(j, to, &plan->phases[0], rows);
    CVK_FN(cvk_conv_pool_save)(plan, band, to->vecs, j->conv, keep);
    for (int v = 0; v < to->vecs; v++) {
        int channel = tile_channel(plan, to, v);
        if (channel >= plan->g.oc) break;
        const float *src = j->conv + (ptrdiff_t)v * plan->pool_rows * plan->cols * CVK_VLEN;
        CVK_FN(cvk_conv_pool_rows)(plan, band, src, &j->post, to->image, channel, j->line, j->dst);
    }
}

/* The rows of a tile in scratch, then to dst as float16. */
static void run_half_tile(const job *j, target *to, int rows)
{
    const conv_plan *plan = j->plan;
    const conv_phase *phase = &plan->phases[0];
    to->rows = j->conv;
    to->rows_at = to->row;
    run_phase(j, to, phase, rows);
    const int end = to->row + rows < phase->rows ? to->row + rows : phase->rows;
    for (int v = 0; v < to->vecs; v++) {
        int channel = tile_channel(plan, to, v);
        if (channel >= plan->g.oc) break;
        for (int row = to->row; row < end; row++) {
            const float *src =
                j->conv + (ptrdiff_t)(v * plan->pool_rows + row - to->row) * plan->cols * CVK_VLEN;
            ptrdiff_t at = channel_at(plan, to->image, channel) + row_begin(plan, phase, row);
            for (int p = 0; p < conv_row_cols(plan, phase, row); p++)
                row_store(j->dst, at + (ptrdiff_t)p * CVK_BLOCK,
                          vec_load(src + (ptrdiff_t)p * CVK_VLEN), true);
        }
    }
}

/* All tiles of the part, for output rows [row, row + rows) of an image. */
static void run_tiles(const job *j, int image, int row, int rows, const conv_pool_band *band)
{
    const conv_plan *plan = j->plan;
    const float *src = NULL;
    for (int t = j->tile_begin, copied = -1; t < j->tile_end; t++) {
        target to = {.image = image, .group = t / plan->tiles, .tile = t % plan->tiles, .row = row};
        if (to.group != copied && rows > 0) src = source_rows(j, image, to.group, row, rows);
        copied = to.group;
        to.src = src;
        to.first = conv_tile_first(plan, to.tile);
        to.vecs = conv_tile_first(plan, to.tile + 1) - to.first;
        if (band) {
            run_pooled_tile(j, &to, t - j->tile_begin, band, rows);
            continue;
        }
        if (plan->half) {
            run_half_tile(j, &to, rows);
            continue;
        }
        for (int p = 0; p < plan->n_phases; p++) run_phase(j, &to, &plan->phases[p], rows);
    }
}

/* Rows [begin, end) of an image, pooled rows if the plan pools. */
static void run_image(const job *j, int image, int begin, int end)
{
    const conv_plan *plan = j->plan;
    int done = 0; /* conv rows before it are computed; those that later bands need are kept */
    for (int row = begin; row < end; row += plan->band) {
        int rows = end - row < plan->band ? end - row : plan->band;
        if (!plan->pooled) {
            run_tiles(j, image, row, rows, NULL);
            continue;
        }
        conv_pool_band band = CVK_FN(cvk_conv_pool_band)(plan, row, rows, row == begin ? -1 : done,
                                                         row + rows >= end);
        run_tiles(j, image, band.fresh, band.end - band.fresh, &band);
        done = band.end;
    }
}

/* Units [begin, end) of the whole batch. */
static void run_units(const job *j, int begin, int end)
{
    int units_per_image = j->plan->units / j->plan->g.n;
    while (begin < end) {
        int image = begin / units_per_image, row = begin % units_per_image;
        int rows = end - begin < units_per_image - row ? end - begin : units_per_image - row;
        run_image(j, image, row, row + rows);
        begin += rows;
    }
}

/* A stretch of the list of (tile, unit). */
static void run_list(job *j, int begin, int end)
{
    const int units = j->plan->units;
    while (begin < end) {
        int tile = begin / units, first = begin % units;
        int count = end - begin < units - first ? end - begin : units - first;
        j->tile_begin = tile;
        j->tile_end = tile + 1;
        run_units(j, first, first + count);
        begin += count;
    }
}

static void run_part(job *j, int part)
{
    const conv_plan *plan = j->plan;
    int rp = part / plan->oc_parts, op = part % plan->oc_parts;
    if (plan->listed) {
        run_list(j, plan->cuts[part], plan->cuts[part + 1]);
        return;
    }
    j->tile_begin = conv_oc_share(plan, op, plan->oc_parts);
    j->tile_end = conv_oc_share(plan, op + 1, plan->oc_parts);
    run_units(j, (int)((long long)plan->units * rp / plan->row_parts),
              (int)((long long)plan->units * (rp + 1) / plan->row_parts));
}

cvk_status CVK_FN(cvk_conv_run)(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const conv_plan *plan = step->state;
    int parts = plan->row_parts * plan->oc_parts;
    if (worker >= parts) return CVK_OK;
    job j = {.plan = plan, .src = step->in[0].data, .dst = step->out[0].data};
    j.band = (float *)step->scratch + (size_t)worker * plan->worker_floats;
    j.conv = j.band + plan->src_floats;
    j.keep = j.conv + plan->conv_floats;
    j.line = j.keep + plan->keep_floats;
    const cvk_pre *pre = &step->node->pre;
    if (plan->mapped)
        j.map = (conv_map){.scale = step->in[pre->gate ? pre->gate : pre->scale].data,
                           .shift = pre->gate ? NULL : step->in[pre->shift].data,
                           .act = &pre->act};
    CVK_FN(cvk_chain_make)(step->node, step->in, 0, plan->pre, plan->g.oc, &j.pre);
    CVK_FN(cvk_chain_make)(step->node, step->in, plan->pre, plan->post, plan->g.oc, &j.post);
    j.is_simple = CVK_FN(cvk_chain_simplify)(&j.pre, &j.simple) &&
                  !((plan->pooled || plan->half) && j.simple.res);
    for (int part = worker; part < parts; part += workers) run_part(&j, part);
    return CVK_OK;
}
