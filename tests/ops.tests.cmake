# SPDX-License-Identifier: Apache-2.0
convoke_test(test_ops test_ops.c ops_graph.c)
convoke_test(test_ops_values test_ops_values.c ops_graph.c)
convoke_test(test_ops_elementwise test_ops_elementwise.c ops_graph.c)
convoke_test(test_ops_spatial test_ops_spatial.c ops_graph.c)
convoke_test(test_ops_norm test_ops_norm.c ops_graph.c)
convoke_test(test_ops_pool test_ops_pool.c ops_graph.c)
convoke_test(test_ops_refused test_ops_refused.c ops_graph.c)
