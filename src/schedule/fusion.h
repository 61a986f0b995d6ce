/* SPDX-License-Identifier: Apache-2.0
 *
 * Which fusions a plan may have.
 */
#ifndef CVK_SCHEDULE_FUSION_H
#define CVK_SCHEDULE_FUSION_H

#include "base/status.h"

enum {
#define X(name, word) CVK_FUSE_##name##_NUMBER,
#include "schedule/fusions.def"
#undef X
    CVK_FUSIONS
};

enum {
#define X(name, word) CVK_FUSE_##name = 1 << CVK_FUSE_##name##_NUMBER,
#include "schedule/fusions.def"
#undef X
    CVK_FUSE_ALL = (1 << CVK_FUSIONS) - 1
};

/* A list of words with commas as a sum of CVK_FUSE_*; NULL: all of them. CVK_BAD_ARGUMENT: a word that
 * is none of theirs. */
cvk_status cvk_fusions_read(const char *list, unsigned *fusions);

#endif
