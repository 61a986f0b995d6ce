/* SPDX-License-Identifier: Apache-2.0
 *
 * Resize: nearest and linear, of the spatial dimensions of (N, C, [H,] W). Tables say for each
 * output row and column which two elements it lies between and the weight of the second (nearest:
 * one element, weight 0). Coordinates: graph/resample.h.
 */
#include <string.h>

#include "graph/resample.h"
#include "kernels/cpu/row.h"
#include "kernels/cpu/vec.h"
#include "kernels/cpu/work.h"

typedef struct mix {
    int32_t low, high;
    float weight; /* of high */
} mix;

typedef struct state {
    int planes; /* N C, or N blocks */
    int ih, iw, oh, ow;
    bool nearest;
    const mix *rows, *cols;
} state;

/* d: the dimension, -1 for the height that a 1-D tensor lacks. One that keeps its length and scale
 * stays as it is, whatever the coordinates. */
static mix *make_table(cvk_step *step, int d, int in, int out)
{
    const cvk_resize_params *p = step->node->params;
    mix *table = cvk_step_alloc(step, (size_t)out * sizeof *table);
    const bool same = d < 0 || (in == out && cvk_resample_scale(p, d, in, out) == 1);
    for (int i = 0; table && i < out; i++) {
        int64_t low = i, high = i;
        double weight = 0, at = same ? i : cvk_resample_source(p, d, in, out, i);
        if (!same && p->mode == CVK_RESIZE_NEAREST)
            low = high = cvk_resample_nearest(p, at, in);
        else if (!same)
            cvk_resample_linear(at, in, &low, &high, &weight);
        table[i] = (mix){(int32_t)low, (int32_t)high, (float)weight};
    }
    return table;
}

static cvk_status prepare_as(cvk_device *device, cvk_step *step, bool blocked)
{
    const cvk_resize_params *p = step->node->params;
    const cvk_shape *in = &step->in[0].shape, *out = &step->out[0].shape;
    const row_dims d = row_dims_of(in);
    const bool flat = in->rank == 3;
    state *s = cvk_step_alloc(step, sizeof *s);
    if (!s) return CVK_NO_MEMORY;
    *s = (state){.planes = d.n * (blocked ? d.blocks : d.c),
                 .ih = flat ? 1 : (int)in->dims[2],
                 .iw = (int)in->dims[in->rank - 1],
                 .oh = flat ? 1 : (int)out->dims[2],
                 .ow = (int)out->dims[in->rank - 1],
                 .nearest = p->mode == CVK_RESIZE_NEAREST};
    s->rows = make_table(step, flat ? -1 : 2, s->ih, s->oh);
    s->cols = make_table(step, in->rank - 1, s->iw, s->ow);
    if (!s->rows || !s->cols) return CVK_NO_MEMORY;
    if (!blocked && !s->nearest)
        step->scratch_bytes =
            (size_t)cvk_device_caps(device)->units * (size_t)s->iw * sizeof(float);
    step->state = s;
    return CVK_OK;
}

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    return prepare_as(device, step, false);
}

static cvk_status prepare_blocked(cvk_device *device, cvk_step *step)
{
    return prepare_as(device, step, true);
}

/* a + (b - a) w, exactly a where w is 0 whatever b holds. */
static inline float lerp(float a, float b, float w)
{
    return w == 0.0f ? a : a + (b - a) * w;
}

/* A plain output row: the two source rows mixed into `line`, then its columns. */
static void row_plain(const state *s, const float *low, const float *high, float weight,
                      float *line, float *dst)
{
    if (weight != 0.0f) {
        const vec w = vec_set1(weight);
        for (int x = 0; x < s->iw; x += CVK_VLEN) {
            int n = s->iw - x < CVK_VLEN ? s->iw - x : CVK_VLEN;
            vec a = vec_load_n(low + x, n), b = vec_load_n(high + x, n);
            vec_store_n(line + x, vec_fma(vec_sub(b, a), w, a), n);
        }
        low = line;
    }
    for (int x = 0; x < s->ow; x++)
        dst[x] = lerp(low[s->cols[x].low], low[s->cols[x].high], s->cols[x].weight);
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const state *s = step->state;
    float *line = s->nearest ? NULL : (float *)step->scratch + (ptrdiff_t)worker * s->iw;
    int begin, end;
    cvk_team_share(s->planes * s->oh, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        const mix *row = &s->rows[i % s->oh];
        const float *src = (const float *)step->in[0].data + (ptrdiff_t)(i / s->oh) * s->ih * s->iw;
        row_plain(s, src + (ptrdiff_t)row->low * s->iw, src + (ptrdiff_t)row->high * s->iw,
                  row->weight, line, (float *)step->out[0].data + (ptrdiff_t)i * s->ow);
    }
    return CVK_OK;
}

static inline vec lerp_vec(const float *a, const float *b, float w)
{
    vec x = vec_load(a);
    return w == 0.0f ? x : vec_fma(vec_sub(vec_load(b), x), vec_set1(w), x);
}

static void row_blocked_of(const state *s, const float *low, const float *high, float weight,
                           float *dst)
{
    for (int x = 0; x < s->ow; x++, dst += CVK_BLOCK) {
        const mix *col = &s->cols[x];
        const ptrdiff_t l = (ptrdiff_t)col->low * CVK_BLOCK, h = (ptrdiff_t)col->high * CVK_BLOCK;
        for (int v = 0; v < CVK_BLOCK; v += CVK_VLEN) {
            vec y = lerp_vec(low + l + v, low + h + v, col->weight);
            if (weight != 0.0f)
                y = vec_fma(vec_sub(lerp_vec(high + l + v, high + h + v, col->weight), y),
                            vec_set1(weight), y);
            vec_store(dst + v, y);
        }
    }
}

static cvk_status run_blocked(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const state *s = step->state;
    const ptrdiff_t pitch = (ptrdiff_t)s->iw * CVK_BLOCK;
    int begin, end;
    cvk_team_share(s->planes * s->oh, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        const mix *row = &s->rows[i % s->oh];
        const float *src = (const float *)step->in[0].data + i / s->oh * s->ih * pitch;
        row_blocked_of(s, src + row->low * pitch, src + row->high * pitch, row->weight,
                       (float *)step->out[0].data + (ptrdiff_t)i * s->ow * CVK_BLOCK);
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    const cvk_resize_params *params = p->node->params;
    if (!row_types(
            &(cvk_problem){.node = &(cvk_node){.n_in = 1, .n_out = 1}, .in = p->in, .out = p->out},
            true, why_not))
        return false;
    if (!row_no_posts(p, why_not)) return false;
    if (params->mode == CVK_RESIZE_CUBIC) return row_refuse(why_not, "cubic interpolation");
    if (params->coord == CVK_COORD_CROP) return row_refuse(why_not, "a region of interest");
    if (!row_blockable(&p->in[0])) return row_refuse(why_not, "only rank 3 or 4");
    for (int d = 0; d < 2; d++)
        if (p->in[0].shape.dims[d] != p->out[0].shape.dims[d] || params->scales[d] != 1.0f)
            return row_refuse(why_not, "batch or channels are resized");
    return true;
}

static void cost_plain(const cvk_problem *p, cvk_work *work)
{
    const cvk_resize_params *params = p->node->params;
    const double cycles =
        params->mode == CVK_RESIZE_NEAREST ? 2.3 : 3; /* of an element by itself */
    work->macs = work_shared_macs(p->caps, cycles * (double)cvk_view_count(&p->out[0]));
}

static void cost_blocked(const cvk_problem *p, cvk_work *work)
{
    static const double cycles = 0.1; /* of an element, one of a vec */
    work->macs = work_shared_macs(p->caps, cycles * (double)cvk_view_count(&p->out[0]));
}

const cvk_kernel CVK_FN(cvk_cpu_resize) = {
    .op = CVK_OP_Resize,
    .name = "resize",
    .accepts = accepts,
    .cost = cost_plain,
    .prepare = prepare,
    .run = run,
};

const cvk_kernel CVK_FN(cvk_cpu_resize_blocked) = {
    .op = CVK_OP_Resize,
    .name = "resize_blocked",
    .in_layout = CVK_LAYOUT_BLOCKED,
    .out_layout = CVK_LAYOUT_BLOCKED,
    .accepts = accepts,
    .cost = cost_blocked,
    .prepare = prepare_blocked,
    .run = run_blocked,
};
