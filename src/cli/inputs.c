/* SPDX-License-Identifier: Apache-2.0
 *
 * Inputs of a session from files and pictures.
 */
#include "cli/inputs.h"

#include <stdlib.h>
#include <string.h>

/* The model's input whose name is the first `length` characters of `name`. */
static int find_input(const cvk_model *model, const char *name, size_t length, cvk_tensor *input)
{
    cvk_model_info info;
    if (cvk_model_get_info(model, &info)) return -1;
    for (int i = 0; i < info.inputs; i++) {
        if (cvk_model_input(model, i, input, NULL)) return -1;
        if (strlen(input->name) == length && strncmp(input->name, name, length) == 0) return i;
    }
    return -1;
}

static const cvk_tensor *find_given(const given_inputs *given, const char *name)
{
    for (int i = 0; i < given->count; i++)
        if (strcmp(given->items[i].name, name) == 0) return &given->items[i];
    return NULL;
}

static int load_one(const cvk_model *model, const char *text, given_inputs *given)
{
    const char *equals = strchr(text, '=');
    cvk_tensor input;
    if (!equals || !equals[1]) return fail(WRONG_USE, "--input '%s': expected NAME=FILE", text);
    if (find_input(model, text, (size_t)(equals - text), &input) < 0)
        return fail(WRONG_USE,
                    "--input '%s': the model has no such input; `convoke info` lists them", text);
    if (find_given(given, input.name))
        return fail(WRONG_USE, "--input '%s' is given twice", input.name);
    cvk_tensor *t = &given->items[given->count];
    int code = fail_status(cvk_tensor_load(equals + 1, t));
    if (code) return code;
    given->count++;
    t->name = input.name;
    if (t->dtype == input.dtype) return DONE;
    return fail(BAD_FILE, "%s: holds %s, but input '%s' is %s", equals + 1,
                cvk_dtype_name(t->dtype), input.name, cvk_dtype_name(input.dtype));
}

int inputs_load(const cvk_model *model, const text_list *files, given_inputs *given)
{
    int code = DONE;
    *given = (given_inputs){need((size_t)files->count, sizeof(cvk_tensor)), 0};
    for (int i = 0; !code && i < files->count; i++) code = load_one(model, files->items[i], given);
    if (code) inputs_free(given);
    return code;
}

void inputs_free(given_inputs *given)
{
    for (int i = 0; i < given->count; i++) cvk_tensor_free_data(&given->items[i]);
    free(given->items);
    *given = (given_inputs){0};
}

void inputs_shapes(const given_inputs *given, shape_set *shapes)
{
    for (int i = 0; i < given->count; i++) {
        if (shapes_find(shapes, given->items[i].name)) continue;
        cvk_tensor shape = given->items[i];
        shape.data = NULL;
        shapes_put(shapes, &shape);
    }
}

int inputs_picture(const shared_options *shared, const cvk_model *model, const given_inputs *given,
                   const image *img, shape_set *shapes, int *index)
{
    cvk_model_info info;
    cvk_tensor input;
    int code = fail_status(cvk_model_get_info(model, &info));
    for (int i = 0; !code && i < info.inputs; i++) {
        code = fail_status(cvk_model_input(model, i, &input, NULL));
        if (code || find_given(given, input.name)) continue;
        const cvk_tensor *shaped = shapes_find(shapes, input.name);
        if (shaped) input = *shaped;
        code = image_input_check(shared, &input);
        if (code) return code;
        image_input_size(shared, img, &input);
        shapes_put(shapes, &input);
        *index = i;
        return DONE;
    }
    return code
               ? code
               : fail(
                     WRONG_USE,
                     "every input of the model is given by --input: no input is left for pictures");
}

int inputs_fill(const given_inputs *given, tensor_set *inputs)
{
    for (int i = 0; i < inputs->count; i++) {
        cvk_tensor *dst = &inputs->items[i];
        const cvk_tensor *src = find_given(given, dst->name);
        if (!src) continue;
        if (src->rank != dst->rank ||
            memcmp(src->dims, dst->dims, (size_t)src->rank * sizeof *src->dims) != 0)
            return fail(BAD_FILE, "--input %s: the file's shape is not that of --shape", dst->name);
        memcpy(dst->data, src->data, (size_t)cvk_tensor_count(dst) * cvk_dtype_bytes(dst->dtype));
    }
    return DONE;
}

int inputs_complete(const given_inputs *given, const tensor_set *inputs, int picture)
{
    for (int i = 0; i < inputs->count; i++)
        if (i != picture && !find_given(given, inputs->items[i].name))
            return fail(WRONG_USE, "input '%s' is missing: give --input %s=FILE",
                        inputs->items[i].name, inputs->items[i].name);
    return DONE;
}

int inputs_put_picture(const shared_options *shared, const image *img, cvk_tensor *input)
{
    int code = DONE;
    for (int slot = 0; !code && slot < input->dims[0]; slot++)
        code = image_to_tensor(shared, img, input, slot);
    return code;
}
