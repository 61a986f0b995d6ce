/* SPDX-License-Identifier: Apache-2.0
 *
 * Elements of tensors of any type as double, and numbers that look random but are the same
 * everywhere.
 */
#ifndef CVK_CLI_NUMBERS_H
#define CVK_CLI_NUMBERS_H

#include <convoke/convoke.h>

double number_get(const cvk_tensor *tensor, size_t index);
/* Rounds and clamps to the tensor's type. */
void number_set(cvk_tensor *tensor, size_t index, double value);
bool is_float(cvk_dtype dtype);

/* Fills floats with values in [0, 1), bytes with 0..255, every other type with zeros. */
void fill_random(cvk_tensor *tensor, uint64_t seed);

/* How far two tensors of one shape are apart: largest |a - b|, largest |a - b| / |b| where b
 * is not 0, and the relative L2 norm |a - b| / |b|. Equal infinities and two NaN are no difference;
 * a NaN against a number is infinitely far. */
typedef struct distance {
    double max_abs, max_rel, rel_l2;
    size_t outside; /* elements with |a - b| > atol + rtol |b| */
    size_t worst;   /* index of the largest |a - b| */
} distance;
distance tensor_distance(const cvk_tensor *a, const cvk_tensor *b, double rtol, double atol);

#endif
