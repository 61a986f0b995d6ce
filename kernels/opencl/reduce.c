/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches reduce.cl: Reduce, ArgMax and ArgMin.
 */
#include "kernels/opencl/steps.h"

typedef struct reduce_args {
    cl_int span, kind, results, length, chunks, repeats;
    cl_float count;
    cvk_cl_rows kept, reduced;
} reduce_args;

bool cvk_cl_reduce_accepts(const cvk_problem *problem, const char **why_not)
{
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_floats_fit(problem, why_not);
}

static bool is_reduced(const cvk_reduce_params *params, int dim)
{
    for (int i = 0; i < params->n_axes; i++)
        if (params->axes[i] == dim) return true;
    return false;
}

/* Puts the input's dimensions, innermost first, into the two lists; neighbours of one list that are
 * one run become one. Returns whether the innermost of more than one element is reduced. */
static bool divide_dims(const cvk_reduce_params *params, const cvk_shape *in, cvk_cl_walk lists[2])
{
    int64_t stride = 1;
    int last = -1, first = 0;
    for (int d = in->rank - 1; d >= 0; d--) {
        int which = is_reduced(params, d);
        cvk_cl_walk *list = &lists[which];
        if (in->dims[d] == 1) continue;
        if (last < 0) first = which;
        if (which != last) {
            list->a[list->n] = stride;
            list->dims[list->n++] = 1;
        }
        list->dims[list->n - 1] *= in->dims[d];
        stride *= in->dims[d];
        last = which;
    }
    return first == 1;
}

/* All but the first `skip` of a list as the kernels take it, outermost first; *count is their
 * product. */
static cvk_cl_rows rows_of(const cvk_cl_walk *list, int skip, cl_int *count)
{
    cvk_cl_rows rows = {0};
    *count = 1;
    for (int i = list->n - 1; i >= skip; i--) {
        rows.dims[rows.n] = (cl_int)list->dims[i];
        rows.a[rows.n++] = (cl_int)list->a[i];
        *count *= (cl_int)list->dims[i];
    }
    return rows;
}

cvk_status cvk_cl_reduce_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_reduce_params *params = step->node->params;
    cvk_cl_walk lists[2] = {{0}, {0}};
    bool run = divide_dims(params, &step->in[0].shape, lists);
    const cvk_cl_walk *inner = &lists[run];
    int64_t in_count = cvk_view_count(&step->in[0]), out_count = cvk_view_count(&step->out[0]);
    reduce_args args = {.kind = (cl_int)params->kind,
                        .length = inner->n ? (cl_int)inner->dims[0] : 1,
                        .count = (float)(in_count / out_count)};
    args.kept = rows_of(&lists[0], !run && inner->n, &args.results);
    args.reduced = rows_of(&lists[1], run, &args.repeats);
    args.chunks = run ? 1 : ((args.length + CVK_BLOCK - 1) / CVK_BLOCK);
    cvk_cl_spec spec = {.file = "reduce.cl",
                        .kernel = run ? "reduce_run" : "reduce_lanes",
                        .buffers = {{CVK_CL_IN, 0, NULL}, {CVK_CL_OUT, 0, NULL}},
                        .args = &args,
                        .args_bytes = sizeof args,
                        .units = (int64_t)args.results * args.chunks,
                        .floats = (int64_t)args.repeats * (run ? args.length : CVK_BLOCK),
                        .span = &args.span};
    return cvk_cl_steps_add(device, step, &spec);
}

typedef struct argmax_args {
    cl_int span, outer, length, inner, smallest, last;
} argmax_args;

bool cvk_cl_argmax_accepts(const cvk_problem *problem, const char **why_not)
{
    if (problem->in[0].dtype != CVK_F32) return cvk_cl_refuse(why_not, "float32 only");
    if (problem->in[0].shape.rank < 1) return cvk_cl_refuse(why_not, "a scalar");
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_counts_fit(problem, why_not);
}

cvk_status cvk_cl_argmax_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_reduce_params *params = step->node->params;
    const cvk_shape *shape = &step->in[0].shape;
    int axis = (int)params->axes[0];
    argmax_args args = {.outer = (cl_int)cvk_shape_span(shape, 0, axis),
                        .length = (cl_int)shape->dims[axis],
                        .inner = (cl_int)cvk_shape_span(shape, axis + 1, shape->rank),
                        .smallest = params->smallest,
                        .last = params->last_index};
    cvk_cl_spec spec = {.file = "reduce.cl",
                        .kernel = "argmax",
                        .buffers = {{CVK_CL_IN, 0, NULL}, {CVK_CL_OUT, 0, NULL}},
                        .args = &args,
                        .args_bytes = sizeof args,
                        .units = (int64_t)args.outer * args.inner,
                        .floats = args.length,
                        .span = &args.span};
    return cvk_cl_steps_add(device, step, &spec);
}
