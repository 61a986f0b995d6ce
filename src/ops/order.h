/* SPDX-License-Identifier: Apache-2.0
 *
 * Order among elements, for operators that sort: exact comparison of any type, and a stable sort of
 * positions by a question that the operator answers.
 */
#ifndef CVK_OPS_ORDER_H
#define CVK_OPS_ORDER_H

#include "ops/common.h"

/* Element i of a against element k of b, of the same type: negative, 0 or positive. A NaN is above
 * all numbers and equal to another. */
int cvk_order(const cvk_view *a, int64_t i, const cvk_view *b, int64_t k);

/* Sorts positions[0 .. n) stably: `before` tells whether position i must stand before position k.
 */
typedef bool (*cvk_before)(const void *context, int64_t i, int64_t k);
cvk_status cvk_sort(int64_t *positions, int64_t n, cvk_before before, const void *context);

#endif
