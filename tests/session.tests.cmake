# SPDX-License-Identifier: Apache-2.0
# Sessions and plans, most of it through the public interface.
# OpenCL drivers leak: what the library itself leaks shows in the tests on the CPU.
set(DRIVER_LEAKS "ASAN_OPTIONS=detect_leaks=0")

convoke_test(test_worked test_worked.c model_text.c)
set_tests_properties(test_worked PROPERTIES ENVIRONMENT "${DRIVER_LEAKS}")
convoke_test(test_plan test_plan.c model_text.c)
convoke_test(test_threads test_threads.c)

# A program, with more sources if it needs them, that takes the device to test as its argument: one test
# per device, skipped where it is absent.
function(convoke_device_test name)
    add_executable(${name} ${name}.c model_text.c model_reference.c ${ARGN})
    target_link_libraries(${name} PRIVATE convoke_flags PkgConfig::CMOCKA convoke_static)
    target_compile_definitions(${name} PRIVATE TESTS_DIR="${CMAKE_CURRENT_SOURCE_DIR}")
    set(devices cpu)
    if(CONVOKE_OPENCL)
        list(APPEND devices opencl)
    endif()
    foreach(device ${devices})
        add_test(NAME ${name}_${device} COMMAND ${name} ${device})
        set_tests_properties(${name}_${device} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900)
    endforeach()
    if(CONVOKE_OPENCL)
        set_tests_properties(${name}_opencl PROPERTIES ENVIRONMENT "${DRIVER_LEAKS}")
    endif()
endfunction()
convoke_device_test(test_session)
convoke_device_test(test_session_info)
convoke_device_test(test_session_late)
convoke_device_test(test_session_threads)
convoke_device_test(test_fusion)
convoke_device_test(test_rewrite_act)
convoke_test(test_tolerance test_tolerance.c model_text.c model_reference.c)
convoke_device_test(test_rewrite_pool)
convoke_device_test(test_half)
convoke_device_test(test_precision)
convoke_device_test(test_quantised)
convoke_device_test(test_random_nets)

# The test itself is linked to libOpenCL, as a program that shares its context would be.
find_library(OPENCL_LIBRARY OpenCL)
if(CONVOKE_OPENCL AND OPENCL_LIBRARY)
    convoke_test(test_opencl_interop test_opencl_interop.c model_text.c model_reference.c)
    target_include_directories(test_opencl_interop PRIVATE ${OPENCL_INCLUDE_DIR})
    target_link_libraries(test_opencl_interop PRIVATE ${OPENCL_LIBRARY})
    set_tests_properties(test_opencl_interop PROPERTIES SKIP_RETURN_CODE 77 ENVIRONMENT "${DRIVER_LEAKS}")
endif()
