# Writes a C file that holds a file's bytes: cmake -D FROM=page.html -D TO=page_html.c -D NAME=page_html -P page.cmake
file(READ ${FROM} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
set(byte "0x[0-9a-f][0-9a-f],")
string(REGEX REPLACE "(${byte}${byte}${byte}${byte})" "\\1\n" bytes "${bytes}")
file(WRITE ${TO} "#include <stddef.h>\nextern const unsigned char ${NAME}[];\nextern const size_t ${NAME}_size;\n"
  "const unsigned char ${NAME}[] = {\n${bytes}};\nconst size_t ${NAME}_size = sizeof ${NAME};\n")
