/* SPDX-License-Identifier: Apache-2.0
 *
 * Protocol-buffer bytes from a file or from memory, field by field, so that large payloads
 * (weights) go straight to where they stay and everything else is unpacked in small pieces by
 * protobuf-c. Knows nothing of ONNX. All bytes are untrusted: every length is checked against what
 * is left.
 */
#ifndef CVK_ONNX_WIRE_H
#define CVK_ONNX_WIRE_H

#include <protobuf-c/protobuf-c.h>
#include <stdio.h>

#include "base/status.h"

/* Where bytes come from: `file` or, if that is NULL, `data`. */
typedef struct cvk_wire {
    FILE *file;
    const unsigned char *data;
    size_t at, end;   /* next byte; end of the whole */
    const char *what; /* for sentences: "an ONNX file", "a tensor" */
} cvk_wire;

typedef enum cvk_wire_type {
    CVK_WIRE_VARINT = 0,
    CVK_WIRE_FIXED64 = 1,
    CVK_WIRE_BYTES = 2,
    CVK_WIRE_FIXED32 = 5
} cvk_wire_type;

/* One field. BYTES: its payload of `length` bytes comes next and must be read or skipped by the
 * caller before the next field. Others: `value` has been read. */
typedef struct cvk_wire_field {
    uint32_t number;
    cvk_wire_type type;
    uint64_t value;
    size_t length;
} cvk_wire_field;

/* Opens a regular file (CVK_IO if it cannot be read). Close with cvk_wire_close. */
cvk_status cvk_wire_open(const char *path, const char *what, cvk_wire *wire);
void cvk_wire_close(cvk_wire *wire);

/* Failures: CVK_BAD_MODEL, "not <what>, or damaged: ... at byte N"; CVK_IO if the file cannot be
 * read. */
cvk_status cvk_wire_next(cvk_wire *wire, size_t end, cvk_wire_field *field);
cvk_status cvk_wire_read(cvk_wire *wire, void *dst, size_t bytes);
cvk_status cvk_wire_skip(cvk_wire *wire, size_t bytes);

/* Bytes that are collected: fields copied from a wire, for protobuf-c to unpack. */
typedef struct cvk_wire_buffer {
    unsigned char *data;
    size_t bytes, capacity;
} cvk_wire_buffer;

cvk_status cvk_wire_append(cvk_wire *wire, const cvk_wire_field *field, cvk_wire_buffer *buffer);
void cvk_wire_buffer_free(cvk_wire_buffer *buffer);

/* Unpacks one message after having checked that messages in it nest at most 64 deep and that no
 * single message field comes twice (protobuf-c recurses and merges). Memory is bounded by a
 * multiple of `bytes`. Give it back with protobuf_c_message_free_unpacked(message, NULL). `what` is
 * for the sentence. */
cvk_status cvk_wire_unpack(const ProtobufCMessageDescriptor *descriptor, const void *data,
                           size_t bytes, const char *what, ProtobufCMessage **message);

/* The next `bytes` bytes of a wire as one message. */
cvk_status cvk_wire_message(cvk_wire *wire, const ProtobufCMessageDescriptor *descriptor,
                            size_t bytes, ProtobufCMessage **message);

#endif
