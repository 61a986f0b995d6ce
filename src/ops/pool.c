/* SPDX-License-Identifier: Apache-2.0
 *
 * Pool, the form into which MaxPool, AveragePool and LpPool are lowered, and what they share with it
 * and with the pool of an epilogue.
 */
#include <inttypes.h>
#include <math.h>

#include "ops/common.h"
#include "ops/tell.h"
#include "ops/window.h"

cvk_status cvk_pool_parse_p(const cvk_attrs *attrs, int64_t *p)
{
    CVK_TRY(cvk_attrs_int(attrs, "p", 2, p));
    if (*p >= 1 && *p <= 64) return CVK_OK;
    return cvk_fail(CVK_UNSUPPORTED, "attribute 'p' is %" PRId64 ", 1 to 64 are supported", *p);
}

cvk_status cvk_pool_parse(const cvk_attrs *attrs, void *values)
{
    cvk_pool_params *params = values;
    int64_t ceil_mode, include, order;
    if (params->kind == CVK_POOL_LP) CVK_TRY(cvk_pool_parse_p(attrs, &params->p));
    CVK_TRY(cvk_attrs_window(attrs, &params->window));
    CVK_TRY(cvk_attrs_int(attrs, "ceil_mode", 0, &ceil_mode));
    CVK_TRY(cvk_attrs_int(attrs, "count_include_pad", 0, &include));
    CVK_TRY(cvk_attrs_int(attrs, "storage_order", 0, &order));
    if (params->window.kernel[0] < 1)
        return cvk_fail(CVK_BAD_MODEL, "attribute 'kernel_shape' is missing");
    params->ceil_mode = ceil_mode != 0;
    params->count_include_pad = params->kind == CVK_POOL_AVERAGE && include != 0;
    params->column_major = params->kind == CVK_POOL_MAX && order != 0;
    return CVK_OK;
}

static cvk_status check_type(const cvk_pool_params *pool, cvk_dtype dtype)
{
    if (cvk_dtype_is_float(dtype)) return CVK_OK;
    if (pool->kind == CVK_POOL_MAX && (dtype == CVK_I8 || dtype == CVK_U8)) return CVK_OK;
    return cvk_fail(CVK_UNSUPPORTED, "input has type %s, %s is expected", cvk_dtype_name(dtype),
                    pool->kind == CVK_POOL_MAX ? "a float type, int8 or uint8" : "a float type");
}

/* A window must reach the input from wherever it stands. */
static cvk_status check_pads(const cvk_window *window)
{
    for (int d = 0; d < window->spatial; d++) {
        int64_t reach = (window->kernel[d] - 1) * window->dilation[d] + 1;
        int64_t begin = window->pad_begin[d], end = window->pad_end[d];
        if (begin < 0 || end < 0 || begin >= reach || end >= reach)
            return cvk_fail(CVK_BAD_MODEL,
                            "spatial dimension %d: padding %" PRId64 " + %" PRId64
                            " of a pool whose window reaches %" PRId64
                            ", each is expected to be 0 or more and smaller than that",
                            d, begin, end, reach);
    }
    return CVK_OK;
}

cvk_status cvk_pool_infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_in;
    cvk_pool_params *pool = params;
    cvk_shape shape = in[0].shape;
    CVK_TRY(check_type(pool, in[0].dtype));
    if (shape.rank >= 0) {
        CVK_TRY(cvk_window_fit(&pool->window, &in[0].shape, "pooling"));
        CVK_TRY(cvk_window_output(&pool->window, &in[0].shape, pool->ceil_mode, &shape));
        CVK_TRY(check_pads(&pool->window));
    }
    cvk_set_out(&out[0], in[0].dtype, &shape);
    if (n_out > 1) cvk_set_out(&out[1], CVK_I64, &shape);
    return CVK_OK;
}

typedef struct range {
    int64_t begin, end, step; /* positions of the window inside the input */
    int64_t padded;           /* taps that lie in the input or its padding */
} range;

/* The taps of the window at output position `o` along one axis. */
static range window_range(const cvk_sweep_axis *axis, int64_t o)
{
    int64_t start = o * axis->stride - axis->pad_begin, step = axis->dilation;
    range r = {.begin = start, .end = start + (axis->kernel - 1) * step + 1, .step = step};
    int64_t limit = r.end < axis->in + axis->pad_end ? r.end : axis->in + axis->pad_end;
    r.padded = limit > start ? (limit - start + step - 1) / step : 0;
    if (r.begin < 0) r.begin += (-r.begin + step - 1) / step * step;
    if (r.end > axis->in) r.end = axis->in;
    return r;
}

typedef struct tap {
    double best, sum;
    int64_t power;        /* LP: what sum adds of each element; else 0 */
    int64_t count, place; /* place: of best in its channel's volume */
} tap;

static void take(tap *t, double value, int64_t place)
{
    if (value > t->best || !t->count) {
        t->best = value;
        t->place = place;
    }
    t->sum += t->power ? pow(fabs(value), (double)t->power) : value;
    t->count++;
}

/* All taps that lie in the volume which begins at element `first` of src. */
static tap gather(const cvk_view *src, int64_t first, int64_t power, const cvk_sweep *s,
                  const range *ranges)
{
    const range *d = &ranges[0], *h = &ranges[1], *w = &ranges[2];
    tap t = {.best = -INFINITY, .power = power};
    for (int64_t z = d->begin; z < d->end; z += d->step) {
        for (int64_t y = h->begin; y < h->end; y += h->step) {
            int64_t row = z * s->axis[0].in_pitch + y * s->axis[1].in_pitch;
            for (int64_t x = w->begin; x < w->end; x += w->step)
                take(&t, cvk_view_get(src, first + row + x), row + x);
        }
    }
    return t;
}

/* Where place lies when the first axis runs fastest. */
static int64_t column_major(const cvk_sweep *s, int64_t place)
{
    const cvk_sweep_axis *d = &s->axis[0], *h = &s->axis[1], *w = &s->axis[2];
    int64_t z = place / d->in_pitch, y = place / h->in_pitch % h->in, x = place % w->in;
    return (x * h->in + y) * d->in + z;
}

static int64_t divisor_of(const cvk_pool_params *pool, const tap *t, const range *r)
{
    return pool->count_include_pad ? r[0].padded * r[1].padded * r[2].padded : t->count;
}

static double result(const cvk_pool_params *pool, const tap *t, const range *r)
{
    if (pool->kind == CVK_POOL_MAX) return t->best;
    if (pool->kind == CVK_POOL_LP) return pow(t->sum, 1 / (double)pool->p);
    int64_t divisor = divisor_of(pool, t, r);
    return divisor ? t->sum / (double)divisor : 0;
}

/* The window of element i of the output. */
static tap window_tap(const cvk_pool_params *pool, const cvk_view *src, const cvk_sweep *s,
                      int64_t i, range *ranges)
{
    for (int a = 0; a < CVK_MAX_SPATIAL; a++)
        ranges[a] = window_range(&s->axis[a], i / s->axis[a].out_pitch % s->axis[a].out);
    int64_t power = pool->kind == CVK_POOL_LP ? pool->p : 0;
    return gather(src, i / s->out_count * s->in_count, power, s, ranges);
}

double cvk_pool_sum(const cvk_pool_params *pool, const cvk_view *in, const cvk_shape *out,
                    int64_t i, int64_t *divisor)
{
    cvk_sweep s = cvk_sweep_make(&pool->window, 1, &in->shape, out);
    range ranges[CVK_MAX_SPATIAL];
    tap t = window_tap(pool, in, &s, i, ranges);
    *divisor = divisor_of(pool, &t, ranges);
    return t.sum;
}

cvk_status cvk_pool_reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                              int n_out)
{
    (void)n_in;
    const cvk_pool_params *pool = params;
    bool indices = cvk_wanted(out, n_out, 1);
    int64_t count = cvk_view_count(&out[0]);
    if (count == 0) return CVK_OK;
    cvk_sweep s = cvk_sweep_make(&pool->window, 1, &in[0].shape, &out[0].shape);
    for (int64_t i = 0; i < count; i++) {
        range ranges[CVK_MAX_SPATIAL];
        tap t = window_tap(pool, &in[0], &s, i, ranges);
        cvk_view_set(&out[0], i, result(pool, &t, ranges));
        if (!indices) continue;
        int64_t first = i / s.out_count * s.in_count;
        int64_t place = pool->column_major && t.count ? column_major(&s, t.place) : t.place;
        cvk_view_set_int(&out[1], i, first + place);
    }
    return CVK_OK;
}

uint64_t cvk_pool_work(const void *params, const cvk_view *in, int n_in, const cvk_view *out)
{
    (void)n_in;
    const cvk_pool_params *pool = params;
    uint64_t work = (uint64_t)cvk_view_count(&out[0]);
    for (int d = 0; d < pool->window.spatial; d++) {
        int64_t kernel = pool->window.kernel[d], length = in[0].shape.dims[2 + d];
        work *= (uint64_t)(kernel < length ? kernel : length);
    }
    return work;
}

static void tell(const void *params, char *text, size_t size)
{
    cvk_tell_pool(params, text, size);
}

const cvk_op cvk_op_Pool = {
    .name = "Pool",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 2,
    .params_bytes = sizeof(cvk_pool_params),
    .infer = cvk_pool_infer,
    .reference = cvk_pool_reference,
    .work = cvk_pool_work,
    .tell = tell,
    .internal = true,
};
