/* SPDX-License-Identifier: Apache-2.0
 *
 * A file that appears whole or not at all: written beside its target, then renamed.
 */
#ifndef CVK_ONNX_OUTFILE_H
#define CVK_ONNX_OUTFILE_H

#include <stdio.h>

#include "base/status.h"

typedef struct cvk_outfile {
    FILE *file;
    const char *path; /* the caller's */
    char *temporary;
} cvk_outfile;

cvk_status cvk_outfile_open(const char *path, cvk_outfile *out);

/* Closes; with status CVK_OK puts the file in its place, else drops it and returns `status`. */
cvk_status cvk_outfile_close(cvk_outfile *out, cvk_status status);

#endif
