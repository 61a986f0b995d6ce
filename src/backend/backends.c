/* SPDX-License-Identifier: Apache-2.0
 *
 * The backends of this build. A new one adds a line here.
 */
#include "backend/backend.h"

const cvk_backend *const cvk_backends[] = {
    &cvk_backend_cpu,
#ifdef CVK_WITH_OPENCL
    &cvk_backend_opencl,
#endif
    NULL,
};
