/* SPDX-License-Identifier: Apache-2.0
 *
 * AttributeProto <-> cvk_attr. Source: onnx.proto, message AttributeProto.
 */
#include <string.h>

#include "onnx/onnx.h"

typedef Onnx__AttributeProto__AttributeType attr_type;

static const char *foreign_kind(int type)
{
    switch (type) {
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH:
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPHS: return "a graph (control flow)";
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS: return "a list of strings";
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSORS: return "a list of tensors";
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__SPARSE_TENSOR:
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__SPARSE_TENSORS: return "a sparse tensor";
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TYPE_PROTO:
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TYPE_PROTOS: return "a type";
    default: return NULL;
    }
}

static char *copy_bytes(cvk_arena *arena, const ProtobufCBinaryData *bytes)
{
    char *text = cvk_arena_alloc(arena, bytes->len + 1);
    if (text && bytes->len) memcpy(text, bytes->data, bytes->len);
    return text;
}

static cvk_status import_tensor(const cvk_onnx_place *place, const Onnx__AttributeProto *message,
                                cvk_attr *attr)
{
    if (!message->t)
        return cvk_fail(CVK_BAD_MODEL, "attribute '%s' is a tensor, but has none", message->name);
    cvk_tensor *tensor = cvk_arena_alloc(place->arena, sizeof *tensor);
    if (!tensor) return CVK_NO_MEMORY;
    cvk_status status = cvk_onnx_tensor(place, message->t, tensor);
    if (status) return cvk_fail_at(status, "attribute '%s'", message->name);
    attr->tensor = tensor;
    return CVK_OK;
}

static cvk_status import_list(cvk_arena *arena, const void *items, size_t count, size_t bytes,
                              const void **copy)
{
    if (count > INT32_MAX / 8)
        return cvk_fail(CVK_UNSUPPORTED, "an attribute has %zu elements", count);
    *copy = cvk_arena_copy(arena, items, count * bytes);
    return *copy ? CVK_OK : CVK_NO_MEMORY;
}

static cvk_status import_attr(const cvk_onnx_place *place, const Onnx__AttributeProto *message,
                              cvk_attr *attr)
{
    if (!message->name || !*message->name)
        return cvk_fail(CVK_BAD_MODEL, "an attribute has no name");
    if (message->ref_attr_name && *message->ref_attr_name)
        return cvk_fail(CVK_BAD_MODEL, "attribute '%s' refers to one of a function, outside of any",
                        message->name);
    const void *list = NULL;
    *attr = (cvk_attr){.name = cvk_arena_string(place->arena, message->name)};
    if (!attr->name) return CVK_NO_MEMORY;
    switch ((int)message->type) {
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT:
        attr->kind = CVK_ATTR_INT;
        attr->i = message->i;
        return CVK_OK;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT:
        attr->kind = CVK_ATTR_FLOAT;
        attr->f = message->f;
        return CVK_OK;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING:
        attr->kind = CVK_ATTR_STRING;
        attr->s = copy_bytes(place->arena, &message->s);
        return attr->s ? CVK_OK : CVK_NO_MEMORY;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS:
        attr->kind = CVK_ATTR_INTS;
        attr->count = message->n_ints;
        CVK_TRY(import_list(place->arena, message->ints, attr->count, sizeof *attr->ints, &list));
        attr->ints = list;
        return CVK_OK;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS:
        attr->kind = CVK_ATTR_FLOATS;
        attr->count = message->n_floats;
        CVK_TRY(
            import_list(place->arena, message->floats, attr->count, sizeof *attr->floats, &list));
        attr->floats = list;
        return CVK_OK;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR:
        attr->kind = CVK_ATTR_TENSOR;
        return import_tensor(place, message, attr);
    default: break;
    }
    const char *kind = foreign_kind((int)message->type);
    if (!kind)
        return cvk_fail(CVK_BAD_MODEL, "attribute '%s' has no valid type (%d)", message->name,
                        (int)message->type);
    return cvk_fail(CVK_UNSUPPORTED, "attribute '%s' is %s, which is not supported", message->name,
                    kind);
}

static cvk_status check_unique(const cvk_attr *attrs, int count)
{
    for (int i = 0; i < count; i++)
        for (int k = 0; k < i; k++)
            if (strcmp(attrs[i].name, attrs[k].name) == 0)
                return cvk_fail(CVK_BAD_MODEL, "attribute '%s' is given twice", attrs[i].name);
    return CVK_OK;
}

cvk_status cvk_onnx_attrs(const cvk_onnx_place *place, const Onnx__NodeProto *message,
                          cvk_attr **attrs, int *count)
{
    enum { MAX_ATTRS = 1000 }; /* the operators of ONNX have up to about 20 */
    if (message->n_attribute > MAX_ATTRS)
        return cvk_fail(CVK_BAD_MODEL, "%zu attributes; an operator has at most %d",
                        message->n_attribute, MAX_ATTRS);
    cvk_attr *made = cvk_arena_alloc(place->arena, message->n_attribute * sizeof *made);
    if (!made) return CVK_NO_MEMORY;
    for (size_t i = 0; i < message->n_attribute; i++)
        CVK_TRY(import_attr(place, message->attribute[i], &made[i]));
    CVK_TRY(check_unique(made, (int)message->n_attribute));
    *attrs = made;
    *count = (int)message->n_attribute;
    return CVK_OK;
}

static cvk_status export_attr(cvk_arena *arena, const cvk_attr *attr, Onnx__AttributeProto *message)
{
    static const attr_type types[] = {
        [CVK_ATTR_INT] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT,
        [CVK_ATTR_FLOAT] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT,
        [CVK_ATTR_STRING] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING,
        [CVK_ATTR_INTS] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS,
        [CVK_ATTR_FLOATS] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS,
        [CVK_ATTR_TENSOR] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR,
    };
    onnx__attribute_proto__init(message);
    message->name = (char *)attr->name;
    message->has_type = true;
    message->type = types[attr->kind];
    message->has_i = attr->kind == CVK_ATTR_INT;
    message->i = attr->i;
    message->has_f = attr->kind == CVK_ATTR_FLOAT;
    message->f = attr->f;
    message->has_s = attr->kind == CVK_ATTR_STRING;
    if (message->has_s)
        message->s = (ProtobufCBinaryData){.len = strlen(attr->s), .data = (uint8_t *)attr->s};
    if (attr->kind == CVK_ATTR_INTS) {
        message->n_ints = attr->count;
        message->ints = (int64_t *)attr->ints;
    }
    if (attr->kind == CVK_ATTR_FLOATS) {
        message->n_floats = attr->count;
        message->floats = (float *)attr->floats;
    }
    if (attr->kind == CVK_ATTR_TENSOR) {
        message->t = cvk_arena_alloc(arena, sizeof *message->t);
        if (!message->t) return CVK_NO_MEMORY;
        cvk_onnx_tensor_message(attr->tensor, message->t);
    }
    return CVK_OK;
}

cvk_status cvk_onnx_attr_messages(cvk_arena *arena, const cvk_node *node, Onnx__NodeProto *message)
{
    size_t count = (size_t)node->n_attrs;
    Onnx__AttributeProto *items = cvk_arena_alloc(arena, count * sizeof *items);
    message->attribute = cvk_arena_alloc(arena, count * sizeof *message->attribute);
    if (!items || !message->attribute) return CVK_NO_MEMORY;
    message->n_attribute = count;
    for (size_t i = 0; i < count; i++) {
        CVK_TRY(export_attr(arena, &node->attrs[i], &items[i]));
        message->attribute[i] = &items[i];
    }
    return CVK_OK;
}
