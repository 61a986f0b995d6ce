/* SPDX-License-Identifier: Apache-2.0
 *
 * Pad: constant, reflect, edge or wrap; negative pads crop. For each dimension a table names the source
 * index of each output index, or -1 for the constant. A blocked tensor is one of pixels of 16
 * floats, of which only H and W are padded.
 */
#include <string.h>

#include "kernels/cpu/row.h"
#include "kernels/cpu/vec.h"
#include "kernels/cpu/work.h"

typedef struct state {
    int n;    /* dimensions */
    int unit; /* floats that stay together: 1, or 16 */
    int64_t in[CVK_MAX_RANK], out[CVK_MAX_RANK];
    const int32_t *from[CVK_MAX_RANK];
    int begin, end; /* of the last dimension: outputs that are neighbours in the source */
    int rows;
    float value;
} state;

static int32_t source_of(cvk_pad_mode mode, int64_t from, int64_t in)
{
    if (from >= 0 && from < in) return (int32_t)from;
    if (mode == CVK_PAD_CONSTANT) return -1;
    if (mode == CVK_PAD_WRAP) return (int32_t)((from % in + in) % in);
    if (mode == CVK_PAD_EDGE || in == 1) return from < 0 ? 0 : (int32_t)(in - 1);
    int64_t period = 2 * (in - 1),
            at = (from % period + period) % period; /* there and back again */
    return (int32_t)(at < in ? at : period - at);
}

static cvk_status prepare_as(cvk_step *step, bool blocked)
{
    const cvk_pad_params *p = step->node->params;
    const cvk_shape *in = &step->in[0].shape, *out = &step->out[0].shape;
    state *s = cvk_step_alloc(step, sizeof *s);
    if (!s) return CVK_NO_MEMORY;
    *s = (state){.n = in->rank, .unit = blocked ? CVK_BLOCK : 1, .rows = 1, .value = p->value};
    for (int d = 0; d < s->n; d++) {
        bool channels = blocked && d == 1;
        s->in[d] = channels ? row_dims_of(in).blocks : in->dims[d];
        s->out[d] = channels ? s->in[d] : out->dims[d];
        int32_t *from = cvk_step_alloc(step, (size_t)s->out[d] * sizeof *from);
        if (!from) return CVK_NO_MEMORY;
        for (int64_t i = 0; i < s->out[d]; i++)
            from[i] = source_of(p->mode, i - (channels ? 0 : p->begin[d]), s->in[d]);
        s->from[d] = from;
        if (d + 1 < s->n) s->rows *= (int)s->out[d];
    }
    int64_t begin = p->begin[s->n - 1], stop = begin + s->in[s->n - 1], length = s->out[s->n - 1];
    s->begin = (int)(begin < 0 ? 0 : begin < length ? begin : length);
    s->end = (int)(stop < s->begin ? s->begin : stop < length ? stop : length);
    step->state = s;
    return CVK_OK;
}

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    (void)device;
    return prepare_as(step, false);
}

static cvk_status prepare_blocked(cvk_device *device, cvk_step *step)
{
    (void)device;
    return prepare_as(step, true);
}

static void fill(float *dst, int64_t n, float value)
{
    const vec x = vec_set1(value);
    int64_t i = 0;
    for (; i + CVK_VLEN <= n; i += CVK_VLEN) vec_store(dst + i, x);
    vec_store_n(dst + i, x, (int)(n - i));
}

/* Outputs [begin, end) of a row, one by one. */
static void border(const state *s, const float *src, float *dst, int begin, int end)
{
    const int32_t *from = s->from[s->n - 1];
    for (int i = begin; i < end; i++) {
        float *to = dst + (ptrdiff_t)i * s->unit;
        if (from[i] < 0)
            fill(to, s->unit, s->value);
        else
            memcpy(to, src + (ptrdiff_t)from[i] * s->unit, (size_t)s->unit * sizeof *to);
    }
}

/* The source row of an output row; -1: all constant. */
static int64_t source_row(const state *s, int row)
{
    int64_t at = 0, step = 1;
    for (int d = s->n - 2; d >= 0; d--) {
        int32_t from = s->from[d][row % s->out[d]];
        if (from < 0) return -1;
        at += from * step;
        step *= s->in[d];
        row = (int)(row / s->out[d]);
    }
    return at;
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const state *s = step->state;
    const int64_t in = s->in[s->n - 1], out = s->out[s->n - 1];
    int begin, end;
    cvk_team_share(s->rows, worker, workers, &begin, &end);
    for (int row = begin; row < end; row++) {
        float *dst = (float *)step->out[0].data + row * out * s->unit;
        int64_t from = source_row(s, row);
        if (from < 0) {
            fill(dst, out * s->unit, s->value);
            continue;
        }
        const float *src = (const float *)step->in[0].data + from * in * s->unit;
        border(s, src, dst, 0, s->begin);
        if (s->begin < s->end)
            memcpy(dst + (ptrdiff_t)s->begin * s->unit,
                   src + (ptrdiff_t)s->from[s->n - 1][s->begin] * s->unit,
                   (size_t)(s->end - s->begin) * (size_t)s->unit * sizeof *dst);
        border(s, src, dst, s->end, (int)out);
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    if (p->in[0].shape.rank < 1) return row_refuse(why_not, "a scalar has no dimension to pad");
    return row_f32(p, why_not) && row_no_posts(p, why_not);
}

static bool accepts_blocked(const cvk_problem *p, const char **why_not)
{
    const cvk_pad_params *params = p->node->params;
    if (!accepts(p, why_not) || !row_blocked(&p->in[0], why_not)) return false;
    if (params->begin[0] || params->end[0] || params->begin[1] || params->end[1])
        return row_refuse(why_not, "batch or channels are padded");
    return true;
}

static void cost_plain(const cvk_problem *p, cvk_work *work)
{
    static const double cycles = 0.7; /* of an element, in a line that is copied */
    work->macs = work_shared_macs(p->caps, cycles * (double)cvk_view_count(&p->out[0]));
}

const cvk_kernel CVK_FN(cvk_cpu_pad) = {
    .op = CVK_OP_Pad,
    .name = "pad",
    .accepts = accepts,
    .cost = cost_plain,
    .prepare = prepare,
    .run = run,
};

const cvk_kernel CVK_FN(cvk_cpu_pad_blocked) = {
    .op = CVK_OP_Pad,
    .name = "pad_blocked",
    .in_layout = CVK_LAYOUT_BLOCKED,
    .out_layout = CVK_LAYOUT_BLOCKED,
    .accepts = accepts_blocked,
    .prepare = prepare_blocked,
    .run = run,
};
