# SPDX-License-Identifier: Apache-2.0
# bench_kernels: two problems in two rounds, and what its JSON says; never its speed. Libraries that
# are not there are rows that say so; under sanitizers they are not asked.
if(TARGET bench_kernels)
    set(LIBRARIES onednn,openblas,xnnpack)
    if(CONVOKE_SANITIZE)
        set(LIBRARIES "")
    endif()
    add_test(NAME bench_kernels COMMAND ${CONVOKE_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/bench_kernels_check.py
        $<TARGET_FILE:bench_kernels> ${PROJECT_SOURCE_DIR}/bench/layers ${LIBRARIES})
    set_tests_properties(bench_kernels PROPERTIES TIMEOUT 300)
endif()
