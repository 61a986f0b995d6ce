# SPDX-License-Identifier: Apache-2.0
# The classic networks: counts, options, seeds; runs of the smaller ones; files.
file(GLOB ZOO_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/zoo/*.c)
set(ZOO_TEST_OUT ${CMAKE_CURRENT_BINARY_DIR}/zoo_out)
file(MAKE_DIRECTORY ${ZOO_TEST_OUT})
convoke_test(test_zoo ${CMAKE_CURRENT_SOURCE_DIR}/test_zoo.c ${ZOO_SOURCES})
target_link_libraries(test_zoo PRIVATE ${MATH_LIBRARY})
target_compile_definitions(test_zoo PRIVATE OUT_DIR="${ZOO_TEST_OUT}")
convoke_device_test(test_zoo_run ${ZOO_SOURCES})
target_link_libraries(test_zoo_run PRIVATE ${MATH_LIBRARY})

# The smaller files always; scripts/zoo checks and runs them all.
add_test(NAME zoo_checker COMMAND ${CONVOKE_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/onnx_checker.py ${ZOO_TEST_OUT})
set_tests_properties(test_zoo PROPERTIES FIXTURES_SETUP zoo_models)
set_tests_properties(zoo_checker PROPERTIES FIXTURES_REQUIRED zoo_models SKIP_RETURN_CODE 77)
convoke_device_test(test_programs ${ZOO_SOURCES})
target_link_libraries(test_programs PRIVATE ${MATH_LIBRARY})
