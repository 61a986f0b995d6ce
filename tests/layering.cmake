# SPDX-License-Identifier: Apache-2.0
# Who may include whom, as data, and a check of every include of the sources against it.
#     cmake -DREPO=<checkout> -P tests/layering.cmake
# room <folder> may include <folders...>; "public" is include/convoke. A room may include itself. A path
# that names a file allows that file only.
set(TABLE
    "include/convoke            | "
    "src/base                   | public"
    "src/graph                  | public src/base"
    "src/ops                    | public src/base src/graph"
    "src/onnx                   | public src/base src/graph src/ops"
    "src/backend/opencl         | public src/base src/graph src/backend/kernel.h src/backend/backend.h"
    "src/backend/cpu            | public src/base src/graph src/backend/kernel.h src/backend/backend.h kernels/cpu"
    "src/backend                | public src/base src/graph"
    "src/schedule               | public src/base src/graph src/ops src/backend/backend.h src/backend/kernel.h"
    "src/session                | public src/base src/graph src/ops src/backend/backend.h src/backend/kernel.h src/schedule"
    "src/selftest               | public src/base src/graph src/ops src/backend/backend.h src/backend/kernel.h src/schedule"
    "src/zoo                    | public"
    "src/cli                    | public src/zoo"
    "src                        | public src/base src/graph src/ops src/onnx src/backend src/backend/opencl src/schedule src/session src/selftest"
    "kernels/cpu                | public src/base src/graph src/backend/kernel.h"
    "kernels/opencl             | public src/base src/graph src/backend/kernel.h src/backend/backend.h src/backend/opencl/cl.h"
)

# The first row whose folder holds the file; its allowed folders in ${out}.
function(allowed_of file room_out allowed_out)
    foreach(row ${TABLE})
        string(REGEX MATCH "^([^ |]+) *\\| *(.*)$" _ "${row}")
        set(room ${CMAKE_MATCH_1})
        set(allowed ${CMAKE_MATCH_2})
        string(FIND "${file}" "${room}/" at)
        if(at EQUAL 0)
            string(REPLACE " " ";" allowed "${allowed}")
            set(${room_out} ${room} PARENT_SCOPE)
            set(${allowed_out} "${allowed}" PARENT_SCOPE)
            return()
        endif()
    endforeach()
    set(${room_out} "" PARENT_SCOPE)
endfunction()

# Where an include in quotes or of <convoke/...> points, from the repository's root; "" if outside.
function(resolve file name out)
    get_filename_component(folder "${file}" DIRECTORY)
    foreach(candidate "${name}" "src/${name}" "include/${name}" "${folder}/${name}")
        if(EXISTS "${REPO}/${candidate}")
            set(${out} "${candidate}" PARENT_SCOPE)
            return()
        endif()
    endforeach()
    set(${out} "" PARENT_SCOPE)
endfunction()

set(problems 0)
set(checked 0)
file(GLOB_RECURSE files RELATIVE "${REPO}" "${REPO}/src/*.[ch]" "${REPO}/kernels/*.[ch]" "${REPO}/include/*.h" "${REPO}/src/*.def" "${REPO}/kernels/*.def")
foreach(file ${files})
    allowed_of("${file}" room allowed)
    if(room STREQUAL "")
        message("${file}: no room of the table holds this file")
        math(EXPR problems "${problems} + 1")
        continue()
    endif()
    file(STRINGS "${REPO}/${file}" lines REGEX "^ *# *include")
    foreach(line ${lines})
        string(REGEX MATCH "[<\"]([^>\"]+)[>\"]" _ "${line}")
        resolve("${file}" "${CMAKE_MATCH_1}" target)
        if(target STREQUAL "")
            continue()
        endif()
        math(EXPR checked "${checked} + 1")
        set(ok FALSE)
        get_filename_component(target_room "${target}" DIRECTORY)
        if(target_room STREQUAL room)
            set(ok TRUE)
        endif()
        foreach(door ${allowed})
            if(door STREQUAL "public")
                set(door "include/convoke")
            endif()
            if(target STREQUAL door OR target_room STREQUAL door)
                set(ok TRUE)
            endif()
        endforeach()
        # Below a room, its own headers serve its sub-rooms as the table says, nothing else does.
        if(NOT ok)
            message("${file} (${room}) must not include ${target}")
            math(EXPR problems "${problems} + 1")
        endif()
    endforeach()
endforeach()
if(problems)
    message(FATAL_ERROR "${problems} includes point the wrong way")
endif()
list(LENGTH files count)
message("${checked} includes of ${count} files follow the table")
