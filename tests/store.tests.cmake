# SPDX-License-Identifier: Apache-2.0
# The store and, where there is an OpenCL device, the programs in it.
convoke_test(test_store test_store.c model_text.c model_reference.c)
convoke_test(test_cache test_cache.c model_text.c)
foreach(name test_store test_cache)
    target_include_directories(${name} PRIVATE ${SQLITE3_INCLUDE_DIRS})
    target_compile_definitions(${name} PRIVATE _XOPEN_SOURCE=700)
endforeach()
set_tests_properties(test_store PROPERTIES TIMEOUT 300 ENVIRONMENT "ASAN_OPTIONS=detect_leaks=0")
