/* SPDX-License-Identifier: Apache-2.0
 *
 * Products through CLBlast, loaded at run time: Gemm and MatMul, then gemm.cl's gemm_finish for C and
 * the posts; convolutions as products of their weights and im2col.cl's columns. Further rows behind
 * our own, for devices where CLBlast is tuned and we are not. CLBlast builds its programs with the
 * first run.
 */
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>

#include "kernels/opencl/gemm.h"

/* CLBlastSgemm of CLBlast's C interface (clblast_c.h), and the values of its enumerations. */
typedef int sgemm_fn(int layout, int a_transpose, int b_transpose, size_t m, size_t n, size_t k,
                     float alpha, cl_mem a, size_t a_offset, size_t a_ld, cl_mem b, size_t b_offset,
                     size_t b_ld, float beta, cl_mem c, size_t c_offset, size_t c_ld,
                     cl_command_queue *queue, cl_event *event);
enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111, TRANSPOSE = 112 };

typedef struct clblast_state {
    cvk_cl_work work; /* what follows the product; of a convolution all of ours */
    cvk_cl_gemm gemm;
} clblast_state;

/* As in im2col.cl. */
typedef struct im2col_args {
    cl_int ic, ih, iw, oc, oh, ow;
    cl_int kh, kw, sh, sw, dh, dw, pt, pl;
    cl_int has_bias;
    cvk_cl_posts posts;
} im2col_args;

typedef struct conv_state {
    cvk_cl_work work;
    cvk_cl_stage *columns, *finish; /* before and behind the product; NULL: not needed */
    cvk_geom geom;
} conv_state;

static sgemm_fn *sgemm;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
    void *library = dlopen("libclblast.so.1", RTLD_NOW | RTLD_LOCAL);
    void *symbol = library ? dlsym(library, "CLBlastSgemm") : NULL;
    *(void **)&sgemm = symbol;
}

static bool has_sgemm(const char **why_not)
{
    pthread_once(&once, load);
    *why_not = "CLBlast has no CLBlastSgemm";
    return sgemm != NULL;
}

bool cvk_cl_clblast_accepts(const cvk_problem *problem, const char **why_not)
{
    cvk_cl_gemm args;
    int batch;
    if (!has_sgemm(why_not) || !cvk_cl_gemm_fits(problem, false, &args, &batch, why_not))
        return false;
    *why_not = "a product for each of a batch";
    return batch == 1;
}

cvk_status cvk_cl_clblast_prepare(cvk_device *device, cvk_step *step)
{
    clblast_state *state = cvk_step_alloc(step, sizeof *state);
    cvk_cl_stage *stage;
    const char *why = "";
    int batch;
    step->state = state;
    if (!state) return CVK_NO_MEMORY;
    if (!cvk_cl_gemm_make(step->node, step->in, step->out, &state->gemm, &batch, &why))
        return cvk_fail(CVK_SHAPE, "the product does not fit its kernel: %s", why);
    if (!state->gemm.has_c && !step->node->n_posts) return CVK_OK;
    cvk_cl_gemm args = state->gemm;
    args.alpha = 1.0f; /* CLBlast has multiplied already */
    CVK_TRY(cvk_cl_stage_add(device, step, "gemm.cl", "-DMR=4 -DNB=4", "gemm_finish", &stage));
    CVK_TRY(cvk_cl_gemm_bind(stage, step, 0, &args));
    cvk_cl_stage_size(stage, device, (size_t)cvk_cl_ceil_div(args.n, CVK_BLOCK), (size_t)args.m, 1);
    return CVK_OK;
}

cvk_status cvk_cl_clblast_run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    const clblast_state *state = step->state;
    const cvk_cl_gemm *g = &state->gemm;
    cl_command_queue queue = cvk_cl_queue(device);
    const bool trans_a = g->ak != 1, trans_b = g->bn != 1;
    int code =
        sgemm(ROW_MAJOR, trans_a ? TRANSPOSE : NO_TRANSPOSE, trans_b ? TRANSPOSE : NO_TRANSPOSE,
              (size_t)g->m, (size_t)g->n, (size_t)g->k, g->alpha, step->in[0].data, 0,
              (size_t)(trans_a ? g->m : g->k), step->in[1].data, 0, (size_t)(trans_b ? g->k : g->n),
              0.0f, step->out[0].data, 0, (size_t)g->n, &queue, cvk_cl_event());
    if (code) return cvk_fail(CVK_DEVICE_FAILED, "CLBlastSgemm failed: status %d", code);
    return cvk_cl_run(device, step, worker, workers);
}

/* Whether the picture is the matrix already. */
static bool is_flat(const cvk_geom *g)
{
    return g->kh == 1 && g->kw == 1 && g->sh == 1 && g->sw == 1 && g->oh == g->ih && g->ow == g->iw;
}

static size_t taps_of(const cvk_geom *g)
{
    return (size_t)g->ic * (size_t)g->kh * (size_t)g->kw;
}

/* Elements of all pictures' columns. */
static size_t columns_of(const cvk_geom *g)
{
    return (size_t)g->n * taps_of(g) * (size_t)g->oh * (size_t)g->ow;
}

bool cvk_cl_clblast_conv_accepts(const cvk_problem *problem, const char **why_not)
{
    const cvk_view *in = problem->in, *out = &problem->out[0];
    cvk_geom g;
    if (!has_sgemm(why_not)) return false;
    if (in[0].dtype != CVK_F32 || in[1].dtype != CVK_F32 || out->dtype != CVK_F32)
        *why_not = "float32 only";
    else if (!cvk_cl_posts_accept(problem, false, why_not))
        return false;
    else if (!cvk_geom_conv(problem->node, &in[0].shape, &out->shape, &g))
        *why_not = "three dimensions, or too many elements";
    else if (g.group != 1)
        *why_not = "a product for each group";
    else if (!is_flat(&g) && (columns_of(&g) > INT_MAX / 2 ||
                              columns_of(&g) * sizeof(float) > problem->caps->max_buffer_bytes))
        *why_not = "the columns do not fit a buffer";
    else
        return true;
    return false;
}

static cvk_status add_finish(cvk_device *device, cvk_step *step, conv_state *state,
                             im2col_args *args)
{
    const cvk_geom *g = &state->geom;
    int residual, slope;
    cvk_cl_posts_make(step->node, step->in, &args->posts, &residual, &slope);
    CVK_TRY(cvk_cl_stage_add(device, step, "im2col.cl", "", "conv_finish", &state->finish));
    cvk_cl_stage_in(state->finish, 0, args->has_bias ? 2 : -1);
    cvk_cl_stage_in(state->finish, 1, slope);
    cvk_cl_stage_in(state->finish, 2, residual);
    cvk_cl_stage_out(state->finish, 3, 0);
    CVK_TRY(cvk_cl_arg_struct(&state->finish->launch, 4, args, sizeof *args));
    cvk_cl_stage_size(state->finish, device, (size_t)cvk_cl_ceil_div(g->oh * g->ow, CVK_BLOCK),
                      (size_t)g->n * (size_t)g->oc, 1);
    return CVK_OK;
}

cvk_status cvk_cl_clblast_conv_prepare(cvk_device *device, cvk_step *step)
{
    conv_state *state = step->state = cvk_step_alloc(step, sizeof *state);
    if (!state) return CVK_NO_MEMORY;
    cvk_geom *g = &state->geom;
    if (!cvk_geom_conv(step->node, &step->in[0].shape, &step->out[0].shape, g))
        return cvk_fail(CVK_SHAPE, "the convolution's shape does not fit its window");
    im2col_args args = {.ic = g->ic,
                        .ih = g->ih,
                        .iw = g->iw,
                        .oc = g->oc,
                        .oh = g->oh,
                        .ow = g->ow,
                        .kh = g->kh,
                        .kw = g->kw,
                        .sh = g->sh,
                        .sw = g->sw,
                        .dh = g->dh,
                        .dw = g->dw,
                        .pt = g->pt,
                        .pl = g->pl};
    args.has_bias = cvk_cl_has_input(step->node, step->in, 2);
    if (!is_flat(g)) {
        step->scratch_bytes = columns_of(g) * sizeof(float);
        CVK_TRY(cvk_cl_stage_add(device, step, "im2col.cl", "", "im2col", &state->columns));
        cvk_cl_stage_in(state->columns, 0, 0);
        cvk_cl_stage_scratch(state->columns, 1);
        CVK_TRY(cvk_cl_arg_struct(&state->columns->launch, 2, &args, sizeof args));
        cvk_cl_stage_size(state->columns, device, (size_t)cvk_cl_ceil_div(g->ow, CVK_BLOCK),
                          taps_of(g), (size_t)g->oh * (size_t)g->n);
    }
    return args.has_bias || step->node->n_posts ? add_finish(device, step, state, &args) : CVK_OK;
}

cvk_status cvk_cl_clblast_conv_run(cvk_device *device, const cvk_step *step, int worker,
                                   int workers)
{
    (void)worker;
    (void)workers;
    const conv_state *state = step->state;
    const cvk_geom *g = &state->geom;
    const size_t taps = taps_of(g), pixels = (size_t)g->oh * (size_t)g->ow;
    cl_command_queue queue = cvk_cl_queue(device);
    if (state->columns) CVK_TRY(cvk_cl_stage_run(device, step, state->columns));
    for (size_t i = 0; i < (size_t)g->n; i++) {
        int code =
            sgemm(ROW_MAJOR, NO_TRANSPOSE, NO_TRANSPOSE, (size_t)g->oc, pixels, taps, 1.0f,
                  step->in[1].data, 0, taps, state->columns ? step->scratch : step->in[0].data,
                  i * taps * pixels, pixels, 0.0f, step->out[0].data, i * (size_t)g->oc * pixels,
                  pixels, &queue, cvk_cl_event());
        if (code) return cvk_fail(CVK_DEVICE_FAILED, "CLBlastSgemm failed: status %d", code);
    }
    return state->finish ? cvk_cl_stage_run(device, step, state->finish) : CVK_OK;
}
