# Installs packseq from BUILD into PREFIX, and looks at what is there.
cmake_minimum_required(VERSION 3.21)

file(REMOVE_RECURSE "${PREFIX}")
execute_process(COMMAND_ERROR_IS_FATAL ANY COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${PREFIX}")
include("${CMAKE_CURRENT_LIST_DIR}/check_prefix.cmake")
