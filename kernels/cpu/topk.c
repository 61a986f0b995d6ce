/* SPDX-License-Identifier: Apache-2.0
 *
 * TopK of plain float32 tensors along any axis. The k best of a line stand as a heap in the output
 * itself, the worst of them at the root, until all elements have been seen; then the heap is
 * sorted. Of equal elements the first is better; a NaN is larger than all numbers.
 */
#include "kernels/cpu/row.h"
#include "kernels/cpu/vec.h"

/* The line of results; neighbours are `pitch` apart. */
typedef struct heap {
    float *value;
    int64_t *index;
    ptrdiff_t pitch;
    bool smallest;
} heap;

static inline bool larger(float a, float b)
{
    return a > b || (a != a && b == b);
}

static inline bool better(const heap *h, float a, int64_t i, float b, int64_t k)
{
    if (h->smallest ? larger(b, a) : larger(a, b)) return true;
    return i < k && !(h->smallest ? larger(a, b) : larger(b, a));
}

static inline bool better_at(const heap *h, int a, int b)
{
    return better(h, h->value[a * h->pitch], h->index[a * h->pitch], h->value[b * h->pitch],
                  h->index[b * h->pitch]);
}

static inline void set(const heap *h, int at, float value, int64_t index)
{
    h->value[at * h->pitch] = value;
    h->index[at * h->pitch] = index;
}

/* The element at `at` down until both below are better, in a heap of n. */
static void sift(const heap *h, int at, int n)
{
    for (int child = 2 * at + 1; child < n; child = 2 * at + 1) {
        if (child + 1 < n && better_at(h, child, child + 1)) child++;
        if (!better_at(h, at, child)) return;
        float value = h->value[at * h->pitch];
        int64_t index = h->index[at * h->pitch];
        set(h, at, h->value[child * h->pitch], h->index[child * h->pitch]);
        set(h, child, value, index);
        at = child;
    }
}

static void line(const heap *h, const float *src, int length, ptrdiff_t pitch, int k)
{
    for (int i = 0; i < k; i++) set(h, i, src[i * pitch], i);
    for (int i = k / 2 - 1; i >= 0; i--) sift(h, i, k);
    for (int i = k; i < length; i++) {
        float x = src[i * pitch];
        if (!better(h, x, i, h->value[0], h->index[0])) continue;
        set(h, 0, x, i);
        sift(h, 0, k);
    }
    for (int n = k - 1; n > 0; n--) {
        float value = h->value[0];
        int64_t index = h->index[0];
        set(h, 0, h->value[n * h->pitch], h->index[n * h->pitch]);
        set(h, n, value, index);
        sift(h, 0, n);
    }
}

static bool has_indices(const cvk_node *node)
{
    return node->n_out > 1 && node->out[1] >= 0;
}

/* The heap wants indices, be they wanted or not. */
static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    (void)device;
    if (!has_indices(step->node))
        step->scratch_bytes = (size_t)cvk_view_count(&step->out[0]) * sizeof(int64_t);
    return CVK_OK;
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const cvk_top_k_params *params = step->node->params;
    const cvk_shape *in = &step->in[0].shape;
    const int axis = (int)params->axis, length = (int)in->dims[axis],
              k = (int)step->out[0].shape.dims[axis],
              inner = (int)cvk_shape_span(in, axis + 1, in->rank);
    int64_t *indices = has_indices(step->node) ? step->out[1].data : step->scratch;
    int begin, end;
    cvk_team_share((int)cvk_shape_span(in, 0, axis) * inner, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) {
        ptrdiff_t outer = i / inner, x = i % inner;
        heap h = {.value = (float *)step->out[0].data + outer * k * inner + x,
                  .index = indices + outer * k * inner + x,
                  .pitch = inner,
                  .smallest = params->smallest};
        line(&h, (const float *)step->in[0].data + outer * length * inner + x, length, inner, k);
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    if (p->in[0].dtype != CVK_F32) return row_refuse(why_not, "the input is not float32");
    if (p->node->out[0] < 0) return row_refuse(why_not, "no values are wanted");
    return row_sized(p, why_not) && row_no_posts(p, why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_topk) = {
    .op = CVK_OP_TopK,
    .name = "topk",
    .accepts = accepts,
    .prepare = prepare,
    .run = run,
};
