/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches convert.cl: Cast, QuantizeLinear, DequantizeLinear.
 */
#include "kernels/opencl/steps.h"

static bool casts(cvk_dtype dtype)
{
    return dtype == CVK_F32 || dtype == CVK_F16 || dtype == CVK_I32 || dtype == CVK_I64 ||
           dtype == CVK_U8 || dtype == CVK_I8 || dtype == CVK_BOOL;
}

typedef struct cast_args {
    cl_int span, count, from, to;
} cast_args;

bool cvk_cl_cast_accepts(const cvk_problem *problem, const char **why_not)
{
    if (!casts(problem->in[0].dtype) || !casts(problem->out[0].dtype))
        return cvk_cl_refuse(why_not, "float32, float16, int32, int64, uint8, int8 and bool only");
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_counts_fit(problem, why_not);
}

static bool is_half_pair(cvk_dtype a, cvk_dtype b)
{
    return (a == CVK_F16 && b == CVK_F32) || (a == CVK_F32 && b == CVK_F16);
}

bool cvk_cl_cast_blocked_accepts(const cvk_problem *problem, const char **why_not)
{
    if (!is_half_pair(problem->in[0].dtype, problem->out[0].dtype))
        return cvk_cl_refuse(why_not, "between float32 and float16 only");
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_blocks_fit(problem, why_not);
}

cvk_status cvk_cl_cast_blocked_prepare(cvk_device *device, cvk_step *step)
{
    return cvk_cl_cast_prepare(device, step);
}

/* Elements in memory: lanes beyond C are converted as well. */
static cl_int memory_count(const cvk_view *view)
{
    return (cl_int)(cvk_view_bytes(view) / cvk_dtype_bytes(view->dtype));
}

cvk_status cvk_cl_cast_prepare(cvk_device *device, cvk_step *step)
{
    cast_args args = {.count = memory_count(&step->out[0]),
                      .from = (cl_int)step->in[0].dtype,
                      .to = (cl_int)step->out[0].dtype};
    cvk_cl_spec spec = {.file = "convert.cl",
                        .kernel = !is_half_pair(step->in[0].dtype, step->out[0].dtype) ? "cast"
                                  : step->in[0].dtype == CVK_F16                       ? "widen"
                                                                                       : "narrow",
                        .buffers = {{CVK_CL_IN, 0, NULL}, {CVK_CL_OUT, 0, NULL}},
                        .args = &args,
                        .args_bytes = sizeof args,
                        .units = (args.count + CVK_BLOCK - 1) / CVK_BLOCK,
                        .floats = CVK_BLOCK,
                        .span = &args.span};
    return cvk_cl_steps_add(device, step, &spec);
}

typedef struct quantize_args {
    cl_int span, count, type, has_zero, inner, channels;
} quantize_args;

static bool has_zero_point(const cvk_node *node, const cvk_view *in)
{
    return node->n_in > 2 && in[2].dtype != CVK_NONE;
}

/* The questions both directions have in common; `integers` is the side that is not float32. */
static bool accepts_quantized(const cvk_problem *problem, cvk_dtype integers, const char **why_not)
{
    const cvk_node *node = problem->node;
    if (problem->in[1].dtype != CVK_F32) return cvk_cl_refuse(why_not, "float32 scales only");
    if (((const cvk_quantize_params *)node->params)->block)
        return cvk_cl_refuse(why_not, "a scale per block");
    if (has_zero_point(node, problem->in) && problem->in[2].dtype != integers)
        return cvk_cl_refuse(why_not, "the zero point has another type");
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_counts_fit(problem, why_not);
}

bool cvk_cl_quantize_accepts(const cvk_problem *problem, const char **why_not)
{
    cvk_dtype to = problem->out[0].dtype;
    if (problem->in[0].dtype != CVK_F32 || (to != CVK_U8 && to != CVK_I8))
        return cvk_cl_refuse(why_not, "float32 to uint8 or int8 only");
    return accepts_quantized(problem, to, why_not);
}

bool cvk_cl_dequantize_accepts(const cvk_problem *problem, const char **why_not)
{
    cvk_dtype from = problem->in[0].dtype;
    if (problem->out[0].dtype != CVK_F32 || (from != CVK_U8 && from != CVK_I8 && from != CVK_I32))
        return cvk_cl_refuse(why_not, "uint8, int8 or int32 to float32 only");
    return accepts_quantized(problem, from, why_not);
}

static cvk_status quantize_launch(cvk_device *device, cvk_step *step, const char *kernel,
                                  cvk_dtype integers)
{
    const cvk_quantize_params *params = step->node->params;
    const cvk_shape *shape = &step->in[0].shape;
    quantize_args args = {.count = (cl_int)cvk_view_count(&step->out[0]),
                          .type = (cl_int)integers,
                          .has_zero = has_zero_point(step->node, step->in),
                          .inner = 1,
                          .channels = (cl_int)cvk_view_count(&step->in[1])};
    if (args.channels > 1)
        args.inner = (cl_int)cvk_shape_span(shape, (int)params->axis + 1, shape->rank);
    cvk_cl_spec spec = {.file = "convert.cl",
                        .kernel = kernel,
                        .buffers = {{CVK_CL_IN, 0, NULL},
                                    {CVK_CL_IN, 1, NULL},
                                    {CVK_CL_IN, 2, NULL},
                                    {CVK_CL_OUT, 0, NULL}},
                        .args = &args,
                        .args_bytes = sizeof args,
                        .units = (args.count + CVK_BLOCK - 1) / CVK_BLOCK,
                        .floats = CVK_BLOCK,
                        .span = &args.span};
    return cvk_cl_steps_add(device, step, &spec);
}

cvk_status cvk_cl_quantize_prepare(cvk_device *device, cvk_step *step)
{
    return quantize_launch(device, step, "quantize", step->out[0].dtype);
}

cvk_status cvk_cl_dequantize_prepare(cvk_device *device, cvk_step *step)
{
    return quantize_launch(device, step, "dequantize", step->in[0].dtype);
}
