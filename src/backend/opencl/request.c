/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels that were asked for and are not built yet: what was asked, and the arguments set meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "backend/opencl/device.h"

cvk_status cvk_cl_kernel(cvk_cl_launch *launch, const char *file, const char *defines, int posts,
                         const char *kernel)
{
    const size_t files = strlen(file) + 1, options = strlen(defines) + 1,
                 names = strlen(kernel) + 1;
    cvk_cl_request *request = calloc(1, sizeof *request + files + options + names);
    if (!request) return cvk_fail(CVK_NO_MEMORY, "no memory for kernel '%s'", kernel);
    request->file = memcpy(request->words, file, files);
    request->defines = memcpy(request->words + files, defines, options);
    request->kernel = memcpy(request->words + files + options, kernel, names);
    request->posts = posts;
    launch->request = request;
    return CVK_OK;
}

void cvk_cl_request_free(cvk_cl_request *request)
{
    while (request && request->args) {
        cvk_cl_arg *arg = request->args;
        request->args = arg->next;
        free(arg);
    }
    free(request);
}

/* The value is copied; NULL stays NULL. */
static cvk_status keep(cvk_cl_request *request, cl_uint index, const void *value, size_t bytes,
                       const char *call)
{
    cvk_cl_arg *arg = malloc(sizeof *arg + (value ? bytes : 0));
    if (!arg) return cvk_fail(CVK_NO_MEMORY, "no memory for an argument of a kernel");
    *arg = (cvk_cl_arg){.next = request->args, .index = index, .bytes = bytes, .call = call};
    arg->given = value != NULL;
    if (value) memcpy(arg->value, value, bytes);
    request->args = arg;
    return CVK_OK;
}

static cvk_status set(const cvk_cl_launch *launch, cl_uint index, const void *value, size_t bytes,
                      const char *call)
{
    if (launch->request) return keep(launch->request, index, value, bytes, call);
    return cvk_cl_check(cvk_cl.SetKernelArg(launch->kernel, index, bytes, value), call);
}

cvk_status cvk_cl_arg_mem(const cvk_cl_launch *launch, cl_uint index, const void *mem)
{
    return set(launch, index, mem ? &mem : NULL, sizeof(cl_mem), "clSetKernelArg for a buffer");
}

cvk_status cvk_cl_arg_struct(const cvk_cl_launch *launch, cl_uint index, const void *value,
                             size_t bytes)
{
    return set(launch, index, value, bytes, "clSetKernelArg for a struct");
}

cvk_status cvk_cl_arg_local(const cvk_cl_launch *launch, cl_uint index, size_t bytes)
{
    return set(launch, index, NULL, bytes, "clSetKernelArg for local memory");
}

cvk_status cvk_cl_request_fulfil(cvk_cl_launch *launch, cl_kernel kernel)
{
    cvk_cl_request *request = launch->request;
    launch->kernel = kernel;
    for (const cvk_cl_arg *arg = request->args; arg; arg = arg->next)
        CVK_TRY(cvk_cl_check(
            cvk_cl.SetKernelArg(kernel, arg->index, arg->bytes, arg->given ? arg->value : NULL),
            arg->call));
    launch->request = NULL;
    cvk_cl_request_free(request);
    return CVK_OK;
}

void cvk_cl_kernel_release(cvk_cl_launch *launch)
{
    if (launch->kernel) cvk_cl.ReleaseKernel(launch->kernel);
    cvk_cl_request_free(launch->request);
    launch->kernel = NULL;
    launch->request = NULL;
}
