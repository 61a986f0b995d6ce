/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the planes off a walk: from the innermost dimension on, dimensions make up one plane, then
 * the channels, then the pictures.
 */
#include "graph/planes.h"

#include <limits.h>

/* What is left of a walk's dimensions, innermost last. */
typedef struct rest {
    int n;
    int64_t dims[CVK_MAX_RANK], strides[CVK_MAX_RANK];
} rest;

/* Takes the innermost `count` elements off, or of them as many as the last dimension has: *taken
 * with their stride. False if the walk's dimensions do not end there. */
static bool take(rest *r, int64_t count, int64_t *taken, int64_t *stride)
{
    if (r->n == 0) return false;
    int64_t *length = &r->dims[r->n - 1];
    *stride = r->strides[r->n - 1];
    *taken = *length <= count ? *length : count;
    if (count % *taken || *length % *taken) return false;
    if (*length == *taken) {
        r->n--;
    } else {
        *length /= *taken;
        r->strides[r->n - 1] *= *taken;
    }
    return true;
}

/* A run of so many elements, `step` apart. */
static bool take_run(rest *r, int64_t count, int64_t step)
{
    for (int64_t done = 1, taken, stride; done < count; done *= taken)
        if (!take(r, count / done, &taken, &stride) || stride != done * step) return false;
    return true;
}

/* The channels' digits, the fastest first; *low and *high: the channels reached. */
static bool take_channels(rest *r, int64_t channels, int64_t pixels, cvk_planes *planes,
                          int64_t *low, int64_t *high)
{
    *low = *high = planes->base;
    for (int64_t done = 1, taken, stride; done < channels; done *= taken) {
        if (!take(r, channels / done, &taken, &stride) || stride % pixels) return false;
        const int64_t reach = (taken - 1) * (stride / pixels);
        if (taken > INT_MAX || reach > INT_MAX || reach < -INT_MAX) return false;
        planes->length[planes->n] = (int)taken;
        planes->stride[planes->n++] = (int)(stride / pixels);
        *(reach < 0 ? low : high) += reach;
    }
    return true;
}

/* The slowest digit first. */
static void turn(cvk_planes *planes)
{
    for (int i = 0, k = planes->n - 1; i < k; i++, k--) {
        const int length = planes->length[i], stride = planes->stride[i];
        planes->length[i] = planes->length[k];
        planes->stride[i] = planes->stride[k];
        planes->length[k] = length;
        planes->stride[k] = stride;
    }
}

static rest begin(const cvk_copy_params *copy)
{
    rest r = {0};
    for (int d = 0; d < copy->n; d++) {
        if (copy->dims[d] == 1) continue;
        r.dims[r.n] = copy->dims[d];
        r.strides[r.n++] = copy->strides[d];
    }
    return r;
}

bool cvk_planes_make(const cvk_copy_params *copy, const cvk_shape *in, const cvk_shape *out,
                     cvk_planes *planes)
{
    *planes = (cvk_planes){0};
    if (in->rank < 2 || out->rank < 2 || in->dims[0] != out->dims[0]) return false;
    const int64_t pixels = cvk_shape_span(in, 2, in->rank), channels = in->dims[1];
    if (pixels < 1 || cvk_shape_span(out, 2, out->rank) != pixels || copy->offset < 0 ||
        copy->offset % pixels || copy->offset / pixels >= channels || channels > INT_MAX ||
        out->dims[1] > INT_MAX)
        return false;
    rest r = begin(copy);
    int64_t low, high;
    planes->base = (int)(copy->offset / pixels);
    if (!take_run(&r, pixels, 1) || !take_channels(&r, out->dims[1], pixels, planes, &low, &high) ||
        !take_run(&r, in->dims[0], channels * pixels))
        return false;
    turn(planes);
    return r.n == 0 && low >= 0 && high < channels;
}

bool cvk_planes_turned(const cvk_copy_params *copy, const cvk_shape *in)
{
    if (in->rank < 2 || copy->offset) return false;
    const int64_t pixels = cvk_shape_span(in, 2, in->rank), channels = in->dims[1];
    rest r = begin(copy);
    return take_run(&r, channels, pixels) && take_run(&r, pixels, 1) &&
           take_run(&r, in->dims[0], channels * pixels) && r.n == 0;
}

int cvk_planes_source(const cvk_planes *planes, int c)
{
    int from = planes->base;
    for (int d = planes->n - 1; d >= 0; d--) {
        from += c % planes->length[d] * planes->stride[d];
        c /= planes->length[d];
    }
    return from;
}
