/* SPDX-License-Identifier: Apache-2.0
 *
 * What a network is fed with: tensors from files, a picture, or numbers that look random.
 */
#ifndef CVK_CLI_INPUTS_H
#define CVK_CLI_INPUTS_H

#include "cli/preprocess.h"
#include "cli/setup.h"

/* The tensors of --input NAME=FILE; names belong to the model. */
typedef struct given_inputs {
    cvk_tensor *items;
    int count;
} given_inputs;
int inputs_load(const cvk_model *model, const text_list *files, given_inputs *given);
void inputs_free(given_inputs *given);

/* Adds the shapes of the given tensors, where --shape says nothing. */
void inputs_shapes(const given_inputs *given, shape_set *shapes);

/* The first input that is not given: the one for pictures. *index: its position. With `img` its
 * free dimensions get values, and `shapes` an entry. */
int inputs_picture(const shared_options *shared, const cvk_model *model, const given_inputs *given,
                   const image *img, shape_set *shapes, int *index);

/* Copies the given tensors into a session's inputs of the same names; their shapes must agree. */
int inputs_fill(const given_inputs *given, tensor_set *inputs);

/* Fails unless every input but `picture` (-1: none) is given. */
int inputs_complete(const given_inputs *given, const tensor_set *inputs, int picture);

/* Puts `img` into every slot of the batch. */
int inputs_put_picture(const shared_options *shared, const image *img, cvk_tensor *input);

#endif
