/* SPDX-License-Identifier: Apache-2.0
 *
 * First pass: the caller's shapes for inputs with free dimensions, then the type and shape of every
 * value, and constants folded, but for those that quantise.c wants to see as integers. From here on
 * every shape is known.
 */
#include <string.h>

#include "schedule/passes.h"

/* The caller's description of input `index`: by name, else by position among the unnamed. */
static const cvk_tensor *find_shape(const cvk_schedule_options *options, const char *name,
                                    int index)
{
    for (int i = 0; i < options->n_inputs; i++)
        if (options->inputs[i].name && strcmp(options->inputs[i].name, name) == 0)
            return &options->inputs[i];
    if (index < options->n_inputs && !options->inputs[index].name) return &options->inputs[index];
    return NULL;
}

/* An input that the caller fixes for the session's life is a constant from here on. */
static cvk_status fix_input(cvk_graph *graph, const cvk_tensor *fixed)
{
    cvk_value *value = NULL;
    for (int i = 0; fixed->name && !value && i < graph->n_inputs; i++)
        if (strcmp(graph->values[graph->inputs[i]].name, fixed->name) == 0)
            value = &graph->values[graph->inputs[i]];
    if (!value)
        return cvk_fail(CVK_BAD_ARGUMENT,
                        "a constant is given for '%s', but the model has no such input",
                        fixed->name ? fixed->name : "");
    if (fixed->dtype != value->dtype)
        return cvk_fail(CVK_BAD_INPUT, "input '%s' has type %s, its constant has %s", value->name,
                        cvk_dtype_name(value->dtype), cvk_dtype_name(fixed->dtype));
    if (cvk_tensor_count(fixed) < 0)
        return cvk_fail(CVK_SHAPE, "the constant for input '%s' has no definite shape",
                        value->name);
    size_t bytes = (size_t)cvk_tensor_count(fixed) * cvk_dtype_bytes(fixed->dtype);
    if (bytes && !fixed->data)
        return cvk_fail(CVK_BAD_ARGUMENT, "the constant for input '%s' has no data", value->name);
    void *copy = cvk_arena_alloc(graph->arena, bytes + 1);
    if (!copy) return CVK_NO_MEMORY;
    if (bytes) memcpy(copy, fixed->data, bytes);
    value->data = copy;
    return CVK_OK;
}

static const cvk_tensor *find_constant(const cvk_schedule_options *options, const char *name)
{
    for (int i = 0; i < options->n_constants; i++)
        if (strcmp(options->constants[i].name, name) == 0) return &options->constants[i];
    return NULL;
}

static cvk_status bind_input(cvk_value *value, const cvk_tensor *given)
{
    char have[CVK_SHAPE_TEXT], want[CVK_SHAPE_TEXT];
    if (given) {
        if (given->rank < 0 || given->rank > CVK_MAX_RANK)
            return cvk_fail(CVK_BAD_ARGUMENT, "input '%s': rank %d is outside 0 to %d", value->name,
                            given->rank, CVK_MAX_RANK);
        cvk_shape shape = cvk_shape_make(given->rank, given->dims);
        bool fits = !value->has_shape || shape.rank == value->shape.rank;
        for (int d = 0; fits && d < shape.rank; d++) {
            bool is_free = !value->has_shape || value->shape.dims[d] < 0;
            fits = shape.dims[d] >= 0 && (is_free || value->shape.dims[d] == shape.dims[d]);
        }
        if (!fits)
            return cvk_fail(CVK_SHAPE, "input '%s': the shape given is %s, the model wants %s",
                            value->name, cvk_shape_text(&shape, have),
                            cvk_shape_text(&value->shape, want));
        value->shape = shape;
        value->has_shape = true;
    }
    if (!value->has_shape)
        return cvk_fail(CVK_SHAPE,
                        "input '%s' has no shape in the model: give one with the session's options",
                        value->name);
    if (value->shape.rank > 0 && value->shape.dims[0] < 0) value->shape.dims[0] = 1;
    for (int d = 0; d < value->shape.rank; d++)
        if (value->shape.dims[d] < 0)
            return cvk_fail(CVK_SHAPE,
                            "input '%s': dimension %d%s%s%s of %s is free: give the input's shape",
                            value->name, d, value->dim_names[d] ? " (" : "",
                            value->dim_names[d] ? value->dim_names[d] : "",
                            value->dim_names[d] ? ")" : "", cvk_shape_text(&value->shape, have));
    if (cvk_shape_count(&value->shape) < 0)
        return cvk_fail(CVK_SHAPE, "input '%s': the size of shape %s overflows", value->name,
                        cvk_shape_text(&value->shape, have));
    return CVK_OK;
}

/* What inference said under free dimensions does not hold for the shapes of now. */
static void forget_shapes(cvk_graph *graph)
{
    for (int i = 0; i < graph->n_nodes; i++)
        for (int k = 0; k < graph->nodes[i].n_out; k++)
            if (graph->nodes[i].out[k] >= 0)
                graph->values[graph->nodes[i].out[k]].has_shape = false;
}

static cvk_status check_elements(const cvk_graph *graph)
{
    char text[CVK_SHAPE_TEXT];
    for (int i = 0; i < graph->n_nodes; i++) {
        const cvk_node *node = &graph->nodes[i];
        if (!cvk_op_get(node->op)->needs_elements) continue;
        const cvk_value *value = &graph->values[node->in[0]];
        if (cvk_shape_count(&value->shape) == 0)
            return cvk_fail(CVK_SHAPE,
                            "node '%s' (%s): input '%s' has no elements: its shape is %s",
                            node->name, cvk_op_kind_name(node->op), value->name,
                            cvk_shape_text(&value->shape, text));
    }
    return CVK_OK;
}

cvk_status cvk_pass_bind(cvk_scheduler *s)
{
    cvk_graph *graph = s->graph;
    CVK_TRY(cvk_graph_require_data(graph));
    forget_shapes(graph);
    for (int i = 0; i < s->options->n_inputs; i++) {
        const char *name = s->options->inputs[i].name;
        bool found = !name;
        for (int k = 0; !found && k < graph->n_inputs; k++)
            found = strcmp(graph->values[graph->inputs[k]].name, name) == 0;
        if (!found) return cvk_fail(CVK_BAD_ARGUMENT, "the model has no input called '%s'", name);
    }
    for (int i = 0; i < s->options->n_constants; i++)
        CVK_TRY(fix_input(graph, &s->options->constants[i]));
    for (int i = 0; i < graph->n_inputs; i++) {
        cvk_value *value = &graph->values[graph->inputs[i]];
        const cvk_tensor *given = find_constant(s->options, value->name);
        CVK_TRY(bind_input(value, given ? given : find_shape(s->options, value->name, i)));
    }
    for (int i = 0; i < graph->n_nodes; i++) CVK_TRY(cvk_node_parse(graph, &graph->nodes[i]));
    CVK_TRY(s->fusions & CVK_FUSE_QUANTISE ? cvk_graph_infer_quantised(graph, SIZE_MAX)
                                           : cvk_graph_infer(graph, SIZE_MAX));
    return check_elements(graph);
}
