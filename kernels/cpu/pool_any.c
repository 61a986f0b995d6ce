/* SPDX-License-Identifier: Apache-2.0
 *
 * Pool, what pool.c declines: windows of three dimensions, the p-norm, indices, uint8 and int8; in
 * plain layout.
 *
 *     pool_volume   float32 without indices: columns whose window has all its taps go CVK_VLEN at a
 *                   time, the others one by one
 *     pool_places   maxima and where they were, of float32, uint8 and int8
 */
#include <math.h>

#include "kernels/cpu/posts.h"
#include "kernels/cpu/span.h"

typedef struct state {
    cvk_geom3 g;
    const cvk_pool_params *params;
    const span *axis[CVK_MAX_SPATIAL];
    int full_begin, full_end; /* columns with all their taps */
    int volume;               /* elements of a channel of the input */
} state;

/* What a tap does to the result so far. */
typedef enum fold { FOLD_MAX, FOLD_SUM, FOLD_ABS, FOLD_SQUARE, FOLD_POWER } fold;

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    (void)device;
    const cvk_pool_params *params = step->node->params;
    state *s = cvk_step_alloc(step, sizeof *s);
    if (!s) return CVK_NO_MEMORY;
    if (!cvk_geom3_make(&params->window, 1, &step->in[0].shape, &step->out[0].shape, &s->g))
        return cvk_fail(CVK_SHAPE, "pool '%s': the window does not fit its tensors",
                        step->node->name);
    s->params = params;
    s->volume = 1;
    for (int a = 0; a < CVK_MAX_SPATIAL; a++) {
        s->axis[a] = span_table(step, &s->g.axis[a], params->count_include_pad);
        s->volume *= s->g.axis[a].in;
        if (!s->axis[a]) return CVK_NO_MEMORY;
    }
    span_full(s->axis[2], &s->g.axis[2], &s->full_begin, &s->full_end);
    step->state = s;
    return CVK_OK;
}

/* Output row `i` of all: where its channel's volume begins, and the taps in depth and height. */
typedef struct place {
    const span *depth, *height;
    ptrdiff_t volume, first; /* first: element of the window's first row, from the volume's */
} place;

static place place_of(const state *s, int i)
{
    const cvk_axis_geom *d = &s->g.axis[0], *h = &s->g.axis[1], *w = &s->g.axis[2];
    place p = {.depth = &s->axis[0][i / h->out % d->out], .height = &s->axis[1][i % h->out]};
    p.volume = (ptrdiff_t)(i / (h->out * d->out)) * s->volume;
    p.first = ((ptrdiff_t)p.depth->first * h->in + p.height->first) * w->in;
    return p;
}

CVK_INLINE vec fold_tap(const fold how, vec acc, vec tap, float power)
{
    switch (how) {
    case FOLD_MAX: return vec_max(acc, tap);
    case FOLD_SUM: return vec_add(acc, tap);
    case FOLD_ABS: return vec_add(acc, vec_abs(tap));
    case FOLD_SQUARE: return vec_fma(tap, tap, acc);
    default: return vec_add(acc, vec_exp(vec_mul(vec_set1(power), vec_log(vec_abs(tap)))));
    }
}

/* What the taps made into the result; taps: how many count in an average. */
CVK_INLINE vec fold_end(const fold how, vec acc, int taps, float power)
{
    switch (how) {
    case FOLD_SUM: return vec_mul(acc, vec_set1(taps ? 1.0f / (float)taps : 0.0f));
    case FOLD_SQUARE: return vec_sqrt(acc);
    case FOLD_POWER: return vec_exp(vec_mul(vec_set1(1.0f / power), vec_log(acc)));
    default: return acc;
    }
}

/* `lanes` neighbours (CVK_VLEN or 1) whose windows have the taps of column x. */
CVK_INLINE vec window(const fold how, const state *s, const place *p, const float *src, int x,
                      int lanes)
{
    const cvk_axis_geom *d = &s->g.axis[0], *h = &s->g.axis[1], *w = &s->g.axis[2];
    const span *col = &s->axis[2][x];
    const ptrdiff_t dz = (ptrdiff_t)d->dilation * h->in * w->in,
                    dy = (ptrdiff_t)h->dilation * w->in;
    const float power = (float)s->params->p;
    vec acc = how == FOLD_MAX ? vec_set1(-INFINITY) : vec_zero();
    for (int z = 0; z < p->depth->taps; z++) {
        for (int y = 0; y < p->height->taps; y++) {
            const float *row = src + p->first + z * dz + y * dy + col->first;
            for (int k = 0; k < col->taps; k++) {
                const float *at = row + k * w->dilation;
                vec tap = lanes == 1       ? vec_set1(*at)
                          : w->stride == 1 ? vec_load(at)
                                           : vec_load_stride(at, w->stride);
                acc = fold_tap(how, acc, tap, power);
            }
        }
    }
    return fold_end(how, acc, p->depth->divisor * p->height->divisor * col->divisor, power);
}

CVK_INLINE void row_of(const fold how, const state *s, const posts *after, const place *p,
                       const float *src, float *dst)
{
    for (int x = 0; x < s->g.axis[2].out;) {
        if (x >= s->full_begin && x + CVK_VLEN <= s->full_end) {
            vec y = window(how, s, p, src, x, CVK_VLEN);
            vec_store(dst + x, posts_apply(after, y, 0, CVK_VLEN));
            x += CVK_VLEN;
        } else {
            vec_store_n(dst + x, posts_apply(after, window(how, s, p, src, x, 1), 0, 1), 1);
            x++;
        }
    }
}

static fold fold_of(const cvk_pool_params *params)
{
    if (params->kind == CVK_POOL_MAX) return FOLD_MAX;
    if (params->kind == CVK_POOL_AVERAGE) return FOLD_SUM;
    return params->p == 1 ? FOLD_ABS : params->p == 2 ? FOLD_SQUARE : FOLD_POWER;
}

/* A worker's share of the output rows. */
static void share(const state *s, int worker, int workers, int *begin, int *end)
{
    cvk_team_share(s->g.n * s->g.ic * s->g.axis[0].out * s->g.axis[1].out, worker, workers, begin,
                   end);
}

static cvk_status run_volume(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const state *s = step->state;
    const posts after = posts_make(step);
    int begin, end;
    share(s, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        const place p = place_of(s, i);
        const float *src = (const float *)step->in[0].data + p.volume;
        float *dst = (float *)step->out[0].data + (ptrdiff_t)i * s->g.axis[2].out;
        switch (fold_of(s->params)) {
        case FOLD_MAX: row_of(FOLD_MAX, s, &after, &p, src, dst); break;
        case FOLD_SUM: row_of(FOLD_SUM, s, &after, &p, src, dst); break;
        case FOLD_ABS: row_of(FOLD_ABS, s, &after, &p, src, dst); break;
        case FOLD_SQUARE: row_of(FOLD_SQUARE, s, &after, &p, src, dst); break;
        case FOLD_POWER: row_of(FOLD_POWER, s, &after, &p, src, dst); break;
        }
    }
    return CVK_OK;
}

/* Elements of all three types as floats, which hold them exactly. */
CVK_INLINE float get(const cvk_dtype type, const void *src, ptrdiff_t i)
{
    return type == CVK_F32  ? ((const float *)src)[i]
           : type == CVK_U8 ? (float)((const uint8_t *)src)[i]
                            : (float)((const int8_t *)src)[i];
}

CVK_INLINE void set(const cvk_dtype type, void *dst, ptrdiff_t i, float value)
{
    if (type == CVK_F32)
        ((float *)dst)[i] = value;
    else if (type == CVK_U8)
        ((uint8_t *)dst)[i] = (uint8_t)value;
    else
        ((int8_t *)dst)[i] = (int8_t)value;
}

typedef struct best {
    float value;
    ptrdiff_t at; /* in its volume; -1: the window has no tap in the input */
} best;

CVK_INLINE best largest(const cvk_dtype type, const state *s, const place *p, const void *src,
                        int x)
{
    const cvk_axis_geom *d = &s->g.axis[0], *h = &s->g.axis[1], *w = &s->g.axis[2];
    const span *col = &s->axis[2][x];
    best b = {.value = type == CVK_F32 ? -INFINITY : type == CVK_U8 ? 0 : INT8_MIN, .at = -1};
    for (int z = 0; z < p->depth->taps; z++) {
        for (int y = 0; y < p->height->taps; y++) {
            const ptrdiff_t row =
                p->first + ((ptrdiff_t)z * d->dilation * h->in + y * h->dilation) * w->in;
            for (int k = 0; k < col->taps; k++) {
                const ptrdiff_t at = row + col->first + k * w->dilation;
                const float value = get(type, src, p->volume + at);
                if (b.at >= 0 && !(value > b.value)) continue;
                b = (best){value, at};
            }
        }
    }
    return b;
}

/* Where `at` lies when the first axis runs fastest. */
static ptrdiff_t column_major(const state *s, ptrdiff_t at)
{
    const cvk_axis_geom *d = &s->g.axis[0], *h = &s->g.axis[1], *w = &s->g.axis[2];
    const ptrdiff_t x = at % w->in, y = at / w->in % h->in, z = at / w->in / h->in;
    return (x * h->in + y) * d->in + z;
}

CVK_INLINE void places_of(const cvk_dtype type, const state *s, const place *p, const void *src,
                          void *dst, int64_t *indices, ptrdiff_t to)
{
    for (int x = 0; x < s->g.axis[2].out; x++) {
        const best b = largest(type, s, p, src, x);
        const ptrdiff_t at = b.at < 0 ? 0 : s->params->column_major ? column_major(s, b.at) : b.at;
        set(type, dst, to + x, b.value);
        if (indices) indices[to + x] = p->volume + at;
    }
}

static cvk_status run_places(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const state *s = step->state;
    const void *src = step->in[0].data;
    void *dst = step->out[0].data;
    int64_t *indices = step->node->n_out > 1 ? step->out[1].data : NULL;
    int begin, end;
    share(s, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        const place p = place_of(s, i);
        const ptrdiff_t to = (ptrdiff_t)i * s->g.axis[2].out;
        if (step->in[0].dtype == CVK_F32)
            places_of(CVK_F32, s, &p, src, dst, indices, to);
        else if (step->in[0].dtype == CVK_U8)
            places_of(CVK_U8, s, &p, src, dst, indices, to);
        else
            places_of(CVK_I8, s, &p, src, dst, indices, to);
    }
    return CVK_OK;
}

static bool accepts_window(const cvk_problem *p, const char **why_not)
{
    const cvk_pool_params *params = p->node->params;
    cvk_geom3 g;
    return cvk_geom3_make(&params->window, 1, &p->in[0].shape, &p->out[0].shape, &g)
               ? true
               : row_refuse(why_not, "the window is too large");
}

static bool accepts_volume(const cvk_problem *p, const char **why_not)
{
    if (p->node->n_out != 1) return row_refuse(why_not, "indices of the maxima are not computed");
    return row_f32(p, why_not) && posts_accept(p, false, why_not) && accepts_window(p, why_not);
}

static bool accepts_places(const cvk_problem *p, const char **why_not)
{
    const cvk_pool_params *params = p->node->params;
    cvk_dtype type = p->in[0].dtype;
    if (params->kind != CVK_POOL_MAX) return row_refuse(why_not, "maximum only");
    if (type != CVK_F32 && type != CVK_U8 && type != CVK_I8)
        return row_refuse(why_not, "float32, uint8 and int8 only");
    return row_sized(p, why_not) && row_no_posts(p, why_not) && accepts_window(p, why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_pool_volume) = {
    .op = CVK_OP_Pool,
    .name = "pool_volume",
    .accepts = accepts_volume,
    .prepare = prepare,
    .run = run_volume,
};

const cvk_kernel CVK_FN(cvk_cpu_pool_places) = {
    .op = CVK_OP_Pool,
    .name = "pool_places",
    .accepts = accepts_places,
    .prepare = prepare,
    .run = run_places,
};
