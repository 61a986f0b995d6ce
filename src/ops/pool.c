/* SPDX-License-Identifier: Apache-2.0
 *
 * Pool, the form into which MaxPool and AveragePool are lowered, and what they share with it and
 * with the pool of an epilogue.
 */
#include <inttypes.h>
#include <math.h>

#include "ops/common.h"
#include "ops/window.h"

cvk_status cvk_pool_parse(const cvk_attrs *attrs, cvk_pool_kind kind, cvk_pool_params *params)
{
    int64_t ceil_mode, include, order;
    params->kind = kind;
    CVK_TRY(cvk_attrs_window(attrs, &params->window));
    CVK_TRY(cvk_attrs_int(attrs, "ceil_mode", 0, &ceil_mode));
    CVK_TRY(cvk_attrs_int(attrs, "count_include_pad", 0, &include));
    CVK_TRY(cvk_attrs_int(attrs, "storage_order", 0, &order));
    if (params->window.kernel[0] < 1)
        return cvk_fail(CVK_BAD_MODEL, "attribute 'kernel_shape' is missing");
    params->ceil_mode = ceil_mode != 0;
    params->count_include_pad = kind == CVK_POOL_AVERAGE && include != 0;
    params->column_major = kind == CVK_POOL_MAX && order != 0;
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
    int begin, end, step; /* positions of the window inside the input */
    int padded;           /* taps that lie in the input or its padding */
} range;

/* The taps of the window at output position `o` along one dimension. */
static range window_range(int o, int stride, int kernel, int dilation, int begin_pad, int end_pad,
                          int in)
{
    int start = o * stride - begin_pad;
    range r = {.begin = start, .end = start + (kernel - 1) * dilation + 1, .step = dilation};
    int limit = r.end < in + end_pad ? r.end : in + end_pad;
    r.padded = limit > start ? (limit - start + dilation - 1) / dilation : 0;
    if (r.begin < 0) r.begin += (-r.begin + dilation - 1) / dilation * dilation;
    if (r.end > in) r.end = in;
    return r;
}

typedef struct tap {
    double best, sum;
    int64_t count;
    int y, x; /* of best */
} tap;

static tap gather(const cvk_view *src, int64_t plane, int iw, range rows, range columns)
{
    tap t = {.best = -INFINITY, .y = rows.begin, .x = columns.begin};
    for (int y = rows.begin; y < rows.end; y += rows.step) {
        for (int x = columns.begin; x < columns.end; x += columns.step) {
            double value = cvk_view_get(src, plane + (int64_t)y * iw + x);
            if (value > t.best || !t.count) {
                t.best = value;
                t.y = y;
                t.x = x;
            }
            t.sum += value;
            t.count++;
        }
    }
    return t;
}

cvk_status cvk_pool_reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                              int n_out)
{
    (void)n_in;
    const cvk_pool_params *pool = params;
    bool average = pool->kind == CVK_POOL_AVERAGE;
    cvk_geom g;
    int64_t at = 0;
    if (cvk_view_count(&out[0]) == 0) return CVK_OK;
    CVK_TRY(cvk_window_geom(&pool->window, 1, &in[0].shape, &out[0].shape, &g));
    for (int64_t p = 0; p < (int64_t)g.n * g.ic; p++) {
        int64_t plane = p * g.ih * g.iw;
        for (int oy = 0; oy < g.oh; oy++) {
            range rows = window_range(oy, g.sh, g.kh, g.dh, g.pt, g.pb, g.ih);
            for (int ox = 0; ox < g.ow; ox++, at++) {
                range columns = window_range(ox, g.sw, g.kw, g.dw, g.pl, g.pr, g.iw);
                tap t = gather(&in[0], plane, g.iw, rows, columns);
                int64_t divisor =
                    pool->count_include_pad ? (int64_t)rows.padded * columns.padded : t.count;
                cvk_view_set(&out[0], at,
                             !average  ? t.best
                             : divisor ? t.sum / (double)divisor
                                       : 0);
                if (!cvk_wanted(out, n_out, 1)) continue;
                int64_t place =
                    pool->column_major ? (int64_t)t.x * g.ih + t.y : (int64_t)t.y * g.iw + t.x;
                cvk_view_set_int(&out[1], at, plane + place);
            }
        }
    }
    return CVK_OK;
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
    .internal = true,
};
