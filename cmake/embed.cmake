# SPDX-License-Identifier: Apache-2.0
# Writes ${OUT}: cvk_cl_sources[], one {name, text, bytes} per file of ${FILES}, ended by a NULL name.
set(arrays "")
set(rows "")
set(index 0)
foreach(file ${FILES})
    get_filename_component(name ${file} NAME)
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(APPEND arrays "static const unsigned char file_${index}[] = {${bytes}0};\n")
    string(APPEND rows "    {\"${name}\", (const char *)file_${index}, sizeof file_${index} - 1},\n")
    math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUT} "#include <stddef.h>
struct cvk_cl_source { const char *name, *text; size_t bytes; };
${arrays}
extern const struct cvk_cl_source cvk_cl_sources[];
const struct cvk_cl_source cvk_cl_sources[] = {
${rows}    {NULL, NULL, 0}
};
")
