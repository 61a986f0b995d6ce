# SPDX-License-Identifier: Apache-2.0
# What differs between operator sets; the models that come of it go to onnx.checker.
convoke_test(test_opsets test_opsets.c opset_case.c)
convoke_test(test_opset_types test_opset_types.c opset_case.c)
set(OPSET_TEST_OUT ${CMAKE_CURRENT_BINARY_DIR}/opsets_out)
target_compile_definitions(test_opsets PRIVATE OUT_DIR="${OPSET_TEST_OUT}")
add_test(NAME onnx_checker_opsets COMMAND ${CONVOKE_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/onnx_checker.py ${OPSET_TEST_OUT})
set_tests_properties(test_opsets PROPERTIES FIXTURES_SETUP opset_models)
set_tests_properties(onnx_checker_opsets PROPERTIES FIXTURES_REQUIRED opset_models SKIP_RETURN_CODE 77)
