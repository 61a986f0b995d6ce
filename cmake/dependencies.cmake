# SPDX-License-Identifier: Apache-2.0
# Libraries from the system (Debian's packages). Sets the imported targets that rooms.cmake links.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(CPUINFO REQUIRED IMPORTED_TARGET libcpuinfo)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)
pkg_check_modules(SQLITE3 REQUIRED IMPORTED_TARGET sqlite3)
find_program(PROTOC_C protoc-c REQUIRED)
find_path(ONNX_PROTO_DIR onnx/onnx.proto REQUIRED)
find_library(MATH_LIBRARY m)

if(CONVOKE_OPENCL)
    find_path(OPENCL_INCLUDE_DIR CL/cl.h REQUIRED)
endif()
