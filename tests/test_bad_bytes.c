/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes that are no model, or a good one that is damaged, at every position too: each is refused
 * with a sentence or is a model still, and none crashes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>
#include <sys/stat.h>

#include "model_checks.h"
#include "onnx_net.h"

/* ---- Bytes that are no model at all ---- */

static void test_not_onnx(void **state)
{
    (void)state;
    static const char *const wrong[] = {"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
                                        "GIF89a",
                                        "PK\x03\x04zip",
                                        "{\"json\": 1}",
                                        "hello, world",
                                        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
                                        "\n\n\n\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cvk_status status = parse_bytes(wrong[i], strlen(wrong[i]));
        judge(status, CVK_BAD_MODEL, "not an ONNX file");
    }
    judge(parse_bytes("", 0), CVK_BAD_MODEL, "not an ONNX file");
}

static size_t put_length(unsigned char *at, size_t value)
{
    size_t n = 0;
    for (; value >= 128; value >>= 7) at[n++] = (unsigned char)(value | 128);
    at[n++] = (unsigned char)value;
    return n;
}

/* Types in types, a hundred thousand deep: a reader that recurses would run out of stack. */
static void test_deep_nesting(void **state)
{
    (void)state;
    enum { LEVELS = 100000, ROOM = 2 << 20 };
    unsigned char *data = malloc(ROOM), head[16];
    assert_non_null(data);
    size_t at = ROOM;
    for (int i = 0; i < LEVELS; i++) { /* from the inside: TypeProto.sequence_type.elem_type */
        unsigned char tag = i % 2 ? 0x22 : 0x0a;
        size_t n = put_length(head, ROOM - at);
        memcpy(data + (at -= n), head, n);
        data[--at] = tag;
    }
    static const unsigned char outer[] = {0x12, 0x5a,
                                          0x3a}; /* ValueInfo.type, Graph.input, Model.graph */
    for (size_t i = 0; i < sizeof outer; i++) {
        size_t n = put_length(head, ROOM - at);
        memcpy(data + (at -= n), head, n);
        data[--at] = outer[i];
    }
    judge(parse_bytes(data + at, ROOM - at), CVK_BAD_MODEL, "deep");
    free(data);
}

/* Two bytes each for a million empty messages: the structs for them would take 200 times as much.
 */
static void test_many_empty(void **state)
{
    (void)state;
    enum { COUNT = 1000000 };
    unsigned char *data = malloc(2 * COUNT + 16);
    assert_non_null(data);
    static const unsigned char tags[] = {0x0a, 0x2a, 0x5a, 0x62, 0x7a};
    for (size_t t = 0; t < sizeof tags; t++) {
        data[0] = 0x3a;
        size_t at = 1 + put_length(data + 1, 2 * COUNT);
        for (int i = 0; i < COUNT; i++) {
            data[at++] = tags[t];
            data[at++] = 0;
        }
        assert_int_not_equal(parse_bytes(data, at), CVK_OK);
    }
    free(data);
}

/* ---- A good model, damaged ---- */

static unsigned char *small_model(size_t *bytes)
{
    cvk_model *model = NULL;
    assert_int_equal(net_build(&model), CVK_OK);
    assert_int_equal(cvk_model_save(model, OUT_DIR "/damage.tmp"), CVK_OK);
    cvk_model_free(&model);
    unsigned char *data = net_slurp(OUT_DIR "/damage.tmp", bytes);
    assert_non_null(data);
    return data;
}

static void test_truncated(void **state)
{
    (void)state;
    size_t bytes;
    unsigned char *data = small_model(&bytes);
    assert_int_equal(parse_bytes(data, bytes), CVK_OK);
    for (size_t n = 0; n < bytes; n++) assert_int_not_equal(parse_bytes(data, n), CVK_OK);
    for (size_t n = 0; n < bytes; n += 17) { /* and from a file */
        FILE *out = fopen(OUT_DIR "/truncated.tmp", "wb");
        cvk_model *model = NULL;
        assert_non_null(out);
        assert_int_equal(fwrite(data, 1, n, out), n);
        fclose(out);
        assert_int_not_equal(cvk_model_load(OUT_DIR "/truncated.tmp", &model), CVK_OK);
        assert_non_null(strstr(cvk_last_error(), "truncated.tmp"));
    }
    free(data);
}

static void test_every_byte(void **state)
{
    (void)state;
    static const unsigned char masks[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff};
    size_t bytes, good = 0;
    unsigned char *data = small_model(&bytes);
    for (size_t i = 0; i < bytes; i++)
        for (size_t m = 0; m < sizeof masks; m++) {
            data[i] ^= masks[m];
            cvk_status status = parse_bytes(data, bytes);
            if (status && !*cvk_last_error()) fail_msg("no sentence for byte %zu", i);
            good += !status;
            data[i] ^= masks[m];
        }
    print_message("%zu of %zu damaged models are still models\n", good, bytes * sizeof masks);
    free(data);
}

static void test_random_damage(void **state)
{
    (void)state;
    enum { ROUNDS = 20000 };
    size_t bytes;
    unsigned char *data = small_model(&bytes), *copy = malloc(bytes);
    assert_non_null(copy);
    uint64_t seed = 12345;
    for (int round = 0; round < ROUNDS; round++) {
        memcpy(copy, data, bytes);
        for (int k = 0; k < 1 + round % 8; k++) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            copy[(seed >> 33) % bytes] = (unsigned char)(seed >> 20);
        }
        parse_bytes(copy, bytes);
    }
    free(copy);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_onnx),   cmocka_unit_test(test_deep_nesting),
        cmocka_unit_test(test_many_empty), cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_every_byte), cmocka_unit_test(test_random_damage),
    };
    mkdir(OUT_DIR, 0777);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
