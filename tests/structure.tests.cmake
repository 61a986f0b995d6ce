# SPDX-License-Identifier: Apache-2.0
# Tests of the tree itself: who includes whom, headers alone, what is installed.
add_test(NAME layering COMMAND ${CMAKE_COMMAND} -DREPO=${PROJECT_SOURCE_DIR} -P ${CMAKE_CURRENT_SOURCE_DIR}/layering.cmake)

# Each public header compiles alone, as C11 and as C++17.
foreach(header convoke cache tune opencl)
    if(header STREQUAL "opencl" AND NOT CONVOKE_OPENCL)
        continue()
    endif()
    add_test(NAME header_${header}_c11 COMMAND ${CMAKE_C_COMPILER} -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only
        -I${PROJECT_SOURCE_DIR}/include -x c ${PROJECT_SOURCE_DIR}/include/convoke/${header}.h)
    add_test(NAME header_${header}_cxx17 COMMAND c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -fsyntax-only
        -I${PROJECT_SOURCE_DIR}/include -x c++ ${PROJECT_SOURCE_DIR}/include/convoke/${header}.h)
endforeach()

if(NOT CONVOKE_SANITIZE)
    add_test(NAME install COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/test_install.sh ${PROJECT_BINARY_DIR})
endif()

if(CONVOKE_OPENCL AND NOT CONVOKE_SANITIZE)
    add_test(NAME cl_alone COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cl_alone.sh)
    add_test(NAME oclgrind COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/oclgrind.sh $<TARGET_FILE:test_kernels>)
    set_tests_properties(cl_alone oclgrind PROPERTIES SKIP_RETURN_CODE 77)
    set_tests_properties(oclgrind PROPERTIES TIMEOUT 1500)
endif()

# The register tiles of the optimised levels keep their sums in registers. NEON has no masked load: part of a vec,
# which conv_tile_planes reads at the end of a row, goes through the stack there.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND CONVOKE_PYTHON AND CMAKE_OBJDUMP AND NOT CONVOKE_SANITIZE)
    set(tiles)
    foreach(isa avx2 avx512 neon)
        set(names "conv_tile|conv_tile_planes|gemm_tile")
        if(isa STREQUAL "neon")
            set(names "conv_tile|gemm_tile")
        endif()
        if(TARGET cvk_kernels_${isa})
            list(APPEND tiles "$<FILTER:$<TARGET_OBJECTS:cvk_kernels_${isa}>,INCLUDE,/(${names})[.]c>")
        endif()
    endforeach()
    add_test(NAME spills COMMAND ${CONVOKE_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/spills.py ${CMAKE_OBJDUMP} ${tiles} COMMAND_EXPAND_LISTS)
endif()
