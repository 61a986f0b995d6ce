/* SPDX-License-Identifier: Apache-2.0
 *
 * Convoke: convolutional networks on the CPU and on any OpenCL device.
 *
 * A complete program: load a network, run it once on the best device, print the largest output.
 *
 *     #include <convoke/convoke.h>
 *     #include <stdio.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         static float image[1 * 3 * 224 * 224], score[1000];
 *         cvk_device *device = NULL;
 *         cvk_model *model = NULL;
 *         cvk_session *session = NULL;
 *         cvk_tensor in = {.dtype = CVK_F32, .rank = 4, .dims = {1, 3, 224, 224}, .data = image};
 *         cvk_tensor out = {.dtype = CVK_F32, .rank = 2, .dims = {1, 1000}, .data = score};
 *         cvk_status st = cvk_device_open("auto", NULL, &device);
 *         if (!st) st = cvk_model_load(argc > 1 ? argv[1] : "squeezenet1.1.onnx", &model);
 *         if (!st) st = cvk_session_create(model, &device, 1, NULL, &session);
 *         if (!st) st = cvk_session_run(session, &in, 1, &out, 1);
 *         int best = 0;
 *         for (int i = 1; i < 1000; i++) best = score[i] > score[best] ? i : best;
 *         if (!st) printf("class %d\n", best); else fprintf(stderr, "%s\n", cvk_last_error());
 *         cvk_session_free(&session);
 *         cvk_model_free(&model);
 *         cvk_device_close(&device);
 *         return st != CVK_OK;
 *     }
 *
 * Rules that hold for every function here
 *   - A call that can fail returns cvk_status; results come through the last parameters, which are
 *     left untouched on failure unless said otherwise. cvk_last_error() then has one sentence.
 *   - free and close take the address of the handle, accept NULL and a NULL handle, and set NULL.
 *   - Tensors that cross this interface stay the caller's: nothing is kept after the call returns.
 *   - Strings returned belong to the handle they came from and live as long as it does.
 *   - Option structs may be zero-filled or NULL: zero always means the default.
 *   - The library never prints, aborts, exits or changes the state of the process. The log sink, and
 *     the threads that runs on the CPU share while a CPU device is open, are its only process-wide
 *     state.
 *   - One thread at a time uses a session; sessions on different threads may share a device and a
 *     model. A model may be freed once its sessions exist (but see continue_on).
 */
#ifndef CONVOKE_CONVOKE_H
#define CONVOKE_CONVOKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(CVK_BUILD_SHARED)
#define CVK_API __attribute__((visibility("default")))
#else
#define CVK_API
#endif

/* ------------------------------------------------------------------------------------------------
 * Ring 1: status, log
 */

/* The statuses: X(enumerator, value, short text). */
#define CVK_STATUS_LIST(X)                                                                         \
    X(CVK_OK, 0, "ok")                                                                             \
    X(CVK_BAD_ARGUMENT, 1, "bad argument")                                                         \
    X(CVK_BAD_MODEL, 2, "bad model")                                                               \
    X(CVK_BAD_INPUT, 3, "bad input")                                                               \
    X(CVK_SHAPE, 4, "shapes do not fit")                                                           \
    X(CVK_UNSUPPORTED, 5, "not supported")                                                         \
    X(CVK_NO_DEVICE, 6, "no such device")                                                          \
    X(CVK_DEVICE_FAILED, 7, "device failed")                                                       \
    X(CVK_NO_MEMORY, 8, "out of memory")                                                           \
    X(CVK_IO, 9, "file cannot be read or written")

typedef enum cvk_status {
#define CVK_STATUS_ENUM(name, value, text) name = value,
    CVK_STATUS_LIST(CVK_STATUS_ENUM)
#undef CVK_STATUS_ENUM
} cvk_status;

/* Version of the library, "major.minor.patch". */
CVK_API const char *cvk_version(void);

/* The short text of a status; never NULL. */
CVK_API const char *cvk_status_string(cvk_status status);

/* The sentence of the last failure on this thread: what, where, what was expected. Never NULL;
 * empty before the first failure. Valid until the next failing call on this thread. */
CVK_API const char *cvk_last_error(void);

typedef enum cvk_log_level {
    CVK_LOG_ERROR = 1,
    CVK_LOG_WARN,
    CVK_LOG_INFO,
    CVK_LOG_DEBUG
} cvk_log_level;
typedef void (*cvk_log_fn)(void *user, cvk_log_level level, const char *message);

/* Sets the process-wide sink of log messages up to `level`; fn NULL switches logging off (the
 * initial state). The sink may be called from several threads. */
CVK_API void cvk_log_set(cvk_log_fn fn, void *user, cvk_log_level level);

/* ------------------------------------------------------------------------------------------------
 * Ring 2: tensors
 */

/* Element types: X(enumerator, value = ONNX TensorProto.DataType, name, bytes). */
#define CVK_DTYPE_LIST(X)                                                                          \
    X(CVK_F32, 1, "float32", 4)                                                                    \
    X(CVK_U8, 2, "uint8", 1)                                                                       \
    X(CVK_I8, 3, "int8", 1)                                                                        \
    X(CVK_U16, 4, "uint16", 2)                                                                     \
    X(CVK_I16, 5, "int16", 2)                                                                      \
    X(CVK_I32, 6, "int32", 4)                                                                      \
    X(CVK_I64, 7, "int64", 8)                                                                      \
    X(CVK_BOOL, 9, "bool", 1)                                                                      \
    X(CVK_F16, 10, "float16", 2)                                                                   \
    X(CVK_F64, 11, "float64", 8)                                                                   \
    X(CVK_U32, 12, "uint32", 4)                                                                    \
    X(CVK_U64, 13, "uint64", 8)

typedef enum cvk_dtype {
    CVK_NONE = 0, /* no tensor: an optional input that is absent */
#define CVK_DTYPE_ENUM(name, value, text, bytes) name = value,
    CVK_DTYPE_LIST(CVK_DTYPE_ENUM)
#undef CVK_DTYPE_ENUM
} cvk_dtype;

#define CVK_MAX_RANK 8

/* A description of a tensor and the caller's pointer to its elements, row-major, no gaps. */
typedef struct cvk_tensor {
    const char *name; /* which input or output; NULL: by position */
    cvk_dtype dtype;
    int rank;                   /* 0 .. CVK_MAX_RANK */
    int64_t dims[CVK_MAX_RANK]; /* elements per dimension; -1 in a description: free */
    void *data;                 /* the caller's; NULL in a description */
} cvk_tensor;

CVK_API const char *cvk_dtype_name(cvk_dtype dtype); /* "float32" ...; "none" for CVK_NONE */
CVK_API size_t cvk_dtype_bytes(cvk_dtype dtype);     /* 0 for CVK_NONE */

/* Elements of a tensor: the product of dims (1 for rank 0); -1 if a dimension is free. */
CVK_API int64_t cvk_tensor_count(const cvk_tensor *tensor);

/* Reads a tensor from a file: an ONNX TensorProto (.pb) or a NumPy array (.npy: little-endian, C
 * order, of f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1); which of the two, its first bytes tell. Fills
 * dtype, rank, dims and data, name is NULL. data comes from malloc, on pages of its own, which any
 * device can use where they lie (cvk_session_run), and is the caller's: give it back with
 * cvk_tensor_free_data. CVK_IO: cannot be read; CVK_BAD_INPUT: neither format, or its sizes
 * contradict each other; CVK_UNSUPPORTED: a type or an order that Convoke does not have. */
CVK_API cvk_status cvk_tensor_load(const char *path, cvk_tensor *tensor);

/* Frees data that cvk_tensor_load allocated and sets it NULL. Accepts NULL. */
CVK_API void cvk_tensor_free_data(cvk_tensor *tensor);

/* Writes a tensor as a NumPy .npy file. */
CVK_API cvk_status cvk_tensor_save_npy(const char *path, const cvk_tensor *tensor);

/* ------------------------------------------------------------------------------------------------
 * Ring 3: devices
 */

typedef struct cvk_device cvk_device;

typedef enum cvk_device_kind {
    CVK_DEVICE_CPU = 1,
    CVK_DEVICE_GPU,
    CVK_DEVICE_ACCELERATOR
} cvk_device_kind;

typedef struct cvk_device_info {
    char id[32];      /* what cvk_device_open takes: "cpu", "opencl:0", ... */
    char backend[16]; /* "cpu" or "opencl" */
    char name[128];
    char driver[128];  /* driver and its version; for "cpu" the instruction set in use */
    char version[128]; /* OpenCL version string; for "cpu" the library's version */
    cvk_device_kind kind;
    int units; /* cores or compute units */
    uint64_t memory_bytes;
    bool fp16, fp64, subgroups, unified_memory;
    size_t buffer_alignment; /* bytes */
} cvk_device_info;

typedef struct cvk_device_options {
    int threads;     /* CPU: the most workers that a run has at once; 0: all cores that the calling
                        thread may use. Runs on several threads share the cores, also those of
                        different devices and sessions: each works on the thread that calls it at
                        once, and before each of its steps it takes what helpers the others leave,
                        or lets them go, so that together they are no more than the cores (or the
                        calls, if these are more). More than the cores serve a run only if asked for
                        here and while it is alone; a network too small to gain has fewer
                        (cvk_session_info). Outputs are the same bits whatever a run gets */
    const char *isa; /* CPU: highest level, "scalar" "avx2" "avx512" "neon"; NULL: the best here */
} cvk_device_options;

/* Lists every device present, the CPU first, then each OpenCL device in platform order. Writes at
 * most `capacity` entries and the number present to *count. infos may be NULL if capacity is 0. */
CVK_API cvk_status cvk_device_list(cvk_device_info *infos, int capacity, int *count);

/* Opens "auto" (a GPU if there is one, else the CPU: cvk_device_open_for knows better), "cpu",
 * "opencl" (the first), "opencl:N", or "opencl:part of the name". CVK_NO_DEVICE if there is none
 * such; the sentence lists those present. */
CVK_API cvk_status cvk_device_open(const char *spec, const cvk_device_options *options,
                                   cvk_device **device);
CVK_API cvk_status cvk_device_get_info(const cvk_device *device, cvk_device_info *info);

/* Measures the device now, about 0.3 s: fused multiply-adds on f32 (2 operations each), in 1e9
 * operations per second, and bytes read per second from memory beyond the last cache, in 1e9. The
 * store (ring 6) keeps the best ever measured of this, and of the speed of caches, launches and
 * copies: plans made afterwards predict by it (cvk_step_info). cvk_tune measures devices that have
 * not been. */
CVK_API cvk_status cvk_device_measure(cvk_device *device, double *peak_gflops,
                                      double *gbytes_per_s);

/* A device must outlive its sessions. */
CVK_API void cvk_device_close(cvk_device **device);

/* ------------------------------------------------------------------------------------------------
 * Ring 4: models
 */

typedef struct cvk_model cvk_model;

/* Loads an ONNX file (IR versions 3 to 14, operator sets 7 to 21; older sets are brought to 7 where
 * their operators allow); external data files are looked for beside it and below, never outside its
 * folder. CVK_IO: cannot be read; CVK_BAD_MODEL: not ONNX, damaged or contradictory; CVK_SHAPE;
 * CVK_UNSUPPORTED: an operator, a type or a version that Convoke does not have. The sentence names
 * the file and the node or tensor. */
CVK_API cvk_status cvk_model_load(const char *path, cvk_model **model);

/* The same for cvk_model_get_info, cvk_model_input, _output, _node and _value alone: weights above
 * 4 KiB are not read, so that it takes milliseconds and little memory whatever the file's size, and
 * files of external data need not be there. Such a model cannot be saved nor planned: CVK_BAD_MODEL. */
CVK_API cvk_status cvk_model_load_outline(const char *path, cvk_model **model);

/* Parses an ONNX file in memory; nothing of `data` is kept. External data cannot be resolved. */
CVK_API cvk_status cvk_model_parse(const void *data, size_t bytes, cvk_model **model);

/* Writes the model as ONNX, weights inside the file, which may have 2 GiB at most (CVK_UNSUPPORTED
 * beyond). The file appears when it is complete. */
CVK_API cvk_status cvk_model_save(const cvk_model *model, const char *path);

CVK_API void cvk_model_free(cvk_model **model);

typedef struct cvk_model_info {
    const char *name;
    int opset;
    int inputs, outputs, nodes;
    uint64_t
        parameters; /* elements of all weights: constants of rank 1 or more, float or quantised,
                              that nodes compute with (not scales, zero points, sizes, limits) */
    uint64_t macs;  /* multiply-adds of Conv, ConvTranspose, Gemm, MatMul; free batch = 1,
                              0 if other dimensions are free */
    uint64_t weight_bytes; /* bytes of all initializers and Constant nodes */
} cvk_model_info;

CVK_API cvk_status cvk_model_get_info(const cvk_model *model, cvk_model_info *info);

/* Describe input or output `index`; rank -1: not known before the model is planned; a free dimension
 * is -1, and dim_names[i] (if asked for, an array of CVK_MAX_RANK) is its name or
 * NULL. */
CVK_API cvk_status cvk_model_input(const cvk_model *model, int index, cvk_tensor *tensor,
                                   const char **dim_names);
CVK_API cvk_status cvk_model_output(const cvk_model *model, int index, cvk_tensor *tensor,
                                    const char **dim_names);

/* Node `index` in execution order: its operator (ONNX name) and name. Either may be NULL. */
CVK_API cvk_status cvk_model_node(const cvk_model *model, int index, const char **op,
                                  const char **name);

/* Building a model: the importer's own door. Values are known by name; a node may only use values
 * that exist already. Everything passed is copied. */
typedef enum cvk_attr_kind {
    CVK_ATTR_INT = 1,
    CVK_ATTR_FLOAT,
    CVK_ATTR_STRING,
    CVK_ATTR_INTS,
    CVK_ATTR_FLOATS,
    CVK_ATTR_TENSOR
} cvk_attr_kind;

typedef struct cvk_attr {
    const char *name;
    cvk_attr_kind kind;
    int64_t i;
    float f;
    const char *s;
    size_t count; /* of ints or floats */
    const int64_t *ints;
    const float *floats;
    const cvk_tensor *tensor;
} cvk_attr;

/* An empty model of ONNX operator set `opset` (7 to 21; 0: 13). */
CVK_API cvk_status cvk_model_create(const char *name, int opset, cvk_model **model);

/* Adds an input; a dimension of -1 is free. */
CVK_API cvk_status cvk_model_add_input(cvk_model *model, const cvk_tensor *tensor);

/* Adds a constant (an initializer); tensor->data is copied. */
CVK_API cvk_status cvk_model_add_constant(cvk_model *model, const cvk_tensor *tensor);

/* Declares a constant by its name, type and shape alone; tensor->data is not looked at. A model with
 * such a constant can be described and counted at no cost of memory, but not saved nor planned:
 * cvk_model_save and cvk_session_create give CVK_BAD_MODEL and name it. */
CVK_API cvk_status cvk_model_declare_constant(cvk_model *model, const cvk_tensor *tensor);

/* Adds a node with ONNX operator `op`. An absent optional input is NULL or "". Shapes are inferred
 * and attributes checked at once, so that a mistake is reported at the call that made it. */
CVK_API cvk_status cvk_model_add_node(cvk_model *model, const char *op, const char *name,
                                      const char *const *inputs, int n_inputs,
                                      const char *const *outputs, int n_outputs,
                                      const cvk_attr *attrs, int n_attrs);

CVK_API cvk_status cvk_model_set_output(cvk_model *model, const char *value);

/* Describes any value by name (shape as far as it is known; rank -1: not at all). CVK_BAD_ARGUMENT if
 * there is none. */
CVK_API cvk_status cvk_model_value(const cvk_model *model, const char *name, cvk_tensor *tensor);

/* ------------------------------------------------------------------------------------------------
 * Ring 5: sessions
 */

typedef struct cvk_session cvk_session;

typedef struct cvk_session_options {
    const cvk_tensor *inputs; /* shapes for inputs with free dimensions, by name or position */
    int n_inputs;
    const cvk_tensor *constants; /* inputs that keep this data in every run, by name: shapes, axes,
                                    pads that the plan must know. Copied; a run may leave them out */
    int n_constants;
    bool no_fuse; /* every ONNX node stays a step of its own */
    const char
        *fuse; /* only these fusions, with commas: quantise, rewrite, fold, map, gate, add, act,
                         pool, bottleneck, concat, choice (as src/schedule/fusions.def explains);
                         NULL: all. CVK_BAD_ARGUMENT: another word */
    bool keep_values;          /* no memory is reused: cvk_session_read can read every value */
    bool profile;              /* time each step of each run */
    bool allow_nan;            /* do not refuse inputs that contain NaN */
    size_t workspace_bytes;    /* upper bound of scratch memory; 0: none */
    const char *prefer_kernel; /* use this kernel row wherever it accepts (comparison and tests);
                                  CVK_BAD_ARGUMENT if it is on the deny list, see cvk_selftest */
    double tolerance;          /* relative L2 error that a convolution may have so that a faster
                                  algorithm may be taken, on devices that have one: from 1e-5 on
                                  Winograd's F(6,3), from 2e-5 on F(4,5). 0: none of these */
    cvk_dtype precision; /* CVK_F16: weights of fully connected layers (Gemm, MatMul) rounded to
                            16 bits, half the bytes to read; arithmetic stays f32. A layer of which
                            a weight overflows, or whose weights rounding would move by more than
                            2^-11 (relative L2), stays f32; cvk_step_info tells both. 0, CVK_F32:
                            as the model has them. CVK_I8: CVK_UNSUPPORTED */
    int plans; /* 2 or more: an input may have another shape in each run, where the model leaves its
                  dimensions free; the session is planned for it, and that many plans are kept, the
                  last used, with their packed weights in common. What it says of steps, inputs and
                  outputs is of the last run's plan, until the next run. The model, unchanged, must
                  outlive the session then. On OpenCL, kernels that are built already are taken for a
                  new shape where they are nearly as fast: results may differ in rounding from those
                  of another session. Not with buffers bound (opencl.h). 0, 1: one shape */
    bool split_batch;    /* the devices share the batch, in proportion to their predicted speed, and
                            compute their pictures at once, each from a plan of its own, with a CPU of
                            the list behind it for what it has no kernels for. The fastest has all
                            where nothing is gained: devices on the same cores gain nothing. Only for
                            models whose inputs leave the batch free, and that compute each picture
                            from that picture alone; else CVK_UNSUPPORTED, with the node that may mix
                            them. Not with plans, keep_values, continue_on, or buffers bound */
    size_t memory_bytes; /* what a plan may take of a device: activations, workspace and weights; 0: on
                            other devices than the CPU what they have. Where a batch takes more, it is
                            computed in parts one after the other, under the conditions of
                            split_batch; else CVK_NO_MEMORY */
    bool no_tuned;           /* plan as if nothing had been tuned, see cvk_tune */
    cvk_device *continue_on; /* such as the CPU: where planning or a run fails because of a device
                            (CVK_DEVICE_FAILED, CVK_NO_MEMORY), the model is planned again for this
                            one alone, and this run and all later ones are its; a warning goes to the
                            log, and cvk_session_describe and cvk_session_info say so. The device,
                            and the model, unchanged, must outlive the session then. Not for runs
                            with buffers bound (opencl.h), nor for cvk_tune. NULL: a run that fails
                            returns its status, and the session may be run again */
} cvk_session_options;

/* Plans `model` for `devices`, in order of preference: a node goes to the first device that has a
 * kernel for it, else to its reference on the host, which cvk_session_describe shows. Where the first
 * device has no kernel for a node, those beside it go along to the next device if that is predicted
 * to save more on copies than it costs and all devices were measured (cvk_device_measure); their
 * cvk_step_info says so (note). A free batch
 * dimension without a shape in options is 1; any other free dimension without one is an error.
 * Nodes whose shapes depend on data (NonMaxSuppression, NonZero, a computed Reshape), and those that
 * follow from them, are planned by each run and run by reference, after all others. */
CVK_API cvk_status cvk_session_create(const cvk_model *model, cvk_device *const *devices,
                                      int n_devices, const cvk_session_options *options,
                                      cvk_session **session);

/* Describe input or output `index`. An output whose shape depends on data has dimensions of -1, or
 * rank -1, until a run has told; afterwards its shape in the last run. */
CVK_API cvk_status cvk_session_input(const cvk_session *session, int index, cvk_tensor *tensor);
CVK_API cvk_status cvk_session_output(const cvk_session *session, int index, cvk_tensor *tensor);

/* Runs once and waits. inputs: all of them, by name or by position, dtype and shape as planned.
 * outputs: any subset by name, or the first n by position; data must hold the whole output. An
 * output whose shape depends on data is better left out and read with cvk_session_read.
 * A CPU works on the tensors where they lie. So does an OpenCL device that shares memory with the
 * host (cvk_device_info: unified_memory) where `data` is a multiple of its buffer_alignment, and the
 * size of 64 bytes unless it is a CPU, with tensors of 64 KiB or more. The driver learns of a tensor's memory when it is first passed,
 * so that runs with the same tensors are the fastest. Elsewhere, with keep_values, and for tensors
 * that overlap, inputs are copied to the device in the order of its queue, and outputs from it, each
 * once. Either way the caller may change, read or free the data once the run has come to its end;
 * outputs of a run that failed may be half written.
 * CVK_BAD_INPUT if an f32 input holds a NaN (see allow_nan). */
CVK_API cvk_status cvk_session_run(cvk_session *session, const cvk_tensor *inputs, int n_inputs,
                                   const cvk_tensor *outputs, int n_outputs);

/* Starts a run on a thread of the session's own and returns; the tensors' data must stay valid until
 * cvk_session_wait has returned. One run at a time. */
CVK_API cvk_status cvk_session_run_async(cvk_session *session, const cvk_tensor *inputs,
                                         int n_inputs, const cvk_tensor *outputs, int n_outputs);

/* Waits for the run in flight and returns its status; CVK_OK at once if none is. */
CVK_API cvk_status cvk_session_wait(cvk_session *session);

/* After a run of a session with keep_values: copies value `name`, in ONNX's plain layout, to
 * tensor->data, which must hold it. With data NULL only describes it. Values whose shapes depend on
 * data, outputs among them, can be read without keep_values. CVK_BAD_ARGUMENT if the plan
 * does not materialise that value (it was fused away or folded), or if the last run failed. */
CVK_API cvk_status cvk_session_read(cvk_session *session, const char *name, cvk_tensor *tensor);

/* Opens what a run of `model` is predicted to be the fastest on: the CPU, or another device, with the
 * CPU behind it, if capacity is 2 or more, for what is faster there or has no kernel on that device.
 * Writes the devices in order of preference, as cvk_session_create takes them, and to *count how
 * many: 1 or 2. They are the caller's to close.
 * session_options (shapes above all): as for the session to come; it and options may be NULL.
 * Predictions go by measured rates where there are any (cvk_device_measure), else by what devices say
 * of themselves; tuned kernels take what was measured. A CPU's OpenCL driver runs on the cores that
 * "cpu" has, so that it is asked only once it was measured, and must be a fifth faster. Only what is
 * taken is opened; OpenCL is not loaded at all for networks that take the CPU less than what copies
 * and launches take anywhere else. A device that cannot be opened is left out, with a warning in the
 * log. cvk_session_info (choice) and cvk_session_describe tell why, in sessions on these devices.
 * CVK_SHAPE, CVK_UNSUPPORTED...: as cvk_session_create, if the model cannot be planned; where there
 * is no choice nothing is planned. */
CVK_API cvk_status cvk_device_open_for(const cvk_model *model,
                                       const cvk_session_options *session_options,
                                       const cvk_device_options *options, cvk_device **devices,
                                       int capacity, int *count);

typedef struct cvk_session_info {
    int steps;                /* steps of the plan, late_nodes included */
    int nodes;                /* nodes of the model */
    int fused;                /* nodes that became part of another step */
    size_t activation_bytes;  /* planned for all activations, inputs and outputs excluded */
    size_t lower_bound_bytes; /* largest sum of activations alive at one step */
    size_t workspace_bytes;   /* scratch of the hungriest step */
    size_t weight_bytes;      /* weights as packed for the kernels, resident */
    double build_ms;          /* time to plan, pack and build programs */
    double predicted_ms;      /* of a run: its steps together */
    bool calibrated; /* every device had been measured by then (cvk_device_measure); if not, the
                        predictions go by what it says of itself: a rough guess */
    int workers; /* the most that a run on the CPU has: fewer than the device's where the network is
                       so small that waking more takes longer than they save; 0: nothing is on a CPU */
    int late_nodes; /* nodes that wait for shapes which depend on data: the last steps, device
                       "host", kernel "late" */
    int batch_runs; /* that one run of the session is made of; more than 1: its batch is in parts, and
                       steps and bytes are those of the plans of all parts */
    const char *batch; /* which device has how many pictures of the batch, and why; "" if it is in one
                          part */
    const char *choice; /* why cvk_device_open_for took these devices, with what it predicted for each;
                           "" if the caller said which */
    const char *continued; /* the failure after which the session went on on options.continue_on, as
                              a sentence; "" if it did not */
} cvk_session_info;

CVK_API cvk_status cvk_session_get_info(const cvk_session *session, cvk_session_info *info);

/* What one worker of the CPU, or a device's queue, did in a step, of the last profiled run. */
typedef struct cvk_slice {
    double begin_ms; /* from the begin of the run */
    double ms;
} cvk_slice;

typedef struct cvk_step_info {
    const char *op;      /* operator of the step's main node */
    const char *nodes;   /* names of the model's nodes in it, comma separated, in order */
    const char *device;  /* "cpu", "opencl:0", ... or "host" for a reference or a copy */
    const char *kernel;  /* kernel row */
    const char *fused;   /* what follows in the same kernel: "Relu, MaxPool 3x3/2"; "" if nothing */
    const char *refused; /* "row: why; row: why" for rows asked first; "" if none */
    const char *note; /* why a fusion or a concat by offset was declined, why a pool changed places
                            with a convolution, what became of weights that were to be float16; "" if
                            nothing */
    const char *output;      /* name of its first output value */
    const char *shape;       /* its shape and layout: "1x64x55x55 nchw16c" */
    size_t offset, bytes;    /* of its first output in the activation buffer */
    uint64_t macs;           /* multiply-adds */
    double predicted_ms;     /* before any run; what waits for data: 0 */
    double ms;               /* of the last run, with options.profile; else 0 */
    const char *inputs;      /* where its data comes from: outputs of other steps and inputs of the
                               model, by name, comma separated */
    const char *executor;    /* the device whose workers or queue run it, which is a CPU's for the
                               references beside it; "host": the thread that runs the session */
    const cvk_slice *slices; /* by worker of the executor, with options.profile; valid as long as
                               the session. Workers also wait for each other: ms is longer. 0 ms for
                               a worker that other runs had meanwhile */
    int n_slices;            /* 1 for a queue and for the host; 0 without options.profile */
    cvk_dtype weights;       /* type that the constant weights of a Gemm or MatMul are kept in;
                                CVK_NONE for other steps */
    double weights_rel_l2;   /* |kept - the model's| / |the model's|, L2 norms; 0: not rounded */
} cvk_step_info;

CVK_API cvk_status cvk_session_step(const cvk_session *session, int index, cvk_step_info *info);

/* The plan as a table of text. */
CVK_API const char *cvk_session_describe(const cvk_session *session);

CVK_API void cvk_session_free(cvk_session **session);

/* ------------------------------------------------------------------------------------------------
 * Ring 6: tuning, the self-test, and what is kept between runs
 *
 * The store is one file in the user's cache folder (CONVOKE_CACHE_DIR, else XDG_CACHE_HOME or
 * ~/.cache, folder "convoke"), shared by all processes: kernel rows that were measured or denied,
 * what devices can do, and built OpenCL programs. It is never needed: sessions do without what is
 * missing, damaged or of another version, with a warning in the log where something was wrong.
 * tune.h has what fills it, cache.h looks into it.
 */

#ifdef __cplusplus
}
#endif

#include <convoke/cache.h>
#include <convoke/tune.h>

#endif
