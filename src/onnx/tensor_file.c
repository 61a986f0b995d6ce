/* SPDX-License-Identifier: Apache-2.0
 *
 * Tensors in files. Sources: onnx.proto, message TensorProto; numpy.lib.format (NPY versions 1 to
 * 3).
 */
#include "onnx/tensor_file.h"

#include <stdlib.h>
#include <string.h>

#include "onnx/onnx.h"
#include "onnx/outfile.h"

enum { NPY_PREAMBLE = 8, NPY_ALIGN = 64, NPY_MAX_HEADER = 4096, PAGE = 4096 };
static const char npy_magic[] = "\x93NUMPY";

static const struct {
    cvk_dtype dtype;
    char text[3];
} npy_types[] = {{CVK_F32, "f4"}, {CVK_F64, "f8"}, {CVK_F16, "f2"}, {CVK_I8, "i1"},
                 {CVK_U8, "u1"},  {CVK_I16, "i2"}, {CVK_U16, "u2"}, {CVK_I32, "i4"},
                 {CVK_U32, "u4"}, {CVK_I64, "i8"}, {CVK_U64, "u8"}, {CVK_BOOL, "b1"}};
enum { NPY_TYPES = sizeof npy_types / sizeof *npy_types };

/* Reads the preamble and the header, a Python dictionary as text. */
static cvk_status read_npy_header(cvk_wire *file, char text[NPY_MAX_HEADER + 1])
{
    unsigned char raw[4] = {0};
    unsigned char preamble[NPY_PREAMBLE];
    CVK_TRY(cvk_wire_read(file, preamble, sizeof preamble));
    CVK_TRY(cvk_wire_read(file, raw, preamble[6] == 1 ? 2 : 4));
    size_t length = raw[0] | (size_t)raw[1] << 8 | (size_t)raw[2] << 16 | (size_t)raw[3] << 24;
    if (preamble[6] < 1 || preamble[6] > 3 || length > NPY_MAX_HEADER)
        return cvk_fail(CVK_UNSUPPORTED, "a NumPy file of version %d with a header of %zu bytes",
                        preamble[6], length);
    CVK_TRY(cvk_wire_read(file, text, length));
    text[length] = '\0';
    return CVK_OK;
}

/* What follows 'key': in the header, blanks skipped; NULL if the key is absent. */
static const char *npy_entry(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    if (!at) return NULL;
    at += strlen(key);
    at += strspn(at, " ");
    if (*at++ != ':') return NULL;
    return at + strspn(at, " ");
}

static cvk_status parse_npy_type(const char *text, cvk_dtype *dtype)
{
    const char *descr = npy_entry(text, "'descr'");
    if (!descr || descr[0] != '\'' || !descr[1])
        return cvk_fail(CVK_UNSUPPORTED, "the NumPy header gives no simple element type: %.80s",
                        text);
    for (int i = 0; i < NPY_TYPES; i++)
        if (strchr("<|=", descr[1]) && strncmp(descr + 2, npy_types[i].text, 2) == 0 &&
            descr[4] == '\'') {
            *dtype = npy_types[i].dtype;
            return CVK_OK;
        }
    return cvk_fail(CVK_UNSUPPORTED, "NumPy element type %.12s is not supported", descr);
}

static cvk_status parse_npy_shape(const char *text, cvk_tensor *tensor)
{
    const char *at = npy_entry(text, "'shape'");
    if (!at || *at++ != '(')
        return cvk_fail(CVK_BAD_MODEL, "the NumPy header has no shape: %.80s", text);
    for (at += strspn(at, " ,"); *at >= '0' && *at <= '9'; at += strspn(at, "L ,")) {
        if (tensor->rank == CVK_MAX_RANK)
            return cvk_fail(CVK_UNSUPPORTED, "a NumPy array of more than %d dimensions",
                            CVK_MAX_RANK);
        char *end;
        tensor->dims[tensor->rank++] =
            strtoll(at, &end, 10); /* out of range: the largest, which overflows below */
        at = end;
    }
    if (*at != ')')
        return cvk_fail(CVK_BAD_MODEL, "the NumPy header has no valid shape: %.80s", text);
    return cvk_onnx_check_dims("array", "", tensor->dtype, tensor->dims, (size_t)tensor->rank);
}

static cvk_status read_npy(cvk_wire *file, cvk_tensor *tensor)
{
    char text[NPY_MAX_HEADER + 1];
    CVK_TRY(read_npy_header(file, text));
    CVK_TRY(parse_npy_type(text, &tensor->dtype));
    CVK_TRY(parse_npy_shape(text, tensor));
    const char *fortran = npy_entry(text, "'fortran_order'");
    if (!fortran || (strncmp(fortran, "False", 5) != 0 && tensor->rank > 1))
        return cvk_fail(CVK_UNSUPPORTED,
                        "a NumPy array in Fortran order; save it with numpy.ascontiguousarray");
    size_t bytes = (size_t)cvk_tensor_count(tensor) * cvk_dtype_bytes(tensor->dtype);
    if (bytes != file->end - file->at)
        return cvk_fail(CVK_BAD_MODEL, "its shape wants %zu bytes, but there are %zu", bytes,
                        file->end - file->at);
    tensor->data = aligned_alloc(PAGE, (bytes / PAGE + 1) * PAGE);
    if (!tensor->data) return cvk_fail(CVK_NO_MEMORY, "out of memory: %zu bytes", bytes);
    return cvk_wire_read(file, tensor->data, bytes);
}

static cvk_status read_proto(cvk_wire *file, cvk_arena *arena, cvk_tensor *tensor)
{
    cvk_onnx_place place = {.arena = arena};
    return cvk_onnx_stream_tensor(&place, file, file->end, tensor);
}

static cvk_status read_proto_alone(cvk_wire *file, cvk_tensor *tensor)
{
    cvk_arena *arena = cvk_arena_create();
    cvk_tensor found = {0};
    cvk_status status = arena ? read_proto(file, arena, &found) : CVK_NO_MEMORY;
    if (!status) {
        size_t bytes = (size_t)cvk_tensor_count(&found) * cvk_dtype_bytes(found.dtype);
        void *data = aligned_alloc(PAGE, (bytes / PAGE + 1) * PAGE);
        if (data && bytes) memcpy(data, found.data, bytes);
        if (!data) status = cvk_fail(CVK_NO_MEMORY, "out of memory: %zu bytes", bytes);
        *tensor = found;
        tensor->name = NULL;
        tensor->data = data;
    }
    cvk_arena_free(&arena);
    return status;
}

/* It was an input that was bad, not a model. */
static cvk_status blame(cvk_status status, const char *path)
{
    return cvk_fail_at(status == CVK_BAD_MODEL ? CVK_BAD_INPUT : status, "%s", path);
}

cvk_status cvk_tensor_read_file(const char *path, cvk_tensor *tensor)
{
    cvk_wire file;
    cvk_tensor made = {0};
    char first[sizeof npy_magic - 1];
    CVK_TRY(cvk_wire_open(path, "a tensor file (ONNX .pb or NumPy .npy)", &file));
    bool npy = fread(first, 1, sizeof first, file.file) == sizeof first &&
               memcmp(first, npy_magic, sizeof first) == 0;
    rewind(file.file);
    cvk_status status = npy ? read_npy(&file, &made) : read_proto_alone(&file, &made);
    cvk_wire_close(&file);
    if (status) {
        free(made.data);
        return blame(status, path);
    }
    *tensor = made;
    return CVK_OK;
}

cvk_status cvk_onnx_read_tensor(const char *path, cvk_arena *arena, cvk_tensor *tensor)
{
    cvk_wire file;
    CVK_TRY(cvk_wire_open(path, "an ONNX tensor", &file));
    cvk_status status = read_proto(&file, arena, tensor);
    cvk_wire_close(&file);
    return status ? blame(status, path) : CVK_OK;
}

static const char *npy_type(cvk_dtype dtype)
{
    for (int i = 0; i < NPY_TYPES; i++)
        if (npy_types[i].dtype == dtype) return npy_types[i].text;
    return NULL;
}

cvk_status cvk_tensor_write_npy(const char *path, const cvk_tensor *tensor)
{
    char text[512], shape[256];
    const char *type = npy_type(tensor->dtype);
    if (!type)
        return cvk_fail(CVK_BAD_ARGUMENT, "'%s': %d is not an element type", path,
                        (int)tensor->dtype);
    int at = 0;
    for (int i = 0; i < tensor->rank; i++)
        at += snprintf(shape + at, sizeof shape - (size_t)at, "%lld,%s", (long long)tensor->dims[i],
                       i + 1 < tensor->rank ? " " : "");
    shape[at] = '\0';
    int length =
        snprintf(text, sizeof text, "{'descr': '%c%s', 'fortran_order': False, 'shape': (%s), }",
                 cvk_dtype_bytes(tensor->dtype) == 1 ? '|' : '<', type, shape);
    int total = NPY_PREAMBLE + 2 + length + 1,
        padded = (total + NPY_ALIGN - 1) / NPY_ALIGN * NPY_ALIGN;
    int header = padded - NPY_PREAMBLE - 2;
    cvk_outfile out;
    CVK_TRY(cvk_outfile_open(path, &out));
    fwrite(npy_magic, 1, sizeof npy_magic - 1, out.file);
    const unsigned char version[] = {1, 0, (unsigned char)(header & 255),
                                     (unsigned char)(header >> 8)};
    fwrite(version, 1, sizeof version, out.file);
    fprintf(out.file, "%-*s\n", header - 1, text);
    size_t count = (size_t)cvk_tensor_count(tensor);
    if (count) fwrite(tensor->data, cvk_dtype_bytes(tensor->dtype), count, out.file);
    return cvk_outfile_close(&out, CVK_OK);
}
