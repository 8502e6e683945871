# Packs BUILD with cpack, unpacks that into PREFIX/packseq, and looks at what is there.
cmake_minimum_required(VERSION 3.21)

file(REMOVE_RECURSE "${PREFIX}")
file(MAKE_DIRECTORY "${PREFIX}")
execute_process(COMMAND_ERROR_IS_FATAL ANY COMMAND "${CPACK}" --config "${BUILD}/CPackConfig.cmake" -B "${PREFIX}"
  OUTPUT_QUIET)
file(GLOB archives "${PREFIX}/packseq-*.tar.gz")
list(LENGTH archives count)
if(NOT count EQUAL 1)
  message(FATAL_ERROR "cpack left ${count} archives: ${archives}")
endif()
file(ARCHIVE_EXTRACT INPUT "${archives}" DESTINATION "${PREFIX}/unpacked")
# Everything lies in one folder with the archive's name.
get_filename_component(name "${archives}" NAME)
string(REPLACE ".tar.gz" "" name "${name}")
file(RENAME "${PREFIX}/unpacked/${name}" "${PREFIX}/packseq")
set(PREFIX "${PREFIX}/packseq")
include("${CMAKE_CURRENT_LIST_DIR}/check_prefix.cmake")
