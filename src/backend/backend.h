/* SPDX-License-Identifier: Apache-2.0
 *
 * Where numbers live: a backend is a name, a table of kernel rows, and these functions. The rest of
 * the library reaches devices through this header only; schedule and session never name a backend.
 */
#ifndef CVK_BACKEND_BACKEND_H
#define CVK_BACKEND_BACKEND_H

#include <pthread.h>
#include <stdatomic.h>

#include "backend/kernel.h"

/* What a profiled execute tells of its steps, on a clock that only goes forward. */
typedef struct cvk_timing {
    double *ms;        /* by step: from the end of the one before to its own, on all workers */
    cvk_slice *slices; /* step * lanes + worker; lanes: see cvk_device */
} cvk_timing;

/* What the steps of a run have to do, as far as it is known before. */
typedef struct cvk_load {
    uint64_t macs;
    size_t bytes; /* of data and weights that are read or written */
    int steps;
} cvk_load;

/* Where bytes come from: the smallest memory that holds all of them. */
enum { CVK_LEVEL_L1, CVK_LEVEL_L2, CVK_LEVEL_L3, CVK_LEVEL_MEMORY, CVK_LEVELS };

/* What a device is able to do, all lanes together, for predictions (schedule/cost.h). */
typedef struct cvk_device_rates {
    double macs;              /* f32 multiply-adds per ms */
    double bytes[CVK_LEVELS]; /* read per ms */
    double step_ms;           /* beginning a step: a launch, or its call by one worker */
    double meet_ms;           /* what it takes longer where all lanes share the step */
    double transfer_ms;       /* beginning a copy between host and device */
    double transfer_bytes;    /* copied per ms; 0: device memory is host memory */
} cvk_device_rates;

typedef struct cvk_backend {
    const char *name; /* "cpu", "opencl" */
    bool host;        /* device memory is host memory: data are pointers, no transfers */

    /* Devices present now: writes at most capacity infos, returns how many there are. */
    int (*list)(cvk_device_info *infos, int capacity);
    /* Opens device `index` of list. The backend allocates a struct that begins with cvk_device and
     * fills backend, info, caps, kernels, n_kernels. */
    cvk_status (*open)(int index, const cvk_device_options *options, cvk_device **device);
    /* The same device, but only to plan for: its capabilities, promised rates and rows, without what
     * takes long to open. Closed as any. NULL: to open it is as cheap. */
    cvk_status (*peek)(int index, const cvk_device_options *options, cvk_device **device);
    void (*close)(cvk_device *device); /* frees the struct too */

    /* Memory: *data is a pointer or a cl_mem. A part of a piece: offset is a multiple of
     * caps.buffer_alignment; on a host backend base + offset, released as a no-op. */
    cvk_status (*alloc)(cvk_device *device, size_t bytes, void **data);
    cvk_status (*part)(cvk_device *device, void *data, size_t offset, size_t bytes, void **part);
    void (*release)(cvk_device *device, void *data);
    void (*release_part)(cvk_device *device, void *part);
    cvk_status (*write)(cvk_device *device, void *dst, const void *src,
                        size_t bytes); /* may return early, in queue order; src is kept */
    cvk_status (*read)(cvk_device *device, void *dst, const void *src, size_t bytes,
                       bool wait); /* else dst is there after finish */
    /* write(memory, arg) puts there what data of `bytes` bytes shall hold; zeroed before. Waits. */
    cvk_status (*fill)(cvk_device *device, void *data, size_t bytes,
                       void (*write)(void *dst, const void *arg), const void *arg);
    /* Waits for what was put into the queue before. */
    cvk_status (*finish)(cvk_device *device);
    /* Memory of the host as memory of the device (release lets it go); NULL in *data where the device
     * would have to copy it, or does not take it at this address or in this size. NULL: never.
     * written: kernels write there. */
    cvk_status (*wrap)(cvk_device *device, void *host, size_t bytes, bool written, void **data);
    /* In queue order: wrapped memory is the host's, for reading after finish, or, with `write`, for
     * contents that the device has not seen; until unmap, with what map gave. */
    cvk_status (*map)(cvk_device *device, void *data, size_t bytes, bool write, void **mapped);
    cvk_status (*unmap)(cvk_device *device, void *data, void *mapped);

    /* Builds what prepared steps need before they run; NULL: nothing. */
    cvk_status (*build)(cvk_device *device, cvk_step *const *steps, int count);

    /* How many of the device's lanes such a run is worth, and one step of a run that has several;
     * NULL: all. */
    int (*lanes)(const cvk_device *device, const cvk_load *load);
    int (*step_lanes)(const cvk_device *device, const cvk_load *load);

    /* Runs steps in order on at most `lanes` lanes (0: all), and at most as each is worth. timing: NULL, or where to put how long
     * each took, one by one. */
    cvk_status (*execute)(cvk_device *device, cvk_step *const *steps, int count, int lanes,
                          const cvk_timing *timing);

    /* Measures all rates but those of transfers, now. */
    cvk_status (*measure)(cvk_device *device, cvk_device_rates *rates);
} cvk_backend;

struct cvk_device {
    const cvk_backend *backend;
    cvk_device_info info;
    cvk_caps caps;
    cvk_device_rates rates;    /* as the capabilities promise, for who has not measured them */
    const cvk_kernel *kernels; /* best first within an op */
    int n_kernels;
    pthread_mutex_t lock; /* guards packs (and the backend's own caches) */
    struct cvk_pack_entry *packs;
    atomic_int sessions; /* open on it */
    int lanes;           /* workers or queues that a profile tells apart */
    size_t least_shared; /* bytes of a tensor from which on it is used in place, not copied */
    char *choice; /* why it was taken, of several (session/auto.c); NULL: the caller said so */
    bool share_all;      /* for tests: every run on all lanes, however little it does */
};

/* After prepare, before execute: backend->build, if there is one (device NULL: the host). */
cvk_status cvk_device_build(cvk_device *device, cvk_step *const *steps, int count);

/* Fills what every device shares; the backend's open calls it on its zeroed struct. */
void cvk_device_init(cvk_device *device, const cvk_backend *backend);
void cvk_device_deinit(cvk_device *device);

/* Every backend of this build, best portable first (the CPU is index 0), NULL-terminated. */
extern const cvk_backend *const cvk_backends[];
extern const cvk_backend cvk_backend_cpu;
#ifdef CVK_WITH_OPENCL
extern const cvk_backend cvk_backend_opencl;
#endif

/* The kernels hold weights through their step; this lets them go (after kernel->release). */
void cvk_step_unpack(cvk_device *device, cvk_step *step);
/* Bytes of all packs a step holds. */
size_t cvk_step_pack_bytes(const cvk_step *step);
/* A constant in the device's memory as it stands, shared like packed weights. */
cvk_status cvk_step_constant(cvk_device *device, cvk_step *step, const void *source, size_t bytes,
                             void **data);

#endif
