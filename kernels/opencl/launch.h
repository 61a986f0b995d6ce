/* SPDX-License-Identifier: Apache-2.0
 *
 * What the twins share: a step as a short list of launches whose memory arguments are named in
 * prepare and set when the step runs, and the epilogue as kernels take it.
 *
 *     cvk_cl_stage *stage;
 *     CVK_TRY(cvk_cl_stage_add(device, step, "pool.cl", "-DVEC=16", "pool", &stage));
 *     cvk_cl_stage_in(stage, 0, 0);                     argument 0 is step->in[0]
 *     cvk_cl_stage_out(stage, 1, 0);                    argument 1 is step->out[0]
 *     CVK_TRY(cvk_cl_arg_struct(&stage->launch, 2, &args, sizeof args));
 *     cvk_cl_stage_size(stage, device, width, height, batch);
 */
#ifndef CVK_KERNELS_OPENCL_LAUNCH_H
#define CVK_KERNELS_OPENCL_LAUNCH_H

#include "backend/opencl/cl.h"

/* Adds a launch of `kernel` of `file` to the step (makes step->state with the first). */
cvk_status cvk_cl_stage_add(cvk_device *device, cvk_step *step, const char *file,
                            const char *defines, const char *kernel, cvk_cl_stage **stage);

/* Whether the device has built what that would ask for. */
bool cvk_cl_stage_ready(cvk_device *device, const cvk_step *step, const char *file,
                        const char *defines, const char *kernel);

/* Argument `arg` is that input, output or the step's scratch. An absent input (index -1 or beyond
 * n_in, or of type CVK_NONE) is passed as a null pointer. */
void cvk_cl_stage_in(cvk_cl_stage *stage, cl_uint arg, int index);
void cvk_cl_stage_out(cvk_cl_stage *stage, cl_uint arg, int index);
void cvk_cl_stage_scratch(cvk_cl_stage *stage, cl_uint arg);

/* The number of work-items. On a CPU each is a work-group of its own (explicit vectors do the
 * rest); elsewhere the driver groups them. */
void cvk_cl_stage_size(cvk_cl_stage *stage, const cvk_device *device, size_t x, size_t y, size_t z);

/* Sets a stage's memory arguments and enqueues it. */
cvk_status cvk_cl_stage_run(cvk_device *device, const cvk_step *step, const cvk_cl_stage *stage);
/* Enqueues every launch, once the memory arguments are set if they are not: kernel->run. */
cvk_status cvk_cl_run(cvk_device *device, const cvk_step *step, int worker, int workers);
/* kernel->release of every row: lets the kernel objects go. */
void cvk_cl_release(cvk_device *device, cvk_step *step);

/* The posts before a pool: posts_args of common.cl. */
typedef struct cvk_cl_posts {
    cl_int count, add, prelu, simple;
    cl_float low, high;
    struct {
        cl_int kind, act;
        cl_float a, b, c, d;
    } list[CVK_MAX_POSTS];
} cvk_cl_posts;

/* Whether apply_posts computes the node's posts: at most one residual and one PRelu, activations; a
 * pool only if `pool`. */
bool cvk_cl_posts_accept(const cvk_problem *problem, bool pool, const char **why_not);

/* Fills *posts from the node's; *residual and *slope are the inputs they name, or -1. */
void cvk_cl_posts_make(const cvk_node *node, const cvk_view *in, cvk_cl_posts *posts, int *residual,
                       int *slope);

/* Fills *before from the activation of the node's prologue; none if it has none. */
void cvk_cl_pre_make(const cvk_node *node, cvk_cl_posts *before);

/* Fills *posts with what a Bottleneck has between two convolutions: PRelu with the slopes if there are
 * any (of type CVK_NONE: none), else the activation. */
void cvk_cl_between_make(const cvk_act *act, const cvk_view *slope, cvk_cl_posts *posts);

/* Whether optional input `index` is there, and is the operator's own and not a post's. */
bool cvk_cl_has_input(const cvk_node *node, const cvk_view *in, int index);

/* The node's pool post, or NULL. */
const cvk_post *cvk_cl_pool_post(const cvk_node *node);

static inline int cvk_cl_ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

#endif
