/* SPDX-License-Identifier: Apache-2.0
 *
 * Conv and ConvTranspose of one to three spatial dimensions in plain layout, any group, weights as
 * they are, also computed ones: what the tiled rows (conv_direct.c, conv_transpose.c) decline, above
 * all 3-D. A tile is TILE_OC output channels by TILE_PX outputs of one row in registers, one tap at a
 * time:
 *
 *     Conv            outputs x, x + 1, ...        read the source `stride` apart
 *     ConvTranspose   outputs x, x + stride, ...   read neighbours of the source
 */
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/row.h"

enum { TILE_OC = 4, TILE_VECS = 2, TILE_PX = TILE_VECS * CVK_VLEN };

typedef struct state {
    cvk_geom3 g;
    bool transposed;
    int icg, ocg, tiles;      /* of a group: input and output channels, tiles of the latter */
    int taps;                 /* of a kernel */
    int dst_step, src_step;   /* from one lane to the next, in the output and in the source */
    ptrdiff_t wgt_oc, wgt_ic; /* from one channel's weights to the next's */
    ptrdiff_t in_volume, out_volume;
} state;

/* What a worker knows while it computes one row of TILE_OC output channels. */
typedef struct job {
    const state *s;
    const float *src, *wgt,
        *bias;  /* of the group's first input and the tile's first output channel */
    float *dst; /* the row in the tile's first channel */
    int od, oh, channels;
} job;

/* Where output position o finds its source under tap k; false: nowhere. For the first lane of
 * several, all of which have one, `at` may lie outside. */
static inline bool source_of(const state *s, const cvk_axis_geom *a, int o, int k, int *at)
{
    if (!s->transposed) {
        *at = o * a->stride - a->pad_begin + k * a->dilation;
        return true;
    }
    const int t = o + a->pad_begin - k * a->dilation;
    *at = t / a->stride;
    return t % a->stride == 0;
}

static inline bool inside(const cvk_axis_geom *a, int at)
{
    return at >= 0 && at < a->in;
}

/* Lanes row[at], row[at + step] ...; 0 where that is outside [0, in). */
static inline vec source_vec(const float *row, int at, int step, int in)
{
    const int last = at + (CVK_VLEN - 1) * step;
    if (at >= 0 && last < in)
        return step == 1 ? vec_load(row + at) : vec_load_stride(row + at, step);
    float lane[CVK_VLEN];
    for (int l = 0; l < CVK_VLEN; l++, at += step) lane[l] = at >= 0 && at < in ? row[at] : 0.0f;
    return vec_load(lane);
}

/* All columns of one row of taps. */
CVK_INLINE void row_taps(const job *j, vec acc[TILE_OC][TILE_VECS], const float *row,
                         const float *wgt, int x)
{
    const state *s = j->s;
    const cvk_axis_geom *w = &s->g.axis[2];
    for (int k = 0; k < w->kernel; k++) {
        int at;
        if (!source_of(s, w, x, k, &at)) continue;
        vec tap[TILE_VECS];
        for (int v = 0; v < TILE_VECS; v++)
            tap[v] = source_vec(row, at + v * CVK_VLEN * s->src_step, s->src_step, w->in);
        for (int o = 0; o < TILE_OC; o++) {
            const vec factor = vec_set1(wgt[(o < j->channels ? o : 0) * s->wgt_oc + k]);
            for (int v = 0; v < TILE_VECS; v++) acc[o][v] = vec_fma(tap[v], factor, acc[o][v]);
        }
    }
}

/* `count` outputs (at most TILE_PX) from x on. */
static void strip(const job *j, int x, int count)
{
    const state *s = j->s;
    const cvk_axis_geom *d = &s->g.axis[0], *h = &s->g.axis[1], *w = &s->g.axis[2];
    vec acc[TILE_OC][TILE_VECS];
    for (int o = 0; o < TILE_OC; o++)
        for (int v = 0; v < TILE_VECS; v++)
            acc[o][v] = vec_set1(j->bias && o < j->channels ? j->bias[o] : 0.0f);
    for (int c = 0; c < s->icg; c++) {
        for (int kd = 0; kd < d->kernel; kd++) {
            int id, ih;
            if (!source_of(s, d, j->od, kd, &id) || !inside(d, id)) continue;
            for (int kh = 0; kh < h->kernel; kh++) {
                if (!source_of(s, h, j->oh, kh, &ih) || !inside(h, ih)) continue;
                row_taps(j, acc, j->src + c * s->in_volume + ((ptrdiff_t)id * h->in + ih) * w->in,
                         j->wgt + c * s->wgt_ic + (ptrdiff_t)(kd * h->kernel + kh) * w->kernel, x);
            }
        }
    }
    for (int o = 0; o < j->channels; o++) {
        float lane[TILE_PX], *dst = j->dst + o * s->out_volume + x;
        for (int v = 0; v < TILE_VECS; v++) vec_store(lane + v * CVK_VLEN, acc[o][v]);
        for (int i = 0; i < count; i++) dst[(ptrdiff_t)i * s->dst_step] = lane[i];
    }
}

static void row(const job *j)
{
    const int step = j->s->dst_step, out = j->s->g.axis[2].out;
    for (int phase = 0; phase < step && phase < out; phase++) {
        const int outputs = (out - phase + step - 1) / step;
        for (int i = 0; i < outputs; i += TILE_PX)
            strip(j, phase + i * step, outputs - i < TILE_PX ? outputs - i : TILE_PX);
    }
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const state *s = step->state;
    const cvk_axis_geom *d = &s->g.axis[0], *h = &s->g.axis[1], *w = &s->g.axis[2];
    const cvk_view *bias = CVK_FN(cvk_third_input)(step->node, step->in);
    const int rows = d->out * h->out, tiles = s->tiles * s->g.group;
    int begin, end;
    chain after;
    CVK_FN(cvk_chain_make)(step->node, step->in, 0, step->node->n_posts, s->g.oc, &after);
    cvk_team_share(s->g.n * tiles * rows, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        const int tile = i / rows % tiles, image = i / rows / tiles, group = tile / s->tiles;
        const int within = tile % s->tiles * TILE_OC, oc = group * s->ocg + within;
        const ptrdiff_t at =
            ((ptrdiff_t)image * s->g.oc + oc) * s->out_volume + (ptrdiff_t)(i % rows) * w->out;
        const ptrdiff_t wgt =
            s->transposed ? group * s->icg * s->wgt_ic + within * s->wgt_oc : oc * s->wgt_oc;
        const job j = {
            .s = s,
            .src = (const float *)step->in[0].data +
                   ((ptrdiff_t)image * s->g.ic + group * s->icg) * s->in_volume,
            .wgt = (const float *)step->in[1].data + wgt,
            .bias = bias ? (const float *)bias->data + oc : NULL,
            .dst = (float *)step->out[0].data + at,
            .od = i % rows / h->out,
            .oh = i % h->out,
            .channels = s->ocg - within < TILE_OC ? s->ocg - within : TILE_OC,
        };
        row(&j);
        for (int o = 0; o < j.channels && after.n; o++) CVK_FN(cvk_chain_plane)
        (&after, j.dst + o * s->out_volume, 1, (size_t)(at + o * s->out_volume), w->out, oc + o);
    }
    return CVK_OK;
}

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    (void)device;
    const cvk_conv_params *params = step->node->params;
    state *s = cvk_step_alloc(step, sizeof *s);
    if (!s) return CVK_NO_MEMORY;
    if (!cvk_geom3_make(&params->window, params->group, &step->in[0].shape, &step->out[0].shape,
                        &s->g))
        return cvk_fail(CVK_SHAPE, "convolution '%s': the window does not fit its tensors",
                        step->node->name);
    s->transposed = step->node->op == CVK_OP_ConvTranspose;
    s->icg = s->g.ic / s->g.group;
    s->ocg = s->g.oc / s->g.group;
    s->tiles = (s->ocg + TILE_OC - 1) / TILE_OC;
    s->taps = s->in_volume = s->out_volume = 1;
    for (int a = 0; a < CVK_MAX_SPATIAL; a++) {
        s->taps *= s->g.axis[a].kernel;
        s->in_volume *= s->g.axis[a].in;
        s->out_volume *= s->g.axis[a].out;
    }
    s->dst_step = s->transposed ? s->g.axis[2].stride : 1;
    s->src_step = s->transposed ? 1 : s->g.axis[2].stride;
    s->wgt_oc = s->transposed ? s->taps : (ptrdiff_t)s->icg * s->taps;
    s->wgt_ic = s->transposed ? (ptrdiff_t)s->ocg * s->taps : s->taps;
    step->state = s;
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    const cvk_conv_params *params = p->node->params;
    cvk_geom3 g;
    if (!row_f32(p, why_not)) return false;
    for (int i = 0; i < p->node->n_posts; i++)
        if (p->node->posts[i].kind == CVK_POST_POOL)
            return row_refuse(why_not, "has no fused pool");
    return cvk_geom3_make(&params->window, params->group, &p->in[0].shape, &p->out[0].shape, &g)
               ? true
               : row_refuse(why_not, "the window is too large");
}

const cvk_kernel CVK_FN(cvk_cpu_conv_any) = {
    .op = CVK_OP_Conv,
    .name = "conv_any",
    .accepts = accepts,
    .prepare = prepare,
    .run = run,
};

const cvk_kernel CVK_FN(cvk_cpu_conv_transpose_any) = {
    .op = CVK_OP_ConvTranspose,
    .name = "conv_transpose_any",
    .accepts = accepts,
    .prepare = prepare,
    .run = run,
};
