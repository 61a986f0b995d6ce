# SPDX-License-Identifier: Apache-2.0
# Models in and out. Trained networks are used where a folder of them lies beside the repository.
set(CONVOKE_SHARED_DIR "${PROJECT_SOURCE_DIR}/../shared" CACHE PATH "Folder with models/*.onnx for tests")
option(CONVOKE_FUZZ "Build the fuzz targets (clang)" OFF)
set(ONNX_TEST_OUT ${CMAKE_CURRENT_BINARY_DIR}/onnx_out)
set(ONNX_TEST_SHARED "")
if(EXISTS ${CONVOKE_SHARED_DIR}/models)
    get_filename_component(ONNX_TEST_SHARED ${CONVOKE_SHARED_DIR} ABSOLUTE)
endif()

foreach(name test_onnx test_tensor_file test_bad_input test_bad_bytes)
    convoke_test(${name} ${CMAKE_CURRENT_SOURCE_DIR}/${name}.c)
    add_dependencies(${name} cvk_onnx_schema)
    target_include_directories(${name} SYSTEM PRIVATE ${ONNX_GENERATED} ${PROTOBUF_C_INCLUDE_DIRS})
    target_compile_definitions(${name} PRIVATE OUT_DIR="${ONNX_TEST_OUT}" SHARED_DIR="${ONNX_TEST_SHARED}")
endforeach()

add_test(NAME onnx_checker COMMAND ${CONVOKE_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/onnx_checker.py ${ONNX_TEST_OUT})
set_tests_properties(test_onnx PROPERTIES FIXTURES_SETUP exported_models)
set_tests_properties(onnx_checker PROPERTIES FIXTURES_REQUIRED exported_models SKIP_RETURN_CODE 77)

if(CONVOKE_FUZZ)
    add_executable(fuzz_onnx ${CMAKE_CURRENT_SOURCE_DIR}/fuzz_onnx.c)
    target_link_libraries(fuzz_onnx PRIVATE convoke_flags convoke_static)
    target_compile_options(fuzz_onnx PRIVATE -fsanitize=fuzzer)
    target_link_options(fuzz_onnx PRIVATE -fsanitize=fuzzer)
endif()
