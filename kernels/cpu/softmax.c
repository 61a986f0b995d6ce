/* SPDX-License-Identifier: Apache-2.0
 *
 * Softmax and LogSoftmax on plain tensors: the axis (with coerce: all dimensions from it on) has
 * `length` elements, `inner` floats apart. Three passes, each over a line that is still in cache:
 * maximum; sum of exponentials; result. With inner > 1, CVK_VLEN lines go side by side, and so do
 * lines too short to fill a vec, and some longer ones if there are many. Hardmax: 1 at the first maximum of each line.
 */
#include "kernels/cpu/sums.h"

enum {
    SHORT = CVK_VLEN > 1 ? CVK_VLEN / 2 : 1,
    SHORT_OF_MANY = CVK_VLEN > 1 ? 16 : 1,
    MANY = 2 * CVK_VLEN
};

typedef struct line {
    int outer, length, inner;
    bool log;
} line;

static line line_of(const cvk_softmax_params *params, const cvk_shape *shape)
{
    int axis = (int)params->axis, end = params->coerce ? shape->rank : axis + 1;
    return (line){.outer = (int)cvk_shape_span(shape, 0, axis),
                  .length = (int)cvk_shape_span(shape, axis, end),
                  .inner = (int)cvk_shape_span(shape, end, shape->rank),
                  .log = params->log};
}

/* exp(src - top) for n neighbours into dst unless it is NULL; returns their sum. */
static double exponentials(const float *src, float *dst, int n, float top)
{
    const vec m = vec_set1(top);
    double sum = 0;
    for (int i = 0; i < n;) {
        int stop = n - i < SUMS_DEEP * CVK_VLEN ? n : i + SUMS_DEEP * CVK_VLEN;
        vec acc = vec_zero();
        for (; i + CVK_VLEN <= stop; i += CVK_VLEN) {
            vec e = vec_exp(vec_sub(vec_load(src + i), m));
            if (dst) vec_store(dst + i, e);
            acc = vec_add(acc, e);
        }
        sum += (double)vec_sum(acc);
        if (i == stop) continue;
        float rest[CVK_VLEN];
        vec_store(rest, vec_exp(vec_sub(vec_load_n(src + i, stop - i), m)));
        if (dst) vec_store_n(dst + i, vec_load(rest), stop - i);
        for (int l = 0; i < stop; l++, i++) sum += (double)rest[l];
    }
    return sum;
}

/* dst = src scale + shift */
static void scale_row(const float *src, float *dst, int n, float scale, float shift)
{
    const vec m = vec_set1(scale), s = vec_set1(shift);
    int i = 0;
    for (; i + CVK_VLEN <= n; i += CVK_VLEN) vec_store(dst + i, vec_fma(vec_load(src + i), m, s));
    if (i < n) vec_store_n(dst + i, vec_fma(vec_load_n(src + i, n - i), m, s), n - i);
}

static void along(const line *l, const float *src, float *dst)
{
    float top = (float)sums_row(SUMS_MAX, src, l->length, 0);
    double sum = exponentials(src, l->log ? NULL : dst, l->length, top);
    if (l->log)
        scale_row(src, dst, l->length, 1.0f, (float)-((double)top + log(sum)));
    else
        scale_row(dst, dst, l->length, (float)(1 / sum), 0.0f);
}

/* `lanes` lines side by side. */
static void across(const line *l, const float *src, float *dst, int lanes)
{
    const bool full = lanes == CVK_VLEN;
    vec top = vec_set1(-INFINITY), sum = vec_zero(), part = vec_zero();
    for (int i = 0; i < l->length; i++) {
        const float *at = src + (ptrdiff_t)i * l->inner;
        top = vec_max(top, full ? vec_load(at) : vec_load_n(at, lanes));
    }
    for (int i = 0; i < l->length; i++) {
        const float *at = src + (ptrdiff_t)i * l->inner;
        vec e = vec_exp(vec_sub(full ? vec_load(at) : vec_load_n(at, lanes), top));
        if (!l->log) vec_store_n(dst + (ptrdiff_t)i * l->inner, e, lanes);
        part = vec_add(part, e);
        if (i % SUMS_DEEP != SUMS_DEEP - 1) continue;
        sum = vec_add(sum, part);
        part = vec_zero();
    }
    sum = vec_add(sum, part);
    const vec shift = l->log ? vec_add(top, vec_log(sum)) : vec_zero();
    const vec scale = l->log ? vec_set1(1.0f) : vec_div(vec_set1(1.0f), sum);
    const float *from = l->log ? src : dst;
    for (int i = 0; i < l->length; i++) {
        ptrdiff_t at = (ptrdiff_t)i * l->inner;
        vec x = full ? vec_load(from + at) : vec_load_n(from + at, lanes);
        vec_store_n(dst + at, vec_mul(vec_sub(x, shift), scale), lanes);
    }
}

/* `lines` of at most SHORT_OF_MANY elements, turned so that they lie side by side. */
static void across_short(const line *l, const float *src, float *dst, int lines)
{
    const line turned = {.length = l->length, .inner = CVK_VLEN, .log = l->log};
    float x[SHORT_OF_MANY * CVK_VLEN] = {0}; /* [element][line] */
    for (int k = 0; k < lines; k++)
        for (int i = 0; i < l->length; i++) x[i * CVK_VLEN + k] = src[k * l->length + i];
    across(&turned, x, x, CVK_VLEN);
    for (int k = 0; k < lines; k++)
        for (int i = 0; i < l->length; i++) dst[k * l->length + i] = x[i * CVK_VLEN + k];
}

static void run_short(const line *l, const float *src, float *dst, int worker, int workers)
{
    int begin, end;
    cvk_team_share(l->outer, worker, workers, &begin, &end);
    for (int i = begin; i < end; i += CVK_VLEN) {
        const ptrdiff_t at = (ptrdiff_t)i * l->length;
        across_short(l, src + at, dst + at, end - i < CVK_VLEN ? end - i : CVK_VLEN);
    }
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const line l = line_of(step->node->params, &step->in[0].shape);
    const float *src = step->in[0].data;
    float *dst = step->out[0].data;
    if (l.inner == 1 && (l.length <= SHORT || (l.length <= SHORT_OF_MANY && l.outer >= MANY))) {
        run_short(&l, src, dst, worker, workers);
        return CVK_OK;
    }
    int begin, end, groups = l.inner == 1 ? 1 : (l.inner + CVK_VLEN - 1) / CVK_VLEN;
    cvk_team_share(l.outer * groups, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        ptrdiff_t at = (ptrdiff_t)(i / groups) * l.length * l.inner + i % groups * CVK_VLEN;
        int left = l.inner - i % groups * CVK_VLEN;
        if (l.inner == 1)
            along(&l, src + at, dst + at);
        else
            across(&l, src + at, dst + at, left < CVK_VLEN ? left : CVK_VLEN);
    }
    return CVK_OK;
}

static cvk_status run_hardmax(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const line l = line_of(step->node->params, &step->in[0].shape);
    int begin, end;
    cvk_team_share(l.outer * l.inner, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        ptrdiff_t at = (ptrdiff_t)(i / l.inner) * l.length * l.inner + i % l.inner;
        const float *src = (const float *)step->in[0].data + at;
        float *dst = (float *)step->out[0].data + at;
        int best = 0;
        for (int k = 1; k < l.length; k++)
            if (src[(ptrdiff_t)k * l.inner] > src[(ptrdiff_t)best * l.inner]) best = k;
        for (int k = 0; k < l.length; k++) dst[(ptrdiff_t)k * l.inner] = k == best ? 1.0f : 0.0f;
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    return row_f32(p, why_not) && row_no_posts(p, why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_softmax) = {
    .op = CVK_OP_Softmax,
    .name = "softmax",
    .inplace = true,
    .accepts = accepts,
    .run = run,
};

const cvk_kernel CVK_FN(cvk_cpu_logsoftmax) = {
    .op = CVK_OP_LogSoftmax,
    .name = "logsoftmax",
    .inplace = true,
    .accepts = accepts,
    .run = run,
};

const cvk_kernel CVK_FN(cvk_cpu_hardmax) = {
    .op = CVK_OP_Hardmax,
    .name = "hardmax",
    .inplace = true,
    .accepts = accepts,
    .run = run_hardmax,
};
