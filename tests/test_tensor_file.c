/* SPDX-License-Identifier: Apache-2.0
 *
 * Tensor files: .npy saved and loaded in every type, a TensorProto loaded, mistakes in either.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>
#include <sys/stat.h>

#include "model_checks.h"

static void test_npy(void **state)
{
    (void)state;
    static const cvk_dtype types[] = {
#define TYPE(name, value, text, bytes) name,
        CVK_DTYPE_LIST(TYPE)
#undef TYPE
    };
    unsigned char bytes[6 * 8];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = i % 2; /* fits every type, bool included */
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        for (int rank = 0; rank <= 3; rank++) {
            cvk_tensor saved = {.dtype = types[i],
                                .rank = rank,
                                .dims = {rank == 1 ? 6 : 3, 2, 1},
                                .data = bytes},
                       loaded;
            OK(cvk_tensor_save_npy(OUT_DIR "/tensor.npy", &saved));
            OK(cvk_tensor_load(OUT_DIR "/tensor.npy", &loaded));
            same_tensor(&saved, &loaded);
            cvk_tensor_free_data(&loaded);
            assert_null(loaded.data);
        }
    cvk_tensor none = {0};
    assert_int_equal(cvk_tensor_save_npy(OUT_DIR "/tensor.npy", &none), CVK_BAD_ARGUMENT);
    cvk_tensor_free_data(NULL);
}

static void write_file(const char *path, const void *data, size_t bytes)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(data, 1, bytes, out), bytes);
    fclose(out);
}

static void test_tensor_file_mistakes(void **state)
{
    (void)state;
    static const struct {
        cvk_status want;
        const char *header;
    } bad[] = {{CVK_UNSUPPORTED, "{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }"},
               {CVK_UNSUPPORTED, "{'descr': '<c8', 'fortran_order': False, 'shape': (2,), }"},
               {CVK_UNSUPPORTED, "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1), }"},
               {CVK_BAD_INPUT, "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }"},
               {CVK_BAD_INPUT,
                "{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999, 9999999999), }"},
               {CVK_BAD_INPUT, "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }"},
               {CVK_UNSUPPORTED,
                "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }"},
               {CVK_BAD_INPUT, "{'descr': '<f4', 'fortran_order': False}"},
               {CVK_UNSUPPORTED, ""}};
    cvk_tensor tensor = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        unsigned char data[256] = "\x93NUMPY\x01";
        size_t length = strlen(bad[i].header);
        data[8] = (unsigned char)length;
        memcpy(data + 10, bad[i].header, length);
        write_file(OUT_DIR "/bad.npy", data, 10 + length + 8);
        assert_int_equal(cvk_tensor_load(OUT_DIR "/bad.npy", &tensor), bad[i].want);
        assert_non_null(strstr(cvk_last_error(), "bad.npy"));
        for (size_t n = 0; n < 10 + length; n++) {
            write_file(OUT_DIR "/bad.npy", data, n);
            assert_int_not_equal(cvk_tensor_load(OUT_DIR "/bad.npy", &tensor), CVK_OK);
        }
    }
    write_file(OUT_DIR "/bad.npy", "\x08\x02\x08\x02\x10\x01\x4a\x03zzz", 11);
    assert_int_equal(cvk_tensor_load(OUT_DIR "/bad.npy", &tensor), CVK_BAD_INPUT);
    assert_null(tensor.data);
}

static void test_tensor_proto_file(void **state)
{
    (void)state;
    /* dims 2, data_type float, raw data 8 bytes */
    write_file(OUT_DIR "/tensor.pb", "\x08\x02\x10\x01\x4a\x08\0\0\x80\x3f\0\0\0\x40", 14);
    cvk_tensor tensor;
    OK(cvk_tensor_load(OUT_DIR "/tensor.pb", &tensor));
    assert_int_equal(tensor.rank, 1);
    assert_int_equal(tensor.dims[0], 2);
    assert_true(((float *)tensor.data)[0] == 1 && ((float *)tensor.data)[1] == 2);
    cvk_tensor_free_data(&tensor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_npy),
        cmocka_unit_test(test_tensor_file_mistakes),
        cmocka_unit_test(test_tensor_proto_file),
    };
    mkdir(OUT_DIR, 0777);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
