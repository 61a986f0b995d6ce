# SPDX-License-Identifier: Apache-2.0
# The rooms of the house as object libraries, then the library in its two forms. A room is every .c
# file of its folder; who may include whom is checked by tests/layering.cmake.
set(CONVOKE_ROOMS)
function(convoke_room name)
    file(GLOB sources CONFIGURE_DEPENDS ${ARGN})
    if(NOT sources)
        return()
    endif()
    add_library(cvk_${name} OBJECT ${sources})
    target_link_libraries(cvk_${name} PRIVATE convoke_flags)
    target_compile_definitions(cvk_${name} PRIVATE CVK_BUILD_SHARED)
    set(CONVOKE_ROOMS ${CONVOKE_ROOMS} cvk_${name} PARENT_SCOPE)
endfunction()

convoke_room(base src/base/*.c)
target_include_directories(cvk_base PRIVATE ${CPUINFO_INCLUDE_DIRS} ${SQLITE3_INCLUDE_DIRS})
convoke_room(graph src/graph/*.c)
convoke_room(ops src/ops/*.c)

# ONNX: the schema is compiled at build time.
set(ONNX_GENERATED ${PROJECT_BINARY_DIR}/generated)
add_custom_command(
    OUTPUT ${ONNX_GENERATED}/onnx/onnx.pb-c.c ${ONNX_GENERATED}/onnx/onnx.pb-c.h
    COMMAND ${CMAKE_COMMAND} -E make_directory ${ONNX_GENERATED}
    COMMAND ${PROTOC_C} --c_out=${ONNX_GENERATED} -I${ONNX_PROTO_DIR} ${ONNX_PROTO_DIR}/onnx/onnx.proto
    DEPENDS ${ONNX_PROTO_DIR}/onnx/onnx.proto)
add_library(cvk_onnx_schema OBJECT ${ONNX_GENERATED}/onnx/onnx.pb-c.c)
target_include_directories(cvk_onnx_schema PUBLIC ${ONNX_GENERATED})
target_include_directories(cvk_onnx_schema PRIVATE ${PROTOBUF_C_INCLUDE_DIRS})
list(APPEND CONVOKE_ROOMS cvk_onnx_schema)
convoke_room(onnx src/onnx/*.c)
if(TARGET cvk_onnx)
    add_dependencies(cvk_onnx cvk_onnx_schema)
    target_include_directories(cvk_onnx SYSTEM PRIVATE ${ONNX_GENERATED} ${PROTOBUF_C_INCLUDE_DIRS})
endif()

convoke_room(backend src/backend/*.c)
convoke_room(backend_cpu src/backend/cpu/*.c)

# CPU kernels: every file once per instruction-set level.
function(convoke_cpu_kernels isa)
    file(GLOB sources CONFIGURE_DEPENDS kernels/cpu/*.c)
    if(NOT sources)
        return()
    endif()
    add_library(cvk_kernels_${isa} OBJECT ${sources})
    target_link_libraries(cvk_kernels_${isa} PRIVATE convoke_flags)
    target_compile_definitions(cvk_kernels_${isa} PRIVATE CVK_ISA=${isa} CVK_BUILD_SHARED)
    target_compile_options(cvk_kernels_${isa} PRIVATE ${ARGN})
    set(CONVOKE_ROOMS ${CONVOKE_ROOMS} cvk_kernels_${isa} PARENT_SCOPE)
endfunction()
convoke_cpu_kernels(scalar)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    convoke_cpu_kernels(avx2 -mavx2 -mfma -mf16c)
    convoke_cpu_kernels(avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mprefer-vector-width=512)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    convoke_cpu_kernels(neon)
endif()

if(CONVOKE_OPENCL)
    include(cmake/opencl.cmake)
endif()

convoke_room(schedule src/schedule/*.c)
convoke_room(session src/session/*.c)
convoke_room(selftest src/selftest/*.c)
convoke_room(api src/api*.c)

set(CONVOKE_OBJECTS)
foreach(room ${CONVOKE_ROOMS})
    list(APPEND CONVOKE_OBJECTS $<TARGET_OBJECTS:${room}>)
endforeach()
set(CONVOKE_LINK ${CPUINFO_LINK_LIBRARIES} ${PROTOBUF_C_LINK_LIBRARIES}
    ${SQLITE3_LINK_LIBRARIES} ${MATH_LIBRARY} ${CMAKE_DL_LIBS} Threads::Threads)

# No source of their own: generators want at least one.
add_library(convoke SHARED ${CONVOKE_OBJECTS})
add_library(convoke_static STATIC ${CONVOKE_OBJECTS})
set_target_properties(convoke PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} LINKER_LANGUAGE C)
set_target_properties(convoke_static PROPERTIES OUTPUT_NAME convoke LINKER_LANGUAGE C)
foreach(form convoke convoke_static)
    target_include_directories(${form} PUBLIC
        $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()
target_link_libraries(convoke PRIVATE ${CONVOKE_LINK})
target_link_libraries(convoke_static PUBLIC ${CONVOKE_LINK})
