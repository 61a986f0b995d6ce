/* SPDX-License-Identifier: Apache-2.0
 *
 * libOpenCL, loaded at run time: a table of its functions. cvk_cl.GetPlatformIDs is
 * clGetPlatformIDs.
 */
#ifndef CVK_BACKEND_OPENCL_API_H
#define CVK_BACKEND_OPENCL_API_H

#include "backend/opencl/cl.h"

typedef struct cvk_cl_api {
#define X(name) __typeof__(&cl##name) name;
#include "backend/opencl/functions.def"
#undef X
} cvk_cl_api;

/* Filled by cvk_cl_load. */
extern cvk_cl_api cvk_cl;

/* Loads the library once per process; false if this machine has none. Any thread may call it. */
bool cvk_cl_load(void);

#endif
