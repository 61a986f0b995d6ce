# SPDX-License-Identifier: Apache-2.0
foreach(name test_ops_index test_ops_select test_ops_algebra test_ops_move test_ops_reduce test_ops_fold)
    convoke_test(${name} ${name}.c ops_graph.c)
endforeach()
