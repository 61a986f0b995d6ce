/* SPDX-License-Identifier: Apache-2.0
 *
 * What a model means: every node by its operator's reference, one after the other, values in
 * between rounded to their own type.
 */
#ifndef CVK_TESTS_MODEL_REFERENCE_H
#define CVK_TESTS_MODEL_REFERENCE_H

#include "tests/model_text.h"

/* in: all inputs by position, in their shapes; out: described, with data (malloc, the caller's). */
void model_reference(const cvk_model *model, const cvk_tensor *in, int n_in, cvk_tensor *out,
                     int n_out);

/* The largest distance of an output of the run from what the model means. */
double distance_to_reference(const cvk_model *model, const test_run *run);
/* Fails if that is above 1e-5. */
void expect_reference(const cvk_model *model, const test_run *run);

#endif
