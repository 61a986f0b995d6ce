/* SPDX-License-Identifier: Apache-2.0
 *
 * QLinearConv, ConvInteger, QLinearMatMul and MatMulInteger with constant scales and zero points
 * into QConv and QMatMul: zero points into parameters, scales into one multiplier per output
 * channel. What is computed, or of a shape that those do not have, stays as it is.
 */
#include "graph/quant.h"
#include "ops/quant.h"
#include "schedule/lowering.h"

/* A constant input of one number; absent counts as 0. */
static bool one_int(const cvk_graph *graph, int id, int32_t *value)
{
    *value = 0;
    if (id < 0) return true;
    if (!cvk_is_const(graph, id)) return false;
    cvk_view view = cvk_graph_view(graph, id);
    if (!cvk_is_single(&view)) return false;
    *value = (int32_t)cvk_view_get_int(&view, 0);
    return true;
}

static bool one_float(const cvk_graph *graph, int id, float *value)
{
    cvk_view view = cvk_graph_view(graph, id);
    if (!cvk_is_const(graph, id) || !cvk_is_single(&view)) return false;
    *value = (float)cvk_view_get(&view, 0);
    return true;
}

/* A constant of one number or one per channel, or absent. */
static bool is_each(const cvk_graph *graph, int id, int64_t c)
{
    if (id < 0) return true;
    if (!cvk_is_const(graph, id)) return false;
    const cvk_shape *shape = &graph->values[id].shape;
    int64_t count = cvk_shape_count(shape);
    return shape->rank <= 1 && (count == 1 || count == c);
}

cvk_status cvk_quant_multipliers(cvk_graph *graph, const char *name, float x_scale, int w_scale,
                                 float y_scale, int64_t c, int *id)
{
    const cvk_view scale = cvk_graph_view(graph, w_scale);
    float *m = cvk_arena_alloc(graph->arena, (size_t)c * sizeof *m + 1);
    cvk_shape shape = cvk_shape_make(1, &c);
    if (!m) return CVK_NO_MEMORY;
    for (int64_t i = 0; i < c; i++)
        m[i] = cvk_requant_scale(x_scale, (float)cvk_each(&scale, i), y_scale);
    return cvk_graph_add_constant(graph, name, CVK_F32, &shape, m, id);
}

cvk_status cvk_quant_zero_points(cvk_graph *graph, const char *name, int zero, int64_t c, int *id)
{
    *id = -1;
    if (zero < 0) return CVK_OK;
    const cvk_view view = cvk_graph_view(graph, zero);
    int32_t *z = cvk_arena_alloc(graph->arena, (size_t)c * sizeof *z + 1);
    cvk_shape shape = cvk_shape_make(1, &c);
    bool any = false;
    if (!z) return CVK_NO_MEMORY;
    for (int64_t i = 0; i < c; i++) {
        z[i] = (int32_t)cvk_each(&view, i);
        any = any || z[i];
    }
    return any ? cvk_graph_add_constant(graph, name, CVK_I32, &shape, z, id) : CVK_OK;
}

cvk_status cvk_quant_node(cvk_graph *graph, const cvk_node *node, cvk_op_kind op, const int *in,
                          cvk_node **made)
{
    size_t bytes = cvk_op_get(op)->params_bytes;
    int n_in = CVK_QUANT_INPUTS;
    while (in[n_in - 1] < 0) n_in--;
    CVK_TRY(cvk_graph_add_node(graph, op, node->name, in, n_in, node->out, 1, bytes, made));
    (*made)->members = node->members ? node->members : node->name;
    return CVK_OK;
}

/* The value of one of the form's inputs; -1: absent. */
static int input_of(const cvk_node *node, int i)
{
    return i > 0 && i < node->n_in ? node->in[i] : -1;
}

/* Output channels of the weights. */
static int64_t channels(cvk_op_kind to, const cvk_shape *w)
{
    if (to == CVK_OP_QConv) return w->dims[0];
    return w->rank > 1 ? w->dims[w->rank - 1] : 1;
}

cvk_status cvk_lower_quant(cvk_graph *graph, const cvk_node *node, const cvk_form_quant *form)
{
    int32_t x_zp, y_zp;
    float x_scale = 1, y_scale = 1;
    bool conv = form->to == CVK_OP_QConv, requantised = form->y_scale;
    int64_t c = channels(form->to, &graph->values[node->in[form->w]].shape);
    int w_scale = input_of(node, form->w_scale), w_zero = input_of(node, form->w_zero);
    bool known = one_int(graph, input_of(node, form->x_zero), &x_zp) &&
                 one_int(graph, input_of(node, form->y_zero), &y_zp) && is_each(graph, w_zero, c) &&
                 is_each(graph, w_scale, c);
    if (known && requantised)
        known = one_float(graph, node->in[form->x_scale], &x_scale) &&
                one_float(graph, node->in[form->y_scale], &y_scale);
    if (!known) return cvk_nodes_keep(graph, node);

    int in[CVK_QUANT_INPUTS] = {node->in[0], node->in[form->w], input_of(node, form->bias), -1};
    if (requantised)
        CVK_TRY(cvk_quant_multipliers(graph, node->name, x_scale, w_scale, y_scale, c, &in[3]));
    CVK_TRY(cvk_quant_zero_points(graph, node->name, w_zero, c, &in[4]));
    cvk_quant_range y = {.dtype = CVK_I32};
    if (requantised) y = cvk_quant_full(graph->values[node->out[0]].dtype, y_zp);
    cvk_node *made;
    CVK_TRY(cvk_quant_node(graph, node, form->to, in, &made));
    if (conv)
        *(cvk_qconv_params *)made->params = (cvk_qconv_params){
            .conv = *(const cvk_conv_params *)node->params, .x_zp = x_zp, .y = y};
    else
        *(cvk_qmatmul_params *)made->params = (cvk_qmatmul_params){.a_zp = x_zp, .y = y};
    return CVK_OK;
}
