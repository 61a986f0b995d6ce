/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a row and compares. Floats are right within a relative L2 distance of 1e-5 from the
 * reference in double precision (float16: 1e-3), integers if they are equal.
 */
#include "selftest/check.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double most = 1e-5, most_half = 1e-3;

/* A plain view of a value, with memory unless it has data already. */
static cvk_status make_plain(cvk_graph *graph, int id, cvk_view *view)
{
    *view = cvk_graph_view(graph, id);
    if (id < 0 || view->data) return CVK_OK;
    view->data = cvk_arena_alloc(graph->arena, cvk_view_bytes(view) + 8);
    return view->data ? CVK_OK : CVK_NO_MEMORY;
}

/* Zeros of the same sign instead. */
static void flush_subnormals(cvk_view *view)
{
    int64_t count = view->dtype == CVK_F32 ? cvk_view_count(view) : 0;
    float *data = view->data;
    for (int64_t i = 0; i < count; i++)
        if (fabsf(data[i]) < FLT_MIN) data[i] = copysignf(0, data[i]);
}

cvk_status cvk_expected_make(cvk_graph *graph, const cvk_case *c, const cvk_node *node,
                             bool subnormals, cvk_expected *e)
{
    *e = (cvk_expected){.node = node};
    e->in = cvk_arena_alloc(graph->arena, ((size_t)node->n_in + 1) * sizeof *e->in);
    e->want = cvk_arena_alloc(graph->arena, ((size_t)node->n_out + 1) * sizeof *e->want);
    if (!e->in || !e->want) return CVK_NO_MEMORY;
    for (int i = 0; i < node->n_in; i++) {
        double low, high;
        CVK_TRY(make_plain(graph, node->in[i], &e->in[i]));
        if (node->in[i] < 0 || cvk_is_const(graph, node->in[i])) continue;
        cvk_case_range(c, i, &low, &high);
        e->each = e->each || isinf(high);
        cvk_case_fill(&e->in[i], (uint64_t)i + 1, low, high);
        if (!subnormals) flush_subnormals(&e->in[i]);
    }
    for (int i = 0; i < node->n_out; i++) CVK_TRY(make_plain(graph, node->out[i], &e->want[i]));
    return cvk_node_reference(node, e->in, e->want);
}

/* Lanes of a blocked image that hold no channel. */
static void spoil_lanes(const cvk_view *placed, void *image)
{
    const cvk_shape *s = &placed->shape;
    int64_t spatial = cvk_shape_span(s, 2, s->rank), c = s->dims[1],
            blocks = (c + CVK_BLOCK - 1) / CVK_BLOCK;
    for (int64_t i = 0; i < s->dims[0] * blocks * spatial * CVK_BLOCK; i++) {
        int64_t channel = i / (spatial * CVK_BLOCK) % blocks * CVK_BLOCK + i % CVK_BLOCK;
        if (channel < c) continue;
        if (placed->dtype == CVK_F16)
            ((uint16_t *)image)[i] = 0x7e00;
        else
            ((float *)image)[i] = NAN;
    }
}

static void lay(const cvk_view *plain, const cvk_view *placed, void *image)
{
    const cvk_shape *s = &placed->shape;
    if (placed->layout == CVK_LAYOUT_PLAIN) {
        memcpy(image, plain->data, cvk_view_bytes(placed));
        return;
    }
    cvk_layout_block(plain->dtype, plain->data, image, s->dims[0], s->dims[1],
                     cvk_shape_span(s, 2, s->rank));
    spoil_lanes(placed, image);
}

void cvk_check_unlay(const void *image, const cvk_view *placed, void *plain)
{
    const cvk_shape *s = &placed->shape;
    if (placed->layout == CVK_LAYOUT_PLAIN)
        memcpy(plain, image, cvk_view_bytes(placed));
    else
        cvk_layout_unblock(placed->dtype, image, plain, s->dims[0], s->dims[1],
                           cvk_shape_span(s, 2, s->rank));
}

static cvk_status give_memory(cvk_check *check, size_t bytes, void **data)
{
    CVK_TRY(check->device->backend->alloc(check->device, bytes, data));
    check->memory[check->n_memory++] = *data;
    return CVK_OK;
}

/* Device memory for a view, with what `plain` holds, or with garbage. */
static cvk_status place(cvk_check *check, const cvk_view *plain, cvk_view *view)
{
    const cvk_backend *backend = check->device->backend;
    size_t bytes = cvk_view_bytes(view);
    CVK_TRY(give_memory(check, bytes, &view->data));
    void *image = malloc(bytes + 1);
    if (!image) return cvk_fail(CVK_NO_MEMORY, "out of memory: a tensor of %zu bytes", bytes);
    if (plain)
        lay(plain, view, image);
    else
        memset(image, 0xab, bytes);
    cvk_status status = backend->write(check->device, view->data, image, bytes);
    if (!status) status = backend->finish(check->device);
    free(image);
    return status;
}

cvk_status cvk_check_open(cvk_scheduler *s, cvk_device *device, const cvk_kernel *row,
                          const cvk_expected *e, cvk_check *check)
{
    const cvk_node *node = e->node;
    *check = (cvk_check){.expected = e, .graph = s->graph, .device = device};
    check->memory = calloc((size_t)node->n_in + (size_t)node->n_out + 1, sizeof *check->memory);
    if (!check->memory) return cvk_fail(CVK_NO_MEMORY, "out of memory: a row to be tested");
    cvk_step *step = &check->step;
    CVK_TRY(cvk_step_make(s, node, device, row, step));
    CVK_TRY(cvk_device_build(device, &step, 1));
    for (int i = 0; i < node->n_in; i++)
        if (node->in[i] >= 0 && !cvk_is_const(s->graph, node->in[i]))
            CVK_TRY(place(check, &e->in[i], &step->in[i]));
    for (int i = 0; i < node->n_out; i++)
        if (node->out[i] >= 0) CVK_TRY(place(check, NULL, &step->out[i]));
    return step->scratch_bytes ? give_memory(check, step->scratch_bytes, &step->scratch) : CVK_OK;
}

static void object(cvk_verdict *v, int64_t element, double got, double want)
{
    if (v->right)
        snprintf(v->reason, sizeof v->reason, "element %lld is %.9g, the reference says %.9g",
                 (long long)element, got, want);
    v->right = false;
}

/* Whether an element that counts for itself is right: the same number, infinity or NaN. */
static bool is_right(const cvk_view *got, bool each, double a, double b)
{
    if (!cvk_dtype_is_float(got->dtype)) return a == b;
    if (!isfinite(a) || !isfinite(b)) return a == b || (isnan(a) && isnan(b));
    return !each || fabs(a - b) <= most * fabs(b) + 1.2e-38; /* or no normal float32, both */
}

static void compare(const cvk_view *got, const cvk_view *want, bool each, cvk_verdict *v)
{
    double error = 0, norm = 0;
    int64_t count = cvk_view_count(got);
    for (int64_t i = 0; i < count; i++) {
        double a = cvk_view_get(got, i), b = cvk_view_get(want, i);
        if (!is_right(got, each, a, b)) object(v, i, a, b);
        if (a == b || (isnan(a) && isnan(b))) {
            norm += isfinite(b) ? b * b : 0;
            continue;
        }
        error += isfinite(a) && isfinite(b) ? (a - b) * (a - b) : INFINITY;
        norm += isfinite(b) ? b * b : 0;
    }
    double relative = norm > 0 ? sqrt(error / norm) : sqrt(error);
    double bound = got->dtype == CVK_F16 ? most_half : most;
    if (relative > v->rel_l2) v->rel_l2 = relative;
    if (relative <= bound) return;
    if (v->right)
        snprintf(v->reason, sizeof v->reason, "relative L2 error %.3g, at most %.0e is allowed",
                 relative, bound);
    v->right = false;
}

static cvk_status judge_output(const cvk_check *check, int i, cvk_verdict *verdict)
{
    const cvk_view *placed = &check->step.out[i];
    size_t bytes = cvk_view_bytes(placed);
    char *image = malloc(bytes + 1), *plain = malloc(bytes + 1);
    cvk_status status = image && plain ? CVK_OK : cvk_fail(CVK_NO_MEMORY, "out of memory");
    if (!status)
        status = check->device->backend->read(check->device, image, placed->data, bytes, true);
    if (!status) {
        cvk_view got = check->expected->want[i];
        cvk_check_unlay(image, placed, plain);
        got.dtype = placed->dtype;
        got.data = plain;
        compare(&got, &check->expected->want[i], check->expected->each, verdict);
    }
    free(image);
    free(plain);
    return status;
}

cvk_status cvk_check_run(cvk_check *check, cvk_verdict *verdict)
{
    cvk_step *step = &check->step;
    *verdict = (cvk_verdict){.right = true};
    CVK_TRY(check->device->backend->execute(check->device, &step, 1, 0, NULL));
    for (int i = 0; i < step->node->n_out; i++)
        if (step->node->out[i] >= 0) CVK_TRY(judge_output(check, i, verdict));
    return CVK_OK;
}

bool cvk_check_share(cvk_check *check)
{
    cvk_step *step = &check->step;
    if (!step->kernel->inplace || !step->in[0].data ||
        cvk_is_const(check->graph, step->node->in[0]) ||
        cvk_view_bytes(&step->in[0]) != cvk_view_bytes(&step->out[0]) ||
        step->in[0].layout != step->out[0].layout)
        return false;
    step->out[0].data = step->in[0].data;
    step->moved++;
    return true;
}

void cvk_check_close(cvk_check *check)
{
    for (int i = 0; i < check->n_memory; i++)
        check->device->backend->release(check->device, check->memory[i]);
    free(check->memory);
    cvk_step_unmake(check->device, &check->step);
    *check = (cvk_check){.device = NULL};
}
