/* SPDX-License-Identifier: Apache-2.0
 *
 * What plans of one model for different shapes share: constants that passes compute from its
 * weights, and the knowledge of which memory stays as it is, so that weights are hashed once. As long
 * as a plan that was made with it.
 */
#ifndef CVK_SCHEDULE_REUSE_H
#define CVK_SCHEDULE_REUSE_H

#include "base/known.h"
#include "graph/graph.h"

typedef struct cvk_reuse {
    cvk_arena *arena; /* of the constants */
    cvk_known *known; /* sources: the model's and these */
    struct cvk_made *made;
} cvk_reuse;

/* The model must stay. NULL: no memory. */
cvk_reuse *cvk_reuse_create(const cvk_graph *model);
void cvk_reuse_free(cvk_reuse **reuse);

/* Whether `source`, of so many bytes, stays as it is. */
bool cvk_reuse_knows(const cvk_reuse *reuse, const void *source, size_t bytes);

/* What was made of `source` under `key`, a hash of everything else that it depends on; NULL: nothing
 * yet. */
void *cvk_reuse_find(const cvk_reuse *reuse, const void *source, const uint64_t key[2]);
/* Room for it, of so many bytes, known from now on; NULL: no memory. */
void *cvk_reuse_make(cvk_reuse *reuse, const void *source, const uint64_t key[2], size_t bytes);

#endif
