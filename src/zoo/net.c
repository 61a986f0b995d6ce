/* SPDX-License-Identifier: Apache-2.0
 *
 * Below the layers: the model that grows, names, seeded numbers.
 */
#include "zoo/net.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void net_begin(net *n, const cvk_zoo_entry *entry, const cvk_zoo_options *options)
{
    *n = (net){.channels = entry->channels,
               .size = options->size ? options->size : entry->size,
               .classes = options->classes ? options->classes : entry->classes,
               .epsilon = 1e-5f,
               .random = options->seed,
               .batch = options->batch,
               .outline = options->outline};
    n->status = cvk_model_create(entry->name, 13, &n->model);
    net_input(n, "image");
}

void net_input(net *n, const char *name)
{
    if (n->status) return;
    cvk_tensor input = {.name = name,
                        .dtype = CVK_F32,
                        .rank = 4,
                        .dims = {n->batch ? n->batch : -1, n->channels, n->size, n->size}};
    n->status = cvk_model_add_input(n->model, &input);
    n->at = (net_value){.rank = 4, .c = n->channels, .h = n->size, .w = n->size, .variance = 1};
    net_text(n, n->at.name, "%s", name);
}

void net_output(net *n)
{
    if (!n->status) n->status = cvk_model_set_output(n->model, n->at.name);
    if (n->at.depth > n->depth) n->depth = n->at.depth;
    n->has_output = true;
}

cvk_status net_end(net *n, cvk_model **model, int *depth)
{
    if (!n->has_output) net_output(n);
    free(n->buffer);
    if (n->status) {
        cvk_model_free(&n->model);
        return n->status;
    }
    *model = n->model;
    if (depth) *depth = n->depth;
    return CVK_OK;
}

static void print(net *n, char *text, size_t room, const char *format, va_list args)
{
    int length = vsnprintf(text, room, format, args);
    if (!n->status && (length < 0 || (size_t)length >= room)) n->status = CVK_BAD_ARGUMENT;
}

void net_text(net *n, char text[NET_NAME], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print(n, text, NET_NAME, format, args);
    va_end(args);
}

void net_enter(net *n, const char *format, ...)
{
    size_t used = strlen(n->scope);
    va_list args;
    va_start(args, format);
    print(n, n->scope + used, sizeof n->scope - 1 - used, format, args);
    va_end(args);
    strcat(n->scope, "/");
}

void net_leave(net *n)
{
    size_t length = strlen(n->scope);
    if (length) n->scope[length - 1] = 0;
    char *slash = strrchr(n->scope, '/');
    *(slash ? slash + 1 : n->scope) = 0;
}

void net_tower(net *n, const char *tower)
{
    snprintf(n->tower, sizeof n->tower, "%s%s", tower, *tower ? "/" : "");
}

static bool exists(const net *n, const char *full)
{
    cvk_tensor found;
    return cvk_model_value(n->model, full, &found) == CVK_OK;
}

/* splitmix64: 64 bits, as two halves in [-1, 1). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void fill(net *n, int64_t count, double center, double reach)
{
    double step = reach * 0x1p-31;
    uint64_t state = n->random;
    for (int64_t i = 0; i < count; i += 2) {
        uint64_t bits = next_random(&state);
        n->buffer[i] = (float)(center + step * (int32_t)(uint32_t)bits);
        n->buffer[i + 1] = (float)(center + step * (int32_t)(uint32_t)(bits >> 32));
    }
    n->random = state;
}

/* Room for `count` numbers and one more. */
static cvk_status reserve(net *n, int64_t count)
{
    size_t need = (size_t)count + 1;
    if (need <= n->room) return CVK_OK;
    free(n->buffer);
    n->buffer = malloc(need * sizeof *n->buffer);
    n->room = n->buffer ? need : 0;
    return n->buffer ? CVK_OK : CVK_NO_MEMORY;
}

void net_weights(net *n, const char *name, const char *suffix, int rank, const int64_t *dims,
                 double center, double reach, char full[NET_NAME])
{
    if (n->status) return;
    net_text(n, full, "%s%s.%s", n->scope, name, suffix);
    if (*n->tower && exists(n, full)) return;
    cvk_tensor tensor = {.name = full, .dtype = CVK_F32, .rank = rank};
    memcpy(tensor.dims, dims, (size_t)rank * sizeof *dims);
    if (n->outline) {
        n->status = cvk_model_declare_constant(n->model, &tensor);
        return;
    }
    int64_t count = cvk_tensor_count(&tensor);
    n->status = reserve(n, count);
    if (n->status) return;
    fill(n, count, center, reach);
    tensor.data = n->buffer;
    n->status = cvk_model_add_constant(n->model, &tensor);
}

void net_integers(net *n, const char *name, const char *suffix, const int64_t *values, int count,
                  char full[NET_NAME])
{
    if (n->status) return;
    net_text(n, full, "%s%s.%s", n->scope, name, suffix);
    if (*n->tower && exists(n, full)) return;
    cvk_tensor tensor = {
        .name = full, .dtype = CVK_I64, .rank = 1, .dims = {count}, .data = (void *)values};
    n->status = cvk_model_add_constant(n->model, &tensor);
}

void net_scalar(net *n, const char *full, double value)
{
    if (n->status || exists(n, full)) return;
    float number = (float)value;
    cvk_tensor tensor = {.name = full, .dtype = CVK_F32, .data = &number};
    n->status = cvk_model_add_constant(n->model, &tensor);
}

/* Where the next layer reads, with the shape that the library found. */
static void move_to(net *n, const char *full)
{
    cvk_tensor made;
    n->status = cvk_model_value(n->model, full, &made);
    if (n->status) return;
    net_text(n, n->at.name, "%s", full);
    n->at.rank = made.rank;
    n->at.c = made.rank > 1 ? made.dims[1] : 1;
    n->at.h = made.rank > 2 ? made.dims[2] : 1;
    n->at.w = made.rank > 3 ? made.dims[3] : 1;
}

void net_node(net *n, const char *op, const char *name, const char *const *inputs, int n_inputs,
              const cvk_attr *attrs, int n_attrs)
{
    if (n->status) return;
    char full[NET_NAME];
    const char *output = full;
    net_text(n, full, "%s%s%s", n->tower, n->scope, name);
    n->status =
        cvk_model_add_node(n->model, op, full, inputs, n_inputs, &output, 1, attrs, n_attrs);
    if (!n->status) move_to(n, full);
}
