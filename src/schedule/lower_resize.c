/* SPDX-License-Identifier: Apache-2.0
 *
 * Resize in all its modes as a chain of Resample, one per dimension that changes: tables of elements
 * and weights, made here.
 */
#include "graph/resample.h"
#include "schedule/lowering.h"

/* Nearest or linear, without filter or region, of the spatial dimensions of (N, C, [H,] W). */
bool cvk_is_plain_resize(const cvk_graph *graph, const cvk_node *node)
{
    const cvk_resize_params *p = node->params;
    const cvk_shape *in = &graph->values[node->in[0]].shape;
    const cvk_shape *out = &graph->values[node->out[0]].shape;
    bool filtered = p->antialias && p->mode == CVK_RESIZE_LINEAR;
    if (p->mode == CVK_RESIZE_CUBIC || p->coord == CVK_COORD_CROP || filtered) return false;
    if (in->rank != 3 && in->rank != 4) return false;
    for (int d = 0; d < 2; d++)
        if (!cvk_resample_keeps(p, d, in->dims[d], out->dims[d])) return false;
    return true;
}

/* The tables of dimension d; NULL weight: out of memory. */
static cvk_status make_tables(cvk_graph *graph, const cvk_resize_params *p, int d, int64_t in,
                              int64_t out, cvk_resample_params *tables)
{
    int64_t most = cvk_resample_most(p, d, in, out);
    if (in > INT32_MAX || most > INT32_MAX || out > INT32_MAX / most)
        return cvk_fail(CVK_UNSUPPORTED, "dimension %d: tables of more than 2^31 entries", d);
    size_t count = (size_t)(most * out);
    int32_t *at = cvk_arena_alloc(graph->arena, count * sizeof *at);
    float *weight = cvk_arena_alloc(graph->arena, count * sizeof *weight);
    int64_t *from = cvk_arena_alloc(graph->arena, (size_t)most * sizeof *from);
    double *factor = cvk_arena_alloc(graph->arena, (size_t)most * sizeof *factor);
    if (!at || !weight || !from || !factor) return CVK_NO_MEMORY;
    for (int64_t x = 0; x < out; x++) {
        int64_t taps = cvk_resample_taps(p, d, in, out, x, from, factor);
        for (int64_t k = 0; k < taps; k++) { /* the rest are element 0 with weight 0 */
            at[x * most + k] = (int32_t)from[k];
            weight[x * most + k] = (float)factor[k];
        }
    }
    *tables = (cvk_resample_params){.axis = d,
                                    .length = out,
                                    .taps = (int)most,
                                    .at = at,
                                    .weight = weight,
                                    .fill = p->extrapolation};
    return CVK_OK;
}

/* The last node of the chain makes the node's output; which dimension that is, `last` says. */
static cvk_status emit(cvk_graph *graph, const cvk_node *node, int d, bool last, int *value)
{
    cvk_resample_params tables;
    cvk_shape shape = graph->values[*value].shape;
    int64_t in = shape.dims[d], out = graph->values[node->out[0]].shape.dims[d];
    int made = node->out[0];
    CVK_TRY(make_tables(graph, node->params, d, in, out, &tables));
    if (!last) {
        shape.dims[d] = out;
        CVK_TRY(cvk_graph_add_temp_of(graph, node->name, CVK_F32, &shape, &made));
    }
    cvk_node *added;
    CVK_TRY(cvk_graph_add_node(graph, CVK_OP_Resample, node->name, value, 1, &made, 1,
                               sizeof tables, &added));
    added->members = node->members;
    *(cvk_resample_params *)added->params = tables;
    *value = made;
    return CVK_OK;
}

cvk_status cvk_lower_resample(cvk_graph *graph, const cvk_node *node)
{
    const cvk_resize_params *p = node->params;
    const cvk_shape in = graph->values[node->in[0]].shape;
    const cvk_shape out = graph->values[node->out[0]].shape;
    int left = 0, value = node->in[0];
    for (int d = 0; d < in.rank; d++) left += !cvk_resample_keeps(p, d, in.dims[d], out.dims[d]);
    for (int grow = 0; grow < 2; grow++) /* shrink first: less to do for the others */
        for (int d = 0; d < in.rank; d++)
            if ((out.dims[d] > in.dims[d]) == grow &&
                !cvk_resample_keeps(p, d, in.dims[d], out.dims[d]))
                CVK_TRY(emit(graph, node, d, --left == 0, &value));
    return CVK_OK;
}
