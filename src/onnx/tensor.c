/* SPDX-License-Identifier: Apache-2.0
 *
 * TensorProto <-> cvk_tensor: raw, typed and external elements, every size checked against the
 * shape. Elements are little-endian in the file and here. Source: onnx.proto, message TensorProto;
 * the ONNX specification, "External Data".
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "onnx/onnx.h"

/* Field numbers in TensorProto. */
enum {
    TENSOR_FLOAT_DATA = 4,
    TENSOR_INT32_DATA = 5,
    TENSOR_INT64_DATA = 7,
    TENSOR_RAW_DATA = 9,
    TENSOR_DOUBLE_DATA = 10,
    TENSOR_UINT64_DATA = 11
};

cvk_status cvk_onnx_dtype(int32_t type, const char *what, const char *name, cvk_dtype *dtype)
{
    if (type > 0 && cvk_dtype_bytes((cvk_dtype)type)) {
        *dtype = (cvk_dtype)type;
        return CVK_OK;
    }
    if (type == 0) return cvk_fail(CVK_BAD_MODEL, "%s '%s' has no element type", what, name);
    return cvk_fail(CVK_UNSUPPORTED, "%s '%s': element type %s (%d) is not supported", what, name,
                    cvk_dtype_foreign_name(type), (int)type);
}

cvk_status cvk_onnx_check_dims(const char *what, const char *name, cvk_dtype dtype,
                               const int64_t *dims, size_t rank)
{
    if (rank > CVK_MAX_RANK)
        return cvk_fail(CVK_UNSUPPORTED, "%s '%s' has %zu dimensions; at most %d are supported",
                        what, name, rank, CVK_MAX_RANK);
    int64_t bytes = (int64_t)cvk_dtype_bytes(dtype);
    for (size_t i = 0; i < rank; i++) {
        if (dims[i] < 0)
            return cvk_fail(CVK_BAD_MODEL, "%s '%s': dimension %zu is negative (%lld)", what, name,
                            i, (long long)dims[i]);
        if (__builtin_mul_overflow(bytes, dims[i] ? dims[i] : 1, &bytes))
            return cvk_fail(CVK_BAD_MODEL,
                            "%s '%s': its dimensions overflow (dimension %zu is %lld)", what, name,
                            i, (long long)dims[i]);
    }
    return CVK_OK;
}

static const char *label(const Onnx__TensorProto *message)
{
    return message->name ? message->name : "";
}

static cvk_status wrong_size(const Onnx__TensorProto *message, const cvk_tensor *tensor,
                             size_t have, const char *unit)
{
    char text[CVK_SHAPE_TEXT];
    cvk_shape shape = cvk_shape_make(tensor->rank, tensor->dims);
    size_t count = (size_t)cvk_tensor_count(tensor);
    bool bytes = unit[0] == 'b';
    return cvk_fail(CVK_BAD_MODEL, "tensor '%s': its shape %s (%s) wants %zu %s, but there are %zu",
                    label(message), cvk_shape_text(&shape, text), cvk_dtype_name(tensor->dtype),
                    bytes ? count * cvk_dtype_bytes(tensor->dtype) : count, unit, have);
}

/* Type and dims of the message, checked. */
static cvk_status describe(const Onnx__TensorProto *message, cvk_tensor *tensor)
{
    *tensor = (cvk_tensor){0};
    CVK_TRY(cvk_onnx_dtype(message->data_type, "tensor", label(message), &tensor->dtype));
    CVK_TRY(cvk_onnx_check_dims("tensor", label(message), tensor->dtype, message->dims,
                                message->n_dims));
    if (message->segment)
        return cvk_fail(CVK_UNSUPPORTED, "tensor '%s' comes in segments, which is not supported",
                        label(message));
    tensor->rank = (int)message->n_dims;
    for (int i = 0; i < tensor->rank; i++) tensor->dims[i] = message->dims[i];
    return CVK_OK;
}

/* Elements from the typed field that belongs to the element type; smaller types come widened. */
static cvk_status copy_typed(cvk_arena *arena, const Onnx__TensorProto *message, cvk_tensor *tensor)
{
    const void *items = message->int32_data;
    size_t count = message->n_int32_data, width = sizeof *message->int32_data;
    switch (tensor->dtype) {
    case CVK_F32: items = message->float_data, count = message->n_float_data; break;
    case CVK_F64: items = message->double_data, count = message->n_double_data, width = 8; break;
    case CVK_I64: items = message->int64_data, count = message->n_int64_data, width = 8; break;
    case CVK_U32:
    case CVK_U64: items = message->uint64_data, count = message->n_uint64_data, width = 8; break;
    default: break;
    }
    size_t bytes = cvk_dtype_bytes(tensor->dtype);
    if (count != (size_t)cvk_tensor_count(tensor))
        return wrong_size(message, tensor, count, "elements");
    unsigned char *dst = cvk_arena_alloc(arena, count * bytes);
    if (!dst) return CVK_NO_MEMORY;
    tensor->data = dst;
    if (bytes == width && count) memcpy(dst, items, count * bytes);
    for (size_t i = 0; i < count && bytes != width; i++)
        memcpy(dst + i * bytes, (const unsigned char *)items + i * width, bytes);
    return CVK_OK;
}

static bool leaves_folder(const char *path)
{
    if (*path == '/') return true;
    for (const char *part = path; part; part = strchr(part, '/')) {
        if (*part == '/') part++;
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0')) return true;
    }
    return false;
}

static cvk_status parse_size(const Onnx__TensorProto *message, const char *key, const char *text,
                             size_t *size)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || value > SIZE_MAX)
        return cvk_fail(CVK_BAD_MODEL, "tensor '%s': external data: %s is '%s', not a number",
                        label(message), key, text);
    *size = (size_t)value;
    return CVK_OK;
}

typedef struct external {
    const char *location;
    size_t offset, length;
    bool has_length;
} external;

static cvk_status parse_external(const Onnx__TensorProto *message, external *where)
{
    *where = (external){0};
    for (size_t i = 0; i < message->n_external_data; i++) {
        const char *key = message->external_data[i]->key, *value = message->external_data[i]->value;
        if (!key || !value) continue;
        if (strcmp(key, "location") == 0) where->location = value;
        if (strcmp(key, "offset") == 0) CVK_TRY(parse_size(message, key, value, &where->offset));
        if (strcmp(key, "length") == 0) {
            CVK_TRY(parse_size(message, key, value, &where->length));
            where->has_length = true;
        }
    }
    if (!where->location || !*where->location)
        return cvk_fail(CVK_BAD_MODEL, "tensor '%s': external data without a location",
                        label(message));
    if (leaves_folder(where->location))
        return cvk_fail(CVK_BAD_MODEL,
                        "tensor '%s': external data file '%s' is outside the model's folder",
                        label(message), where->location);
    return CVK_OK;
}

static cvk_status read_external(const cvk_onnx_place *place, const Onnx__TensorProto *message,
                                cvk_tensor *tensor)
{
    external where;
    CVK_TRY(parse_external(message, &where));
    if (!place->folder)
        return cvk_fail(
            CVK_IO,
            "tensor '%s': its data is in the file '%s', but the model has no folder to look in",
            label(message), where.location);
    const char *path = cvk_arena_printf(place->arena, "%s%s", place->folder, where.location);
    if (!path) return CVK_NO_MEMORY;
    size_t bytes = (size_t)cvk_tensor_count(tensor) * cvk_dtype_bytes(tensor->dtype);
    if (where.has_length && where.length != bytes)
        return wrong_size(message, tensor, where.length, "bytes");
    cvk_wire file;
    cvk_status status = cvk_wire_open(path, "a file of weights", &file);
    if (status) return cvk_fail_at(status, "tensor '%s'", label(message));
    if (where.offset > file.end || bytes > file.end - where.offset) {
        size_t have = where.offset > file.end ? 0 : file.end - where.offset;
        status = wrong_size(message, tensor, have, "bytes");
        status = cvk_fail_at(status, "external data file '%s'", where.location);
    } else {
        tensor->data = cvk_arena_alloc(place->arena, bytes);
        status = tensor->data ? cvk_wire_skip(&file, where.offset) : CVK_NO_MEMORY;
        if (!status) status = cvk_wire_read(&file, tensor->data, bytes);
    }
    cvk_wire_close(&file);
    return status;
}

/* Any byte but 0 is true in a file; here it is 1. */
static void normalise_bools(cvk_tensor *tensor)
{
    unsigned char *items = tensor->data;
    int64_t count = cvk_tensor_count(tensor);
    for (int64_t i = 0; i < count; i++) items[i] = items[i] != 0;
}

static bool stays_outside(const cvk_onnx_place *place, const cvk_tensor *tensor)
{
    size_t bytes = (size_t)cvk_tensor_count(tensor) * cvk_dtype_bytes(tensor->dtype);
    return place->outline && bytes > place->outline;
}

/* `raw`: the raw elements, in the arena already; NULL: they are in the message. */
static cvk_status fill(const cvk_onnx_place *place, const Onnx__TensorProto *message, void *raw,
                       size_t raw_bytes, cvk_tensor *tensor)
{
    CVK_TRY(describe(message, tensor));
    tensor->name = cvk_arena_string(place->arena, label(message));
    if (!tensor->name) return CVK_NO_MEMORY;
    if (stays_outside(place, tensor)) return CVK_OK;
    if (message->has_data_location &&
        message->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL) {
        CVK_TRY(read_external(place, message, tensor));
    } else if (raw || message->has_raw_data) {
        if (!raw) raw_bytes = message->raw_data.len;
        if (raw_bytes != (size_t)cvk_tensor_count(tensor) * cvk_dtype_bytes(tensor->dtype))
            return wrong_size(message, tensor, raw_bytes, "bytes");
        tensor->data = raw ? raw : cvk_arena_copy(place->arena, message->raw_data.data, raw_bytes);
    } else {
        CVK_TRY(copy_typed(place->arena, message, tensor));
    }
    if (!tensor->data) return CVK_NO_MEMORY;
    if (tensor->dtype == CVK_BOOL) normalise_bools(tensor);
    return CVK_OK;
}

cvk_status cvk_onnx_tensor(const cvk_onnx_place *place, const Onnx__TensorProto *message,
                           cvk_tensor *tensor)
{
    cvk_onnx_place whole = *place; /* it is in memory already */
    whole.outline = 0;
    return fill(&whole, message, NULL, 0, tensor);
}

static bool holds_elements(uint32_t field)
{
    return field == TENSOR_FLOAT_DATA || field == TENSOR_INT32_DATA || field == TENSOR_INT64_DATA ||
           field == TENSOR_DOUBLE_DATA || field == TENSOR_UINT64_DATA || field == TENSOR_RAW_DATA;
}

/* Splits a TensorProto: raw elements to the arena, the other fields to `rest`. */
static cvk_status split(const cvk_onnx_place *place, cvk_wire *wire, size_t end,
                        cvk_wire_buffer *rest, void **raw, size_t *raw_bytes)
{
    while (wire->at < end) {
        cvk_wire_field field;
        CVK_TRY(cvk_wire_next(wire, end, &field));
        bool large = place->outline && field.length > place->outline;
        if (large && field.type == CVK_WIRE_BYTES && holds_elements(field.number)) {
            CVK_TRY(cvk_wire_skip(wire, field.length));
            continue;
        }
        if (field.number != TENSOR_RAW_DATA || field.type != CVK_WIRE_BYTES) {
            CVK_TRY(cvk_wire_append(wire, &field, rest));
            continue;
        }
        if (*raw)
            return cvk_fail(CVK_BAD_MODEL, "not %s, or damaged: a tensor has raw data twice",
                            wire->what);
        *raw = cvk_arena_alloc(place->arena, field.length);
        if (!*raw) return CVK_NO_MEMORY;
        CVK_TRY(cvk_wire_read(wire, *raw, field.length));
        *raw_bytes = field.length;
    }
    return CVK_OK;
}

cvk_status cvk_onnx_stream_tensor(const cvk_onnx_place *place, cvk_wire *wire, size_t bytes,
                                  cvk_tensor *tensor)
{
    cvk_wire_buffer rest = {0};
    ProtobufCMessage *message = NULL;
    void *raw = NULL;
    size_t raw_bytes = 0;
    cvk_status status = split(place, wire, wire->at + bytes, &rest, &raw, &raw_bytes);
    if (!status)
        status = cvk_wire_unpack(&onnx__tensor_proto__descriptor, rest.data, rest.bytes, wire->what,
                                 &message);
    cvk_wire_buffer_free(&rest);
    if (!status) status = fill(place, (const Onnx__TensorProto *)message, raw, raw_bytes, tensor);
    if (message) protobuf_c_message_free_unpacked(message, NULL);
    return status;
}

void cvk_onnx_tensor_message(const cvk_tensor *tensor, Onnx__TensorProto *message)
{
    onnx__tensor_proto__init(message);
    message->name = (char *)tensor->name;
    message->has_data_type = true;
    message->data_type = tensor->dtype;
    message->n_dims = (size_t)tensor->rank;
    message->dims = (int64_t *)tensor->dims;
    message->raw_data.len = (size_t)cvk_tensor_count(tensor) * cvk_dtype_bytes(tensor->dtype);
    message->raw_data.data = tensor->data;
    message->has_raw_data =
        message->raw_data.len > 0; /* onnx.checker wants an empty tensor to have no data */
}
