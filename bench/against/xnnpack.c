/* SPDX-License-Identifier: Apache-2.0
 *
 * XNNPACK: its convolution (NHWC) and fully connected operators, set up outside of what is timed.
 */
#include <math.h>
#include <pthreadpool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xnnpack.h>

#include "bench/against/against.h"

typedef struct xnn_job {
    against_problem p;
    xnn_operator_t op;
    float *src, *wgt, *dst; /* NHWC and OHWI; src and wgt NULL: as they are */
} xnn_job;

static pthreadpool_t pool;

static bool start(int threads, char *about, size_t size)
{
    snprintf(about, size, "NHWC, %d threads", threads);
    pool = pthreadpool_create((size_t)threads);
    if (pool && xnn_initialize(NULL) == xnn_status_success) return true;
    snprintf(about, size, "XNNPACK does not start on this processor");
    return false;
}

/* n x a x b -> n x b x a */
static float *transposed(const float *src, size_t n, size_t a, size_t b)
{
    float *dst = malloc(n * a * b * sizeof *dst + XNN_EXTRA_BYTES);
    for (size_t i = 0; dst && i < n; i++)
        for (size_t k = 0; k < a; k++)
            for (size_t j = 0; j < b; j++) dst[(i * b + j) * a + k] = src[(i * a + k) * b + j];
    return dst;
}

static void drop(void *state)
{
    xnn_job *job = state;
    if (job->op) xnn_delete_operator(job->op);
    free(job->src);
    free(job->wgt);
    free(job->dst);
    free(job);
}

static enum xnn_status make_conv(xnn_job *job, float lo, float hi)
{
    const cvk_geom *g = &job->p.conv;
    size_t icg = (size_t)(g->ic / g->group), ocg = (size_t)(g->oc / g->group);
    job->src = transposed(job->p.src, (size_t)g->n, (size_t)g->ic, (size_t)g->ih * (size_t)g->iw);
    job->wgt = transposed(job->p.wgt, (size_t)g->oc, icg, (size_t)g->kh * (size_t)g->kw);
    if (!job->src || !job->wgt) return xnn_status_out_of_memory;
    enum xnn_status status = xnn_create_convolution2d_nhwc_f32(
        (uint32_t)g->pt, (uint32_t)g->pr, (uint32_t)g->pb, (uint32_t)g->pl, (uint32_t)g->kh,
        (uint32_t)g->kw, (uint32_t)g->sh, (uint32_t)g->sw, (uint32_t)g->dh, (uint32_t)g->dw,
        (uint32_t)g->group, icg, ocg, (size_t)g->ic, (size_t)g->oc, job->wgt, job->p.bias, lo, hi,
        0, &job->op);
    if (status) return status;
    return xnn_setup_convolution2d_nhwc_f32(job->op, (size_t)g->n, (size_t)g->ih, (size_t)g->iw,
                                            job->src, job->dst, pool);
}

static enum xnn_status make_product(xnn_job *job, float lo, float hi)
{
    const against_problem *p = &job->p;
    size_t bytes = (size_t)p->m * (size_t)p->k * sizeof(float);
    job->src = malloc(bytes + XNN_EXTRA_BYTES);
    if (!job->src) return xnn_status_out_of_memory;
    memcpy(job->src, p->src, bytes);
    enum xnn_status status = xnn_create_fully_connected_nc_f32(
        (size_t)p->k, (size_t)p->n, (size_t)p->k, (size_t)p->n, p->wgt, p->bias, lo, hi,
        p->trans_b ? 0 : XNN_FLAG_TRANSPOSE_WEIGHTS, &job->op);
    if (status) return status;
    return xnn_setup_fully_connected_nc_f32(job->op, (size_t)p->m, job->src, job->dst, pool);
}

static const char *refusal(const against_problem *p)
{
    const cvk_geom *g = &p->conv;
    if (p->residual || p->act > AGAINST_CLAMP) return "it fuses clamping only: --bare";
    if (p->gemm) return p->trans_a ? "it has no transposed left matrix" : NULL;
    return g->pt < 0 || g->pb < 0 || g->pl < 0 || g->pr < 0 ? "it has no negative padding" : NULL;
}

static void *make(const against_problem *p, const char **why)
{
    float lo = p->act ? p->lo : -INFINITY, hi = p->act ? p->hi : INFINITY;
    if ((*why = refusal(p))) return NULL;
    *why = "out of memory";
    xnn_job *job = calloc(1, sizeof *job);
    if (!job) return NULL;
    job->p = *p;
    job->dst = malloc(against_dst_count(p) * sizeof *job->dst + XNN_EXTRA_BYTES);
    if (job->dst) {
        enum xnn_status status = p->gemm ? make_product(job, lo, hi) : make_conv(job, lo, hi);
        if (status == xnn_status_success) return job;
        if (status != xnn_status_out_of_memory) *why = "it refuses this problem";
    }
    drop(job);
    return NULL;
}

static bool run(void *state, int launches)
{
    xnn_job *job = state;
    bool ok = true;
    for (int i = 0; ok && i < launches; i++)
        ok = xnn_run_operator(job->op, pool) == xnn_status_success;
    return ok;
}

static bool result(void *state, float *dst)
{
    xnn_job *job = state;
    const cvk_geom *g = &job->p.conv;
    size_t pixels = (size_t)g->oh * (size_t)g->ow, oc = (size_t)g->oc;
    if (!run(job, 1)) return false;
    if (job->p.gemm) {
        memcpy(dst, job->dst, against_dst_count(&job->p) * sizeof *dst);
        return true;
    }
    for (size_t n = 0; n < (size_t)g->n; n++)
        for (size_t c = 0; c < oc; c++)
            for (size_t i = 0; i < pixels; i++)
                dst[(n * oc + c) * pixels + i] = job->dst[(n * pixels + i) * oc + c];
    return true;
}

static const char *detail(void *state)
{
    const xnn_job *job = state;
    return job->p.gemm ? "fully connected" : "convolution NHWC";
}

const against_library against_xnnpack = {"xnnpack", start, make, run, result, detail, drop};
