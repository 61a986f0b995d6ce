/* SPDX-License-Identifier: Apache-2.0
 *
 * A Copy that moves whole planes (all pixels of a channel of a picture) and leaves them as they are:
 * slices and splits of channels, shuffles of groups of them; and one that puts the channels last.
 * A blocked tensor need not become plain for them.
 */
#ifndef CVK_GRAPH_PLANES_H
#define CVK_GRAPH_PLANES_H

#include "graph/graph.h"

/* Channel c of the output is channel base + sum over d of i[d] stride[d] of the input, where i are
 * the digits of c, the last varying fastest: i[d] < length[d]. The same for every picture. */
typedef struct cvk_planes {
    int n;
    int length[CVK_MAX_RANK], stride[CVK_MAX_RANK], base;
} cvk_planes;

/* False if the copy is not one of planes, or a number does not fit an int. Both shapes: (N, C, ..),
 * the same N. */
bool cvk_planes_make(const cvk_copy_params *copy, const cvk_shape *in, const cvk_shape *out,
                     cvk_planes *planes);

/* Whether a copy does nothing but put the channels behind the pixels: (N, C, ..) to (N, .., C). */
bool cvk_planes_turned(const cvk_copy_params *copy, const cvk_shape *in);

/* The input's channel that becomes channel c. */
int cvk_planes_source(const cvk_planes *planes, int c);

#endif
