/* SPDX-License-Identifier: Apache-2.0
 *
 * Weights of fully connected layers in float16: of Gemm and MatMul with a constant second operand,
 * which with one row of input take as long as their weights take to read.
 *
 *     MatMul(x float32, w float32)  ->  MatMul(x float32, w float16), computed in float32
 *
 * A float16 model's own weights go back to what the model has; float32 ones are rounded if the
 * caller asked for it. float16 rather than bfloat16: weights seldom need the range of 8 bits of
 * exponent, and 11 bits of mantissa round eight times finer than 8. What float16 cannot do is
 * checked: a layer stays float32 if a weight overflows, or if so many lie below the least normal
 * number (2^-14) that rounding moves the weights by more than 2^-11 of their L2 norm, a bound that
 * normal numbers keep by themselves.
 */
#include <math.h>
#include <stdio.h>

#include "schedule/passes.h"

static const double bound = 0x1p-11;

/* The float16 form of a value, once it has been asked for. */
typedef struct half_form {
    bool asked;
    int id;              /* -1: there is none */
    const char *why_not; /* if the caller asked for it */
    double rel_l2;       /* from the model's weights */
} half_form;

typedef struct rounding {
    double error, norm; /* sums of squares */
    float beyond;       /* the first weight that is no finite float16; else 0 */
} rounding;

static rounding round_all(const float *src, uint16_t *dst, int64_t count)
{
    rounding r = {0};
    for (int64_t i = 0; i < count; i++) {
        dst[i] = cvk_f32_to_f16(src[i]);
        double error = (double)src[i] - (double)cvk_f16_to_f32(dst[i]);
        if (!isfinite(error) && r.beyond == 0) r.beyond = src[i];
        r.error += error * error;
        r.norm += (double)src[i] * (double)src[i];
    }
    return r;
}

/* Why rounding to float16 is out of the question; "": it is not; NULL: out of memory. */
static const char *reason_against(cvk_arena *arena, const rounding *r, double rel_l2)
{
    if (r->beyond != 0)
        return cvk_arena_printf(arena, "%.6g is no finite float16 (65504 at most)",
                                (double)r->beyond);
    if (rel_l2 > bound)
        return cvk_arena_printf(
            arena, "relative L2 %.1e in float16, whose least normal number is 6.1e-05", rel_l2);
    return "";
}

static cvk_status round_weights(cvk_scheduler *s, int id, half_form *form)
{
    cvk_graph *graph = s->graph;
    const cvk_view view = cvk_graph_view(graph, id);
    const int64_t count = cvk_view_count(&view);
    uint16_t *data = cvk_arena_alloc(s->brief, (size_t)count * sizeof *data + 1);
    if (!data) return CVK_NO_MEMORY;
    const rounding r = round_all(view.data, data, count);
    form->rel_l2 = r.norm > 0 ? sqrt(r.error / r.norm) : 0;
    form->why_not = reason_against(graph->arena, &r, form->rel_l2);
    if (!form->why_not) return CVK_NO_MEMORY;
    if (*form->why_not) return CVK_OK;
    CVK_TRY(cvk_graph_add_temp_of(graph, graph->values[id].name, CVK_F16, &view.shape, &form->id));
    graph->values[form->id].data = data;
    return CVK_OK;
}

static cvk_status find_form(cvk_scheduler *s, int id, half_form *form)
{
    if (form->asked) return CVK_OK;
    *form = (half_form){.asked = true, .id = -1};
    if (s->half && id < s->n_half) form->id = s->half[id];
    if (form->id >= 0 || s->options->precision != CVK_F16) return CVK_OK;
    return round_weights(s, id, form);
}

/* Adds to what is noted of a node already. */
static cvk_status add_note(cvk_scheduler *s, cvk_node *node, const char *text, const char *more)
{
    const char *before = node->note ? node->note : "";
    node->note = cvk_arena_printf(s->graph->arena, "%s%s%s%s", before, *before ? "; " : "", text,
                                  more);
    return node->note ? CVK_OK : CVK_NO_MEMORY;
}

/* The node on these weights, if its device has a kernel for that. */
static cvk_status take_form(cvk_scheduler *s, cvk_node *node, const half_form *form)
{
    cvk_node halved = *node;
    const cvk_kernel *row;
    const char *refused;
    char error[48] = "";
    int before, device;
    halved.in = cvk_arena_copy(s->graph->arena, node->in, (size_t)node->n_in * sizeof *halved.in);
    if (!halved.in) return CVK_NO_MEMORY;
    halved.in[1] = form->id;
    CVK_TRY(cvk_place_node(s, node, &before, &row, NULL));
    CVK_TRY(cvk_place_node(s, &halved, &device, &row, &refused));
    if (device != before || device == CVK_HOST)
        return add_note(s, node, "weights float32: ",
                        refused && *refused ? refused : "its device has no kernel for float16");
    *node = halved;
    node->weights_rel_l2 = form->rel_l2;
    if (form->rel_l2 > 0) snprintf(error, sizeof error, ", relative L2 %.1e", form->rel_l2);
    return add_note(s, node, "weights float16", error);
}

static bool is_fully_connected(const cvk_graph *graph, const cvk_node *node)
{
    return (node->op == CVK_OP_Gemm || node->op == CVK_OP_MatMul) &&
           graph->values[node->in[0]].dtype == CVK_F32 && cvk_is_const(graph, node->in[1]) &&
           graph->values[node->in[1]].dtype == CVK_F32;
}

cvk_status cvk_pass_precision(cvk_scheduler *s)
{
    cvk_graph *graph = s->graph;
    if (!s->half && s->options->precision != CVK_F16) return CVK_OK;
    half_form *forms = cvk_arena_alloc(s->brief, ((size_t)graph->n_values + 1) * sizeof *forms);
    if (!forms) return CVK_NO_MEMORY;
    for (int i = 0; i < graph->n_nodes; i++) {
        cvk_node *node = &graph->nodes[i];
        if (!is_fully_connected(graph, node)) continue;
        half_form *form = &forms[node->in[1]];
        CVK_TRY(find_form(s, node->in[1], form));
        if (form->id >= 0)
            CVK_TRY(take_form(s, node, form));
        else if (form->why_not)
            CVK_TRY(add_note(s, node, "weights float32: ", form->why_not));
    }
    return CVK_OK;
}
