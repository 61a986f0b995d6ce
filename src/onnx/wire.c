/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading protocol-buffer bytes. Source of the encoding: protobuf.dev, "Encoding".
 */
#include "onnx/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_DEPTH = 64, MAX_VARINT = 10 };

/* Structs of protobuf-c per byte of message: an attribute of 10 bytes takes about 300. */
enum { MEMORY_FACTOR = 128, MEMORY_BASE = 1 << 16 };

cvk_status cvk_wire_open(const char *path, const char *what, cvk_wire *wire)
{
    FILE *file = fopen(path, "rb");
    if (!file) return cvk_fail(CVK_IO, "cannot open '%s': %s", path, strerror(errno));
    struct stat info;
    if (fstat(fileno(file), &info) != 0 || !S_ISREG(info.st_mode)) {
        fclose(file);
        return cvk_fail(CVK_IO, "cannot read '%s': it is not a regular file", path);
    }
    *wire = (cvk_wire){.file = file, .end = (size_t)info.st_size, .what = what};
    return CVK_OK;
}

void cvk_wire_close(cvk_wire *wire)
{
    if (wire->file) fclose(wire->file);
    wire->file = NULL;
}

static cvk_status damaged(const cvk_wire *wire, const char *why)
{
    return cvk_fail(CVK_BAD_MODEL, "not %s, or damaged: %s at byte %zu of %zu", wire->what, why,
                    wire->at, wire->end);
}

cvk_status cvk_wire_read(cvk_wire *wire, void *dst, size_t bytes)
{
    if (bytes > wire->end - wire->at) return damaged(wire, "it ends too early");
    if (!wire->file) {
        if (bytes) memcpy(dst, wire->data + wire->at, bytes);
    } else if (fread(dst, 1, bytes, wire->file) != bytes) {
        if (ferror(wire->file))
            return cvk_fail(CVK_IO, "reading failed at byte %zu: %s", wire->at, strerror(errno));
        return damaged(wire, "it ends too early");
    }
    wire->at += bytes;
    return CVK_OK;
}

cvk_status cvk_wire_skip(cvk_wire *wire, size_t bytes)
{
    if (bytes > wire->end - wire->at) return damaged(wire, "it ends too early");
    if (wire->file && fseeko(wire->file, (off_t)bytes, SEEK_CUR) != 0)
        return cvk_fail(CVK_IO, "reading failed at byte %zu: %s", wire->at, strerror(errno));
    wire->at += bytes;
    return CVK_OK;
}

static cvk_status read_varint(cvk_wire *wire, size_t end, uint64_t *value)
{
    *value = 0;
    for (int i = 0; i < MAX_VARINT; i++) {
        unsigned char byte;
        if (wire->at >= end) return damaged(wire, "it ends too early");
        CVK_TRY(cvk_wire_read(wire, &byte, 1));
        *value |= (uint64_t)(byte & 127) << (7 * i);
        if (byte < 128) return CVK_OK;
    }
    return damaged(wire, "a number is too long");
}

static cvk_status read_fixed(cvk_wire *wire, size_t end, size_t bytes, uint64_t *value)
{
    unsigned char raw[8];
    if (bytes > end - wire->at) return damaged(wire, "it ends too early");
    CVK_TRY(cvk_wire_read(wire, raw, bytes));
    *value = 0;
    for (size_t i = 0; i < bytes; i++) *value |= (uint64_t)raw[i] << (8 * i);
    return CVK_OK;
}

cvk_status cvk_wire_next(cvk_wire *wire, size_t end, cvk_wire_field *field)
{
    uint64_t tag;
    CVK_TRY(read_varint(wire, end, &tag));
    *field = (cvk_wire_field){.number = (uint32_t)(tag >> 3), .type = (cvk_wire_type)(tag & 7)};
    if (!field->number || tag >> 32) return damaged(wire, "a field has no valid number");
    switch (field->type) {
    case CVK_WIRE_VARINT: return read_varint(wire, end, &field->value);
    case CVK_WIRE_FIXED64: return read_fixed(wire, end, 8, &field->value);
    case CVK_WIRE_FIXED32: return read_fixed(wire, end, 4, &field->value);
    case CVK_WIRE_BYTES: break;
    default: return damaged(wire, "a field has no valid type");
    }
    CVK_TRY(read_varint(wire, end, &field->value));
    if (field->value > end - wire->at) return damaged(wire, "a field is longer than what is left");
    field->length = (size_t)field->value;
    return CVK_OK;
}

static cvk_status reserve(cvk_wire_buffer *buffer, size_t more)
{
    if (more <= buffer->capacity - buffer->bytes) return CVK_OK;
    size_t wanted =
        buffer->capacity * 2 > buffer->bytes + more ? buffer->capacity * 2 : buffer->bytes + more;
    unsigned char *grown = realloc(buffer->data, wanted);
    if (!grown) return cvk_fail(CVK_NO_MEMORY, "out of memory: %zu bytes", wanted);
    buffer->data = grown;
    buffer->capacity = wanted;
    return CVK_OK;
}

static void put_varint(cvk_wire_buffer *buffer, uint64_t value)
{
    for (; value >= 128; value >>= 7) buffer->data[buffer->bytes++] = (unsigned char)(value | 128);
    buffer->data[buffer->bytes++] = (unsigned char)value;
}

cvk_status cvk_wire_append(cvk_wire *wire, const cvk_wire_field *field, cvk_wire_buffer *buffer)
{
    CVK_TRY(reserve(buffer, field->length + (size_t)2 * MAX_VARINT));
    put_varint(buffer, (uint64_t)field->number << 3 | (uint64_t)field->type);
    if (field->type == CVK_WIRE_VARINT || field->type == CVK_WIRE_BYTES) {
        put_varint(buffer, field->value);
    } else {
        size_t bytes = field->type == CVK_WIRE_FIXED64 ? 8 : 4;
        for (size_t i = 0; i < bytes; i++)
            buffer->data[buffer->bytes++] = (unsigned char)(field->value >> (8 * i));
    }
    CVK_TRY(cvk_wire_read(wire, buffer->data + buffer->bytes, field->length));
    buffer->bytes += field->length;
    return CVK_OK;
}

void cvk_wire_buffer_free(cvk_wire_buffer *buffer)
{
    free(buffer->data);
    *buffer = (cvk_wire_buffer){0};
}

/* Bounds what protobuf-c would do with a message: how deep it recurses, how often it merges. */
static cvk_status check_nesting(cvk_wire *wire, const ProtobufCMessageDescriptor *descriptor,
                                size_t end, int depth)
{
    if (depth > MAX_DEPTH) return damaged(wire, "messages nest too deeply");
    uint64_t seen = 0;
    while (wire->at < end) {
        cvk_wire_field field;
        CVK_TRY(cvk_wire_next(wire, end, &field));
        const ProtobufCFieldDescriptor *known =
            protobuf_c_message_descriptor_get_field(descriptor, field.number);
        if (field.type != CVK_WIRE_BYTES) continue;
        if (!known || known->type != PROTOBUF_C_TYPE_MESSAGE) {
            CVK_TRY(cvk_wire_skip(wire, field.length));
            continue;
        }
        uint64_t bit = UINT64_C(1) << (field.number & 63);
        if (known->label != PROTOBUF_C_LABEL_REPEATED && (seen & bit))
            return damaged(wire, "a field is given twice");
        seen |= bit;
        CVK_TRY(check_nesting(wire, known->descriptor, wire->at + field.length, depth + 1));
    }
    return CVK_OK;
}

static void *bounded_alloc(void *user, size_t bytes)
{
    size_t *left = user;
    if (bytes > *left) return NULL;
    *left -= bytes;
    return malloc(bytes);
}

static void bounded_free(void *user, void *memory)
{
    (void)user;
    free(memory);
}

cvk_status cvk_wire_unpack(const ProtobufCMessageDescriptor *descriptor, const void *data,
                           size_t bytes, const char *what, ProtobufCMessage **message)
{
    cvk_wire wire = {.data = data, .end = bytes, .what = what};
    CVK_TRY(check_nesting(&wire, descriptor, bytes, 0));
    size_t left = bytes > SIZE_MAX / MEMORY_FACTOR - MEMORY_BASE
                      ? SIZE_MAX
                      : bytes * MEMORY_FACTOR + MEMORY_BASE;
    ProtobufCAllocator allocator = {bounded_alloc, bounded_free, &left};
    *message = protobuf_c_message_unpack(descriptor, &allocator, bytes, data);
    if (*message) return CVK_OK;
    return cvk_fail(CVK_BAD_MODEL, "not %s, or damaged: no valid %s", what, descriptor->short_name);
}

cvk_status cvk_wire_message(cvk_wire *wire, const ProtobufCMessageDescriptor *descriptor,
                            size_t bytes, ProtobufCMessage **message)
{
    if (!wire->file) { /* in place */
        const unsigned char *data = wire->data + wire->at;
        CVK_TRY(cvk_wire_skip(wire, bytes));
        return cvk_wire_unpack(descriptor, data, bytes, wire->what, message);
    }
    if (bytes > wire->end - wire->at) return damaged(wire, "it ends too early");
    unsigned char *data = malloc(bytes ? bytes : 1);
    if (!data) return cvk_fail(CVK_NO_MEMORY, "out of memory: %zu bytes", bytes);
    cvk_status status = cvk_wire_read(wire, data, bytes);
    if (!status) status = cvk_wire_unpack(descriptor, data, bytes, wire->what, message);
    free(data);
    return status;
}
