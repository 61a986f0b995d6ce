/* SPDX-License-Identifier: Apache-2.0
 *
 * Copying source rows into scratch: conv_band.h.
 */
#include "kernels/cpu/conv_band.h"

#include <string.h>

#include "kernels/cpu/act.h"
#include "kernels/cpu/half.h"

static int clamp(int a, int low, int high)
{
    return a < low ? low : a > high ? high : a;
}

/* The first i >= 0 with i * stride + at >= bound. */
static int first_from(int at, int stride, int bound)
{
    return at >= bound ? 0 : (bound - at + stride - 1) / stride;
}

/* The i of n pixels at + i stride that lie within [0, width): [*begin, *end). */
static void within(int at, int stride, int width, int n, int *begin, int *end)
{
    *begin = clamp(first_from(at, stride, 0), 0, n);
    *end = clamp(first_from(at, stride, width), *begin, n);
}

static int slot_phase(const conv_axis *axis, int slot)
{
    return slot * axis->dilation % axis->stride;
}

/* n elements that lie together. */
CVK_INLINE void copy_run(float *dst, const void *src, ptrdiff_t at, ptrdiff_t n, const bool half)
{
    ptrdiff_t i = 0;
    if (!half) {
        memcpy(dst, (const float *)src + at, (size_t)n * sizeof *dst);
        return;
    }
    for (; i + CVK_VLEN <= n; i += CVK_VLEN) vec_store(dst + i, row_load(src, at + i, true));
    for (; i < n; i++) dst[i] = row_get(src, at + i, true);
}

/* The prologue over n pixels of block `block`, in place. */
CVK_INLINE void map_pixels(const conv_map *map, cvk_act_kind kind, int block, int channels,
                           float *dst, int n)
{
    for (int v = 0; v < CVK_BLOCK && block * CVK_BLOCK + v < channels; v += CVK_VLEN) {
        int first = block * CVK_BLOCK + v,
            lanes = channels - first < CVK_VLEN ? channels - first : CVK_VLEN;
        const vec scale = vec_load_n(map->scale + first, lanes),
                  shift = map->shift ? vec_load_n(map->shift + first, lanes) : vec_zero();
        for (int i = 0; i < n; i++) {
            float *pixel = dst + (ptrdiff_t)i * CVK_BLOCK + v;
            vec_store(pixel, vec_act(kind, map->act, vec_fma(vec_load(pixel), scale, shift)));
        }
    }
}

/* n pixels: dst[i] = line[at + i stride], 0 outside [0, width). unit is a literal. */
CVK_INLINE void copy_slot(const void *line, int at, int stride, int width, int n, float *dst,
                          const int unit, const bool half)
{
    int begin, end;
    within(at, stride, width, n, &begin, &end);
    memset(dst, 0, (size_t)begin * (size_t)unit * sizeof *dst);
    memset(dst + (ptrdiff_t)end * unit, 0, (size_t)(n - end) * (size_t)unit * sizeof *dst);
    ptrdiff_t src = (at + (ptrdiff_t)begin * stride) * unit;
    if (stride == 1) {
        if (end > begin)
            copy_run(dst + (ptrdiff_t)begin * unit, line, src, (ptrdiff_t)(end - begin) * unit,
                     half);
        return;
    }
    int i = begin;
    if (unit == 1 && !half && stride == 2) {
        const ptrdiff_t whole = 2 * CVK_VLEN;
        for (; i + CVK_VLEN <= end && src + whole <= width; i += CVK_VLEN, src += whole)
            vec_store(dst + i, vec_load_even((const float *)line + src));
    }
    for (; i < end; i++, src += (ptrdiff_t)stride * unit) {
        if (unit == 1)
            dst[i] = row_get(line, src, half);
        else
            for (int v = 0; v < unit; v += CVK_VLEN)
                vec_store(dst + (ptrdiff_t)i * unit + v, row_load(line, src + v, half));
    }
}

/* The pixels of a column slot that lie within the picture get the prologue. */
static void map_slot(const conv_plan *plan, const conv_map *map, int block, int at, float *dst)
{
    int begin, end;
    within(at, plan->x.stride, plan->g.iw, plan->pitch, &begin, &end);
    float *first = dst + (ptrdiff_t)begin * CVK_BLOCK;
    if (map->act->kind == CVK_ACT_RELU)
        map_pixels(map, CVK_ACT_RELU, block, plan->icg, first, end - begin);
    else
        map_pixels(map, map->act->kind, block, plan->icg, first, end - begin);
}

/* One source line (NULL: padding) into all column slots; `column` is its first output's. */
CVK_INLINE void copy_line(const conv_plan *plan, const void *line, int column, const conv_map *map,
                          int block, float *dst, const bool half)
{
    const conv_axis *x = &plan->x;
    for (int slot = 0; slot < x->slots; slot++, dst += (ptrdiff_t)plan->pitch * plan->unit) {
        int at = column * x->stride + slot_phase(x, slot) - x->origin;
        if (!line)
            memset(dst, 0, (size_t)plan->pitch * (size_t)plan->unit * sizeof *dst);
        else if (plan->unit == 1)
            copy_slot(line, at, x->stride, plan->g.iw, plan->pitch, dst, 1, half);
        else
            copy_slot(line, at, x->stride, plan->g.iw, plan->pitch, dst, CVK_BLOCK, half);
        if (map && line) map_slot(plan, map, block, at, dst);
    }
}

void CVK_FN(cvk_conv_band_copy)(const conv_plan *plan, const void *src, int row, int rows,
                                const conv_map *map, float *band)
{
    const cvk_geom *g = &plan->g;
    ptrdiff_t plane = (ptrdiff_t)g->ih * g->iw * plan->unit, line = (ptrdiff_t)g->iw * plan->unit;
    for (int b = 0; b < plan->blocks; b++) {
        for (int slot = 0; slot < plan->y.slots; slot++) {
            float *dst = band + b * plan->block_step + slot * plan->slot_step;
            for (int i = 0; i < rows + plan->y.extra; i++) {
                int y = plan->line ? 0
                                   : (row + i) * plan->y.stride + slot_phase(&plan->y, slot) -
                                         plan->y.origin;
                int column = plan->line ? (row + i) * plan->cols : 0;
                const void *from = NULL;
                if (y >= 0 && y < g->ih) from = row_at(src, b * plane + y * line, plan->half);
                if (plan->half)
                    copy_line(plan, from, column, NULL, b, dst + i * plan->row_step, true);
                else
                    copy_line(plan, from, column, map, b, dst + i * plan->row_step, false);
            }
        }
    }
}
