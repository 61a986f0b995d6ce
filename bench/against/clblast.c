/* SPDX-License-Identifier: Apache-2.0
 *
 * CLBlast: Gemm and Convgemm on the first OpenCL device that is a CPU (PoCL), else on the first of
 * all; kernels as its database has them, built before anything is timed. Products only.
 */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <clblast_c.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/against/against.h"

enum { MOST_PLATFORMS = 16 };

typedef struct cl_job {
    against_problem p;
    cl_mem src, wgt, dst;
} cl_job;

static cl_context context;
static cl_command_queue queue;

static cl_device_id find_device(cl_device_type type)
{
    cl_platform_id platforms[MOST_PLATFORMS];
    cl_uint count = 0;
    cl_device_id device = NULL;
    if (clGetPlatformIDs(MOST_PLATFORMS, platforms, &count) != CL_SUCCESS) return NULL;
    for (cl_uint i = 0; i < count && i < MOST_PLATFORMS && !device; i++)
        if (clGetDeviceIDs(platforms[i], type, 1, &device, NULL) != CL_SUCCESS) device = NULL;
    return device;
}

static bool start(int threads, char *about, size_t size)
{
    char name[128] = "", driver[64] = "";
    (void)threads; /* the device has as many as it has */
    cl_device_id device = find_device(CL_DEVICE_TYPE_CPU);
    if (!device) device = find_device(CL_DEVICE_TYPE_ALL);
    snprintf(about, size, "there is no OpenCL device");
    if (!device) return false;
    cl_int error;
    clGetDeviceInfo(device, CL_DEVICE_NAME, sizeof name, name, NULL);
    clGetDeviceInfo(device, CL_DRIVER_VERSION, sizeof driver, driver, NULL);
    snprintf(about, size, "%s, driver %s", name, driver);
    context = clCreateContext(NULL, 1, &device, NULL, NULL, &error);
    if (context) queue = clCreateCommandQueue(context, device, 0, &error);
    return queue != NULL;
}

static const char *refusal(const against_problem *p)
{
    const cvk_geom *g = &p->conv;
    if (!against_is_bare(p)) return "products only: --bare";
    if (p->gemm) return NULL;
    if (g->group != 1) return "it has no groups";
    return g->pt < 0 || g->pl < 0 || g->pt != g->pb || g->pl != g->pr
               ? "it pads alike on both sides"
               : NULL;
}

static cl_mem buffer(const float *data, size_t count)
{
    cl_int error;
    return clCreateBuffer(context, CL_MEM_READ_WRITE | (data ? CL_MEM_COPY_HOST_PTR : 0),
                          count * sizeof(float), (void *)data, &error);
}

static void drop(void *state)
{
    cl_job *job = state;
    if (job->src) clReleaseMemObject(job->src);
    if (job->wgt) clReleaseMemObject(job->wgt);
    if (job->dst) clReleaseMemObject(job->dst);
    free(job);
}

static void *make(const against_problem *p, const char **why)
{
    const cvk_geom *g = &p->conv;
    if ((*why = refusal(p))) return NULL;
    *why = "out of memory";
    cl_job *job = calloc(1, sizeof *job);
    if (!job) return NULL;
    job->p = *p;
    size_t src = p->gemm ? (size_t)p->m * (size_t)p->k
                         : (size_t)g->n * (size_t)g->ic * (size_t)g->ih * (size_t)g->iw;
    size_t wgt = p->gemm ? (size_t)p->k * (size_t)p->n
                         : (size_t)g->oc * (size_t)g->ic * (size_t)g->kh * (size_t)g->kw;
    job->src = buffer(p->src, src);
    job->wgt = buffer(p->wgt, wgt);
    job->dst = buffer(NULL, against_dst_count(p));
    if (job->src && job->wgt && job->dst) return job;
    drop(job);
    return NULL;
}

static CLBlastStatusCode launch(cl_job *job)
{
    const against_problem *p = &job->p;
    const cvk_geom *g = &p->conv;
    if (p->gemm)
        return CLBlastSgemm(
            CLBlastLayoutRowMajor, p->trans_a ? CLBlastTransposeYes : CLBlastTransposeNo,
            p->trans_b ? CLBlastTransposeYes : CLBlastTransposeNo, (size_t)p->m, (size_t)p->n,
            (size_t)p->k, 1, job->src, 0, (size_t)(p->trans_a ? p->m : p->k), job->wgt, 0,
            (size_t)(p->trans_b ? p->k : p->n), 0, job->dst, 0, (size_t)p->n, &queue, NULL);
    return CLBlastSconvgemm(CLBlastKernelModeCrossCorrelation, (size_t)g->ic, (size_t)g->ih,
                            (size_t)g->iw, (size_t)g->kh, (size_t)g->kw, (size_t)g->pt,
                            (size_t)g->pl, (size_t)g->sh, (size_t)g->sw, (size_t)g->dh,
                            (size_t)g->dw, (size_t)g->oc, (size_t)g->n, job->src, 0, job->wgt, 0,
                            job->dst, 0, &queue, NULL);
}

static bool run(void *state, int launches)
{
    for (int i = 0; i < launches; i++)
        if (launch(state) != CLBlastSuccess) return false;
    return clFinish(queue) == CL_SUCCESS;
}

static bool result(void *state, float *dst)
{
    cl_job *job = state;
    return run(job, 1) && clEnqueueReadBuffer(queue, job->dst, CL_TRUE, 0,
                                              against_dst_count(&job->p) * sizeof *dst, dst, 0,
                                              NULL, NULL) == CL_SUCCESS;
}

static const char *detail(void *state)
{
    const cl_job *job = state;
    return job->p.gemm ? "Gemm" : "Convgemm";
}

const against_library against_clblast = {"clblast", start, make, run, result, detail, drop};
