/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparison of elements and a merge sort of positions.
 */
#include "ops/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int cvk_order(const cvk_view *a, int64_t i, const cvk_view *b, int64_t k)
{
    if (cvk_dtype_is_float(a->dtype)) {
        double x = cvk_view_get(a, i), y = cvk_view_get(b, k);
        if (isnan(x) || isnan(y)) return (isnan(x) != 0) - (isnan(y) != 0);
        return (x > y) - (x < y);
    }
    int64_t x = cvk_view_get_int(a, i), y = cvk_view_get_int(b, k);
    if (a->dtype == CVK_U64) return ((uint64_t)x > (uint64_t)y) - ((uint64_t)x < (uint64_t)y);
    return (x > y) - (x < y);
}

/* Merges the sorted runs [begin, middle) and [middle, end) of src into dst. */
static void merge(const int64_t *src, int64_t *dst, int64_t begin, int64_t middle, int64_t end,
                  cvk_before before, const void *context)
{
    int64_t left = begin, right = middle;
    for (int64_t at = begin; at < end; at++) {
        bool take_right = left == middle || (right < end && before(context, src[right], src[left]));
        dst[at] = src[take_right ? right++ : left++];
    }
}

cvk_status cvk_sort(int64_t *positions, int64_t n, cvk_before before, const void *context)
{
    if (n < 2) return CVK_OK;
    int64_t *spare = malloc((size_t)n * sizeof *spare), *src = positions, *dst = spare;
    if (!spare) return cvk_fail(CVK_NO_MEMORY, "out of memory: %lld positions", (long long)n);
    for (int64_t width = 1; width < n; width *= 2) {
        for (int64_t begin = 0; begin < n; begin += 2 * width) {
            int64_t middle = begin + width < n ? begin + width : n;
            int64_t end = middle + width < n ? middle + width : n;
            merge(src, dst, begin, middle, end, before, context);
        }
        int64_t *swap = src;
        src = dst;
        dst = swap;
    }
    if (src != positions) memcpy(positions, src, (size_t)n * sizeof *positions);
    free(spare);
    return CVK_OK;
}
