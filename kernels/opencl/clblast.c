/* SPDX-License-Identifier: Apache-2.0
 *
 * Gemm through CLBlast, loaded at run time: its product, then gemm.cl's gemm_finish for C and the
 * posts. A further row behind our own, for devices where CLBlast is tuned and we are not. CLBlast
 * builds its programs with the first run.
 */
#include <dlfcn.h>
#include <pthread.h>

#include "kernels/opencl/gemm.h"

/* CLBlastSgemm of CLBlast's C interface (clblast_c.h), and the values of its enumerations. */
typedef int sgemm_fn(int layout, int a_transpose, int b_transpose, size_t m, size_t n, size_t k,
                     float alpha, cl_mem a, size_t a_offset, size_t a_ld, cl_mem b, size_t b_offset,
                     size_t b_ld, float beta, cl_mem c, size_t c_offset, size_t c_ld,
                     cl_command_queue *queue, cl_event *event);
enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111, TRANSPOSE = 112 };

typedef struct clblast_state {
    cvk_cl_work work; /* what follows the product */
    cvk_cl_gemm gemm;
} clblast_state;

static sgemm_fn *sgemm;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
    void *library = dlopen("libclblast.so.1", RTLD_NOW | RTLD_LOCAL);
    void *symbol = library ? dlsym(library, "CLBlastSgemm") : NULL;
    *(void **)&sgemm = symbol;
}

bool cvk_cl_clblast_accepts(const cvk_problem *problem, const char **why_not)
{
    cvk_cl_gemm args;
    int batch;
    pthread_once(&once, load);
    if (sgemm) return cvk_cl_gemm_fits(problem, false, &args, &batch, why_not);
    *why_not = "CLBlast has no CLBlastSgemm";
    return false;
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
              0.0f, step->out[0].data, 0, (size_t)g->n, &queue, NULL);
    if (code) return cvk_fail(CVK_DEVICE_FAILED, "CLBlastSgemm failed: status %d", code);
    return cvk_cl_run(device, step, worker, workers);
}
