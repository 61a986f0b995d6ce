/* SPDX-License-Identifier: Apache-2.0
 *
 * DepthToSpace and SpaceToDepth share their attribute and the reordering of a tensor seen in six
 * dimensions.
 */
#ifndef CVK_OPS_DEPTH_SPACE_H
#define CVK_OPS_DEPTH_SPACE_H

#include "ops/move.h"

/* The attribute blocksize. */
cvk_status cvk_parse_block_size(const cvk_attrs *attrs, cvk_depth_space_params *params);
/* dst is src, seen as dims[6], with its dimensions in the order perm. */
void cvk_move_permuted(const int64_t dims[6], const int perm[6], const cvk_view *src,
                       cvk_view *dst);

#endif
