# SPDX-License-Identifier: Apache-2.0
# The OpenCL backend, its launchers, and every .cl file embedded as an array of bytes by CMake alone.
convoke_room(backend_opencl src/backend/opencl/*.c)
convoke_room(launchers_opencl kernels/opencl/*.c)

file(GLOB CL_FILES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/opencl/*.cl)
set(CL_EMBEDDED ${PROJECT_BINARY_DIR}/generated/cl_sources.c)
add_custom_command(OUTPUT ${CL_EMBEDDED}
    COMMAND ${CMAKE_COMMAND} "-DOUT=${CL_EMBEDDED}" "-DFILES=${CL_FILES}" -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${CL_FILES} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
add_library(cvk_cl_sources OBJECT ${CL_EMBEDDED})
list(APPEND CONVOKE_ROOMS cvk_cl_sources)
