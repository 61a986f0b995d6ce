/* SPDX-License-Identifier: Apache-2.0
 *
 * What follows a convolution or product in the same kernel (node->posts, the pool excepted):
 * residual additions, activations, PRELU, in any order. A kernel either finds the chain simple and
 * applies it in registers, or stores raw sums and calls one of the functions below while they are
 * in cache.
 */
#ifndef CVK_KERNELS_CPU_EPILOGUE_H
#define CVK_KERNELS_CPU_EPILOGUE_H

#include <stdbool.h>
#include <stddef.h>

#include "graph/graph.h"
#include "kernels/cpu/vec.h"

typedef struct chain {
    int n;
    struct chain_item {
        cvk_post_kind kind;
        const cvk_act *act; /* ACT */
        const void *data;   /* ADD: the residual; PRELU: the slopes */
        bool half;          /* ADD: the residual is float16 */
        bool each;          /* PRELU: one slope per channel */
    } item[CVK_MAX_POSTS];
    int channels; /* of the result: how many slopes may be read */
} chain;

/* At most [ADD] [RELU or CLIP]: add res unless NULL, then clamp to [lo, hi] if clamp. */
typedef struct chain_simple {
    const float *res;
    bool clamp;
    float lo, hi;
} chain_simple;

/* Posts [begin, end) of the node; in: the step's inputs, as they are at run time. */
void CVK_FN(cvk_chain_make)(const cvk_node *node, const cvk_view *in, int begin, int end,
                            int channels, chain *c);
bool CVK_FN(cvk_chain_simplify)(const chain *c, chain_simple *simple);

/* Blocked: `cols` pixels of CVK_VLEN channels, the first of which is `channel`, `step` floats
 * apart. `at`: where residuals have pixel 0, lane 0; their pixels are res_step apart. */
void CVK_FN(cvk_chain_lanes)(const chain *c, float *dst, ptrdiff_t step, size_t at,
                             ptrdiff_t res_step, int cols, int channel);
/* Plain: `cols` pixels of one channel, `step` floats apart, in residuals too. */
void CVK_FN(cvk_chain_plane)(const chain *c, float *dst, ptrdiff_t step, size_t at, int cols,
                             int channel);
/* A matrix row: n neighbours, each a channel of its own from `channel` on. */
void CVK_FN(cvk_chain_row)(const chain *c, float *dst, size_t at, int n, int channel);

/* The third input (a bias, an addend), unless it is absent or belongs to a post. */
const cvk_view *CVK_FN(cvk_third_input)(const cvk_node *node, const cvk_view *in);

/* Whether f never falls: such an activation and a max-pool change places. */
bool CVK_FN(cvk_act_monotone)(const cvk_act *act);

#endif
