/* SPDX-License-Identifier: Apache-2.0
 *
 * QMatMul: products of 8-bit matrices with sums in int32. The lanes of a vec are columns of B. A
 * constant B is packed in panels of pairs of rows, so that one multiply-add serves two elements of
 * A; a computed one, or one of a batch, is walked row by row.
 */
#include "kernels/cpu/requant.h"
#include "kernels/cpu/unroll.h"

enum { ROWS = 4, VECS = 2, PANEL = VECS * CVK_VLEN };

typedef struct state {
    int m, k, n, batch; /* rows, depth, columns; products */
    int pairs, panels;  /* of the packed B */
    const int32_t *b;   /* [panel][pair][PANEL]; NULL: B as it comes */
    const int32_t *bias, *zero;
    const float *scale; /* each [panels * PANEL] */
    const int *a_at, *b_at;
    size_t worker_bytes;
    int32_t a_zp;
    bool a_signed, b_signed;
} state;

typedef struct pack_arg {
    const state *s;
    const void *b;
} pack_arg;

static void pack_fill(void *dst, const void *arg)
{
    const pack_arg *a = arg;
    const state *s = a->s;
    int32_t *to = dst;
    for (int panel = 0; panel < s->panels; panel++)
        for (int pair = 0; pair < s->pairs; pair++)
            for (int j = 0; j < PANEL; j++, to++) {
                int column = panel * PANEL + j, k = 2 * pair;
                int32_t v[2] = {0, 0};
                for (int i = 0; i < 2 && column < s->n; i++)
                    if (k + i < s->k)
                        v[i] = requant_get(a->b, s->b_signed, (int64_t)(k + i) * s->n + column) -
                               s->zero[column];
                *to = requant_pack(v[0], v[1]);
            }
}

/* Bias, multipliers and zero points per column. */
static cvk_status take_columns(cvk_step *step, state *s)
{
    size_t count = (size_t)s->panels * PANEL;
    int32_t *bias = cvk_step_alloc(step, count * sizeof *bias);
    int32_t *zero = cvk_step_alloc(step, count * sizeof *zero);
    float *scale = cvk_step_alloc(step, count * sizeof *scale);
    const int32_t *b = requant_constant(step, 2), *z = requant_constant(step, 4);
    const float *m = requant_constant(step, 3);
    if (!bias || !zero || !scale) return CVK_NO_MEMORY;
    for (int j = 0; j < s->n; j++) {
        if (b) bias[j] = b[j];
        if (z) zero[j] = z[cvk_view_count(&step->in[4]) == 1 ? 0 : j];
        if (m) scale[j] = m[cvk_view_count(&step->in[3]) == 1 ? 0 : j];
    }
    s->bias = bias;
    s->zero = zero;
    s->scale = scale;
    return CVK_OK;
}

/* Where each product's factors begin, in elements. */
static cvk_status take_batch(cvk_step *step, state *s)
{
    cvk_shape a = step->in[0].shape, b = step->in[1].shape, out = step->out[0].shape;
    int64_t sa[CVK_MAX_RANK], sb[CVK_MAX_RANK];
    int *a_at = cvk_step_alloc(step, (size_t)s->batch * sizeof *a_at);
    int *b_at = cvk_step_alloc(step, (size_t)s->batch * sizeof *b_at);
    if (!a_at || !b_at) return CVK_NO_MEMORY;
    a.rank -= 2;
    b.rank -= 2;
    out.rank -= 2;
    cvk_shape_broadcast_strides(&a, &out, sa);
    cvk_shape_broadcast_strides(&b, &out, sb);
    for (int i = 0; i < s->batch; i++) {
        int64_t rest = i, from_a = 0, from_b = 0;
        for (int d = out.rank - 1; d >= 0; d--) {
            from_a += rest % out.dims[d] * sa[d];
            from_b += rest % out.dims[d] * sb[d];
            rest /= out.dims[d];
        }
        a_at[i] = (int)(from_a * s->m * s->k);
        b_at[i] = (int)(from_b * s->k * s->n);
    }
    s->a_at = a_at;
    s->b_at = b_at;
    return CVK_OK;
}

static cvk_status take_sizes(cvk_device *device, cvk_step *step, state **made)
{
    const cvk_shape *a = &step->in[0].shape, *b = &step->in[1].shape;
    state *s = cvk_step_alloc(step, sizeof *s);
    if (!s) return CVK_NO_MEMORY;
    *s = (state){.m = (int)a->dims[a->rank - 2],
                 .k = (int)a->dims[a->rank - 1],
                 .n = (int)b->dims[b->rank - 1],
                 .batch = (int)cvk_shape_span(&step->out[0].shape, 0, step->out[0].shape.rank - 2),
                 .a_zp = ((const cvk_qmatmul_params *)step->node->params)->a_zp,
                 .a_signed = step->in[0].dtype == CVK_I8,
                 .b_signed = step->in[1].dtype == CVK_I8};
    s->pairs = (s->k + 1) / 2;
    s->panels = (s->n + PANEL - 1) / PANEL;
    size_t ints = (size_t)s->pairs * ROWS > (size_t)s->n + CVK_VLEN ? (size_t)s->pairs * ROWS
                                                                    : (size_t)s->n + CVK_VLEN;
    s->worker_bytes = (ints * sizeof(int32_t) + 63) / 64 * 64;
    step->scratch_bytes = (size_t)cvk_device_caps(device)->units * s->worker_bytes;
    step->state = *made = s;
    return take_columns(step, s);
}

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    state *s;
    CVK_TRY(take_sizes(device, step, &s));
    s->m *= s->batch; /* all rows meet the same B */
    pack_arg arg = {.s = s, .b = step->in[1].data};
    cvk_pack pack = {.source = arg.b,
                     .source_bytes = cvk_view_bytes(&step->in[1]),
                     .source2 = s->zero,
                     .source2_bytes = (size_t)s->n * sizeof *s->zero,
                     .kind = "qmatmul",
                     .variant = (uint64_t)s->n << 9 ^ (uint64_t)PANEL << 1 ^ (uint64_t)s->b_signed,
                     .bytes = (size_t)s->panels * (size_t)s->pairs * PANEL * sizeof(int32_t),
                     .fill = pack_fill,
                     .arg = &arg};
    void *data = NULL;
    CVK_TRY(cvk_step_pack(device, step, &pack, &data));
    s->b = data;
    return CVK_OK;
}

static cvk_status prepare_any(cvk_device *device, cvk_step *step)
{
    state *s;
    CVK_TRY(take_sizes(device, step, &s));
    return take_batch(step, s);
}

/* Pairs of `rows` rows of A, [pair][rows]. */
static void pack_a(const state *s, int32_t *dst, const void *a, int64_t row, int rows)
{
    for (int r = 0; r < rows; r++) {
        int64_t at = (row + r) * s->k;
        for (int pair = 0; pair < s->pairs; pair++) {
            bool both = 2 * pair + 1 < s->k;
            int32_t low = requant_get(a, s->a_signed, at + 2 * pair) - s->a_zp;
            int32_t high = both ? requant_get(a, s->a_signed, at + 2 * pair + 1) - s->a_zp : 0;
            dst[pair * rows + r] = requant_pack(low, high);
        }
    }
}

CVK_INLINE void product(const state *s, const requant_posts *posts, const int32_t *a, int panel,
                        int64_t row, void *dst, const int rows)
{
    const int32_t *b = s->b + (size_t)panel * (size_t)s->pairs * PANEL;
    ivec acc[ROWS * VECS];
    CVK_UNROLL for (int i = 0; i < rows * VECS; i++) acc[i] =
        ivec_load(s->bias + panel * PANEL + i % VECS * CVK_VLEN);
    for (int pair = 0; pair < s->pairs; pair++, a += rows, b += PANEL) {
        CVK_UNROLL for (int r = 0; r < rows; r++)
        {
            ivec x = ivec_set1(a[r]);
            CVK_UNROLL for (int v = 0; v < VECS; v++) acc[r * VECS + v] =
                ivec_add(acc[r * VECS + v], ivec_madd(x, ivec_load(b + v * CVK_VLEN)));
        }
    }
    CVK_UNROLL for (int i = 0; i < rows * VECS; i++)
    {
        int column = panel * PANEL + i % VECS * CVK_VLEN;
        int n = s->n - column < CVK_VLEN ? s->n - column : CVK_VLEN;
        if (n > 0)
            requant_store(posts, acc[i], vec_load(s->scale + column), dst,
                          (row + i / VECS) * s->n + column, n);
    }
}

static void product_rows(const state *s, const requant_posts *posts, const int32_t *a, int panel,
                         int64_t row, void *dst, int rows)
{
    if (rows == ROWS)
        product(s, posts, a, panel, row, dst, ROWS);
    else
        product(s, posts, a, panel, row, dst, 1);
}

static requant_posts posts_of(const cvk_step *step)
{
    return requant_posts_make(step, &((const cvk_qmatmul_params *)step->node->params)->y);
}

/* Workers share columns where there are few rows, else rows. */
static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const state *s = step->state;
    const requant_posts posts = posts_of(step);
    int32_t *a = (int32_t *)((char *)step->scratch + (size_t)worker * s->worker_bytes);
    int first = 0, last = s->panels, begin = 0, end = s->m;
    if (s->m < ROWS * workers)
        cvk_team_share(s->panels, worker, workers, &first, &last);
    else
        cvk_team_share(s->m, worker, workers, &begin, &end);
    for (int row = begin; row < end && first < last;) {
        int rows = end - row < ROWS ? 1 : ROWS;
        pack_a(s, a, step->in[0].data, row, rows);
        for (int panel = first; panel < last; panel++)
            product_rows(s, &posts, a, panel, row, step->out[0].data, rows);
        row += rows;
    }
    return CVK_OK;
}

static void multiply_row(const state *s, int32_t *sum, const void *a, int64_t a0, const void *b,
                         int64_t b0)
{
    memcpy(sum, s->bias, (size_t)s->n * sizeof *sum);
    for (int k = 0; k < s->k; k++) {
        const int32_t x = requant_get(a, s->a_signed, a0 + k) - s->a_zp;
        for (int j = 0; j < s->n; j++)
            sum[j] =
                (int32_t)((uint32_t)sum[j] +
                          (uint32_t)(x * (requant_get(b, s->b_signed, b0 + (int64_t)k * s->n + j) -
                                          s->zero[j])));
    }
}

static cvk_status run_any(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const state *s = step->state;
    const requant_posts posts = posts_of(step);
    int32_t *sum = (int32_t *)((char *)step->scratch + (size_t)worker * s->worker_bytes);
    int begin, end;
    cvk_team_share(s->batch * s->m, worker, workers, &begin, &end);
    for (int row = begin; row < end; row++) {
        int i = row / s->m;
        multiply_row(s, sum, step->in[0].data, s->a_at[i] + (int64_t)(row % s->m) * s->k,
                     step->in[1].data, s->b_at[i]);
        for (int column = 0; column < s->n; column += CVK_VLEN) {
            int n = s->n - column < CVK_VLEN ? s->n - column : CVK_VLEN;
            requant_store(&posts, ivec_load(sum + column), vec_load(s->scale + column),
                          step->out[0].data, (int64_t)row * s->n + column, n);
        }
    }
    return CVK_OK;
}

static bool accepts_any(const cvk_problem *p, const char **why_not)
{
    if (p->in[0].shape.rank < 2 || p->in[1].shape.rank < 2)
        return row_refuse(why_not, "a factor is a vector");
    return requant_accepts(p, why_not);
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    if (!p->in[1].data || p->in[1].shape.rank != 2)
        return row_refuse(why_not, "B is no constant matrix");
    return accepts_any(p, why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_qmatmul) = {
    .op = CVK_OP_QMatMul,
    .name = "qmatmul",
    .packs = 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4,
    .accepts = accepts,
    .prepare = prepare,
    .run = run,
};

const cvk_kernel CVK_FN(cvk_cpu_qmatmul_any) = {
    .op = CVK_OP_QMatMul,
    .name = "qmatmul_any",
    .packs = 1u << 2 | 1u << 3 | 1u << 4,
    .accepts = accepts_any,
    .prepare = prepare_any,
    .run = run_any,
};
