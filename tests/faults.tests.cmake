# SPDX-License-Identifier: Apache-2.0
# What fails under the library's feet: processes that are killed while they write to the store, and OpenCL calls, by a
# layer between the ICD loader and the driver.
convoke_test(test_store_kill test_store_kill.c model_text.c model_reference.c)
target_include_directories(test_store_kill PRIVATE ${SQLITE3_INCLUDE_DIRS})
target_compile_definitions(test_store_kill PRIVATE _XOPEN_SOURCE=700)
set_tests_properties(test_store_kill PROPERTIES TIMEOUT 300 ENVIRONMENT "ASAN_OPTIONS=detect_leaks=0")

find_library(OPENCL_LIBRARY OpenCL)
find_path(OPENCL_LAYER_INCLUDE_DIR CL/cl_layer.h)
if(CONVOKE_OPENCL AND OPENCL_LIBRARY AND OPENCL_LAYER_INCLUDE_DIR)
    add_library(opencl_fault_layer MODULE opencl_fault_layer.c)
    target_link_libraries(opencl_fault_layer PRIVATE convoke_flags)
    target_include_directories(opencl_fault_layer SYSTEM PRIVATE ${OPENCL_LAYER_INCLUDE_DIR})
    set_target_properties(opencl_fault_layer PROPERTIES C_VISIBILITY_PRESET default)

    # Under sanitizers every ninth call: what the driver itself leaks is named in lsan.supp.
    set(stride 1)
    set(leaks "")
    if(CONVOKE_SANITIZE)
        set(stride 9)
        set(leaks "ASAN_OPTIONS=detect_leaks=1" "LSAN_OPTIONS=suppressions=${CMAKE_CURRENT_SOURCE_DIR}/lsan.supp")
    endif()
    convoke_test(test_opencl_faults test_opencl_faults.c model_text.c)
    add_dependencies(test_opencl_faults opencl_fault_layer)
    target_include_directories(test_opencl_faults PRIVATE ${OPENCL_INCLUDE_DIR})
    target_link_libraries(test_opencl_faults PRIVATE ${OPENCL_LIBRARY} ${CMAKE_DL_LIBS})
    target_compile_definitions(test_opencl_faults PRIVATE _XOPEN_SOURCE=700 FAULT_STRIDE=${stride}
        FAULT_LAYER_PATH="$<TARGET_FILE:opencl_fault_layer>")
    set_tests_properties(test_opencl_faults PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900 ENVIRONMENT "${leaks}")

    add_test(NAME test_auto_gpu COMMAND test_auto)
    set_tests_properties(test_auto_gpu PROPERTIES
        ENVIRONMENT "OPENCL_LAYERS=$<TARGET_FILE:opencl_fault_layer>;FAULT_LAYER=gpu;ASAN_OPTIONS=detect_leaks=0")

    if(TEST cli)
        set_property(TEST cli APPEND PROPERTY ENVIRONMENT "FAULT_LAYER_PATH=$<TARGET_FILE:opencl_fault_layer>")
    endif()
endif()
