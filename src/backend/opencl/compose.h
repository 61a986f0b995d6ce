/* SPDX-License-Identifier: Apache-2.0
 *
 * One program text of several kernel files, each with defines of its own (compose.c).
 */
#ifndef CVK_BACKEND_OPENCL_COMPOSE_H
#define CVK_BACKEND_OPENCL_COMPOSE_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes and a zero behind them. */
typedef struct cvk_cl_text {
    char *data; /* of malloc */
    size_t bytes, room;
    bool failed; /* out of memory */
} cvk_cl_text;

/* A kernel file as one part of a program. */
typedef struct cvk_cl_section {
    const char *text, *defines; /* ends with a zero; "-DKW=3 -DKH=3" */
    const char *const *kernels; /* those that are asked for */
    int n_kernels, posts;       /* the macro POSTS of common.cl */
    int number;                 /* which section: its names end with _number */
} cvk_cl_section;

void cvk_cl_text_add(cvk_cl_text *text, const char *data, size_t bytes);

/* Appends the section: every name that the file declares outside functions gets the section's number
 * behind it, kernels that are not asked for are no kernels, and no macro outlives it. */
void cvk_cl_compose(cvk_cl_text *out, const cvk_cl_section *section);

#endif
