/* SPDX-License-Identifier: Apache-2.0
 *
 * What the twins of the .cl files (kernels/opencl) launch through. libOpenCL is loaded at run time:
 * every cl* function is reached through the table cvk_cl (same names without "cl"), so that a
 * program with Convoke in it starts on a machine that has no OpenCL.
 */
#ifndef CVK_BACKEND_OPENCL_CL_H
#define CVK_BACKEND_OPENCL_CL_H

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include "backend/backend.h"

typedef struct cvk_cl_request cvk_cl_request;

/* One launch of one kernel: asked for in prepare, kept in step->state, run by cvk_cl_enqueue. */
typedef struct cvk_cl_launch {
    cl_kernel kernel;        /* once it is built */
    cvk_cl_request *request; /* until then */
    cl_uint dims;
    size_t global[3];
    size_t local[3]; /* local[0] = 0: left to the implementation */
} cvk_cl_launch;

enum { CVK_CL_MAX_MEM = 12 };

typedef enum cvk_cl_from { CVK_CL_FROM_IN, CVK_CL_FROM_OUT, CVK_CL_FROM_SCRATCH } cvk_cl_from;

/* A launch of a step, and which of its arguments are the step's memory. */
typedef struct cvk_cl_stage {
    cvk_cl_launch launch;
    int n_mem;
    struct {
        cl_uint arg;
        cvk_cl_from from;
        int index;
    } mem[CVK_CL_MAX_MEM];
    struct cvk_cl_stage *next;
} cvk_cl_stage;

/* What step->state begins with in every row, in the order of launching. */
typedef struct cvk_cl_work {
    cvk_cl_stage *first, *last;
    bool bound;     /* every argument is set, */
    unsigned moved; /* as the step's memory lay then */
} cvk_cl_work;

/* Asks for launch->kernel: function `kernel` of kernels/opencl/<file>, built with `defines`
 * ("-DKW=3 -DKH=3", may be "") and at least -DPOSTS=posts. The text is that in the library or in CONVOKE_CL_DIR; common.cl is put
 * before it. Arguments may be set at once. It is the caller's to release. */
cvk_status cvk_cl_kernel(cvk_cl_launch *launch, const char *file, const char *defines, int posts,
                         const char *kernel);
void cvk_cl_kernel_release(cvk_cl_launch *launch);

/* Whether the device has built that kernel. */
bool cvk_cl_is_built(cvk_device *device, const char *file, const char *defines, int posts,
                     const char *kernel);

/* Builds what the launches ask for and the device has not built before, as few programs. A plan's
 * steps are built together (cvk_device_build). */
cvk_status cvk_cl_build(cvk_device *device, cvk_cl_launch *const *launches, int count);

/* Arguments. Memory: the cl_mem in a view's data or from cvk_step_pack. Sizes and the like go in
 * one struct of cl_int and cl_float, declared alike in the .cl and its twin. */
cvk_status cvk_cl_arg_mem(const cvk_cl_launch *launch, cl_uint index, const void *mem);
cvk_status cvk_cl_arg_struct(const cvk_cl_launch *launch, cl_uint index, const void *value,
                             size_t bytes);
/* A __local pointer to `bytes` bytes per work-group. */
cvk_status cvk_cl_arg_local(const cvk_cl_launch *launch, cl_uint index, size_t bytes);

/* Enqueues on the device's queue; an empty global size is skipped. */
cvk_status cvk_cl_enqueue(cvk_device *device, const cvk_cl_launch *launch);

/* The status for an OpenCL error code: names `call` and the code. CVK_OK for CL_SUCCESS. */
cvk_status cvk_cl_check(cl_int code, const char *call);

/* The queue of this run, and where the event of its next command belongs: NULL unless the run is
 * profiled. */
cl_command_queue cvk_cl_queue(cvk_device *device);
cl_event *cvk_cl_event(void);

/* The rows, from kernels/opencl/kernels.def. */
extern const cvk_kernel cvk_cl_kernels[];
extern const int cvk_cl_kernel_count;

#endif
