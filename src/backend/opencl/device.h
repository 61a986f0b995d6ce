/* SPDX-License-Identifier: Apache-2.0
 *
 * An OpenCL device as this folder sees it.
 */
#ifndef CVK_BACKEND_OPENCL_DEVICE_H
#define CVK_BACKEND_OPENCL_DEVICE_H

#include "backend/opencl/api.h"
#include "base/store.h"

enum { CVK_CL_MOST_KERNELS = 64 }; /* of a file */

/* An argument that waits for its kernel. */
typedef struct cvk_cl_arg {
    struct cvk_cl_arg *next;
    const char *call;
    cl_uint index;
    size_t bytes;
    bool given;
    char value[];
} cvk_cl_arg;

/* A kernel that is asked for. */
struct cvk_cl_request {
    const char *file, *defines, *kernel;
    int posts; /* of a kernel that is built: which it has */
    cvk_cl_arg *args;
    char words[];
};

/* A kernel that is built; in a list of the device's, guarded by the device's lock. */
typedef struct cvk_cl_built {
    struct cvk_cl_built *next;
    cvk_cl_request *request;
    cl_program program;
    bool owns;   /* the program: one of its kernels does */
    char name[]; /* in the program */
} cvk_cl_built;

typedef struct cvk_cl_standby cvk_cl_standby;

typedef struct cvk_cl_device {
    cvk_device base;
    cl_device_id id;
    cl_context context;
    cl_command_queue queue, profile_queue; /* the second: made by the first profiled run */
    char options[160];                     /* of every build */
    cvk_cl_standby *standby;               /* NULL: its workers need none */
    cvk_cl_built *built;
    cvk_store *store; /* opened with the first program; the device's lock guards both */
    bool store_asked;
} cvk_cl_device;

/* What a built program depends on; no bytes if programs are not kept. */
typedef struct cvk_cl_key {
    char *data;
    size_t bytes;
} cvk_cl_key;

static inline cvk_cl_device *cvk_cl_device_of(cvk_device *device)
{
    return (cvk_cl_device *)device;
}

/* query.c: what an OpenCL device says of itself. Filled as far as it can be had even on failure. */
cvk_status cvk_cl_query_info(cl_device_id id, int index, cvk_device_info *info);
cvk_status cvk_cl_query_caps(cl_device_id id, cvk_caps *caps);
/* What such a device is taken to do before it is measured. */
cvk_status cvk_cl_query_rates(cl_device_id id, cvk_device_rates *rates);
cvk_status cvk_cl_query_options(cl_device_id id, char *options, size_t size);
/* The devices of all platforms that can compile; writes at most capacity, returns how many there
 * are. */
int cvk_cl_query_devices(cl_device_id *ids, int capacity);

/* binary.c: built programs in the store; under the device's lock. The key's data is the caller's to
 * free. */
void cvk_cl_key_make(cvk_cl_device *device, const char *options, const char *const texts[2],
                     const size_t bytes[2], cvk_cl_key *key);
/* NULL if there is none that works. */
cl_program cvk_cl_binary_load(cvk_cl_device *device, const cvk_cl_key *key, const char *options);
void cvk_cl_binary_save(cvk_cl_device *device, const cvk_cl_key *key, cl_program program);

/* request.c */
void cvk_cl_request_free(cvk_cl_request *request);
/* The launch's kernel, with the arguments that were set before: it is the launch's even on failure. */
cvk_status cvk_cl_request_fulfil(cvk_cl_launch *launch, cl_kernel kernel);

/* program.c */
cvk_status cvk_cl_build_steps(cvk_device *device, cvk_step *const *steps, int count);
void cvk_cl_programs_free(cvk_cl_device *device);

/* memory.c */
cvk_status cvk_cl_alloc(cvk_device *device, size_t bytes, void **data);
cvk_status cvk_cl_part(cvk_device *device, void *data, size_t offset, size_t bytes, void **part);
void cvk_cl_free(cvk_device *device, void *data);
cvk_status cvk_cl_write(cvk_device *device, void *dst, const void *src, size_t bytes);
cvk_status cvk_cl_fill(cvk_device *device, void *data, size_t bytes,
                       void (*write)(void *dst, const void *arg), const void *arg);
cvk_status cvk_cl_read(cvk_device *device, void *dst, const void *src, size_t bytes, bool wait);
cvk_status cvk_cl_wrap(cvk_device *device, void *host, size_t bytes, bool written, void **data);
cvk_status cvk_cl_map(cvk_device *device, void *data, size_t bytes, bool write, void **mapped);
cvk_status cvk_cl_unmap(cvk_device *device, void *data, void *mapped);
cvk_status cvk_cl_finish(cvk_device *device);

/* run.c, measure.c */
cvk_status cvk_cl_execute(cvk_device *device, cvk_step *const *steps, int count, int lanes,
                          const cvk_timing *timing);
cvk_status cvk_cl_step_run(cvk_device *device, const cvk_step *step);
/* standby.c: with the context, before the queue goes; start: behind a run's last command. */
cvk_status cvk_cl_standby_open(cvk_cl_device *cl);
cvk_status cvk_cl_standby_start(cvk_device *device);
void cvk_cl_standby_close(cvk_cl_device *cl);
/* profile.c */
cvk_status cvk_cl_execute_timed(cvk_device *device, cvk_step *const *steps, int count,
                                const cvk_timing *timing);
cvk_status cvk_cl_measure(cvk_device *device, cvk_device_rates *rates);
double cvk_cl_now_ms(void);

#endif
