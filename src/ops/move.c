/* SPDX-License-Identifier: Apache-2.0
 *
 * Moving elements: strided copies by element size; lists of axes.
 */
#include "ops/move.h"

#include <string.h>

enum { TILE = 16 };

/* A dimension of a walk: the distance of neighbours along it, in elements of src and of dst. */
typedef struct line {
    int64_t length, from, to;
} line;

/* The walk's dimensions, innermost first, without those of length 1; those that lie together in src
 * become one. Returns how many. */
static int collect(const cvk_copy_params *walk, line *lines)
{
    int n = 0;
    int64_t below = 1;
    for (int d = walk->n - 1; d >= 0; d--) {
        line *last = n ? &lines[n - 1] : NULL;
        if (last && last->from * last->length == walk->strides[d])
            last->length *= walk->dims[d];
        else if (walk->dims[d] != 1)
            lines[n++] = (line){walk->dims[d], walk->strides[d], below};
        below *= walk->dims[d];
    }
    return n;
}

/* Removes lines[at] and returns it. */
static line take(line *lines, int *n, int at)
{
    line taken = lines[at];
    (*n)--;
    memmove(&lines[at], &lines[at + 1], (size_t)(*n - at) * sizeof *lines);
    return taken;
}

/* `count` elements along `inner` for each of `rows` positions along `cross`. The size is a literal
 * at every call. */
static inline __attribute__((always_inline)) void
tile(char *dst, const char *src, line inner, int64_t count, line cross, int64_t rows, int64_t size)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < count; c++)
            memcpy(dst + (r * cross.to + c) * size, src + (r * cross.from + c * inner.from) * size,
                   (size_t)size);
}

/* In tiles, so that of what a transposition fetches into the cache nothing is fetched twice. */
static void move_sheet(char *dst, const char *src, line inner, line cross, int64_t size)
{
    int64_t width = cross.length > 1 ? TILE : inner.length;
    for (int64_t r = 0; r < cross.length; r += TILE) {
        int64_t rows = cross.length - r < TILE ? cross.length - r : TILE;
        for (int64_t c = 0; c < inner.length; c += width) {
            int64_t count = inner.length - c < width ? inner.length - c : width;
            char *to = dst + (r * cross.to + c) * size;
            const char *from = src + (r * cross.from + c * inner.from) * size;
            switch (size) {
            case 1: tile(to, from, inner, count, cross, rows, 1); break;
            case 2: tile(to, from, inner, count, cross, rows, 2); break;
            case 4: tile(to, from, inner, count, cross, rows, 4); break;
            default: tile(to, from, inner, count, cross, rows, 8); break;
            }
        }
    }
}

void cvk_move_strided(const cvk_copy_params *walk, const cvk_view *src, cvk_view *dst)
{
    int64_t size = (int64_t)cvk_dtype_bytes(src->dtype), index[CVK_MAX_RANK] = {0};
    line lines[CVK_MAX_RANK], inner = {1, 1, 1}, cross = {1, 0, 0};
    int n = collect(walk, lines);
    for (int d = 0; d < walk->n; d++)
        if (walk->dims[d] == 0) return;
    if (n) inner = take(lines, &n, 0);
    for (int d = 0; d < n && inner.from != 1 && cross.length == 1; d++)
        if (lines[d].from == 1) cross = take(lines, &n, d);
    char *to = dst->data;
    const char *from = (const char *)src->data + walk->offset * size;
    int carry;
    do {
        if (inner.from == 1)
            memcpy(to, from, (size_t)(inner.length * size));
        else
            move_sheet(to, from, inner, cross, size);
        for (carry = 0; carry < n; carry++) {
            const line *l = &lines[carry];
            bool wraps = ++index[carry] == l->length;
            to += (wraps ? 1 - l->length : 1) * l->to * size;
            from += (wraps ? 1 - l->length : 1) * l->from * size;
            if (!wraps) break;
            index[carry] = 0;
        }
    } while (carry < n);
}

void cvk_move_all(const cvk_view *src, cvk_view *dst)
{
    size_t bytes = cvk_view_bytes(src);
    if (bytes && dst->data != src->data) memcpy(dst->data, src->data, bytes);
}

void cvk_move_one(const cvk_view *src, int64_t i, cvk_view *dst, int64_t k)
{
    size_t size = cvk_dtype_bytes(src->dtype);
    memcpy((char *)dst->data + (size_t)k * size, (const char *)src->data + (size_t)i * size, size);
}

bool cvk_walk_tiled(const cvk_shape *in, const cvk_shape *out, cvk_copy_params *walk)
{
    int64_t strides[CVK_MAX_RANK];
    cvk_shape_strides(in, strides);
    *walk = (cvk_copy_params){.n = 0};
    for (int d = 0; d < in->rank; d++) {
        bool repeated = out->dims[d] != in->dims[d], several = in->dims[d] > 1 || !repeated;
        if (walk->n + repeated + several > CVK_MAX_RANK) return false;
        if (repeated) walk->dims[walk->n++] = in->dims[d] ? out->dims[d] / in->dims[d] : 0;
        if (!several) continue;
        walk->dims[walk->n] = in->dims[d];
        walk->strides[walk->n++] = strides[d];
    }
    return true;
}

cvk_status cvk_reference_alias(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                               int n_out)
{
    (void)params, (void)n_in, (void)n_out;
    cvk_move_all(&in[0], &out[0]);
    return CVK_OK;
}

cvk_status cvk_axes_normalise(int n, int64_t *axes, int rank)
{
    bool taken[CVK_MAX_RANK] = {false};
    for (int i = 0; i < n; i++) {
        int axis;
        if (!cvk_axis_normalise(axes[i], rank, &axis))
            return cvk_fail(CVK_BAD_MODEL, "axis %lld is outside a tensor of rank %d",
                            (long long)axes[i], rank);
        if (taken[axis])
            return cvk_fail(CVK_BAD_MODEL, "axis %lld comes twice in axes", (long long)axes[i]);
        taken[axis] = true;
    }
    for (int axis = 0, at = 0; axis < rank; axis++)
        if (taken[axis]) axes[at++] = axis;
    return CVK_OK;
}

bool cvk_input_constant(const cvk_view *in, int n_in, int i)
{
    const cvk_view *view = cvk_input(in, n_in, i);
    return view && view->data && cvk_shaped(view);
}

cvk_status cvk_input_number(const cvk_view *view, const char *what, int64_t *number)
{
    char text[CVK_SHAPE_TEXT];
    int count;
    if (cvk_view_count(view) != 1)
        return cvk_fail(CVK_SHAPE, "%s has shape %s, one element is expected", what,
                        cvk_shape_text(&view->shape, text));
    return cvk_const_ints(view, what, 1, number, &count);
}

int64_t cvk_input_length(const cvk_view *view)
{
    if (!cvk_ranked(view)) return -1;
    return view->shape.rank == 0 ? 1 : view->shape.dims[0];
}

cvk_status cvk_input_axes(const cvk_view *in, int n_in, int i, cvk_axes_params *params, bool *known)
{
    const cvk_view *view = cvk_input(in, n_in, i);
    *known = !view || cvk_input_constant(in, n_in, i);
    if (!view || !*known) return CVK_OK;
    return cvk_const_ints(view, "axes", CVK_MAX_RANK, params->axes, &params->n_axes);
}

cvk_status cvk_parse_axes(const cvk_attrs *attrs, void *params)
{
    cvk_axes_params *p = params;
    CVK_TRY(cvk_attrs_ints(attrs, "axes", CVK_MAX_RANK, p->axes, &p->n_axes));
    if (p->n_axes < 0) p->n_axes = 0;
    return CVK_OK;
}

cvk_status cvk_shape_of_rank(int64_t rank, cvk_shape *shape)
{
    if (rank > CVK_MAX_RANK)
        return cvk_fail(CVK_UNSUPPORTED, "the output has rank %lld, more than %d", (long long)rank,
                        CVK_MAX_RANK);
    *shape = (cvk_shape){.rank = rank < 0 ? -1 : (int)rank};
    for (int i = 0; i < shape->rank; i++) shape->dims[i] = -1;
    return CVK_OK;
}
