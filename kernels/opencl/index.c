/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches index.cl: GatherElements, GatherND, ScatterElements and ScatterND. Scattering first
 * copies the data to the output (move.cl).
 */
#include "kernels/opencl/steps.h"

enum { CHUNK = 4096, SMALL_CHUNK = 16 };

static bool accepts_indices(const cvk_problem *problem, const char **why_not)
{
    if (problem->in[1].dtype != CVK_I32 && problem->in[1].dtype != CVK_I64)
        return cvk_cl_refuse(why_not, "int32 or int64 indices only");
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_counts_fit(problem, why_not);
}

static bool accepts_updates(const cvk_problem *problem, const char **why_not)
{
    if (((const cvk_scatter_params *)problem->node->params)->kind != CVK_SCATTER_NONE)
        return cvk_cl_refuse(why_not, "updates are combined with the data");
    return accepts_indices(problem, why_not);
}

/* Launches a kernel of index.cl. source: the input that elements come from; args begin with a
 * cvk_cl_cut. */
static cvk_status launch(cvk_device *device, cvk_step *step, const char *kernel, int source,
                         void *args, size_t args_bytes)
{
    cvk_cl_spec spec = {
        .file = "index.cl",
        .kernel = kernel,
        .buffers = {{CVK_CL_IN, source, NULL}, {CVK_CL_IN, 1, NULL}, {CVK_CL_OUT, 0, NULL}},
        .args = args,
        .args_bytes = args_bytes};
    return cvk_cl_steps_add_rows(device, step, &spec, args, CHUNK, SMALL_CHUNK, 1);
}

typedef struct elements_args {
    cvk_cl_cut cut;
    cl_int bytes, wide, dim, pitch, step;
    cvk_cl_rows walk;
} elements_args;

static cvk_status elements_launch(cvk_device *device, cvk_step *step, const char *kernel,
                                  int source, int64_t axis)
{
    const cvk_shape *tensor = &step->in[0].shape, *indices = &step->in[1].shape;
    int last = tensor->rank - 1;
    int64_t strides[CVK_MAX_RANK];
    cvk_shape_strides(tensor, strides);
    elements_args args = {.cut.length = (cl_int)indices->dims[last],
                          .bytes = (cl_int)cvk_dtype_bytes(step->out[0].dtype),
                          .wide = step->in[1].dtype == CVK_I64,
                          .dim = (cl_int)tensor->dims[axis],
                          .pitch = (cl_int)strides[axis],
                          .step = axis != last};
    cvk_cl_walk walk = {.n = tensor->rank};
    for (int d = 0; d < walk.n; d++) {
        walk.dims[d] = indices->dims[d];
        walk.a[d] = d == axis ? 0 : strides[d];
    }
    args.walk = cvk_cl_walk_rows(&walk, &args.cut.rows);
    return launch(device, step, kernel, source, &args, sizeof args);
}

bool cvk_cl_gather_elements_accepts(const cvk_problem *problem, const char **why_not)
{
    return accepts_indices(problem, why_not);
}

cvk_status cvk_cl_gather_elements_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_axis_params *params = step->node->params;
    return elements_launch(device, step, "gather_elements", 0, params->axis);
}

bool cvk_cl_scatter_elements_accepts(const cvk_problem *problem, const char **why_not)
{
    return accepts_updates(problem, why_not);
}

cvk_status cvk_cl_scatter_elements_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_scatter_params *params = step->node->params;
    CVK_TRY(cvk_cl_steps_copy(device, step, 0));
    return elements_launch(device, step, "scatter_elements", 2, params->axis);
}

typedef struct tuples_args {
    cvk_cl_cut cut;
    cl_int bytes, wide, each, places, n, dims[CVK_MAX_RANK];
} tuples_args;

static cvk_status tuples_launch(cvk_device *device, cvk_step *step, const char *kernel, int source,
                                int batch)
{
    const cvk_shape *tensor = &step->in[0].shape, *indices = &step->in[1].shape;
    int last = indices->rank - 1, n = (int)indices->dims[last];
    tuples_args args = {.cut.rows = (cl_int)cvk_shape_span(indices, 0, last),
                        .cut.length = (cl_int)cvk_shape_span(tensor, batch + n, tensor->rank),
                        .bytes = (cl_int)cvk_dtype_bytes(step->out[0].dtype),
                        .wide = step->in[1].dtype == CVK_I64,
                        .each = (cl_int)cvk_shape_span(indices, batch, last),
                        .places = (cl_int)cvk_shape_span(tensor, batch, batch + n),
                        .n = n};
    for (int d = 0; d < n; d++) args.dims[d] = (cl_int)tensor->dims[batch + d];
    return launch(device, step, kernel, source, &args, sizeof args);
}

bool cvk_cl_gather_nd_accepts(const cvk_problem *problem, const char **why_not)
{
    return accepts_indices(problem, why_not);
}

cvk_status cvk_cl_gather_nd_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_gather_nd_params *params = step->node->params;
    return tuples_launch(device, step, "gather_nd", 0, (int)params->batch_dims);
}

bool cvk_cl_scatter_nd_accepts(const cvk_problem *problem, const char **why_not)
{
    return accepts_updates(problem, why_not);
}

cvk_status cvk_cl_scatter_nd_prepare(cvk_device *device, cvk_step *step)
{
    CVK_TRY(cvk_cl_steps_copy(device, step, 0));
    return tuples_launch(device, step, "scatter_nd", 2, 0);
}
