# SPDX-License-Identifier: Apache-2.0
# The complete programs that people read first, in the comment at the head of convoke.h and in the
# README's first block of C, compile without a warning and run.

# Opening "auto" loads OpenCL drivers, which leak.
set(DRIVER_LEAKS "ASAN_OPTIONS=detect_leaks=0")

# The text of ${file} from behind ${from} to before ${to}, in ${out}; "" if it is not there.
function(convoke_cut file from to out)
    set(${out} "" PARENT_SCOPE)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(READ ${file} text)
    string(FIND "${text}" "${from}" begin)
    if(begin LESS 0)
        return()
    endif()
    string(LENGTH "${from}" skipped)
    math(EXPR begin "${begin} + ${skipped}")
    string(SUBSTRING "${text}" ${begin} -1 text)
    string(FIND "${text}" "${to}" length)
    string(SUBSTRING "${text}" 0 ${length} text)
    set(${out} "${text}" PARENT_SCOPE)
endfunction()

add_executable(example_model example_model.c model_text.c)
target_link_libraries(example_model PRIVATE convoke_flags PkgConfig::CMOCKA convoke_static)
add_test(NAME example_model COMMAND example_model ${CMAKE_CURRENT_BINARY_DIR}/example.onnx)
set_tests_properties(example_model PROPERTIES FIXTURES_SETUP example_model)

function(convoke_example name code)
    set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}.c)
    file(CONFIGURE OUTPUT ${source} CONTENT "${code}" @ONLY)
    add_executable(${name} ${source})
    target_compile_options(${name} PRIVATE -Wall -Wextra -Wpedantic -Werror)
    target_link_libraries(${name} PRIVATE convoke)
    add_test(NAME ${name} COMMAND ${name} ${CMAKE_CURRENT_BINARY_DIR}/example.onnx)
    set_tests_properties(${name} PROPERTIES FIXTURES_REQUIRED example_model ENVIRONMENT "${DRIVER_LEAKS}")
    set(trained ${PROJECT_SOURCE_DIR}/../shared/models/squeezenet1.1.onnx)
    if(EXISTS ${trained})
        add_test(NAME ${name}_trained COMMAND ${name} ${trained})
        set_tests_properties(${name}_trained PROPERTIES ENVIRONMENT "${DRIVER_LEAKS}")
    endif()
endfunction()

convoke_cut(${PROJECT_SOURCE_DIR}/include/convoke/convoke.h "A complete program:" "\n *\n * Rules" header_code)
string(REGEX REPLACE "^[^\n]*\n \\*\n" "" header_code "${header_code}")
string(REGEX REPLACE "(^|\n) \\*(     )?" "\\1" header_code "${header_code}")
convoke_example(example_header "${header_code}\n")

if(EXISTS ${PROJECT_SOURCE_DIR}/README.md)
    convoke_cut(${PROJECT_SOURCE_DIR}/README.md "```c\n" "\n```" readme_code)
    if(NOT readme_code STREQUAL "")
        convoke_example(example_readme "${readme_code}\n")
    endif()
endif()
