/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a GridSample takes an output element from: elements of a channel with their weights. The one
 * place for these formulas: the reference and the CPU's kernel use it. Source: ONNX operators,
 * GridSample.
 */
#ifndef CVK_GRAPH_GRID_H
#define CVK_GRAPH_GRID_H

#include "graph/params.h"

enum { CVK_GRID_MOST = 64 }; /* cubic, three dimensions */

typedef struct cvk_grid_taps {
    int count;
    int64_t at[CVK_GRID_MOST]; /* in the channel */
    double weight[CVK_GRID_MOST];
} cvk_grid_taps;

/* place: the grid's entry, of the last dimension first, each -1 to 1 inside; dims: the input's
 * spatial dimensions. */
void cvk_grid_taps_of(const cvk_grid_params *params, int spatial, const int64_t *dims,
                      const double *place, cvk_grid_taps *taps);

#endif
