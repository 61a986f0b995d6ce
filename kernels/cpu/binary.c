/* SPDX-License-Identifier: Apache-2.0
 *
 * Binary: two operands with numpy broadcasting. After the dimensions that lie together have been
 * made one, the innermost is a row along which an operand either moves or stays:
 *
 *     plain    row = elements     operand steps by 1 or 0
 *     blocked  row = pixels of 16 lanes; operand steps by 16 or 0 from pixel to pixel, and by 1, or
 * by 0 if it has one channel only, from lane to lane
 */
#include <math.h>

#include "kernels/cpu/broadcast.h"
#include "kernels/cpu/posts.h"

typedef struct state {
    cvk_binary_kind kind;
    bool pixels; /* rows of pixels */
    broadcast over;
    int lane[2]; /* steps within a pixel */
} state;

/* Lane by lane: negative numbers, infinities and zeros are as f has them. */
static __attribute__((noinline)) vec lanes(float (*f)(float, float), vec a, vec b)
{
    float x[CVK_VLEN], y[CVK_VLEN];
    vec_store(x, a);
    vec_store(y, b);
    for (int i = 0; i < CVK_VLEN; i++) x[i] = f(x[i], y[i]);
    return vec_load(x);
}

/* uniform: the exponent of all lanes and all vecs, or NULL. */
CVK_INLINE vec power(vec a, vec b, const float *uniform)
{
    if (uniform && *uniform == 2.0f) return vec_mul(a, a);
    if (uniform && *uniform == 0.5f) return vec_sqrt(a);
    if (uniform && *uniform == 3.0f) return vec_mul(a, vec_mul(a, a));
    if (uniform && *uniform == 1.0f) return a;
    return lanes(powf, a, b);
}

/* x, but a where a is NaN. */
CVK_INLINE vec keep_nan(vec a, vec x)
{
    return vec_select(vec_lt(vec_set1(-1.0f), vec_abs(a)), x, a);
}

CVK_INLINE vec combine(cvk_binary_kind kind, vec a, vec b, const float *uniform)
{
    switch (kind) {
    case CVK_BINARY_ADD: return vec_add(a, b);
    case CVK_BINARY_SUB: return vec_sub(a, b);
    case CVK_BINARY_MUL: return vec_mul(a, b);
    case CVK_BINARY_DIV: return vec_div(a, b);
    case CVK_BINARY_POW: return power(a, b, uniform);
    case CVK_BINARY_MIN: return keep_nan(a, vec_min(a, b));
    case CVK_BINARY_MAX: return keep_nan(a, vec_max(a, b));
    case CVK_BINARY_PRELU: return vec_select(vec_lt(a, vec_zero()), vec_mul(a, b), a);
    case CVK_BINARY_FMOD: return lanes(fmodf, a, b);
    default: return a; /* compare.c, or the reference */
    }
}

/* n elements at `at` of the output. An operand that stays is read before anything is written: it
 * may be the first element of what is written. */
CVK_INLINE void row(cvk_binary_kind kind, const posts *after, float *dst, int64_t at,
                    const float *a, const float *b, int n, const bool move_a, const bool move_b)
{
    const float stay = *b, *uniform = move_b ? NULL : &stay;
    const vec one_a = vec_set1(*a), one_b = vec_set1(stay);
    int i = 0;
    dst += at;
    for (; i + CVK_VLEN <= n; i += CVK_VLEN) {
        vec x = combine(kind, move_a ? vec_load(a + i) : one_a, move_b ? vec_load(b + i) : one_b,
                        uniform);
        vec_store(dst + i, after->n ? posts_apply(after, x, at + i, CVK_VLEN) : x);
    }
    int rest = n - i;
    if (rest == 0) return;
    vec x = combine(kind, move_a ? vec_load_n(a + i, rest) : one_a,
                    move_b ? vec_load_n(b + i, rest) : one_b, uniform);
    vec_store_n(dst + i, posts_apply(after, x, at + i, rest), rest);
}

CVK_INLINE void pixels(cvk_binary_kind kind, const state *s, const posts *after, float *dst,
                       int64_t at, const float *a, const float *b, int n, const bool move_a,
                       const bool move_b)
{
    for (int p = 0; p < n; p++)
        row(kind, after, dst, at + p * CVK_BLOCK, a + p * s->over.step[0], b + p * s->over.step[1],
            CVK_BLOCK, move_a, move_b);
}

CVK_INLINE void steps(cvk_binary_kind kind, const state *s, const posts *after, float *dst,
                      int64_t at, const float *a, const float *b, int n)
{
    if (s->pixels) {
        if (!s->lane[0])
            pixels(kind, s, after, dst, at, a, b, n, false, true);
        else if (!s->lane[1])
            pixels(kind, s, after, dst, at, a, b, n, true, false);
        else
            pixels(kind, s, after, dst, at, a, b, n, true, true);
    } else if (!s->over.step[0]) {
        row(kind, after, dst, at, a, b, n, false, s->over.step[1] != 0);
    } else if (!s->over.step[1]) {
        row(kind, after, dst, at, a, b, n, true, false);
    } else {
        row(kind, after, dst, at, a, b, n, true, true);
    }
}

static void any_row(const state *s, const posts *after, float *dst, int64_t at, const float *a,
                    const float *b, int n)
{
    switch (s->kind) {
    case CVK_BINARY_ADD: steps(CVK_BINARY_ADD, s, after, dst, at, a, b, n); break;
    case CVK_BINARY_SUB: steps(CVK_BINARY_SUB, s, after, dst, at, a, b, n); break;
    case CVK_BINARY_MUL: steps(CVK_BINARY_MUL, s, after, dst, at, a, b, n); break;
    case CVK_BINARY_DIV: steps(CVK_BINARY_DIV, s, after, dst, at, a, b, n); break;
    case CVK_BINARY_POW: steps(CVK_BINARY_POW, s, after, dst, at, a, b, n); break;
    case CVK_BINARY_MIN: steps(CVK_BINARY_MIN, s, after, dst, at, a, b, n); break;
    case CVK_BINARY_MAX: steps(CVK_BINARY_MAX, s, after, dst, at, a, b, n); break;
    case CVK_BINARY_PRELU: steps(CVK_BINARY_PRELU, s, after, dst, at, a, b, n); break;
    default: steps(CVK_BINARY_FMOD, s, after, dst, at, a, b, n); break;
    }
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const state *s = step->state;
    const posts after = posts_make(step);
    const float *a = step->in[0].data, *b = step->in[1].data;
    const int unit = s->pixels ? CVK_BLOCK : 1;
    int begin, end, total = s->over.rows * s->over.length;
    if (s->pixels)
        cvk_team_share(total, worker, workers, &begin, &end);
    else
        row_share(total, worker, workers, &begin, &end);
    broadcast_at at = broadcast_seek(&s->over, begin, end);
    for (; at.n > 0; broadcast_next(&s->over, &at))
        any_row(s, &after, step->out[0].data, (int64_t)at.begin * unit, a + at.offset[0],
                b + at.offset[1], at.n);
    return CVK_OK;
}

static state *make_state(cvk_step *step)
{
    const cvk_binary_params *params = step->node->params;
    state *s = cvk_step_alloc(step, sizeof *s);
    if (s) s->kind = params->kind;
    return s;
}

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    (void)device;
    state *s = make_state(step);
    if (!s) return CVK_NO_MEMORY;
    broadcast_make(&s->over, step, 2);
    step->state = s;
    return CVK_OK;
}

/* Strides of a blocked operand in the dimensions N, blocks, spatial...; 0 where it is repeated. */
static void blocked_strides(const cvk_shape *shape, const cvk_shape *as, int64_t *stride)
{
    int64_t step = CVK_BLOCK;
    for (int d = shape->rank - 1; d >= 0; d--) {
        int64_t length = d == 1 ? row_dims_of(shape).blocks : shape->dims[d];
        stride[d] = shape->dims[d] == 1 && as->dims[d] != 1 ? 0 : step;
        step *= length;
    }
}

static cvk_status prepare_blocked(cvk_device *device, cvk_step *step)
{
    (void)device;
    const cvk_shape *out = &step->out[0].shape;
    state *s = make_state(step);
    if (!s) return CVK_NO_MEMORY;
    int64_t stride[2][CVK_MAX_RANK];
    for (int k = 0; k < 2; k++) {
        blocked_strides(&step->in[k].shape, out, stride[k]);
        s->lane[k] = step->in[k].shape.dims[1] == out->dims[1];
    }
    for (int d = 0; d < out->rank; d++)
        walk_add(&s->over.outer, d == 1 ? row_dims_of(out).blocks : out->dims[d], stride[0][d],
                 stride[1][d]);
    broadcast_rows(&s->over);
    s->pixels = true;
    broadcast *b = &s->over;
    if (b->rows == 1 && b->length == 1) b->step[0] = b->step[1] = CVK_BLOCK;
    if (b->step[0] && b->step[1] && s->lane[0] && s->lane[1]) { /* lanes and pixels are one row */
        s->pixels = false;
        b->length *= CVK_BLOCK;
        b->step[0] = b->step[1] = 1;
    }
    step->state = s;
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    return row_f32(p, why_not) && posts_accept(p, true, why_not);
}

static bool accepts_blocked(const cvk_problem *p, const char **why_not)
{
    return accepts(p, why_not) && row_blocked(&p->in[0], why_not) &&
           row_blocked(&p->in[1], why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_binary) = {
    .op = CVK_OP_Binary,
    .name = "binary",
    .inplace = true,
    .accepts = accepts,
    .prepare = prepare,
    .run = run,
};

const cvk_kernel CVK_FN(cvk_cpu_binary_blocked) = {
    .op = CVK_OP_Binary,
    .name = "binary_blocked",
    .in_layout = CVK_LAYOUT_BLOCKED,
    .out_layout = CVK_LAYOUT_BLOCKED,
    .inplace = true,
    .accepts = accepts_blocked,
    .prepare = prepare_blocked,
    .run = run,
};
