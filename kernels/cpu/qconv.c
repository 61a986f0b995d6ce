/* SPDX-License-Identifier: Apache-2.0
 *
 * QConv: convolutions of 8-bit integers with sums in int32, 1-D and 2-D, any group.
 *
 * The lanes of a vec are output pixels, neighbours in memory. The source of a strip of output rows,
 * less its zero point, is laid out as units of int16 pairs, such that for one unit and one kernel
 * row the pixels of the whole strip are contiguous:
 *
 *     unit u = (channels 2c and 2c+1, kernel column kx)           or, with one channel per group,
 *              (kernel columns 2j and 2j+1)
 *     unit[slot][ox] = pair of source[oy sh + ky dh - pt][ox sw + kx dw - pl]
 *
 * where the slots are ordered so that oy -> oy + 1 is one slot on, whatever the stride: all source
 * rows with one remainder by sh (a phase) lie together. A multiply-add of pairs then serves two
 * channels (or columns); weights are pairs broadcast to all lanes.
 */
#include <stdlib.h>

#include "kernels/cpu/requant.h"
#include "kernels/cpu/unroll.h"
#include "kernels/cpu/work.h"

#if CVK_VLEN == 16
enum { TILE_OC = 8, TILE_PX = 3 };
#else
enum { TILE_OC = 4, TILE_PX = 3 };
#endif

enum { STRIP_INTS = 1 << 15, MOST_INTS = 1 << 24, FEW_PIXELS = 6 * 16 };

typedef struct plan {
    cvk_geom g;
    int icg, ocg;
    bool by_taps;           /* pairs of kernel columns, not of channels */
    int units, oct, tiles;  /* per group; oct: output channels of a tile */
    int rows;               /* of a strip */
    int phases, slots;      /* remainders in use; slots per phase */
    const int *phase, *tap; /* phase: remainders; tap[ky]: its first slot */
    size_t unit_ints, line; /* per worker: ints of a unit, bytes of a padded row */
    size_t worker_bytes;
    bool share_channels; /* workers share output channels, not strips */
    const int32_t *wgt;  /* [group][tile][unit][ky][oct] pairs */
    const int32_t *bias; /* [group][tile][oct] */
    const float *m;
    int32_t x_zp;
    bool x_signed;
} plan;

/* --- plan --- */

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static void plan_sizes(plan *p)
{
    const cvk_geom *g = &p->g;
    p->icg = g->ic / g->group;
    p->ocg = g->oc / g->group;
    p->by_taps = p->icg == 1;
    p->units = p->by_taps ? ceil_div(g->kw, 2) : ceil_div(p->icg, 2) * g->kw;
    p->oct = p->ocg == 1 ? 1 : TILE_OC;
    p->tiles = ceil_div(p->ocg, p->oct);
}

/* Remainders by sh that kernel rows ask for; false if out of memory. */
static bool plan_phases(plan *p, int *phase, int *remainder)
{
    const cvk_geom *g = &p->g;
    for (int ky = 0; ky < g->kh; ky++) {
        int r = (int)((int64_t)ky * g->dh % g->sh), at = 0;
        while (at < p->phases && phase[at] != r) at++;
        if (at == p->phases) phase[p->phases++] = r;
        remainder[ky] = at;
    }
    p->phase = phase;
    return true;
}

static int64_t ints_for(const plan *p, int rows)
{
    const cvk_geom *g = &p->g;
    int64_t slots = rows + (int64_t)(g->kh - 1) * g->dh / g->sh;
    int64_t phases = g->kh < g->sh ? g->kh : g->sh;
    return (slots * phases * g->ow + TILE_PX * CVK_VLEN) * p->units;
}

/* Strips as long as the cache holds, but enough of them for all workers where they do not become
 * too short; else workers share the channels. */
static void plan_strips(plan *p, int workers)
{
    const cvk_geom *g = &p->g;
    p->rows = 1;
    while (p->rows < g->oh && ints_for(p, p->rows + 1) <= STRIP_INTS) p->rows++;
    if (g->n * (int64_t)g->group >= 2 * workers) return;
    int share = ceil_div(g->oh, workers);
    if ((int64_t)share * g->ow >= FEW_PIXELS || p->tiles < workers) {
        if (share < p->rows) p->rows = share;
    } else {
        p->share_channels = true;
    }
}

/* For predictions, in cycles: of a source row with its border, of a vec and of a rest of pairs laid
 * out, and of a vec of sums made bytes. */
static const double line_cycles = 40, pack_cycles = 4, rest_cycles = 2.5, sum_cycles = 40;

static void work_of(const cvk_problem *problem, cvk_work *work)
{
    plan p = {.units = 0};
    cvk_geom *g = &p.g;
    if (!cvk_geom_conv(problem->node, &problem->in[0].shape, &problem->out[0].shape, g)) return;
    const int workers = problem->caps->units > 0 ? problem->caps->units : 1;
    plan_sizes(&p);
    plan_strips(&p, workers);
    const double rows = (double)g->oh * (g->kh < g->sh ? g->kh : g->sh) + g->kh - 1,
                 vecs = ceil_div(g->oh * g->ow, CVK_VLEN);
    const double row = pack_cycles * (2 + g->ow / CVK_VLEN) + rest_cycles * (g->ow % CVK_VLEN);
    const double pack = rows * (p.units * row + line_cycles * ceil_div(p.icg, 2));
    const double sums = vecs * p.tiles * p.oct * ((double)p.units * g->kh + sum_cycles);
    const double parts = p.share_channels ? 1 : workers;
    work->macs = work_macs(problem->caps, g->n * g->group * (pack / parts + sums / workers));
}

static void plan_scratch(plan *p, int *tap)
{
    const cvk_geom *g = &p->g;
    p->slots = p->rows + (int)((int64_t)(g->kh - 1) * g->dh / g->sh);
    for (int ky = 0; ky < g->kh; ky++)
        tap[ky] = tap[ky] * p->slots + (int)((int64_t)ky * g->dh / g->sh);
    p->tap = tap;
    p->unit_ints = (size_t)p->phases * (size_t)p->slots * (size_t)g->ow + TILE_PX * CVK_VLEN;
    p->line = (size_t)(g->iw + (g->pl > 0 ? g->pl : 0) + (g->pr > 0 ? g->pr : 0)) + CVK_VLEN;
    p->worker_bytes = (size_t)p->units * p->unit_ints * sizeof(int32_t) + 2 * p->line;
    p->worker_bytes = (p->worker_bytes + 63) / 64 * 64;
}

/* --- weights --- */

typedef struct pack_arg {
    const plan *p;
    const void *wgt;
    const int32_t *zero; /* NULL: all 0 */
    bool is_signed;
} pack_arg;

/* Weight of channel c of the group and kernel position (ky, kx), less its zero point; 0 outside. */
static int32_t weight(const pack_arg *a, int oc, int c, int ky, int kx)
{
    const plan *p = a->p;
    const cvk_geom *g = &p->g;
    if (c >= p->icg || kx >= g->kw) return 0;
    int64_t i = (((int64_t)oc * p->icg + c) * g->kh + ky) * g->kw + kx;
    return requant_get(a->wgt, a->is_signed, i) - (a->zero ? a->zero[oc] : 0);
}

static int32_t weight_pair(const pack_arg *a, int oc, int u, int ky)
{
    const plan *p = a->p;
    if (p->by_taps)
        return requant_pack(weight(a, oc, 0, ky, 2 * u), weight(a, oc, 0, ky, 2 * u + 1));
    int c = u / p->g.kw * 2, kx = u % p->g.kw;
    return requant_pack(weight(a, oc, c, ky, kx), weight(a, oc, c + 1, ky, kx));
}

static void pack_fill(void *dst, const void *arg)
{
    const pack_arg *a = arg;
    const plan *p = a->p;
    int32_t *to = dst;
    for (int group = 0; group < p->g.group; group++)
        for (int t = 0; t < p->tiles; t++)
            for (int u = 0; u < p->units; u++)
                for (int ky = 0; ky < p->g.kh; ky++)
                    for (int o = 0; o < p->oct; o++, to++) {
                        int oc = t * p->oct + o;
                        *to = oc < p->ocg ? weight_pair(a, group * p->ocg + oc, u, ky) : 0;
                    }
}

static cvk_status pack(cvk_device *device, cvk_step *step, plan *p)
{
    const cvk_geom *g = &p->g;
    pack_arg arg = {.p = p,
                    .wgt = step->in[1].data,
                    .zero = requant_constant(step, 4),
                    .is_signed = step->in[1].dtype == CVK_I8};
    size_t pairs = (size_t)g->group * (size_t)p->tiles * (size_t)p->units * (size_t)g->kh;
    cvk_pack pack = {.source = arg.wgt,
                     .source_bytes = cvk_view_bytes(&step->in[1]),
                     .source2 = arg.zero,
                     .source2_bytes = arg.zero ? (size_t)g->oc * sizeof *arg.zero : 0,
                     .kind = "qconv",
                     .variant = ((uint64_t)p->icg << 34) ^ ((uint64_t)g->kh << 22) ^
                                ((uint64_t)g->group << 6) ^ (uint64_t)(p->oct << 1) ^
                                (uint64_t)arg.is_signed,
                     .bytes = pairs * (size_t)p->oct * sizeof(int32_t),
                     .fill = pack_fill,
                     .arg = &arg};
    void *data = NULL;
    CVK_TRY(cvk_step_pack(device, step, &pack, &data));
    p->wgt = data;
    return CVK_OK;
}

/* Bias and multipliers as tiles want them: with room for the channels that a last tile lacks. */
static cvk_status take_channels(cvk_step *step, plan *p)
{
    size_t count = (size_t)p->g.group * (size_t)p->tiles * (size_t)p->oct;
    int32_t *bias = cvk_step_alloc(step, count * sizeof *bias);
    float *m = cvk_step_alloc(step, count * sizeof *m);
    const int32_t *b = requant_constant(step, 2);
    const float *scale = requant_constant(step, 3);
    if (!bias || !m) return CVK_NO_MEMORY;
    for (int oc = 0; oc < p->g.oc; oc++) {
        int at = oc / p->ocg * p->tiles * p->oct + oc % p->ocg;
        bias[at] = b ? b[oc] : 0;
        m[at] = scale ? scale[oc] : 0;
    }
    p->bias = bias;
    p->m = m;
    return CVK_OK;
}

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    const cvk_qconv_params *params = step->node->params;
    plan *p = cvk_step_alloc(step, sizeof *p);
    if (!p) return CVK_NO_MEMORY;
    step->state = p;
    if (!cvk_geom_conv(step->node, &step->in[0].shape, &step->out[0].shape, &p->g))
        return cvk_fail(CVK_SHAPE, "convolution too large");
    int *phase = cvk_step_alloc(step, (size_t)p->g.kh * sizeof *phase);
    int *tap = cvk_step_alloc(step, (size_t)p->g.kh * sizeof *tap);
    if (!phase || !tap) return CVK_NO_MEMORY;
    int workers = cvk_device_caps(device)->units;
    p->x_zp = params->x_zp;
    p->x_signed = step->in[0].dtype == CVK_I8;
    plan_sizes(p);
    plan_phases(p, phase, tap);
    plan_strips(p, workers);
    plan_scratch(p, tap);
    step->scratch_bytes = (size_t)workers * p->worker_bytes;
    CVK_TRY(take_channels(step, p));
    return pack(device, step, p);
}

/* --- source --- */

/* n pairs of bytes `step` apart, less the zero point. */
CVK_INLINE void pack_row(const plan *p, int32_t *dst, const uint8_t *low, const uint8_t *high,
                         int n, const int stride, const bool is_signed)
{
    int i = 0;
    if (stride == 1) {
        const ivec zp = ivec_set1(p->x_zp);
        int32_t part[CVK_VLEN];
        for (; i + CVK_VLEN <= n; i += CVK_VLEN) {
            ivec a = ivec_sub(ivec_load_8(low + i, is_signed), zp);
            ivec b = ivec_sub(ivec_load_8(high + i, is_signed), zp);
            ivec_store_n(part, ivec_pair(a, b), CVK_VLEN);
            memcpy(dst + i, part, sizeof part);
        }
    }
    for (; i < n; i++)
        dst[i] = requant_pack(requant_get(low, is_signed, (int64_t)i * stride) - p->x_zp,
                              requant_get(high, is_signed, (int64_t)i * stride) - p->x_zp);
}

static void pack_any(const plan *p, int32_t *dst, const uint8_t *low, const uint8_t *high, int n)
{
    const int stride = p->g.sw;
    if (p->x_signed && stride == 1)
        pack_row(p, dst, low, high, n, 1, true);
    else if (p->x_signed)
        pack_row(p, dst, low, high, n, stride, true);
    else if (stride == 1)
        pack_row(p, dst, low, high, n, 1, false);
    else
        pack_row(p, dst, low, high, n, stride, false);
}

/* A source row with its border of zero points; where there is no border, the row itself. Position 0
 * is what column 0 of the window sees at ox = 0. */
static const uint8_t *padded_row(const plan *p, uint8_t *line, const uint8_t *plane, int64_t y)
{
    const cvk_geom *g = &p->g;
    if (y >= 0 && y < g->ih && g->pl <= 0 && g->pr <= 0) return plane + y * g->iw - g->pl;
    int left = g->pl > 0 ? g->pl : 0, right = g->pr > 0 ? g->pr : 0;
    memset(line, p->x_zp, (size_t)(left + g->iw + right));
    if (y >= 0 && y < g->ih) memcpy(line + left, plane + y * g->iw, (size_t)g->iw);
    return line + left - g->pl;
}

/* All units of the two rows (or one, by taps) into slot `slot`. */
static void pack_slot(const plan *p, int32_t *units, int first, int slot, const uint8_t *low,
                      const uint8_t *high)
{
    const cvk_geom *g = &p->g;
    int count = p->by_taps ? p->units : g->kw;
    for (int k = 0; k < count; k++) {
        int32_t *dst = units + (size_t)(first + k) * p->unit_ints + (ptrdiff_t)slot * g->ow;
        int kx = p->by_taps ? 2 * k : k, next = kx + 1 < g->kw ? kx + 1 : kx;
        const uint8_t *second =
            p->by_taps ? low + (ptrdiff_t)next * g->dw : high + (ptrdiff_t)kx * g->dw;
        pack_any(p, dst, low + (ptrdiff_t)kx * g->dw, second, g->ow);
    }
}

/* The source of output rows [oy, oy + rows); src: the group's first channel of the image. */
static void pack_strip(const plan *p, int32_t *units, uint8_t *lines, const uint8_t *src, int oy,
                       int rows)
{
    const cvk_geom *g = &p->g;
    const int64_t plane = (int64_t)g->ih * g->iw, top = (int64_t)oy * g->sh - g->pt;
    const int used = p->slots - p->rows + rows; /* slots of a phase */
    for (int c = 0; c < p->icg; c += 2) {
        const uint8_t *a = src + c * plane, *b = c + 1 < p->icg ? a + plane : a;
        for (int f = 0; f < p->phases; f++)
            for (int i = 0; i < used; i++) {
                int64_t y = top + (int64_t)i * g->sh + p->phase[f];
                const uint8_t *low = padded_row(p, lines, a, y), *high = low;
                if (b != a) high = padded_row(p, lines + p->line, b, y);
                pack_slot(p, units, c / 2 * g->kw, f * p->slots + i, low, high);
            }
    }
}

/* --- tiles --- */

typedef struct tile_job {
    const plan *p;
    const requant_posts *posts;
    const int32_t *units, *wgt, *bias;
    const float *m;
    void *dst;
    int64_t base, pitch; /* element of the strip's first pixel in the tile's first channel; to the
                            next channel */
    int channels;        /* that exist */
    int pixels;          /* of the strip */
} tile_job;

CVK_INLINE void tile(const tile_job *j, int px, const int oct, const int vecs)
{
    const plan *p = j->p;
    ivec acc[TILE_OC * TILE_PX];
    CVK_UNROLL for (int o = 0; o < oct; o++) CVK_UNROLL for (int v = 0; v < vecs; v++)
        acc[o * vecs + v] = ivec_set1(j->bias[o]);
    const int32_t *w = j->wgt, *unit = j->units + px;
    const int kh = p->g.kh, ow = p->g.ow;
    for (int u = 0; u < p->units; u++, unit += p->unit_ints)
        for (int ky = 0; ky < kh; ky++, w += oct) {
            const int32_t *x = unit + (ptrdiff_t)p->tap[ky] * ow;
            ivec y[TILE_PX];
            CVK_UNROLL for (int v = 0; v < vecs; v++) y[v] = ivec_load(x + v * CVK_VLEN);
            CVK_UNROLL for (int o = 0; o < oct; o++)
            {
                ivec k = ivec_set1(w[o]);
                CVK_UNROLL for (int v = 0; v < vecs; v++) acc[o * vecs + v] =
                    ivec_add(acc[o * vecs + v], ivec_madd(k, y[v]));
            }
        }
    CVK_UNROLL for (int o = 0; o < oct; o++)
    {
        if (o >= j->channels) break;
        const vec m = vec_set1(j->m[o]);
        CVK_UNROLL for (int v = 0; v < vecs; v++)
        {
            int at = px + v * CVK_VLEN, n = j->pixels - at < CVK_VLEN ? j->pixels - at : CVK_VLEN;
            if (n > 0)
                requant_store(j->posts, acc[o * vecs + v], m, j->dst, j->base + o * j->pitch + at,
                              n);
        }
    }
}

CVK_INLINE void tile_rows(const tile_job *j, const int oct)
{
    int px = 0;
    for (; px + (TILE_PX - 1) * CVK_VLEN < j->pixels; px += TILE_PX * CVK_VLEN)
        tile(j, px, oct, TILE_PX);
    if (px + CVK_VLEN < j->pixels)
        tile(j, px, oct, 2);
    else if (px < j->pixels)
        tile(j, px, oct, 1);
}

static void tile_single(const tile_job *j)
{
    tile_rows(j, 1);
}

static void tile_full(const tile_job *j)
{
    tile_rows(j, TILE_OC);
}

/* Tiles [begin, end) of one group over one strip that has been packed. */
static void tiles(const plan *p, const requant_posts *posts, const int32_t *units, void *dst, int n,
                  int group, int oy, int rows, int begin, int end)
{
    const cvk_geom *g = &p->g;
    const size_t pairs = (size_t)p->units * (size_t)g->kh * (size_t)p->oct;
    const int64_t plane = (int64_t)g->oh * g->ow;
    for (int t = begin; t < end; t++) {
        size_t index = (size_t)group * (size_t)p->tiles + (size_t)t;
        int oc = group * p->ocg + t * p->oct;
        tile_job j = {.p = p,
                      .posts = posts,
                      .units = units,
                      .wgt = p->wgt + index * pairs,
                      .bias = p->bias + index * (size_t)p->oct,
                      .m = p->m + index * (size_t)p->oct,
                      .dst = dst,
                      .base = ((int64_t)n * g->oc + oc) * plane + (int64_t)oy * g->ow,
                      .pitch = plane,
                      .channels = p->ocg - t * p->oct,
                      .pixels = rows * g->ow};
        if (p->oct == 1)
            tile_single(&j);
        else
            tile_full(&j);
    }
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const plan *p = step->state;
    const cvk_geom *g = &p->g;
    const requant_posts posts =
        requant_posts_make(step, &((const cvk_qconv_params *)step->node->params)->y);
    int32_t *units = (int32_t *)((char *)step->scratch + (size_t)worker * p->worker_bytes);
    uint8_t *lines = (uint8_t *)(units + (size_t)p->units * p->unit_ints);
    const int strips = ceil_div(g->oh, p->rows), jobs = g->n * g->group * strips;
    int begin = 0, end = jobs, first = 0, last = p->tiles;
    if (p->share_channels)
        cvk_team_share(p->tiles, worker, workers, &first, &last);
    else
        cvk_team_share(jobs, worker, workers, &begin, &end);
    for (int job = begin; job < end && first < last; job++) {
        int n = job / (g->group * strips), group = job / strips % g->group;
        int oy = job % strips * p->rows, rows = g->oh - oy < p->rows ? g->oh - oy : p->rows;
        const uint8_t *src = (const uint8_t *)step->in[0].data +
                             ((int64_t)n * g->ic + (int64_t)group * p->icg) * g->ih * g->iw;
        pack_strip(p, units, lines, src, oy, rows);
        tiles(p, &posts, units, step->out[0].data, n, group, oy, rows, first, last);
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *problem, const char **why_not)
{
    plan p = {.units = 0};
    if (!requant_accepts(problem, why_not)) return false;
    if (!problem->in[1].data) return row_refuse(why_not, "weights are computed");
    if (!cvk_geom_conv(problem->node, &problem->in[0].shape, &problem->out[0].shape, &p.g))
        return row_refuse(why_not, "neither 1-D nor 2-D, or too large");
    plan_sizes(&p);
    int64_t width = (int64_t)p.g.iw + abs(p.g.pl) + abs(p.g.pr);
    if (ints_for(&p, 1) > MOST_INTS || width > MOST_INTS)
        return row_refuse(why_not, "a row of its source is too long");
    if (cvk_view_count(&problem->in[1]) > MOST_INTS * 4)
        return row_refuse(why_not, "too many weights");
    return true;
}

const cvk_kernel CVK_FN(cvk_cpu_qconv) = {
    .op = CVK_OP_QConv,
    .name = "qconv",
    .packs = 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4,
    .accepts = accepts,
    .cost = work_of,
    .prepare = prepare,
    .run = run,
};
