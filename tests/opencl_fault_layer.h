/* SPDX-License-Identifier: Apache-2.0
 *
 * An OpenCL layer for tests, between the ICD loader and the driver: it counts calls and objects, and
 * makes the n-th call of a kind fail. The loader loads it through OPENCL_LAYERS=<path>; a test finds
 * its state as the symbol cvk_fault_layer. From outside, FAULT_LAYER has words with blanks between:
 *   EnqueueNDRangeKernel=3   the third of these calls fails; any=3: the third call of all
 *   lost                     and so does every call behind it, of whatever kind
 *   gpu                      every device says that it is a GPU
 */
#ifndef CVK_TESTS_OPENCL_FAULT_LAYER_H
#define CVK_TESTS_OPENCL_FAULT_LAYER_H

#include <stdatomic.h>
#include <stdbool.h>

/* The functions that the library calls. */
typedef enum fault_kind {
#define X(name) FAULT_##name,
#include "backend/opencl/functions.def"
#undef X
    FAULT_KINDS,
    FAULT_ANY = FAULT_KINDS
} fault_kind;

typedef enum fault_object {
    FAULT_CONTEXT,
    FAULT_QUEUE,
    FAULT_MEM,
    FAULT_PROGRAM,
    FAULT_KERNEL,
    FAULT_EVENT,
    FAULT_OBJECTS
} fault_object;

typedef struct fault_layer {
    /* What is to fail. */
    int kind; /* of fault_kind, or FAULT_ANY */
    long at;  /* which of its calls, from 1; 0: none */
    bool lost, gpu;
    atomic_bool off; /* the test's own calls: neither counted nor failing */
    /* What was seen. */
    atomic_long calls[FAULT_KINDS], all, failed;
    atomic_bool gone;                 /* lost, and the call has come */
    atomic_long alive[FAULT_OBJECTS]; /* created and retained, less released */
} fault_layer;

#endif
