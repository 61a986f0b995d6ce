# SPDX-License-Identifier: Apache-2.0
# Sessions and plans, most of it through the public interface.
convoke_test(test_worked test_worked.c model_text.c)

# A program that takes the device to test as its argument: one test per device, skipped where it is absent.
function(convoke_device_test name)
    add_executable(${name} ${name}.c model_text.c model_reference.c)
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
endfunction()
convoke_device_test(test_session)
convoke_device_test(test_fusion)
convoke_device_test(test_random_nets)
