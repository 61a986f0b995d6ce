/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/opencl/tiles.h"

#include <stdio.h>

/* At most 20 accumulators: with more, compilers begin to keep some of them in memory. */
static const cvk_cl_tile_cost of_512[] = {{{4, 4}, 100},  {{8, 2}, 101}, {{7, 2}, 103},
                                          {{14, 1}, 104}, {{5, 4}, 106}, {{2, 4}, 140},
                                          {{1, 4}, 210},  {{0, 0}, 0}};
/* Six accumulators fill twelve of 16 registers, their weights two, a pixel one. */
static const cvk_cl_tile_cost of_256[] = {{{6, 1}, 100}, {{5, 1}, 102}, {{4, 1}, 106},
                                          {{2, 2}, 108}, {{3, 1}, 120}, {{2, 1}, 150},
                                          {{1, 1}, 250}, {{0, 0}, 0}};
static const cvk_cl_tile_cost of_128[] = {{{2, 1}, 100}, {{3, 1}, 110}, {{1, 1}, 140}, {{0, 0}, 0}};
/* Four pixels: 64 sums of an item, 16 weights, and what addresses want. */
static const cvk_cl_tile_cost of_items[] = {
    {{4, 1}, 100}, {{3, 1}, 108}, {{2, 1}, 125}, {{1, 1}, 200}, {{0, 0}, 0}};

#ifdef __aarch64__
static const bool many_registers = true;
#else
static const bool many_registers = false;
#endif

bool cvk_cl_lanes_are_items(const cvk_caps *caps)
{
    return !(caps->bits & CVK_CAP_CPU) || caps->vector_floats < 2;
}

const cvk_cl_tile_cost *cvk_cl_tiles(const cvk_caps *caps)
{
    const int width = caps->vector_floats;
    if (cvk_cl_lanes_are_items(caps)) return of_items;
    if (width >= 16) return of_512;
    if (width >= 8 || (width >= 4 && many_registers)) return of_256;
    return of_128;
}

static int64_t row_cost(const cvk_cl_tile_cost *t, int columns, int blocks)
{
    const int64_t across = (columns + t->tile.px - 1) / t->tile.px * t->tile.px,
                  deep = (blocks + t->tile.ocb - 1) / t->tile.ocb * t->tile.ocb;
    return across * deep * t->cost;
}

cvk_cl_tile cvk_cl_tile_pick(const cvk_caps *caps, int columns, int blocks, int64_t *cost)
{
    cvk_cl_tile best = {1, 1};
    *cost = INT64_MAX;
    for (const cvk_cl_tile_cost *t = cvk_cl_tiles(caps); t->cost; t++) {
        const int64_t c = row_cost(t, columns, blocks);
        if (c >= *cost) continue;
        *cost = c;
        best = t->tile;
    }
    return best;
}

bool cvk_cl_tile_other(const cvk_caps *caps, int columns, int blocks, int k, cvk_cl_tile *tile)
{
    int64_t least;
    const cvk_cl_tile best = cvk_cl_tile_pick(caps, columns, blocks, &least);
    for (const cvk_cl_tile_cost *t = cvk_cl_tiles(caps); t->cost; t++) {
        if (t->tile.px == best.px && t->tile.ocb == best.ocb) continue;
        if (2 * row_cost(t, columns, blocks) > 3 * least || --k) continue;
        *tile = t->tile;
        return true;
    }
    return false;
}

const char *cvk_cl_tile_name(cvk_cl_tile tile)
{
    static _Thread_local char name[24];
    snprintf(name, sizeof name, "%dx%d", tile.px, tile.ocb);
    return name;
}
